"""What the compute API calls the state of an instance: total maps over the domain's states."""

from collections.abc import Iterable

from nova_lite.core.instance_states import TaskState, VmState

OF_VM_STATE: dict[VmState, str] = {
    VmState.BUILDING: "BUILD",
    VmState.ACTIVE: "ACTIVE",
    VmState.STOPPED: "SHUTOFF",
    VmState.PAUSED: "PAUSED",
    VmState.SUSPENDED: "SUSPENDED",
    VmState.RESCUED: "RESCUE",
    VmState.RESIZED: "VERIFY_RESIZE",
    VmState.SHELVED: "SHELVED",
    VmState.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
    VmState.SOFT_DELETED: "SOFT_DELETED",
    VmState.ERROR: "ERROR",
    VmState.DELETED: "DELETED",
}
"""The status of an instance with which nothing particular is going on."""

OF_TASK: dict[tuple[VmState, TaskState], str] = {
    (VmState.ACTIVE, TaskState.REBOOTING): "REBOOT",
    (VmState.ACTIVE, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.STOPPED, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.ERROR, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.PAUSED, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.SUSPENDED, TaskState.REBOOTING_HARD): "HARD_REBOOT",
    (VmState.ACTIVE, TaskState.REBUILDING): "REBUILD",
    (VmState.STOPPED, TaskState.REBUILDING): "REBUILD",
    (VmState.ERROR, TaskState.REBUILDING): "REBUILD",
    **{
        (state, task): "RESIZE"
        for state in (VmState.ACTIVE, VmState.STOPPED)
        for task in (TaskState.RESIZE_PREP, TaskState.RESIZE_MIGRATING, TaskState.RESIZE_FINISH)
    },
    (VmState.ACTIVE, TaskState.MIGRATING): "MIGRATING",
    (VmState.PAUSED, TaskState.MIGRATING): "MIGRATING",
    **{
        (state, TaskState.EVACUATING): "REBUILD" for state in (VmState.ACTIVE, VmState.STOPPED, VmState.ERROR)
    },
    (VmState.RESIZED, TaskState.RESIZE_REVERTING): "REVERT_RESIZE",
}
"""The status while a task changes it."""

WITH_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
"""Statuses that a progress is shown with."""

WITH_FAULT = frozenset({"ERROR", "DELETED"})
"""Statuses that a fault is shown with."""


def status_of(vm_state: VmState, task_state: TaskState | None) -> str:
    """Return the status that the compute API shows."""
    if task_state is not None and (vm_state, task_state) in OF_TASK:
        return OF_TASK[vm_state, task_state]
    return OF_VM_STATE[vm_state]


def states_of(statuses: Iterable[str]) -> tuple[list[VmState], list[TaskState] | None] | None:
    """Return the vm states that ``status`` filters stand for, and the tasks where they are of some only.

    None for statuses of which none exists.
    """
    wanted = {status.upper() for status in statuses}
    plain = {state for state, name in OF_VM_STATE.items() if name in wanted}
    busy = {pair for pair, name in OF_TASK.items() if name in wanted}
    if not plain and not busy:
        return None
    tasks = None if plain else sorted({task for _, task in busy})
    return sorted(plain | {state for state, _ in busy}), tasks
