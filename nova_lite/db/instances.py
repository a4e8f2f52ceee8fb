"""Instances: the table, and the only writers of an instance's state.

``begin``, ``finish`` and ``fail`` take their values from ``core.instance_states``; each is one conditional
UPDATE.
"""

import dataclasses
import datetime
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.devices import DeviceKind, GuestDevice
from nova_lite.core.errors import Conflict, Locked, NotFound, Superseded, WrongState
from nova_lite.core.instance import Fault, Flavor, Instance
from nova_lite.core.instance_options import InstanceOptions
from nova_lite.core.instance_states import TRANSITIONS, PowerState, TaskState, Transition, Verb, VmState
from nova_lite.core.local_disks import EphemeralDisk, LocalDisks
from nova_lite.core.metadata import InjectedFile
from nova_lite.db.base import LONG_TEXT, MYSQL, UUID, Base, JsonText


class InstanceRow(Base):
    """One instance."""

    __tablename__ = "instances"
    __table_args__ = (
        sa.Index("ix_instances_project", "deleted", "project_id", "created_at"),
        sa.Index("ix_instances_host", "deleted", "host"),
        sa.Index("ix_instances_terminated", "project_id", "terminated_at"),
        MYSQL,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    deleted: Mapped[bool] = mapped_column(default=False)
    project_id: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str] = mapped_column(sa.String(64))
    display_name: Mapped[str]
    hostname: Mapped[str]
    description: Mapped[str | None]
    vm_state: Mapped[str] = mapped_column(sa.String(32))
    task_state: Mapped[str | None] = mapped_column(sa.String(32))
    power_state: Mapped[int] = mapped_column(default=0)
    host: Mapped[str | None]
    node: Mapped[str | None]
    availability_zone: Mapped[str | None]
    pinned_zone: Mapped[str | None]
    flavor: Mapped[Any] = mapped_column(JsonText)
    flavor_id: Mapped[str]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    local_gb: Mapped[int]
    image_id: Mapped[str] = mapped_column(UUID)
    kernel_id: Mapped[str] = mapped_column(default="")
    ramdisk_id: Mapped[str] = mapped_column(default="")
    key_name: Mapped[str | None]
    public_key: Mapped[str | None] = mapped_column(LONG_TEXT)
    user_data: Mapped[str | None] = mapped_column(LONG_TEXT)
    # "metadata" is taken by the declarative base, hence the attribute's other name.
    metadata_items: Mapped[Any] = mapped_column("metadata", JsonText)
    tags: Mapped[Any] = mapped_column(JsonText)
    reservation_id: Mapped[str] = mapped_column(sa.String(32), default="", index=True)
    launch_index: Mapped[int] = mapped_column(default=0)
    root_device_name: Mapped[str] = mapped_column(default="/dev/vda")
    config_drive: Mapped[bool] = mapped_column(default=False)
    access_ip_v4: Mapped[str] = mapped_column(sa.String(39), default="")
    access_ip_v6: Mapped[str] = mapped_column(sa.String(39), default="")
    disk_config: Mapped[str] = mapped_column(sa.String(16), default="MANUAL")
    admin_password_hash: Mapped[str] = mapped_column(default="")
    password_data: Mapped[str | None] = mapped_column(sa.String(1024))
    files: Mapped[str | None] = mapped_column(LONG_TEXT)
    locked_by: Mapped[str] = mapped_column(sa.String(16), default="")
    locked_reason: Mapped[str | None]
    shelved_image_id: Mapped[str | None] = mapped_column(UUID)
    local_disks: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    devices: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    image_properties: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    fault: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    options: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    launched_at: Mapped[datetime.datetime | None]
    terminated_at: Mapped[datetime.datetime | None]


_TABLE = cast(sa.Table, InstanceRow.__table__)
_NAMES = tuple(_TABLE.columns.keys())

_ALIVE = _TABLE.c.deleted == sa.false()

