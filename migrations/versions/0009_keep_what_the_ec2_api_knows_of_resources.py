"""Keep tags, clients' tokens, options of instances and fingerprints of private keys.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-25 15:52:10.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

JSON_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "resource_tags",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource_id", "key", name=op.f("pk_resource_tags")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("resource_tags", schema=None) as batch_op:
        batch_op.create_index("ix_resource_tags_kind", ["kind", "resource_id"], unique=False)
    op.create_table(
        "client_tokens",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "action", "token", name=op.f("pk_client_tokens")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("client_tokens", schema=None) as batch_op:
        batch_op.create_index("ix_client_tokens_resource", ["resource_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_client_tokens_created_at"), ["created_at"], unique=False)
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("options", JSON_TEXT, nullable=True))
        batch_op.create_index(batch_op.f("ix_instances_reservation_id"), ["reservation_id"], unique=False)
        batch_op.create_index("ix_instances_terminated", ["project_id", "terminated_at"], unique=False)
    with op.batch_alter_table("key_pairs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("private_fingerprint", sa.String(length=255), nullable=False, server_default="")
        )


def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("key_pairs", schema=None) as batch_op:
        batch_op.drop_column("private_fingerprint")
    with op.batch_alter_table("instances", schema=None) as batch_op:
        batch_op.drop_index("ix_instances_terminated")
        batch_op.drop_index(batch_op.f("ix_instances_reservation_id"))
        batch_op.drop_column("options")
    op.drop_table("client_tokens")
    op.drop_table("resource_tags")
