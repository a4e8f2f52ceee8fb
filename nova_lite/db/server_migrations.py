"""Migrations of servers: the table."""

import dataclasses
import datetime
from collections.abc import Collection
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.instance import Flavor
from nova_lite.core.server_migration import (
    OPEN,
    MigrationKind,
    MigrationStatus,
    Progress,
    ServerMigration,
    Wish,
)
from nova_lite.db.base import MYSQL, UUID, Base, JsonText
from nova_lite.db.instance_rows import flavor_to_json


class ServerMigrationRow(Base):
    """One migration."""

    __tablename__ = "server_migrations"
    __table_args__ = (sa.Index("ix_server_migrations_instance", "instance_uuid", "status"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    instance_uuid: Mapped[str] = mapped_column(UUID)
    kind: Mapped[str] = mapped_column(sa.String(16))
    status: Mapped[str] = mapped_column(sa.String(16), index=True)
    source_host: Mapped[str]
    source_node: Mapped[str]
    dest_host: Mapped[str] = mapped_column(default="")
    dest_node: Mapped[str] = mapped_column(default="")
    old_flavor: Mapped[Any] = mapped_column(JsonText)
    new_flavor: Mapped[Any] = mapped_column(JsonText)
    image_id: Mapped[str] = mapped_column(sa.String(36), default="")
    project_id: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    uri: Mapped[str | None] = mapped_column(sa.String(255))
    shared: Mapped[bool | None]
    wish: Mapped[str | None] = mapped_column(sa.String(16))
    progress: Mapped[Any] = mapped_column(JsonText, nullable=True)


_TABLE = cast(sa.Table, ServerMigrationRow.__table__)


def insert(session: Session, migration: ServerMigration) -> None:
    """Add a migration; its ``id`` is given by the database."""
    values = {column.name: getattr(migration, column.name) for column in _TABLE.c if column.name != "id"}
    flavors = {name: flavor_to_json(values[name]) for name in ("old_flavor", "new_flavor")}
    more = {"progress": dataclasses.asdict(migration.progress)}
    session.execute(sa.insert(_TABLE).values(**(values | flavors | more)))


def get(session: Session, uuid: str) -> ServerMigration | None:
    """Return a migration, or None."""
    row = session.execute(sa.select(_TABLE).where(_TABLE.c.uuid == uuid)).one_or_none()
    return None if row is None else _to_value(row)


def open_of(session: Session, instance_uuid: str) -> ServerMigration | None:
    """Return the migration of an instance that is not over, or None."""
    query = sa.select(_TABLE).where(_TABLE.c.instance_uuid == instance_uuid, _TABLE.c.status.in_(OPEN))
    row = session.execute(query.order_by(_TABLE.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _to_value(row)


def every_open(session: Session) -> list[ServerMigration]:
    """Return the migrations that are not over."""
    return [_to_value(row) for row in session.execute(sa.select(_TABLE).where(_TABLE.c.status.in_(OPEN)))]


def has_open(instance_uuid: str) -> sa.Select[Any]:
    """Select a row when a migration of an instance is not over, an evacuation included."""
    unfinished = OPEN | {MigrationStatus.ACCEPTED}
    mine = sa.and_(_TABLE.c.instance_uuid == instance_uuid, _TABLE.c.status.in_(unfinished))
    return sa.select(sa.literal_column("1")).where(mine)


def end_evacuations(session: Session, instance_uuid: str, status: MigrationStatus) -> None:
    """End the evacuations of an instance that are under way: they hold nothing that is to be given back."""
    mine = sa.and_(_TABLE.c.instance_uuid == instance_uuid, _TABLE.c.status == MigrationStatus.ACCEPTED)
    session.execute(sa.update(_TABLE).where(mine).values(status=status, updated_at=clock.now()))


def instances_moving(host: str) -> sa.Select[tuple[str]]:
    """Select the uuids of instances that come to a host, or leave it, in migrations that are not over."""
    here = sa.or_(_TABLE.c.dest_host == host, _TABLE.c.source_host == host)
    return sa.select(_TABLE.c.instance_uuid).where(_TABLE.c.status.in_(OPEN), here)


def listing(session: Session, **filters: str) -> list[ServerMigration]:
    """Return migrations that match columns exactly, the newest first."""
    query = sa.select(_TABLE).order_by(_TABLE.c.id.desc())
    for name, value in filters.items():
        query = query.where(_TABLE.c[name] == value)
    return [_to_value(row) for row in session.execute(query)]


def move(
    session: Session, uuid: str, sources: Collection[MigrationStatus], status: MigrationStatus, **values: Any
) -> bool:
    """Bring a migration from one of ``sources`` to ``status``; False when it is in none of them."""
    moved = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.uuid == uuid, _TABLE.c.status.in_(sources))
        .values(status=status, updated_at=clock.now(), **values)
    )
    return bool(moved.rowcount)  # type: ignore[attr-defined]


def update(session: Session, uuid: str, **values: Any) -> None:
    """Change what is not state."""
    if "progress" in values:
        values["progress"] = dataclasses.asdict(values["progress"])
    session.execute(sa.update(_TABLE).where(_TABLE.c.uuid == uuid).values(updated_at=clock.now(), **values))


def _to_value(row: sa.Row[Any]) -> ServerMigration:
    values = row._asdict()
    return ServerMigration(
        **(
            values
            | {
                "kind": MigrationKind(values["kind"]),
                "status": MigrationStatus(values["status"]),
                "old_flavor": Flavor(**values["old_flavor"]),
                "new_flavor": Flavor(**values["new_flavor"]),
                "wish": Wish(values["wish"]) if values["wish"] else None,
                "uri": values["uri"] or "",
                "shared": bool(values["shared"]),
                "progress": Progress(**(values["progress"] or {})),
            }
        )
    )
