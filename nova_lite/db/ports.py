"""Ports that a project keeps: made ahead of servers, given to one after the other, and there until they are deleted.

Each is a row of ``virtual_interfaces`` with a project; see ``db/addresses.py`` for how it holds its address.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.db.addresses import INTERFACES, IS_FREE
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS


def keep(session: Session, port_id: str, project_id: str, *, name: str, description: str) -> None:
    """Let an interface be a project's, whatever becomes of the server that has it."""
    session.execute(
        sa.update(INTERFACES)
        .where(INTERFACES.c.id == port_id)
        .values(project_id=project_id, name=name, description=description)
    )


def forget(session: Session, port_id: str) -> None:
    """Let an interface end with its server's use of it."""
    session.execute(
        sa.update(INTERFACES)
        .where(INTERFACES.c.id == port_id, INTERFACES.c.instance_uuid != INTERFACES.c.id)
        .values(project_id=None)
    )


def delete(session: Session, port_id: str) -> bool:
    """Remove a port that no server has, and free its address; False when there is no such one."""
    gone = session.execute(sa.delete(INTERFACES).where(INTERFACES.c.id == port_id, IS_FREE))
    if not gone.rowcount:  # type: ignore[attr-defined]
        return False
    session.execute(
        sa.update(FIXED_IPS)
        .where(FIXED_IPS.c.vif_id == port_id, FIXED_IPS.c.instance_uuid == port_id)
        .values(instance_uuid=None, vif_id=None, updated_at=clock.now())
    )
    return True


def count(session: Session, project_id: str) -> int:
    """Count the ports and the servers' interfaces of a project."""
    mine = sa.select(InstanceRow.uuid).where(InstanceRow.project_id == project_id, InstanceRow.deleted == sa.false())
    query = sa.select(sa.func.count(INTERFACES.c.id)).where(
        sa.or_(
            INTERFACES.c.project_id == project_id,
            sa.and_(INTERFACES.c.project_id.is_(None), INTERFACES.c.instance_uuid.in_(mine)),
        )
    )
    return int(session.execute(query).scalar_one())
