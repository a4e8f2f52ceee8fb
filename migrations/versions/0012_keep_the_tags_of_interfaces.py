"""Keep the tags of interfaces.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-25 16:55:03.771204
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("virtual_interfaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tag", sa.String(length=255), nullable=True))
