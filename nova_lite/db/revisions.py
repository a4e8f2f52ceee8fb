"""Revisions: how often what the network keeps was changed, and claims of a certain one.

The number is a column of each table, and every UPDATE of a row counts it up by itself (``counted``). A client
that has looked at a resource claims the revision that it saw, by one conditional UPDATE: of several that saw
the same one only one gets it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.db import networks, virtual_interfaces
from nova_lite.db.routers import RouterRow
from nova_lite.db.security_groups import SecurityGroupRow

_COLUMNS: dict[str, tuple[Any, Any]] = {
    "networks": (networks.TABLE.c.uuid, networks.TABLE.c.revision),
    "ports": (virtual_interfaces.INTERFACES.c.id, virtual_interfaces.INTERFACES.c.revision),
    "floatingips": (networks.FLOATING_IPS.c.id, networks.FLOATING_IPS.c.revision),
    "routers": (RouterRow.__table__.c.id, RouterRow.__table__.c.revision),
    "security_groups": (SecurityGroupRow.__table__.c.id, SecurityGroupRow.__table__.c.revision),
}
"""Where the id and the revision of each kind of resource are; a subnet's are its network's."""


KINDS = frozenset(_COLUMNS)


def claim(session: Session, kind: str, resource_id: str, revision: int) -> bool:
    """Count a resource's revision up if it is this one; False when it is another, or there is no such resource."""
    identifier, column = _COLUMNS[kind]
    claimed = session.execute(_count(kind).where(identifier == resource_id, column == revision))
    return bool(claimed.rowcount)  # type: ignore[attr-defined]


def count(session: Session, kind: str, resource_id: str) -> None:
    """Count a resource's revision up, for something changed that is not in its row."""
    session.execute(_count(kind).where(_COLUMNS[kind][0] == resource_id))


def count_ports_of(session: Session, instance_uuid: str) -> None:
    """Count up the revisions of an instance's ports, for its groups changed."""
    session.execute(_count("ports").where(virtual_interfaces.INTERFACES.c.instance_uuid == instance_uuid))


def current(session: Session, kind: str, resource_id: str) -> int | None:
    """Return a resource's revision, None when there is no such resource."""
    identifier, column = _COLUMNS[kind]
    return session.execute(sa.select(column).where(identifier == resource_id)).scalar()


def _count(kind: str) -> sa.Update:
    column = _COLUMNS[kind][1]
    return sa.update(column.table).values({column: column + 1})
