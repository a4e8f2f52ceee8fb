"""Keep what hypervisors cannot do.

Revision ID: 0021
Revises: 0020
Create Date: 2026-11-25 20:14:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("compute_nodes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cannot", sa.String(length=255), nullable=False, server_default=""))