# Statements that are asked all the time are built once, which takes longer than asking them.
_ONE = sa.select(_TABLE).where(_TABLE.c.uuid == sa.bindparam("uuid"), _ALIVE)
_ONE_IN_SCOPE = _ONE.where(_TABLE.c.project_id == sa.bindparam("scope"))
_IN_TASKS = sa.update(_TABLE).where(
    _TABLE.c.uuid == sa.bindparam("of_uuid"), _ALIVE, _TABLE.c.task_state.in_(sa.bindparam("tasks"))
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
    session.execute(sa.insert(_TABLE), [_to_row(instance) for instance in instances])


def get(session: Session, uuid: str, scope: str | None = None) -> Instance | None:
    """Return an instance that is not deleted, within the project ``scope`` unless that is None."""
    query = _ONE if scope is None else _ONE_IN_SCOPE
    row = session.execute(query, {"uuid": uuid, "scope": scope}).one_or_none()
    return None if row is None else of_row(row)


def locked(session: Session, uuid: str, scope: str | None = None) -> Instance:
    """Return an instance as ``get`` does, which no other transaction changes until this ends; raises NotFound."""
    query = (_ONE if scope is None else _ONE_IN_SCOPE).with_for_update()
    row = session.execute(query, {"uuid": uuid, "scope": scope}).one_or_none()
    if row is None:
        raise NotFound(f"Instance {uuid} could not be found.")
    return of_row(row)


def by_uuids(session: Session, uuids: Sequence[str]) -> dict[str, Instance]:
    """Return instances that are not deleted by their uuid."""
    rows = session.execute(sa.select(_TABLE).where(_TABLE.c.uuid.in_(uuids), _ALIVE))
    return {row.uuid: of_row(row) for row in rows}


def on_host(session: Session, host: str) -> list[Instance]:
    """Return the instances that are placed on a host."""
    query = sa.select(_TABLE).where(_TABLE.c.host == host, _ALIVE).order_by(_TABLE.c.id)
    return [of_row(row) for row in session.execute(query)]


def known(session: Session, uuids: Sequence[str]) -> set[str]:
    """Return those of ``uuids`` that belong to instances that are not deleted."""
    return set(session.execute(sa.select(_TABLE.c.uuid).where(_TABLE.c.uuid.in_(uuids), _ALIVE)).scalars())


def used_by_project(session: Session) -> dict[str, tuple[int, int, int]]:
    """Count (instances, cores, ram in MiB) by project, for a repair of the usage counters."""
    return {row[0]: (row[1], row[2], row[3]) for row in session.execute(_sums(_TABLE.c.project_id))}


def used_by_host(session: Session) -> dict[str, tuple[int, int, int, int]]:
    """Count (instances, cores, ram in MiB, disk in GiB) by host, for a repair of the room counters."""
    rows = session.execute(_sums(_TABLE.c.host).where(_TABLE.c.host.is_not(None)))
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
    unlocked: sa.ColumnElement[bool] = sa.true() if despite_lock else _TABLE.c.locked_by == ""
    placed: sa.ColumnElement[bool] = _TABLE.c.host.is_not(None) if row.needs_host else sa.true()
    tasks: sa.ColumnElement[bool] = _TABLE.c.task_state.is_(None)
    if row.from_tasks:
        tasks = sa.or_(tasks, _TABLE.c.task_state.in_(row.from_tasks))
    return (
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == sa.bindparam("of_uuid"), _ALIVE, _TABLE.c.vm_state.in_(row.sources))
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
    changed: dict[str, Any] = {"task_state": None, "fault": _fault_to_json(fault)}
    if TRANSITIONS[verb].failed is not None:
        changed["vm_state"] = TRANSITIONS[verb].failed
    _change_in(session, uuid, tasks, changed | values)


def delete(session: Session, instance: Instance) -> bool:
    """Mark an instance as deleted, its host left in the row; False when it was, or is on another host."""
    now = clock.now()
    gone = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == instance.uuid, _ALIVE, _TABLE.c.host == instance.host)
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
        sa.update(_TABLE)
        .where(
            _TABLE.c.uuid.in_(uuids),
            _ALIVE,
            _TABLE.c.host.is_(None),
            _TABLE.c.task_state == TaskState.SCHEDULING,
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
    on_old = _TABLE.c.host.is_(None) if old_host is None else _TABLE.c.host == old_host
    seated = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _ALIVE, on_old, _TABLE.c.task_state == task)
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
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _ALIVE, _TABLE.c.task_state.in_(tasks))
        .values(host=seat.host, node=seat.node, updated_at=clock.now(), **_flavor_columns(seat.flavor))
    )
    return _changed(moved)


def unplace(session: Session, uuid: str, host: str) -> bool:
    """Forget the host of an instance that left nothing there; False when it is on that host no more."""
    left = sa.update(_TABLE).where(_TABLE.c.uuid == uuid, _ALIVE, _TABLE.c.host == host)
    return _changed(session.execute(left.values(host=None, node=None)))


def update(session: Session, uuid: str, **values: Any) -> None:
    """Change what is not state: name, description, metadata, addresses."""
    session.execute(sa.update(_TABLE).where(_TABLE.c.uuid == uuid).values(updated_at=clock.now(), **values))


