"""Know whose the addresses are that came by themselves before revision 0020.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-25 22:55:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_NAMES = ("id", "vif_id", "assigned_to")
_FLOATING = sa.table("floating_ips", *map(sa.column, _NAMES), sa.column("auto_assigned", sa.Boolean))


def upgrade() -> None:
    """Bring the rows forward: an interface has one such address at most, so of several only the first is told."""
    connection = op.get_bind()
    told = set(connection.scalars(sa.select(_FLOATING.c.assigned_to).where(_FLOATING.c.assigned_to.is_not(None))))
    untold = (
        sa.select(sa.func.min(_FLOATING.c.id), _FLOATING.c.vif_id)
        .where(_FLOATING.c.auto_assigned.is_(True), _FLOATING.c.vif_id.is_not(None), _FLOATING.c.assigned_to.is_(None))
        .group_by(_FLOATING.c.vif_id)
    )
    for floating_id, vif_id in connection.execute(untold).all():
        if vif_id not in told:
            connection.execute(sa.update(_FLOATING).where(_FLOATING.c.id == floating_id).values(assigned_to=vif_id))
