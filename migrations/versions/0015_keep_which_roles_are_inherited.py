"""Keep which roles are given to be inherited by the projects below.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-25 19:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Bring the schema forward."""
    inherited: sa.Column[bool] = sa.Column("inherited", sa.Boolean(), server_default=sa.false(), nullable=False)
    with op.batch_alter_table("role_assignments", schema=None) as batch_op:
        batch_op.add_column(inherited)
        batch_op.drop_constraint(op.f("pk_role_assignments"), type_="primary")
        batch_op.create_primary_key(
            op.f("pk_role_assignments"),
            ["actor_kind", "actor_id", "target_kind", "target_id", "inherited", "role_id"],
        )
