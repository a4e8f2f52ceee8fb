"""The life of an instance as one table: a row for every verb that changes its state.

``db.instances`` is the only writer of the two states and takes every value from here. ``begin`` is a
compare-and-swap on (vm_state, task_state): the database is the lock.
"""

import dataclasses
import enum


class VmState(enum.StrEnum):
    """What an instance is when nothing is going on."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    RESCUED = "rescued"
    RESIZED = "resized"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"
    SOFT_DELETED = "soft-delete"
    ERROR = "error"
    DELETED = "deleted"


class TaskState(enum.StrEnum):
    """What is going on with an instance; absent when nothing is."""

    SCHEDULING = "scheduling"
    NETWORKING = "networking"
    BLOCK_DEVICE_MAPPING = "block_device_mapping"
    SPAWNING = "spawning"
    DELETING = "deleting"
    POWERING_ON = "powering-on"
    POWERING_OFF = "powering-off"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    REBUILDING = "rebuilding"
    IMAGE_SNAPSHOT = "image_snapshot"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    RESIZE_PREP = "resize_prep"
    RESIZE_MIGRATING = "resize_migrating"
    RESIZE_FINISH = "resize_finish"
    RESIZE_CONFIRMING = "resize_confirming"
    RESIZE_REVERTING = "resize_reverting"
    SHELVING = "shelving"
    SHELVING_OFFLOADING = "shelving_offloading"
    UNSHELVING = "unshelving"
    EVACUATING = "rebuild_spawning"
    SOFT_DELETING = "soft-deleting"
    RESTORING = "restoring"
    UPDATING_PASSWORD = "updating_password"
    CRASH_DUMPING = "crash_dumping"
    ATTACHING_INTERFACE = "attaching_interface"
    DETACHING_INTERFACE = "detaching_interface"
    MIGRATING = "migrating"


class PowerState(enum.IntEnum):
    """What the hypervisor says of the guest; numbers as the compute API shows them."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


class Verb(enum.StrEnum):
    """What can be done to an instance; the value is the action's name in ``server event list``."""

    BOOT = "create"
    DELETE = "delete"
    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    REBOOT_HARD = "reboot_hard"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    SUSPEND = "suspend"
    RESUME = "resume"
    REBUILD = "rebuild"
    REBUILD_STOPPED = "rebuild_stopped"
    SNAPSHOT = "snapshot"
    RESCUE = "rescue"
    UNRESCUE = "unrescue"
    RESIZE = "resize"
    CONFIRM_RESIZE = "confirmResize"
    REVERT_RESIZE = "revertResize"
    SHELVE = "shelve"
    SHELVE_OFFLOAD = "shelveOffload"
    UNSHELVE = "unshelve"
    UNSHELVE_HERE = "unshelve_here"
    EVACUATE = "evacuate"
    SOFT_DELETE = "softDelete"
    RESTORE = "restore"
    CHANGE_PASSWORD = "changePassword"
    CRASH_DUMP = "trigger_crash_dump"
    ATTACH_INTERFACE = "attach_interface"
    DETACH_INTERFACE = "detach_interface"
    LIVE_MIGRATE = "live-migration"


class OnCrash(enum.StrEnum):
    """What becomes of an action whose daemon died in the middle and whose host stays away."""

    FAIL = "fail"
    """The instance goes to the verb's failure state with the reason as its fault."""
    FINISH = "finish"
    """The verb is done without the host: what it gives back (room, addresses, quota) is given back."""


@dataclasses.dataclass(frozen=True, slots=True)
class Transition:
    """One verb: where it may start, what it shows meanwhile, where it ends and what a crash means.

    ``from_tasks`` lists the task states that it may interrupt besides "none". ``failed`` is None where a
    failure leaves the vm state as it was, ``done`` where success does too. ``power`` is the guest's power
    state when the verb is done. ``needs_host`` is False where an instance that no host has may start it too.
    ``stays_off`` is True where an instance that was off is off again when the verb is done.
    """

    verb: Verb
    sources: frozenset[VmState]
    task: TaskState
    done: VmState | None
    failed: VmState | None
    on_dead_host: OnCrash
    from_tasks: frozenset[TaskState] = frozenset()
    title: str = ""
    power: PowerState = PowerState.RUNNING
    needs_host: bool = True
    stays_off: bool = False


