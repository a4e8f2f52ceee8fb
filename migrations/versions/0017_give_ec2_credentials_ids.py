"""Give EC2 credentials the ids by which they are stored credentials.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-25 19:50:00.000000
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("ec2_credentials", schema=None) as batch_op:
        batch_op.add_column(sa.Column("id", sa.String(length=64), nullable=True))
    table = sa.table("ec2_credentials", sa.column("access"), sa.column("id"))
    connection = op.get_bind()
    for access in connection.execute(sa.select(table.c.access)).scalars().all():
        digest = hashlib.sha256(access.encode()).hexdigest()
        connection.execute(sa.update(table).where(table.c.access == access).values(id=digest))
    with op.batch_alter_table("ec2_credentials", schema=None) as batch_op:
        batch_op.alter_column("id", existing_type=sa.String(length=64), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_ec2_credentials_id"), ["id"])
