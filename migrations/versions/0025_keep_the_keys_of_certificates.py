"""Keep the public keys of certificates, by which what their users sign is known.

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-25 23:25:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0025"
down_revision = "0024"

_KEY = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("certificates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("public_key", _KEY, nullable=True))
