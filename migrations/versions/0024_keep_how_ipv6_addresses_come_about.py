"""Keep how the IPv6 addresses of a network's guests come about.

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-25 23:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("ipv6_backend", sa.String(length=32), nullable=False, server_default="rfc2462")
        )
