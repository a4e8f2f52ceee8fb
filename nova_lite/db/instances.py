"""Instances: asked for, and the only writers of an instance's state.

``begin``, ``finish`` and ``fail`` take their values from ``core.instance_states``; each is one conditional
UPDATE.
"""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.devices import GuestDevice
from nova_lite.core.errors import Conflict, Locked, NotFound, Superseded, WrongState
from nova_lite.core.instance import Fault, Flavor, Instance
from nova_lite.core.instance_states import TRANSITIONS, PowerState, TaskState, Transition, Verb, VmState
from nova_lite.core.metadata import InjectedFile
from nova_lite.db.instance_rows import TABLE, fault_to_json, flavor_columns, of_row, to_row

_ALIVE = TABLE.c.deleted == sa.false()

# Statements that are asked all the time are built once, which takes longer than asking them.
_ONE = sa.select(TABLE).where(TABLE.c.uuid == sa.bindparam("uuid"), _ALIVE)
_ONE_IN_SCOPE = _ONE.where(TABLE.c.project_id == sa.bindparam("scope"))
_IN_TASKS = sa.update(TABLE).where(
    TABLE.c.uuid == sa.bindparam("of_uuid"), _ALIVE, TABLE.c.task_state.in_(sa.bindparam("tasks"))
)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where instances are put: a host, its hypervisor and its availability zone."""

    host: str
    node: str
    availability_zone: str


@dataclasses.dataclass(frozen=True, slots=True)
class Seat:
    """Where an instance is, and of what size."""

    host: str
    node: str
    flavor: Flavor


def insert(session: Session, instances: Sequence[Instance]) -> None:
    """Add instances, all in the state that booting starts from; their ``id`` is given by the database."""
    session.execute(sa.insert(TABLE), [to_row(instance) for instance in instances])


def get(session: Session, uuid: str, scope: str | None = None) -> Instance | None:
    """Return an instance that is not deleted, within the project ``scope`` unless that is None."""
    query = _ONE if scope is None else _ONE_IN_SCOPE
    row = session.execute(query, {"uuid": uuid, "scope": scope}).one_or_none()
    return None if row is None else of_row(row)


def gone(session: Session, uuid: str) -> Instance | None:
    """Return an instance that was deleted, as it was then; None for one that was not."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.uuid == uuid, ~_ALIVE)).one_or_none()
    return None if row is None else of_row(row)


def locked(session: Session, uuid: str, scope: str | None = None) -> Instance:
    """Return an instance as ``get`` does, and let no other transaction change it yet; raises NotFound."""
    query = (_ONE if scope is None else _ONE_IN_SCOPE).with_for_update()
    row = session.execute(query, {"uuid": uuid, "scope": scope}).one_or_none()
    if row is None:
        raise NotFound(f"Instance {uuid} could not be found.")
    return of_row(row)


def by_uuids(session: Session, uuids: Sequence[str]) -> dict[str, Instance]:
    """Return instances that are not deleted by their uuid."""
    rows = session.execute(sa.select(TABLE).where(TABLE.c.uuid.in_(uuids), _ALIVE))
    return {row.uuid: of_row(row) for row in rows}


def on_host(session: Session, host: str) -> list[Instance]:
    """Return the instances that are placed on a host."""
    query = sa.select(TABLE).where(TABLE.c.host == host, _ALIVE).order_by(TABLE.c.id)
    return [of_row(row) for row in session.execute(query)]


def known(session: Session, uuids: Sequence[str]) -> set[str]:
    """Return those of ``uuids`` that belong to instances that are not deleted."""
    return set(session.execute(sa.select(TABLE.c.uuid).where(TABLE.c.uuid.in_(uuids), _ALIVE)).scalars())


def used_by_project(session: Session) -> dict[str, tuple[int, int, int]]:
    """Count (instances, cores, ram in MiB) by project, for a repair of the usage counters."""
    return {row[0]: (row[1], row[2], row[3]) for row in session.execute(_sums(TABLE.c.project_id))}


def used_by_host(session: Session) -> dict[str, tuple[int, int, int, int]]:
    """Count (instances, cores, ram in MiB, disk in GiB) by host, for a repair of the room counters."""
    rows = session.execute(_sums(TABLE.c.host).where(TABLE.c.host.is_not(None)))
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def begin(session: Session, instance: Instance, verb: Verb, *, despite_lock: bool = False) -> None:
    """Start ``verb`` on an instance: one compare-and-swap.

    Raises WrongState where the table forbids it, Locked unless ``despite_lock``.
    """
    begun = session.execute(_begin(verb, despite_lock), {"of_uuid": instance.uuid, "updated_at": clock.now()})
    if not _changed(begun):
        raise _refusal(session, instance.uuid, TRANSITIONS[verb], despite_lock)


