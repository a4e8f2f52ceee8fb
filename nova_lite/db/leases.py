"""Leases: which addresses DHCP servers are to give to guests, and which they have given."""

import datetime
from collections.abc import Collection, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.network import HeldAddress, Ipv6Backend, address_v6
from nova_lite.db import networks
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS
from nova_lite.db.virtual_interfaces import ADDRESS, HOLDS, INTERFACES

_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_NETWORKS = networks.TABLE


def held(
    session: Session,
    network_ids: Sequence[int],
    host: str = "",
    *,
    firsts: bool = False,
    only: Collection[str] | None = None,
) -> list[HeldAddress]:
    """Return the addresses of networks that guests hold, with what their DHCP servers have to know.

    With ``host``, of multi_host networks those of the guests on that host only. Without ``firsts`` each counts as
    one in its guest's first network. With ``only`` those of these instances.
    """
    query = (
        sa.select(
            INTERFACES.c.mac,
            ADDRESS.label("address"),
            sa.func.coalesce(_INSTANCES.c.hostname, "").label("hostname"),
            FIXED_IPS.c.instance_uuid,
            FIXED_IPS.c.network_id,
            FIXED_IPS.c.leased,
            (_is_first() if firsts else sa.literal(True)).label("first"),
            INTERFACES.c.dhcp_options,
            _NETWORKS.c.cidr_v6,
            _NETWORKS.c.ipv6_backend,
            sa.func.coalesce(INTERFACES.c.project_id, _INSTANCES.c.project_id, "").label("owner_id"),
        )
        .join(INTERFACES, HOLDS)
        .join(_NETWORKS, _NETWORKS.c.id == FIXED_IPS.c.network_id)
        .outerjoin(_INSTANCES, _INSTANCES.c.uuid == FIXED_IPS.c.instance_uuid)
        .where(FIXED_IPS.c.network_id.in_(network_ids), FIXED_IPS.c.instance_uuid != FIXED_IPS.c.vif_id)
        .order_by(FIXED_IPS.c.id)
    )
    if only is not None:
        query = query.where(FIXED_IPS.c.instance_uuid.in_(only))
    if host:
        query = query.where(sa.or_(_NETWORKS.c.multi_host == sa.false(), _INSTANCES.c.host == host))
    return [
        HeldAddress(
            **{name: row._mapping[name] for name in _HELD_FIELDS},
            options=_told(row),
            first=bool(row.first),
            address_v6=_told_v6(row),
        )
        for row in session.execute(query)
    ]


def _told(row: Any) -> tuple[tuple[str, str], ...]:
    """Return the DHCP options (RFC 2132) of a row's interface."""
    return tuple((name, value) for name, value in row.dhcp_options or ())


def _told_v6(row: Any) -> str:
    """Return the IPv6 address that a guest has to be told of, empty for one that it forms by itself or has not."""
    if not row.cidr_v6 or row.ipv6_backend == Ipv6Backend.RFC2462:
        return ""
    return address_v6(row.cidr_v6, row.mac, row.ipv6_backend, row.owner_id)


def _is_first() -> sa.ColumnElement[bool]:
    """Tell whether an interface is in the first of its instance's networks."""
    others = INTERFACES.alias("others")
    first = sa.select(sa.func.min(others.c.network_id)).where(
        others.c.instance_uuid == INTERFACES.c.instance_uuid
    )
    return INTERFACES.c.network_id == first.correlate(INTERFACES).scalar_subquery()


def set_leased(session: Session, address: str, mac: str, leased: bool) -> bool:
    """Record that the DHCP server gave an address to a guest, or took it back; False for an unknown one.

    A lease counts only for the interface that holds the address, the end of a lease always.
    """
    statement = sa.update(FIXED_IPS).where(FIXED_IPS.c.address == address).values(leased=leased)
    if leased:
        owner = sa.select(INTERFACES.c.id).where(INTERFACES.c.mac == mac).scalar_subquery()
        statement = statement.where(FIXED_IPS.c.vif_id == owner)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def forget(session: Session, network_ids: Sequence[int], before: datetime.datetime) -> int:
    """Take as ended the leases of addresses that were given back before a moment; returns how many."""
    ended = session.execute(
        sa.update(FIXED_IPS)
        .where(
            FIXED_IPS.c.network_id.in_(network_ids),
            FIXED_IPS.c.instance_uuid.is_(None),
            FIXED_IPS.c.leased == sa.true(),
            FIXED_IPS.c.updated_at < before,
        )
        .values(leased=False)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


_HELD_FIELDS = ("mac", "address", "hostname", "instance_uuid", "network_id", "leased")
