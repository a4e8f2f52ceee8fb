"""Keep the local disks that servers ask for.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-25 15:58:12.105911
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

JSON_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("local_disks", JSON_TEXT, nullable=True))
