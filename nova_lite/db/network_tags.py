"""Tags of what the network keeps, by the kind of resource and its id."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.db import networks, virtual_interfaces
from nova_lite.db.base import MYSQL, UUID, Base
from nova_lite.db.routers import RouterRow
from nova_lite.db.security_groups import SecurityGroupRow


class NetworkTagRow(Base):
    """One tag of a resource."""

    __tablename__ = "network_tags"
    __table_args__ = MYSQL

    kind: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    resource_id: Mapped[str] = mapped_column(UUID, primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)


_TABLE = cast(sa.Table, NetworkTagRow.__table__)

_IDS: dict[str, Any] = {
    "networks": networks.TABLE.c.uuid,
    "ports": virtual_interfaces.INTERFACES.c.id,
    "floatingips": networks.FLOATING_IPS.c.id,
    "routers": RouterRow.id,
    "security_groups": SecurityGroupRow.id,
}
"""Where the ids of each kind are. Subnets are their networks', so nobody knows when one is gone for good."""


def of(session: Session, kind: str, ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the tags of resources by their id, in one statement for any number of them."""
    found: dict[str, list[str]] = {}
    query = sa.select(_TABLE.c.resource_id, _TABLE.c.tag).where(
        _TABLE.c.kind == kind, _TABLE.c.resource_id.in_(ids)
    )
    for row in session.execute(query.order_by(_TABLE.c.tag)):
        found.setdefault(row.resource_id, []).append(row.tag)
    return found


def replace(session: Session, kind: str, resource_id: str, tags: Iterable[str]) -> None:
    """Write all tags of a resource."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.resource_id == resource_id))
    rows = [{"kind": kind, "resource_id": resource_id, "tag": tag} for tag in sorted(set(tags))]
    if rows:
        session.execute(sa.insert(_TABLE), rows)


def purge(session: Session) -> int:
    """Remove the tags of what is gone; returns how many there were."""
    purged = 0
    for kind, column in _IDS.items():
        gone = sa.delete(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.resource_id.not_in(sa.select(column)))
        purged += session.execute(gone).rowcount  # type: ignore[attr-defined]
    return purged