def set_devices(session: Session, uuid: str, devices: Sequence[GuestDevice]) -> None:
    """Note where an instance's devices are in its guest."""
    kept = [dataclasses.asdict(device) for device in devices]
    session.execute(sa.update(_TABLE).where(_TABLE.c.uuid == uuid).values(devices=kept))


def password_data(session: Session, uuid: str) -> str:
    """Return what the guest told of its administrator's password, encrypted for its key pair; empty for nothing."""
    found = session.execute(
        sa.select(_TABLE.c.password_data).where(_TABLE.c.uuid == uuid)
    ).scalar_one_or_none()
    return found or ""


def keep_password_data(session: Session, uuid: str, encrypted: str) -> bool:
    """Keep what the guest tells of its administrator's password; False when it has told one that is still kept."""
    untold = sa.func.coalesce(_TABLE.c.password_data, "") == ""
    change = sa.update(_TABLE).where(_TABLE.c.uuid == uuid, untold)
    kept = session.execute(change.values(password_data=encrypted, updated_at=clock.now()))
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def files(session: Session, uuid: str) -> tuple[InjectedFile, ...]:
    """Return the files that the guest is to find the content of."""
    found = session.execute(sa.select(_TABLE.c.files).where(_TABLE.c.uuid == uuid)).scalar_one_or_none()
    return tuple(InjectedFile(path, contents) for path, contents in json.loads(found or "[]"))


def set_files(session: Session, uuids: Sequence[str], injected: Sequence[InjectedFile]) -> None:
    """Replace the files of new instances, or of one that is made anew."""
    text = json.dumps([[file.path, file.contents] for file in injected]) if injected else None
    session.execute(sa.update(_TABLE).where(_TABLE.c.uuid.in_(uuids)).values(files=text))


