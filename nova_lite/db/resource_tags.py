"""Tags that projects give to resources: a value by key. Those of instances are the instances' metadata."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.resource_tags import ResourceKind, ResourceTag
from nova_lite.db import images, networks, security_groups, virtual_interfaces
from nova_lite.db.base import MYSQL, UUID, Base


class ResourceTagRow(Base):
    """One tag."""

    __tablename__ = "resource_tags"
    __table_args__ = (sa.Index("ix_resource_tags_kind", "kind", "resource_id"), MYSQL)

    project_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    resource_id: Mapped[str] = mapped_column(UUID, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    value: Mapped[str] = mapped_column(sa.String(256))


_TABLE = cast(sa.Table, ResourceTagRow.__table__)

_IMAGES = cast(sa.Table, images.ImageRow.__table__)
_GROUPS = cast(sa.Table, security_groups.SecurityGroupRow.__table__)
_RULES = cast(sa.Table, security_groups.SecurityGroupRuleRow.__table__)

_ALIVE: Mapping[ResourceKind, sa.Select[tuple[str]]] = {
    ResourceKind.IMAGE: sa.select(_IMAGES.c.id),
    ResourceKind.SECURITY_GROUP: sa.select(_GROUPS.c.id),
    ResourceKind.SECURITY_GROUP_RULE: sa.select(_RULES.c.id),
    ResourceKind.NETWORK_INTERFACE: sa.select(virtual_interfaces.INTERFACES.c.id),
    ResourceKind.ELASTIC_IP: sa.select(networks.FLOATING_IPS.c.id).where(networks.FLOATING_IPS.c.project_id != ""),
}
"""The ids of the resources of a kind, for those that come and go."""


def listing(
    session: Session, project_id: str, resource_ids: Sequence[str] | None = None
) -> list[ResourceTag]:
    """Return a project's tags, of these resources or of all."""
    query = sa.select(_TABLE).where(_TABLE.c.project_id == project_id)
    if resource_ids is not None:
        query = query.where(_TABLE.c.resource_id.in_(resource_ids))
    rows = session.execute(query.order_by(_TABLE.c.kind, _TABLE.c.resource_id, _TABLE.c.key))
    return [ResourceTag(ResourceKind(row.kind), row.resource_id, row.key, row.value) for row in rows]


def put(session: Session, project_id: str, tags: Iterable[ResourceTag]) -> None:
    """Give resources tags; another value of the same key goes."""
    for tag in tags:
        mine = _is(project_id, tag.resource_id, tag.key)
        changed = session.execute(sa.update(_TABLE).where(mine).values(value=tag.value))
        if changed.rowcount:  # type: ignore[attr-defined]
            continue
        values = {"resource_id": tag.resource_id, "key": tag.key, "kind": tag.kind, "value": tag.value}
        try:
            with session.begin_nested():
                session.execute(sa.insert(_TABLE).values(project_id=project_id, **values))
        except sa.exc.IntegrityError:
            # It is there: with this very value, which counts as no change on some databases, or made meanwhile.
            session.execute(sa.update(_TABLE).where(mine).values(value=tag.value))


def remove(
    session: Session, project_id: str, resource_id: str, key: str | None = None, value: str | None = None
) -> None:
    """Take a tag away if it has ``value``, whatever it has when that is None; all when ``key`` is None."""
    mine = sa.and_(_TABLE.c.project_id == project_id, _TABLE.c.resource_id == resource_id)
    if key is not None:
        mine = _is(project_id, resource_id, key)
    statement = sa.delete(_TABLE).where(mine)
    session.execute(statement if value is None else statement.where(_TABLE.c.value == value))


def forget(session: Session, resource_id: str) -> None:
    """Remove the tags of a resource that goes, of whoever gave them."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.resource_id == resource_id))


def count(session: Session, project_id: str, resource_id: str) -> int:
    """Count the tags that a project gave a resource."""
    query = sa.select(sa.func.count()).where(
        _TABLE.c.project_id == project_id, _TABLE.c.resource_id == resource_id
    )
    return int(session.execute(query).scalar_one())


def sweep(session: Session) -> int:
    """Remove the tags of resources that are gone; returns how many."""
    gone = 0
    for kind, alive in _ALIVE.items():
        orphans = sa.delete(_TABLE).where(
            _TABLE.c.kind == kind, _TABLE.c.resource_id.not_in(alive)
        )
        gone += int(session.execute(orphans).rowcount)  # type: ignore[attr-defined]
    return gone


def _is(project_id: str, resource_id: str, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        _TABLE.c.project_id == project_id, _TABLE.c.resource_id == resource_id, _TABLE.c.key == key
    )
