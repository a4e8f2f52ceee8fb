"""Host aggregates and the hosts in them."""

import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock, ids
from nova_lite.core.aggregate import Aggregate
from nova_lite.core.errors import Conflict
from nova_lite.db.base import MYSQL, UUID, Base, JsonText


class AggregateRow(Base):
    """One aggregate."""

    __tablename__ = "aggregates"
    __table_args__ = MYSQL

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    availability_zone: Mapped[str | None]
    # "metadata" is taken by the declarative base, hence the attribute's other name.
    metadata_items: Mapped[Any] = mapped_column("metadata", JsonText)
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime | None]


class AggregateHostRow(Base):
    """A host in an aggregate."""

    __tablename__ = "aggregate_hosts"
    __table_args__ = MYSQL

    aggregate_id: Mapped[int] = mapped_column(sa.ForeignKey("aggregates.id"), primary_key=True)
    host: Mapped[str] = mapped_column(primary_key=True, index=True)


_TABLE = cast(sa.Table, AggregateRow.__table__)
_HOSTS = cast(sa.Table, AggregateHostRow.__table__)


def zone_of(host: sa.ColumnElement[str], otherwise: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the availability zone of a host: that of an aggregate which it is in, or ``otherwise``."""
    zones = (
        sa.select(sa.func.min(_TABLE.c.availability_zone))
        .join(_HOSTS, _HOSTS.c.aggregate_id == _TABLE.c.id)
        .where(_HOSTS.c.host == host)
        .scalar_subquery()
    )
    return sa.func.coalesce(zones, otherwise)


def insert(session: Session, name: str, zone: str | None) -> None:
    """Add an aggregate without hosts; raises Conflict for a name in use."""
    values: dict[str, Any] = {
        "uuid": ids.new_uuid(),
        "name": name,
        "availability_zone": zone,
        "metadata": {},
        "created_at": clock.now(),
    }
    try:
        with session.begin_nested():
            session.execute(sa.insert(_TABLE).values(**values))
    except sa.exc.IntegrityError as error:
        raise _taken(name) from error


def listing(session: Session) -> list[Aggregate]:
    """Return all aggregates, by id."""
    hosts: dict[int, list[str]] = {}
    for row in session.execute(sa.select(_HOSTS).order_by(_HOSTS.c.host)):
        hosts.setdefault(row.aggregate_id, []).append(row.host)
    rows = session.execute(sa.select(_TABLE).order_by(_TABLE.c.id))
    return [Aggregate(**row._asdict(), hosts=tuple(hosts.get(row.id, ()))) for row in rows]


def update(session: Session, aggregate_id: int, **values: Any) -> None:
    """Change ``name``, ``availability_zone`` or ``metadata``; raises Conflict for a name in use."""
    changed = sa.update(_TABLE).where(_TABLE.c.id == aggregate_id)
    try:
        with session.begin_nested():
            session.execute(changed.values(updated_at=clock.now(), **values))
    except sa.exc.IntegrityError as error:
        raise _taken(str(values.get("name"))) from error


def lock(session: Session) -> None:
    """Let no other transaction change aggregates until this one ends."""
    # Every row is taken, in one order: what one aggregate may have depends on the others.
    session.execute(sa.select(_TABLE.c.id).order_by(_TABLE.c.id).with_for_update())


def add_host(session: Session, aggregate_id: int, host: str) -> None:
    """Put a host into an aggregate that it is not in."""
    session.execute(sa.insert(_HOSTS).values(aggregate_id=aggregate_id, host=host))


def remove_host(session: Session, aggregate_id: int, host: str) -> bool:
    """Take a host out of an aggregate; False when it was not in it."""
    removed = session.execute(
        sa.delete(_HOSTS).where(_HOSTS.c.aggregate_id == aggregate_id, _HOSTS.c.host == host)
    )
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def forget_host(session: Session, host: str) -> None:
    """Take a host out of every aggregate."""
    session.execute(sa.delete(_HOSTS).where(_HOSTS.c.host == host))


def delete(session: Session, aggregate_id: int) -> None:
    """Remove an aggregate that has no hosts."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.id == aggregate_id))


def _taken(name: str) -> Conflict:
    return Conflict(f"Aggregate {name} already exists.")
