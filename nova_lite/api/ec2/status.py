"""What the EC2 API calls the state of an instance or an image: total maps over the domain's states."""

import dataclasses

from nova_lite.core.image import Image, ImageStatus
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import TaskState, VmState


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """A state by its code and its name."""

    code: int
    name: str


PENDING = State(0, "pending")
RUNNING = State(16, "running")
SHUTTING_DOWN = State(32, "shutting-down")
TERMINATED = State(48, "terminated")
STOPPING = State(64, "stopping")
STOPPED = State(80, "stopped")

OF_VM_STATE: dict[VmState, State] = {
    VmState.BUILDING: PENDING,
    VmState.ACTIVE: RUNNING,
    VmState.STOPPED: STOPPED,
    VmState.PAUSED: STOPPED,
    VmState.SUSPENDED: STOPPED,
    VmState.RESCUED: RUNNING,
    VmState.RESIZED: RUNNING,
    VmState.SHELVED: STOPPED,
    VmState.SHELVED_OFFLOADED: STOPPED,
    VmState.SOFT_DELETED: TERMINATED,
    VmState.ERROR: STOPPED,
    VmState.DELETED: TERMINATED,
}
"""The state of an instance with which nothing is going on; what the EC2 API has no word for is the nearest."""

OF_TASK: dict[TaskState, State] = {
    TaskState.DELETING: SHUTTING_DOWN,
    TaskState.SOFT_DELETING: SHUTTING_DOWN,
    TaskState.POWERING_OFF: STOPPING,
    TaskState.SUSPENDING: STOPPING,
    TaskState.PAUSING: STOPPING,
    TaskState.SHELVING: STOPPING,
    TaskState.POWERING_ON: PENDING,
    TaskState.UNPAUSING: PENDING,
    TaskState.RESUMING: PENDING,
    TaskState.UNSHELVING: PENDING,
    TaskState.RESTORING: PENDING,
}
"""The state while a task changes it; other tasks leave what the vm state says."""

IMAGE_STATES: dict[ImageStatus, str] = {
    ImageStatus.QUEUED: "pending",
    ImageStatus.SAVING: "pending",
    ImageStatus.UPLOADING: "pending",
    ImageStatus.IMPORTING: "pending",
    ImageStatus.ACTIVE: "available",
    ImageStatus.DEACTIVATED: "disabled",
    ImageStatus.DELETED: "deregistered",
}


def state_of(instance: Instance) -> State:
    """Return an instance's state; one that never came up is terminated, though it is still to be deleted."""
    if instance.task_state is not None and instance.task_state in OF_TASK:
        return OF_TASK[instance.task_state]
    if instance.vm_state is VmState.ERROR and instance.launched_at is None:
        return TERMINATED
    if instance.vm_state is VmState.RESIZED and instance.power_state.name == "SHUTDOWN":
        return STOPPED
    return OF_VM_STATE[instance.vm_state]


def image_state_of(image: Image) -> str:
    """Return an image's state, that of its import from a bundle while there is one."""
    importing = image.properties.get("image_state", "")
    if importing.startswith("failed"):
        return "failed"
    if importing in ("pending", "downloading", "decrypting", "untarring", "uploading"):
        return "pending"
    return IMAGE_STATES[image.status]
