"""Keep where the devices that have a tag are in their guests.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-25 19:30:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

JSON_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("devices", JSON_TEXT, nullable=True))
