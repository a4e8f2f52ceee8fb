"""Keep ports that outlive their servers.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-25 17:33:10.204118
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("virtual_interfaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("project_id", sa.String(length=64), nullable=True))