def swap_metadata(session: Session, uuid: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Replace the metadata if it still is ``old``; False when somebody else changed it meanwhile."""
    swapped = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _ALIVE, _TABLE.c["metadata"] == dict(old))
        .values(metadata=dict(new), updated_at=clock.now())
    )
    return _changed(swapped)


def swap_tags(session: Session, uuid: str, old: Sequence[str], new: Sequence[str]) -> bool:
    """Replace the tags if they still are ``old``; False when somebody else changed them meanwhile."""
    swapped = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _ALIVE, _TABLE.c.tags == list(old))
        .values(tags=list(new), updated_at=clock.now())
    )
    return _changed(swapped)


def lock(session: Session, uuid: str, locked_by: str, reason: str | None) -> None:
    """Keep others than admins from changing an instance until it is unlocked; "" as ``locked_by`` unlocks."""
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _ALIVE)
        .values(locked_by=locked_by, locked_reason=reason, updated_at=clock.now())
    )


def reset_state(session: Session, uuid: str, state: VmState) -> None:
    """Set what an instance is, whatever went on with it: what still runs finds itself superseded."""
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _ALIVE)
        .values(vm_state=state, task_state=None, updated_at=clock.now())
    )


def sync_power(session: Session, uuid: str, power: PowerState, vm_state: VmState | None) -> bool:
    """Write what the hypervisor says of an instance with which nothing is going on."""
    values: dict[str, Any] = {"power_state": power, "updated_at": clock.now()}
    if vm_state is not None:
        values["vm_state"] = vm_state
    synced = session.execute(
        sa.update(_TABLE).where(_TABLE.c.uuid == uuid, _ALIVE, _TABLE.c.task_state.is_(None)).values(**values)
    )
    return _changed(synced)


def _sums(key: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(
            key,
            sa.func.count(),
            sa.func.sum(_TABLE.c.vcpus),
            sa.func.sum(_TABLE.c.memory_mb),
            sa.func.sum(_TABLE.c.local_gb),
        )
        .where(_ALIVE)
        .group_by(key)
    )


def _change_in(session: Session, uuid: str, tasks: Sequence[TaskState], values: dict[str, Any]) -> None:
    """Set columns of an instance that is in one of ``tasks``; raises Superseded when it is not."""
    changed = session.execute(_IN_TASKS, {"of_uuid": uuid, "tasks": tasks, "updated_at": clock.now(), **values})
    if not _changed(changed):
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


_SAME = [
    "uuid", "project_id", "user_id", "display_name", "hostname", "description", "vm_state", "task_state",
    "host", "node", "availability_zone", "pinned_zone", "image_id", "kernel_id", "ramdisk_id", "key_name",
    "public_key",
    "user_data", "reservation_id", "launch_index", "root_device_name", "config_drive", "access_ip_v4",
    "access_ip_v6", "disk_config", "admin_password_hash", "locked_by", "locked_reason",
    "shelved_image_id",
    "created_at", "updated_at", "launched_at",
    "terminated_at",
]  # fmt: skip
"""Fields whose column has the same name and form."""

_PLAIN = [name for name in _SAME if name not in ("vm_state", "task_state")]
_USUAL_DISKS = LocalDisks()
_USUAL_OPTIONS = InstanceOptions()


def _to_row(instance: Instance) -> dict[str, Any]:
    flavor = instance.flavor
    return {name: getattr(instance, name) for name in _SAME} | {
        "power_state": int(instance.power_state),
        **_flavor_columns(flavor),
        "metadata": dict(instance.metadata),
        "tags": list(instance.tags),
        "local_disks": _unless_usual(instance.local_disks, _USUAL_DISKS),
        "devices": None,
        "image_properties": dict(instance.image_properties),
        "options": options_to_json(instance.options),
        "deleted": False,
    }


def _flavor_columns(flavor: Flavor) -> dict[str, Any]:
    return {
        "flavor": flavor_to_json(flavor),
        "flavor_id": flavor.id,
        "vcpus": flavor.vcpus,
        "memory_mb": flavor.memory_mb,
        "local_gb": flavor.root_gb + flavor.ephemeral_gb,
    }


def of_row(row: sa.Row[Any]) -> Instance:
    """Return the instance that a row of all columns of this table stands for."""
    return to_value(dict(zip(_NAMES, row, strict=True)))


def to_value(values: Mapping[str, Any]) -> Instance:
    """Return the instance that a row of this table, by column, stands for."""
    task = values["task_state"]
    return Instance(
        **{name: values[name] for name in _PLAIN},
        id=values["id"],
        flavor=Flavor(**values["flavor"]),
        vm_state=VmState(values["vm_state"]),
        task_state=TaskState(task) if task else None,
        power_state=PowerState(values["power_state"]),
        metadata=values["metadata"] or {},
        tags=tuple(values["tags"]),
        fault=_fault_from_json(values["fault"]),
        local_disks=_disks_from_json(values["local_disks"]),
        devices=_devices_from_json(values["devices"] or ()),
        image_properties=values["image_properties"] or {},
        options=_options_from_json(values["options"]),
    )


def flavor_to_json(flavor: Flavor) -> dict[str, Any]:
    """Return a flavor as its copies are kept."""
    return dataclasses.asdict(flavor) | {"extra_specs": dict(flavor.extra_specs)}


def options_to_json(options: InstanceOptions) -> dict[str, Any] | None:
    """Return an instance's options as they are kept: nothing for the usual ones."""
    return _unless_usual(options, _USUAL_OPTIONS)


def _unless_usual(value: Any, usual: Any) -> dict[str, Any] | None:
    """Return a value as it is kept: nothing for the usual one, which needs not be read then."""
    return None if value == usual else dataclasses.asdict(value)


def _disks_from_json(document: Mapping[str, Any] | None) -> LocalDisks:
    """Return the disks that were kept; older rows have the size of the one ephemeral disk that there could be."""
    if document is None:
        return _USUAL_DISKS
    kept = document.get("ephemerals")
    if kept is None:
        size = document.get("ephemeral_gb")
        kept = [{"size_gb": size}] if size else []
    return LocalDisks(
        tuple(EphemeralDisk(**disk) for disk in kept), document.get("swap_mb"),
        document.get("swap_tag", ""), document.get("root_tag", ""),
    )  # fmt: skip


def _devices_from_json(document: Sequence[Mapping[str, str]]) -> tuple[GuestDevice, ...]:
    return tuple(GuestDevice(**{**device, "kind": DeviceKind(device["kind"])}) for device in document)  # type: ignore[arg-type]


def _options_from_json(document: Any) -> InstanceOptions:
    if not document:
        return _USUAL_OPTIONS
    kept = dict(document)
    trusted = tuple(kept.pop("trusted_certificates", ()))
    return InstanceOptions(**kept, trusted_certificates=trusted)


def _fault_to_json(fault: Fault) -> dict[str, Any]:
    return dataclasses.asdict(fault) | {"created_at": fault.created_at.isoformat()}


def _fault_from_json(document: Any) -> Fault | None:
    if document is None:
        return None
    return Fault(**(document | {"created_at": datetime.datetime.fromisoformat(document["created_at"])}))