PLACED = frozenset({Verb.BOOT, Verb.RESIZE, Verb.UNSHELVE, Verb.EVACUATE, Verb.LIVE_MIGRATE})
"""The verbs for which the scheduler has to find a host."""

OPTIONAL = frozenset({Verb.SUSPEND, Verb.LIVE_MIGRATE, Verb.CRASH_DUMP, Verb.CHANGE_PASSWORD, Verb.RESCUE, Verb.PAUSE})
"""The verbs that a hypervisor may say it cannot do."""

_ANY = frozenset(VmState) - {VmState.DELETED}

TRANSITIONS: dict[Verb, Transition] = {
    row.verb: row
    for row in (
        Transition(
            Verb.BOOT, frozenset(), TaskState.SCHEDULING, VmState.ACTIVE, VmState.ERROR, OnCrash.FAIL,
            title="create",
        ),
        Transition(
            Verb.DELETE, _ANY, TaskState.DELETING, VmState.DELETED, VmState.ERROR, OnCrash.FINISH,
            from_tasks=frozenset(TaskState) - {TaskState.DELETING}, title="delete", power=PowerState.NOSTATE,
            needs_host=False,
        ),
        Transition(
            Verb.STOP, frozenset({VmState.ACTIVE, VmState.ERROR}),
            TaskState.POWERING_OFF, VmState.STOPPED, None, OnCrash.FAIL, title="stop",
            power=PowerState.SHUTDOWN,
        ),
        Transition(
            Verb.START, frozenset({VmState.STOPPED}), TaskState.POWERING_ON, VmState.ACTIVE, None,
            OnCrash.FAIL, title="start",
        ),
        Transition(
            Verb.REBOOT, frozenset({VmState.ACTIVE}), TaskState.REBOOTING, VmState.ACTIVE, None, OnCrash.FAIL,
            title="reboot",
        ),
        Transition(
            Verb.REBOOT_HARD,
            frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED, VmState.ERROR}),
            TaskState.REBOOTING_HARD, VmState.ACTIVE, None, OnCrash.FAIL,
            from_tasks=frozenset({TaskState.REBOOTING}), title="reboot",
        ),
        Transition(
            Verb.PAUSE, frozenset({VmState.ACTIVE}), TaskState.PAUSING, VmState.PAUSED, None, OnCrash.FAIL,
            title="pause", power=PowerState.PAUSED,
        ),
        Transition(
            Verb.UNPAUSE, frozenset({VmState.PAUSED}), TaskState.UNPAUSING, VmState.ACTIVE, None, OnCrash.FAIL,
            title="unpause",
        ),
        Transition(
            Verb.SUSPEND, frozenset({VmState.ACTIVE}), TaskState.SUSPENDING, VmState.SUSPENDED, None,
            OnCrash.FAIL, title="suspend", power=PowerState.SHUTDOWN,
        ),
        Transition(
            Verb.RESUME, frozenset({VmState.SUSPENDED}), TaskState.RESUMING, VmState.ACTIVE, None,
            OnCrash.FAIL, title="resume",
        ),
        Transition(
            Verb.REBUILD, frozenset({VmState.ACTIVE, VmState.ERROR}),
            TaskState.REBUILDING, VmState.ACTIVE, VmState.ERROR, OnCrash.FAIL, title="rebuild",
        ),
        Transition(
            Verb.REBUILD_STOPPED, frozenset({VmState.STOPPED}), TaskState.REBUILDING, VmState.STOPPED,
            VmState.ERROR, OnCrash.FAIL, title="rebuild", power=PowerState.SHUTDOWN,
        ),
        Transition(
            Verb.SNAPSHOT, frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED}),
            TaskState.IMAGE_SNAPSHOT, None, None, OnCrash.FAIL, title="createImage",
        ),
        Transition(
            Verb.RESCUE, frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.ERROR}),
            TaskState.RESCUING, VmState.RESCUED, None, OnCrash.FAIL, title="rescue",
        ),
        Transition(
            Verb.UNRESCUE, frozenset({VmState.RESCUED}), TaskState.UNRESCUING, VmState.ACTIVE, None,
            OnCrash.FAIL, title="unrescue",
        ),
        Transition(
            Verb.RESIZE, frozenset({VmState.ACTIVE, VmState.STOPPED}),
            TaskState.RESIZE_PREP, VmState.RESIZED, None, OnCrash.FAIL, title="resize", stays_off=True,
        ),
        Transition(
            Verb.CONFIRM_RESIZE, frozenset({VmState.RESIZED}), TaskState.RESIZE_CONFIRMING, VmState.ACTIVE,
            None, OnCrash.FINISH, title="confirmResize", stays_off=True,
        ),
        Transition(
            Verb.REVERT_RESIZE, frozenset({VmState.RESIZED}), TaskState.RESIZE_REVERTING, VmState.ACTIVE, None,
            OnCrash.FAIL, title="revertResize", stays_off=True,
        ),
        Transition(
            Verb.SHELVE, frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED}),
            TaskState.SHELVING, VmState.SHELVED, None, OnCrash.FAIL, title="shelve", power=PowerState.SHUTDOWN,
        ),
        Transition(
            Verb.SHELVE_OFFLOAD, frozenset({VmState.SHELVED}), TaskState.SHELVING_OFFLOADING,
            VmState.SHELVED_OFFLOADED, None, OnCrash.FINISH, title="shelveOffload", power=PowerState.SHUTDOWN,
        ),
        Transition(
            Verb.UNSHELVE, frozenset({VmState.SHELVED_OFFLOADED}), TaskState.UNSHELVING, VmState.ACTIVE, None,
            OnCrash.FAIL, title="unshelve", needs_host=False,
        ),
        Transition(
            Verb.UNSHELVE_HERE, frozenset({VmState.SHELVED}), TaskState.UNSHELVING, VmState.ACTIVE, None,
            OnCrash.FAIL, title="unshelve",
        ),
        Transition(
            Verb.EVACUATE, frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.ERROR}),
            TaskState.EVACUATING, VmState.ACTIVE, VmState.ERROR, OnCrash.FAIL, title="evacuate",
            stays_off=True,
        ),
        Transition(
            Verb.SOFT_DELETE,
            frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED}),
            TaskState.SOFT_DELETING, VmState.SOFT_DELETED, None, OnCrash.FAIL, title="delete",
            power=PowerState.SHUTDOWN,
        ),
        Transition(
            Verb.RESTORE, frozenset({VmState.SOFT_DELETED}), TaskState.RESTORING, VmState.ACTIVE, None,
            OnCrash.FAIL, title="restore",
        ),
        Transition(
            Verb.CHANGE_PASSWORD, frozenset({VmState.ACTIVE}), TaskState.UPDATING_PASSWORD, None, None,
            OnCrash.FAIL, title="changePassword",
        ),
        Transition(
            Verb.CRASH_DUMP,
            frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.RESCUED, VmState.RESIZED, VmState.ERROR}),
            TaskState.CRASH_DUMPING, None, None, OnCrash.FAIL, title="trigger_crash_dump",
        ),
        Transition(
            Verb.ATTACH_INTERFACE, frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.STOPPED}),
            TaskState.ATTACHING_INTERFACE, None, None, OnCrash.FAIL, title="attach_interface",
        ),
        Transition(
            Verb.DETACH_INTERFACE, frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.STOPPED}),
            TaskState.DETACHING_INTERFACE, None, None, OnCrash.FINISH, title="detach_interface",
        ),
        Transition(
            Verb.LIVE_MIGRATE, frozenset({VmState.ACTIVE, VmState.PAUSED}),
            TaskState.MIGRATING, None, None, OnCrash.FAIL, title="os-migrateLive",
        ),
    )
}  # fmt: skip


def diagram() -> str:
    """Return the state diagram of the table as Mermaid text (``stateDiagram-v2``), for the README."""
    lines = ["stateDiagram-v2", "    [*] --> building: boot"]
    lines.append(f"    building --> {TRANSITIONS[Verb.BOOT].done}: done")
    lines.append(f"    building --> {TRANSITIONS[Verb.BOOT].failed}: failed")
    for row in TRANSITIONS.values():
        for source in sorted(row.sources):
            lines.append(f"    {source} --> {row.done or source}: {row.verb}")
            if row.stays_off and row.done is VmState.ACTIVE:
                lines.append(f"    {source} --> {VmState.STOPPED}: {row.verb} of one that is off")
    lines.append("    deleted --> [*]")
    return "\n".join(lines)
