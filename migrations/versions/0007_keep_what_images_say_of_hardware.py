"""Keep what images say of their guests' hardware.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-25 16:20:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

JSON_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("image_properties", JSON_TEXT, nullable=True))
