"""The interfaces of instances, and the address that each of them holds.

The interface of an instance on a network is unique, so that asking for it again changes nothing. A port that
a project keeps (``db/ports.py``) is an interface that outlives its instance: while none has it, its own id
stands where the instance's would, and holds its address.
"""

import datetime
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.network import VirtualInterface
from nova_lite.db import networks
from nova_lite.db.base import MYSQL, UUID, Base, JsonText, counted
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS, FLOATING_IPS


class VirtualInterfaceRow(Base):
    """One network interface of an instance; ``project_id`` is whose port it is if it outlives that."""

    __tablename__ = "virtual_interfaces"
    __table_args__ = (sa.UniqueConstraint("instance_uuid", "network_id"), MYSQL)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    mac: Mapped[str] = mapped_column(sa.String(17), unique=True)
    instance_uuid: Mapped[str] = mapped_column(UUID)
    network_id: Mapped[int] = mapped_column(sa.ForeignKey("networks.id"), index=True)
    name: Mapped[str | None]
    description: Mapped[str | None]
    tag: Mapped[str | None]
    project_id: Mapped[str | None] = mapped_column(sa.String(64))
    dhcp_options: Mapped[Any] = mapped_column(JsonText, nullable=True)
    revision: Mapped[int] = counted()
    created_at: Mapped[datetime.datetime]


INTERFACES = cast(sa.Table, VirtualInterfaceRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_NETWORKS = networks.TABLE

IS_FREE = sa.and_(INTERFACES.c.instance_uuid == INTERFACES.c.id, INTERFACES.c.project_id.is_not(None))
"""What a port is that a project keeps and no instance has."""

HOLDS = sa.and_(
    FIXED_IPS.c.instance_uuid == INTERFACES.c.instance_uuid, FIXED_IPS.c.vif_id == INTERFACES.c.id
)


ADDRESS = sa.case((_NETWORKS.c.cidr != "", FIXED_IPS.c.address), else_="")
"""The IPv4 address that an interface holds; in a network of IPv6 alone its row has that one."""


def of_instances(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
    """Return the interfaces of instances by instance; one that has none is not in the answer."""
    rows: dict[str, dict[str, Any]] = {}
    for row in session.execute(_INTERFACES_OF, {"uuids": instance_uuids}):
        values = rows.setdefault(row.id, dict(zip(_OF_NAMES, row, strict=True)) | {"floating": ()})
        if row.floating is not None:
            values["floating"] += (row.floating,)
    found: dict[str, list[VirtualInterface]] = {}
    for values in rows.values():
        found.setdefault(values["instance_uuid"], []).append(VirtualInterface(**values))
    return found


_OF_NETWORK = (
    "vlan", "bridge_interface", "multi_host", "injected", "dns1", "dns2", "cidr_v6", "gateway_v6", "routed",
    "ipv6_backend",
)  # fmt: skip
"""What an interface has from its network, beside what every look at it needs."""


def query() -> sa.Select[Any]:
    """Ask for all that is told of interfaces but their floating addresses."""
    return (
        sa.select(
            INTERFACES.c.id,
            INTERFACES.c.mac,
            INTERFACES.c.instance_uuid,
            INTERFACES.c.network_id,
            _NETWORKS.c.uuid.label("network_uuid"),
            _NETWORKS.c.label.label("network_label"),
            ADDRESS.label("address"),
            _NETWORKS.c.cidr,
            _NETWORKS.c.gateway,
            _NETWORKS.c.bridge,
            _NETWORKS.c.mtu,
            INTERFACES.c.created_at,
            sa.func.coalesce(INTERFACES.c.tag, "").label("tag"),
            *(_NETWORKS.c[name] for name in _OF_NETWORK),
            sa.func.coalesce(_gateway_of_host(), _NETWORKS.c.gateway).label("dhcp_server"),
            sa.func.coalesce(INTERFACES.c.project_id, _of_instance(_INSTANCES.c.project_id), "").label("owner_id"),
        )
        .join(_NETWORKS, _NETWORKS.c.id == INTERFACES.c.network_id)
        .join(FIXED_IPS, HOLDS)
    )


def _gateway_of_host() -> sa.ScalarSelect[Any]:
    """The address by which the host of an interface's instance is the gateway of a multi_host network."""
    gateways = FIXED_IPS.alias("gateways")
    return (
        sa.select(gateways.c.address)
        .where(
            gateways.c.network_id == INTERFACES.c.network_id,
            gateways.c.host == _of_instance(_INSTANCES.c.host),
        )
        .correlate(INTERFACES)
        .scalar_subquery()
    )


def _of_instance(column: sa.Column[Any]) -> sa.ScalarSelect[Any]:
    """A column of an interface's instance."""
    found = sa.select(column).where(_INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
    return found.correlate(INTERFACES).scalar_subquery()


# What every boot and look at a server asks is built once, which takes longer than asking it.
_INTERFACES_OF = (
    query()
    .add_columns(FLOATING_IPS.c.address.label("floating"))
    .outerjoin(FLOATING_IPS, FLOATING_IPS.c.vif_id == INTERFACES.c.id)
    .where(INTERFACES.c.instance_uuid.in_(sa.bindparam("uuids")))
    .order_by(INTERFACES.c.network_id, FLOATING_IPS.c.address)
)
_OF_NAMES = tuple(column.name for column in _INTERFACES_OF.selected_columns)