@functools.cache
def _begin(verb: Verb, despite_lock: bool) -> sa.Update:
    """Return the compare-and-swap by which a verb starts on the instance ``of_uuid``."""
    row = TRANSITIONS[verb]
    unlocked: sa.ColumnElement[bool] = sa.true() if despite_lock else TABLE.c.locked_by == ""
    placed: sa.ColumnElement[bool] = TABLE.c.host.is_not(None) if row.needs_host else sa.true()
    tasks: sa.ColumnElement[bool] = TABLE.c.task_state.is_(None)
    if row.from_tasks:
        tasks = sa.or_(tasks, TABLE.c.task_state.in_(row.from_tasks))
    return (
        sa.update(TABLE)
        .where(TABLE.c.uuid == sa.bindparam("of_uuid"), _ALIVE, TABLE.c.vm_state.in_(row.sources))
        .where(tasks, unlocked, placed)
        .values(task_state=row.task, updated_at=sa.bindparam("updated_at"))
    )


def show_task(session: Session, uuid: str, expected: Sequence[TaskState], task: TaskState) -> None:
    """Show a flow's progress; raises Superseded when another action has taken the instance over."""
    _change_in(session, uuid, expected, {"task_state": task})


def finish(
    session: Session, uuid: str, verb: Verb, tasks: Sequence[TaskState], *, off: bool = False, **values: Any
) -> PowerState | None:
    """End ``verb`` well, with the instance ``off`` if it stays so; returns the power state if that is written.

    Raises Superseded when another action has taken the instance over.
    """
    row = TRANSITIONS[verb]
    changed: dict[str, Any] = {"task_state": None}
    if row.done is not None:
        changed |= {"vm_state": row.done, "power_state": row.power, "fault": None}
        if off and row.stays_off:
            done = VmState.STOPPED if row.done is VmState.ACTIVE else row.done
            changed |= {"vm_state": done, "power_state": PowerState.SHUTDOWN}
    _change_in(session, uuid, tasks, changed | values)
    return changed.get("power_state")


def fail(
    session: Session, uuid: str, verb: Verb, tasks: Sequence[TaskState], fault: Fault, **values: Any
) -> None:
    """End ``verb`` badly, with the reason; raises Superseded as ``finish`` does."""
    changed: dict[str, Any] = {"task_state": None, "fault": fault_to_json(fault)}
    if TRANSITIONS[verb].failed is not None:
        changed["vm_state"] = TRANSITIONS[verb].failed
    _change_in(session, uuid, tasks, changed | values)


def delete(session: Session, instance: Instance) -> bool:
    """Mark an instance as deleted, its host left in the row; False when it was, or is on another host."""
    now = clock.now()
    gone = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == instance.uuid, _ALIVE, TABLE.c.host == instance.host)
        .values(
            deleted=True,
            vm_state=VmState.DELETED,
            task_state=None,
            power_state=PowerState.NOSTATE,
            terminated_at=now,
            updated_at=now,
        )
    )
    return _changed(gone)


def place(session: Session, uuids: Sequence[str], place: Place) -> int:
    """Write the host that was chosen for instances that are being scheduled; returns how many still were."""
    placed = session.execute(
        sa.update(TABLE)
        .where(
            TABLE.c.uuid.in_(uuids),
            _ALIVE,
            TABLE.c.host.is_(None),
            TABLE.c.task_state == TaskState.SCHEDULING,
        )
        .values(
            host=place.host,
            node=place.node,
            availability_zone=place.availability_zone,
            task_state=TaskState.NETWORKING,
            updated_at=clock.now(),
        )
    )
    return int(placed.rowcount)  # type: ignore[attr-defined]


def seat(session: Session, uuid: str, old_host: str | None, task: TaskState, place: Place) -> bool:
    """Write the host that was chosen for an instance in ``task``; False when it is elsewhere or goes on."""
    on_old = TABLE.c.host.is_(None) if old_host is None else TABLE.c.host == old_host
    seated = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == uuid, _ALIVE, on_old, TABLE.c.task_state == task)
        .values(
            host=place.host,
            node=place.node,
            availability_zone=place.availability_zone,
            updated_at=clock.now(),
        )
    )
    return _changed(seated)


def relocate(session: Session, uuid: str, tasks: Sequence[TaskState], seat: Seat) -> bool:
    """Write the host and size that an instance has from now on; False when it is in none of ``tasks``."""
    moved = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == uuid, _ALIVE, TABLE.c.task_state.in_(tasks))
        .values(host=seat.host, node=seat.node, updated_at=clock.now(), **flavor_columns(seat.flavor))
    )
    return _changed(moved)


def unplace(session: Session, uuid: str, host: str) -> bool:
    """Forget the host of an instance that left nothing there; False when it is on that host no more."""
    left = sa.update(TABLE).where(TABLE.c.uuid == uuid, _ALIVE, TABLE.c.host == host)
    return _changed(session.execute(left.values(host=None, node=None)))


def update(session: Session, uuid: str, **values: Any) -> None:
    """Change what is not state: name, description, metadata, addresses."""
    session.execute(sa.update(TABLE).where(TABLE.c.uuid == uuid).values(updated_at=clock.now(), **values))


