"""Server groups and their members."""

import datetime
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.server_group import GroupPolicy, ServerGroup
from nova_lite.db.base import MYSQL, UUID, Base
from nova_lite.db.instance_rows import InstanceRow


class ServerGroupRow(Base):
    """One group."""

    __tablename__ = "server_groups"
    __table_args__ = MYSQL

    uuid: Mapped[str] = mapped_column(UUID, primary_key=True)
    project_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    user_id: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str]
    policy: Mapped[str] = mapped_column(sa.String(32))
    max_per_host: Mapped[int] = mapped_column(default=1)
    placements: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime.datetime]


class ServerGroupMemberRow(Base):
    """An instance in a group."""

    __tablename__ = "server_group_members"
    __table_args__ = MYSQL

    instance_uuid: Mapped[str] = mapped_column(UUID, primary_key=True)
    group_uuid: Mapped[str] = mapped_column(UUID, sa.ForeignKey("server_groups.uuid"), index=True)


_TABLE = cast(sa.Table, ServerGroupRow.__table__)
_MEMBERS = cast(sa.Table, ServerGroupMemberRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_MEMBERSHIPS = sa.select(_MEMBERS).where(_MEMBERS.c.instance_uuid.in_(sa.bindparam("uuids")))
_VALUES = ("uuid", "project_id", "user_id", "name", "policy", "max_per_host", "created_at")


def insert(session: Session, group: ServerGroup) -> None:
    """Add a group without members."""
    values = {name: getattr(group, name) for name in _VALUES}
    session.execute(sa.insert(_TABLE).values(placements=0, **values))


def get(session: Session, uuid: str, scope: str | None = None) -> ServerGroup | None:
    """Return a group, within the project ``scope`` unless that is None; or None."""
    query = sa.select(_TABLE).where(_TABLE.c.uuid == uuid)
    if scope is not None:
        query = query.where(_TABLE.c.project_id == scope)
    return next(iter(_read(session, query)), None)


def listing(session: Session, scope: str | None) -> list[ServerGroup]:
    """Return the groups of a project, of all for None, the oldest first."""
    query = sa.select(_TABLE).order_by(_TABLE.c.created_at, _TABLE.c.uuid)
    if scope is not None:
        query = query.where(_TABLE.c.project_id == scope)
    return _read(session, query)


def count(session: Session, project_id: str) -> int:
    """Count the groups of a project."""
    query = sa.select(sa.func.count()).select_from(_TABLE).where(_TABLE.c.project_id == project_id)
    return int(session.execute(query).scalar_one())


def of_instances(session: Session, uuids: Sequence[str]) -> dict[str, str]:
    """Return the group of each of the instances that are in one."""
    return {row.instance_uuid: row.group_uuid for row in session.execute(_MEMBERSHIPS, {"uuids": uuids})}


def add_members(session: Session, group_uuid: str, uuids: Sequence[str]) -> None:
    """Put instances into a group."""
    rows = [{"instance_uuid": uuid, "group_uuid": group_uuid} for uuid in uuids]
    session.execute(sa.insert(_MEMBERS), rows)


def has_member(uuid: str) -> sa.Select[Any]:
    """Select a row when an instance is in a group."""
    return sa.select(sa.literal_column("1")).where(_MEMBERS.c.instance_uuid == uuid)


def remove_members(session: Session, uuids: Sequence[str]) -> None:
    """Take instances out of their groups."""
    session.execute(sa.delete(_MEMBERS).where(_MEMBERS.c.instance_uuid.in_(uuids)))


def delete(session: Session, uuid: str) -> None:
    """Remove a group; its instances stay."""
    session.execute(sa.delete(_MEMBERS).where(_MEMBERS.c.group_uuid == uuid))
    session.execute(sa.delete(_TABLE).where(_TABLE.c.uuid == uuid))


def placed(session: Session, uuids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count the members of groups by host."""
    query = (
        sa.select(_MEMBERS.c.group_uuid, _INSTANCES.c.host, sa.func.count())
        .join(_INSTANCES, _INSTANCES.c.uuid == _MEMBERS.c.instance_uuid)
        .where(_MEMBERS.c.group_uuid.in_(uuids), _INSTANCES.c.host.is_not(None))
        .where(_INSTANCES.c.deleted == sa.false())
        .group_by(_MEMBERS.c.group_uuid, _INSTANCES.c.host)
    )
    found: dict[str, dict[str, int]] = {uuid: {} for uuid in uuids}
    for group_uuid, host, number in session.execute(query):
        found[group_uuid][host] = number
    return found


def lock(session: Session, uuids: Sequence[str]) -> None:
    """Let no other transaction place members of these groups until this one ends."""
    for uuid in sorted(uuids):
        session.execute(
            sa.update(_TABLE).where(_TABLE.c.uuid == uuid).values(placements=_TABLE.c.placements + 1)
        )


def _read(session: Session, query: sa.Select[Any]) -> list[ServerGroup]:
    rows = session.execute(query).all()
    members: dict[str, list[str]] = {row.uuid: [] for row in rows}
    if rows:
        of_groups = sa.select(_MEMBERS).where(_MEMBERS.c.group_uuid.in_(members))
        for member in session.execute(of_groups.order_by(_MEMBERS.c.instance_uuid)):
            members[member.group_uuid].append(member.instance_uuid)
    return [_to_value(row, members[row.uuid]) for row in rows]


def _to_value(row: sa.Row[Any], members: Sequence[str]) -> ServerGroup:
    values = {name: getattr(row, name) for name in _VALUES if name != "policy"}
    return ServerGroup(**values, policy=GroupPolicy(row.policy), members=tuple(members))
