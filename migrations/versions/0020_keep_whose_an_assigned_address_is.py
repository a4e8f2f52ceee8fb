"""Keep which interface a floating address came to by itself.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-25 20:10:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("floating_ips", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assigned_to", sa.String(length=36), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_floating_ips_assigned_to"), ["assigned_to"])