def set_devices(session: Session, uuid: str, devices: Sequence[GuestDevice]) -> None:
    """Note where an instance's devices are in its guest."""
    kept = [dataclasses.asdict(device) for device in devices]
    session.execute(sa.update(TABLE).where(TABLE.c.uuid == uuid).values(devices=kept))


def password_data(session: Session, uuid: str) -> str:
    """Return what the guest told of its administrator's password, encrypted for its key pair; empty for nothing."""
    found = session.execute(
        sa.select(TABLE.c.password_data).where(TABLE.c.uuid == uuid)
    ).scalar_one_or_none()
    return found or ""


def keep_password_data(session: Session, uuid: str, encrypted: str) -> bool:
    """Keep what the guest tells of its administrator's password; False when it has told one that is still kept."""
    untold = sa.func.coalesce(TABLE.c.password_data, "") == ""
    change = sa.update(TABLE).where(TABLE.c.uuid == uuid, untold)
    kept = session.execute(change.values(password_data=encrypted, updated_at=clock.now()))
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def files(session: Session, uuid: str) -> tuple[InjectedFile, ...]:
    """Return the files that the guest is to find the content of."""
    found = session.execute(sa.select(TABLE.c.files).where(TABLE.c.uuid == uuid)).scalar_one_or_none()
    return tuple(InjectedFile(path, contents) for path, contents in json.loads(found or "[]"))


def set_files(session: Session, uuids: Sequence[str], injected: Sequence[InjectedFile]) -> None:
    """Replace the files of new instances, or of one that is made anew."""
    text = json.dumps([[file.path, file.contents] for file in injected]) if injected else None
    session.execute(sa.update(TABLE).where(TABLE.c.uuid.in_(uuids)).values(files=text))


def swap_metadata(session: Session, uuid: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Replace the metadata if it still is ``old``; False when somebody else changed it meanwhile."""
    swapped = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == uuid, _ALIVE, TABLE.c["metadata"] == dict(old))
        .values(metadata=dict(new), updated_at=clock.now())
    )
    return _changed(swapped)


def swap_tags(session: Session, uuid: str, old: Sequence[str], new: Sequence[str]) -> bool:
    """Replace the tags if they still are ``old``; False when somebody else changed them meanwhile."""
    swapped = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == uuid, _ALIVE, TABLE.c.tags == list(old))
        .values(tags=list(new), updated_at=clock.now())
    )
    return _changed(swapped)


def lock(session: Session, uuid: str, locked_by: str, reason: str | None) -> None:
    """Keep others than admins from changing an instance until it is unlocked; "" as ``locked_by`` unlocks."""
    session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == uuid, _ALIVE)
        .values(locked_by=locked_by, locked_reason=reason, updated_at=clock.now())
    )


def reset_state(session: Session, uuid: str, state: VmState) -> None:
    """Set what an instance is, whatever went on with it: what still runs finds itself superseded."""
    session.execute(
        sa.update(TABLE)
        .where(TABLE.c.uuid == uuid, _ALIVE)
        .values(vm_state=state, task_state=None, updated_at=clock.now())
    )


def sync_power(session: Session, seen: Instance, power: PowerState, vm_state: VmState | None) -> bool:
    """Write what the hypervisor says of an instance that nobody has changed since it was ``seen``."""
    values: dict[str, Any] = {"power_state": power, "updated_at": clock.now()}
    if vm_state is not None:
        values["vm_state"] = vm_state
    same = (TABLE.c.task_state.is_(None), TABLE.c.updated_at == seen.updated_at)
    return _changed(session.execute(sa.update(TABLE).where(TABLE.c.uuid == seen.uuid, _ALIVE, *same).values(**values)))


def _sums(key: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(
            key,
            sa.func.count(),
            sa.func.sum(TABLE.c.vcpus),
            sa.func.sum(TABLE.c.memory_mb),
            sa.func.sum(TABLE.c.local_gb),
        )
        .where(_ALIVE)
        .group_by(key)
    )


def _change_in(session: Session, uuid: str, tasks: Sequence[TaskState], values: dict[str, Any]) -> None:
    """Set columns of an instance that is in one of ``tasks``; raises Superseded when it is not."""
    asked = {"of_uuid": uuid, "tasks": tasks, "updated_at": clock.now(), **values}
    if not _changed(session.execute(_IN_TASKS, asked)):
        raise Superseded()


def _refusal(session: Session, uuid: str, row: Transition, despite_lock: bool) -> NotFound | Conflict:
    found = get(session, uuid)
    if found is None:
        return NotFound(f"Instance {uuid} could not be found.")
    if found.locked_by and not despite_lock:
        return Locked(f"Instance {uuid} is locked")
    if row.needs_host and not found.host and found.vm_state in row.sources:
        return WrongState(f"Cannot '{row.title}' instance {uuid} while it is on no host")
    state = f"task_state {found.task_state}" if found.task_state else f"vm_state {found.vm_state}"
    return WrongState(f"Cannot '{row.title}' instance {uuid} while it is in {state}")


def _changed(result: sa.Result[Any]) -> bool:
    return bool(result.rowcount)  # type: ignore[attr-defined]
