"""Revisions: how often what the network keeps was changed, and changes that are bound to a certain one.

The number is a column of each table, and every UPDATE of a row counts it up by itself (``counted``). Who has looked
at a resource can have it changed at the revision that was seen, and at no other: the row is locked and looked at
by the transaction that changes it, so that nobody comes between.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.errors import NotFound, RevisionMismatch
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


def lock(session: Session, kind: str, resource_id: str) -> int | None:
    """Let nobody else change a resource until this transaction ends; returns its revision, None where it is not there.

    What is looked at after this is still so when it is written.
    """
    identifier, column = _COLUMNS[kind]
    query = sa.select(column).where(identifier == resource_id).with_for_update()
    return session.execute(query).scalar()


def require(session: Session, kind: str, resource_id: str, seen: int | None) -> None:
    """Lock a resource that is to be at a revision; raises RevisionMismatch, NotFound. None: whatever it is at."""
    if seen is None:
        return
    found = lock(session, kind, resource_id)
    if found is None:
        raise NotFound(f"{resource_id} could not be found.")
    if found != seen:
        raise RevisionMismatch(f"Constrained to {seen}, but current revision is {found}")


def count(session: Session, kind: str, resource_id: str) -> None:
    """Count a resource's revision up, for something changed that is not in its row."""
    session.execute(_count(kind).where(_COLUMNS[kind][0] == resource_id))


def count_ports_of(session: Session, instance_uuid: str) -> None:
    """Count up the revisions of an instance's ports, for its groups changed."""
    session.execute(_count("ports").where(virtual_interfaces.INTERFACES.c.instance_uuid == instance_uuid))


def _count(kind: str) -> sa.Update:
    column = _COLUMNS[kind][1]
    return sa.update(column.table).values({column: column + 1})
