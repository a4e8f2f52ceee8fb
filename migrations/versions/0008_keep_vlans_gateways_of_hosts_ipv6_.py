"""Keep VLANs, gateways of hosts, IPv6 prefixes and DHCP options of networks.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-25 15:55:02.118204
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

JSON_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Bring the schema forward."""
    with op.batch_alter_table("virtual_interfaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dhcp_options", JSON_TEXT, nullable=True))

    with op.batch_alter_table("fixed_ips", schema=None) as batch_op:
        batch_op.add_column(sa.Column("host", sa.String(length=255), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_fixed_ips_network_id_host"), ["network_id", "host"])

    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first_of", sa.String(length=64), nullable=True))
        for name, length in (("cidr_v6", 43), ("gateway_v6", 39)):
            batch_op.add_column(sa.Column(name, sa.String(length=length), server_default="", nullable=False))
        batch_op.add_column(sa.Column("injected", sa.Boolean(), server_default=sa.false(), nullable=False))
        for name in ("vpn_public_address", "vpn_private_address"):
            batch_op.add_column(sa.Column(name, sa.String(length=39), server_default="", nullable=False))
        batch_op.add_column(sa.Column("vpn_public_port", sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_networks_first_of"), ["first_of"])
        batch_op.create_unique_constraint(batch_op.f("uq_networks_vlan"), ["vlan"])


def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_networks_vlan"), type_="unique")
        batch_op.drop_constraint(batch_op.f("uq_networks_first_of"), type_="unique")
        for name in (
            "vpn_public_port", "vpn_private_address", "vpn_public_address", "injected", "gateway_v6", "cidr_v6",
            "first_of",
        ):  # fmt: skip
            batch_op.drop_column(name)

    with op.batch_alter_table("fixed_ips", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_fixed_ips_network_id_host"), type_="unique")
        batch_op.drop_column("host")

    with op.batch_alter_table("virtual_interfaces", schema=None) as batch_op:
        batch_op.drop_column("dhcp_options")
