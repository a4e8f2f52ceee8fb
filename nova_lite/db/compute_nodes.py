"""Hypervisors and the room on them; room is taken by one conditional UPDATE, never by read and write."""

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock, ids
from nova_lite.core.errors import Conflict
from nova_lite.core.hosts import ComputeNode
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import TRANSITIONS, Verb
from nova_lite.db import services
from nova_lite.db.base import LONG_TEXT, MYSQL, UUID, Base


class ComputeNodeRow(Base):
    """One hypervisor."""

    __tablename__ = "compute_nodes"
    __table_args__ = MYSQL

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    host: Mapped[str] = mapped_column(unique=True)
    hypervisor_hostname: Mapped[str]
    hypervisor_type: Mapped[str]
    hypervisor_version: Mapped[int]
    host_ip: Mapped[str]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    local_gb: Mapped[int]
    vcpus_used: Mapped[int] = mapped_column(default=0)
    memory_mb_used: Mapped[int] = mapped_column(default=0)
    local_gb_used: Mapped[int] = mapped_column(default=0)
    running_vms: Mapped[int] = mapped_column(default=0)
    disk_available_least: Mapped[int]
    cpu_info: Mapped[str] = mapped_column(LONG_TEXT)
    cannot: Mapped[str] = mapped_column(default="", server_default="")
    updated_at: Mapped[datetime.datetime]


_TABLE = cast(sa.Table, ComputeNodeRow.__table__)

_LISTING = (
    sa.select(_TABLE, *(column.label(f"service_{column.name}") for column in services.columns()))
    .join(
        services.TABLE,
        sa.and_(services.TABLE.c.host == _TABLE.c.host, services.TABLE.c.binary == "nova-compute"),
    )
    .order_by(_TABLE.c.id)
)
"""Built once, for it is asked for every boot."""


@dataclasses.dataclass(frozen=True, slots=True)
class NodeReport:
    """What a compute host says of its hypervisor: memory in MiB, disk in GiB, and the verbs that it cannot do."""

    host: str
    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    host_ip: str
    vcpus: int
    memory_mb: int
    local_gb: int
    disk_available_least: int
    cpu_info: str
    cannot: frozenset[Verb] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Room:
    """An amount of a host's resources: memory in MiB, disk in GiB."""

    vcpus: int
    memory_mb: int
    local_gb: int
    instances: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be given away of a host, ratios and reserves already applied."""

    vcpus: float
    memory_mb: float
    local_gb: float


NO_CEILING = Ceiling(2**31, 2**31, 2**31)
"""For what an admin forces upon a host."""


def total(rooms: Iterable[Room]) -> Room:
    """Return several amounts together."""
    names = [field.name for field in dataclasses.fields(Room)]
    amounts = list(rooms)
    return Room(*(sum(getattr(room, name) for room in amounts) for name in names))


def report(session: Session, report: NodeReport) -> None:
    """Record the size of a host's hypervisor; what is used of it stays as it is."""
    cannot = " ".join(sorted(report.cannot))
    values = dataclasses.asdict(report) | {"cannot": cannot, "updated_at": clock.now()}
    known = session.execute(sa.update(_TABLE).where(_TABLE.c.host == report.host).values(**values))
    if known.rowcount == 0:  # type: ignore[attr-defined]
        session.execute(sa.insert(_TABLE).values(uuid=ids.new_uuid(), **values))


def check_able(session: Session, instance: Instance, verb: Verb) -> None:
    """Raise Conflict for a verb that the hypervisor of an instance's host cannot do."""
    query = sa.select(_TABLE.c.cannot).where(_TABLE.c.host == instance.host)
    if verb in (session.execute(query).scalar() or "").split():
        title = TRANSITIONS[verb].title
        raise Conflict(f"Cannot '{title}' instance {instance.uuid}: the hypervisor of its host cannot do that.")


def claim(session: Session, host: str, room: Room, ceiling: Ceiling) -> bool:
    """Take ``room`` on ``host`` if it stays below ``ceiling``; False when it does not."""
    taken = session.execute(
        sa.update(_TABLE)
        .where(
            _TABLE.c.host == host,
            _TABLE.c.vcpus_used + room.vcpus <= ceiling.vcpus,
            _TABLE.c.memory_mb_used + room.memory_mb <= ceiling.memory_mb,
            _TABLE.c.local_gb_used + room.local_gb <= ceiling.local_gb,
        )
        .values(**_used(room, 1))
    )
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def release(session: Session, host: str, room: Room) -> None:
    """Give ``room`` on ``host`` back."""
    session.execute(sa.update(_TABLE).where(_TABLE.c.host == host).values(**_used(room, -1)))


def delete(session: Session, host: str) -> None:
    """Forget the hypervisor of a host."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.host == host))


def set_used(session: Session, host: str, room: Room) -> None:
    """Write what is used on ``host``, as counted by a repair."""
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.host == host)
        .values(
            vcpus_used=room.vcpus,
            memory_mb_used=room.memory_mb,
            local_gb_used=room.local_gb,
            running_vms=room.instances,
        )
    )


def listing(session: Session, down_after: float) -> list[ComputeNode]:
    """Return all hypervisors with their nova-compute, by id."""
    return [_to_value(row._mapping, down_after) for row in session.execute(_LISTING)]


def _used(room: Room, sign: int) -> dict[str, Any]:
    return {
        "vcpus_used": _TABLE.c.vcpus_used + sign * room.vcpus,
        "memory_mb_used": _TABLE.c.memory_mb_used + sign * room.memory_mb,
        "local_gb_used": _TABLE.c.local_gb_used + sign * room.local_gb,
        "running_vms": _TABLE.c.running_vms + sign * room.instances,
    }


def _to_value(row: Any, down_after: float) -> ComputeNode:
    names = [field.name for field in dataclasses.fields(ComputeNode) if field.name != "service"]
    service = {key.removeprefix("service_"): row[key] for key in row if key.startswith("service_")}
    return ComputeNode(service=services.to_value(service, down_after), **{name: row[name] for name in names})
