"""Keep the names of addresses.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-25 16:55:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mariadb").with_variant(mysql.DATETIME(fsp=6), "mysql")

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "dns_domains",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("availability_zone", sa.String(length=255), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_dns_domains")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "dns_entries",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("address", sa.String(length=39), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("domain", "name", name=op.f("pk_dns_entries")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_index(op.f("ix_dns_entries_address"), "dns_entries", ["address"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("dns_entries")
    op.drop_table("dns_domains")
