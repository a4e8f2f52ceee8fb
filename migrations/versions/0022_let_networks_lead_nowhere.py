"""Let networks lead nowhere.

Revision ID: 0022
Revises: 0021
Create Date: 2026-11-25 22:45:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("routed", sa.Boolean(), nullable=False, server_default=sa.true()))
