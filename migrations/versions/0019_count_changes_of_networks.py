"""Count how often networks, ports, floating addresses, routers and security groups were changed.

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-25 20:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Bring the schema forward."""
    for table in ("networks", "virtual_interfaces", "floating_ips", "routers", "security_groups"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
