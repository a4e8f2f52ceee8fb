"""Daemons that report themselves, and whether they are up."""

import dataclasses
import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock, ids
from nova_lite.core.hosts import Service
from nova_lite.db import aggregates
from nova_lite.db.base import MYSQL, UUID, Base


class ServiceRow(Base):
    """One daemon on one host."""

    __tablename__ = "services"
    __table_args__ = (sa.UniqueConstraint("binary", "host"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    binary: Mapped[str] = mapped_column(sa.String(64))
    host: Mapped[str]
    availability_zone: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None]
    forced_down: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=0)
    report_count: Mapped[int] = mapped_column(default=0)
    heartbeat_at: Mapped[datetime.datetime]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime | None]


TABLE = cast(sa.Table, ServiceRow.__table__)


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceReport:
    """What a daemon says of itself with every heartbeat."""

    binary: str
    host: str
    availability_zone: str
    version: int = 1


def report(session: Session, report: ServiceReport) -> int:
    """Record a heartbeat, registering the daemon when it is new; returns how many there were, of whomever."""
    now = clock.now()
    own = sa.and_(TABLE.c.binary == report.binary, TABLE.c.host == report.host)
    beaten = session.execute(
        sa.update(TABLE)
        .where(own)
        .values(heartbeat_at=now, report_count=TABLE.c.report_count + 1, version=report.version)
    )
    if beaten.rowcount == 0:  # type: ignore[attr-defined]
        session.execute(
            sa.insert(TABLE).values(
                uuid=ids.new_uuid(),
                heartbeat_at=now,
                created_at=now,
                **dataclasses.asdict(report),
            )
        )
    return int(session.execute(sa.select(TABLE.c.report_count).where(own)).scalar_one())


def columns() -> list[sa.ColumnElement[Any]]:
    """Return the table's columns for a query, the zone as it is by the host's aggregates."""
    zone = aggregates.zone_of(TABLE.c.host, TABLE.c.availability_zone)
    return [zone.label(column.name) if column.name == "availability_zone" else column for column in TABLE.c]


def _if_given(name: str) -> sa.ColumnElement[bool]:
    """The condition that a column is as the parameter of its name, unless that is empty."""
    given = sa.bindparam(name, type_=sa.String())
    return sa.or_(given == "", TABLE.c[name] == given)


_LISTING = sa.select(*columns()).where(_if_given("binary"), _if_given("host")).order_by(TABLE.c.id)


def leave(session: Session, binary: str, host: str) -> None:
    """Record that a daemon stopped in good order, so that it counts as down at once."""
    session.execute(
        sa.update(TABLE)
        .where(TABLE.c.binary == binary, TABLE.c.host == host)
        .values(heartbeat_at=datetime.datetime(1970, 1, 1))
    )


def listing(session: Session, down_after: float, *, binary: str = "", host: str = "") -> list[Service]:
    """Return daemons; one whose last heartbeat is older than ``down_after`` seconds is down."""
    rows = session.execute(_LISTING, {"binary": binary, "host": host})
    return [to_value(row._mapping, down_after) for row in rows]


def get(session: Session, uuid: str, down_after: float) -> Service | None:
    """Return one daemon by its uuid, or None."""
    row = session.execute(sa.select(*columns()).where(TABLE.c.uuid == uuid)).one_or_none()
    return None if row is None else to_value(row._mapping, down_after)


def update(session: Session, uuid: str, **values: Any) -> None:
    """Change ``disabled``, ``disabled_reason`` or ``forced_down`` of a daemon."""
    session.execute(sa.update(TABLE).where(TABLE.c.uuid == uuid).values(updated_at=clock.now(), **values))


def delete(session: Session, uuid: str) -> None:
    """Forget a daemon."""
    session.execute(sa.delete(TABLE).where(TABLE.c.uuid == uuid))


def to_value(row: Any, down_after: float) -> Service:
    """Make a value of a row of the table (a mapping by column name)."""
    fresh = clock.now() - row["heartbeat_at"] <= datetime.timedelta(seconds=down_after)
    return Service(
        id=row["id"],
        uuid=row["uuid"],
        binary=row["binary"],
        host=row["host"],
        availability_zone=row["availability_zone"],
        disabled=row["disabled"],
        disabled_reason=row["disabled_reason"],
        forced_down=row["forced_down"],
        heartbeat_at=row["heartbeat_at"],
        version=row["version"],
        up=fresh and not row["forced_down"],
    )
