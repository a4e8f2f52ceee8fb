"""Claims of free addresses: one conditional UPDATE each, however many instances ask at once.

Which addresses are tried is only a guess, and who loses a race guesses again.
"""

import dataclasses
import datetime
import random
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.errors import Conflict, NoAddress, NotFound
from nova_lite.core.network import Network, VirtualInterface, address_v6
from nova_lite.db.networks import FIXED_IPS
from nova_lite.db.virtual_interfaces import INTERFACES

_SPREAD = 32
"""How many free addresses more than needed are looked at, so that two daemons seldom try the same one."""

_ATTEMPTS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """An instance, of the project ``owner_id``, that is to have an interface on a network."""

    instance_uuid: str
    network: Network
    fixed_ip: str
    vif_id: str
    mac: str
    tag: str = ""
    port_id: str = ""
    owner_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Free:
    """An address that was free when it was looked at."""

    id: int
    address: str
    leased: bool


_FREE = (
    sa.select(FIXED_IPS.c.id, FIXED_IPS.c.address, FIXED_IPS.c.leased)
    .where(
        FIXED_IPS.c.network_id == sa.bindparam("network_id"),
        FIXED_IPS.c.instance_uuid.is_(None),
        FIXED_IPS.c.reserved == sa.false(),
    )
    .order_by(FIXED_IPS.c.leased, FIXED_IPS.c.updated_at, FIXED_IPS.c.id)
    .limit(sa.bindparam("most"))
)


def claim(session: Session, places: Sequence[Place]) -> list[VirtualInterface]:
    """Claim an address for each place and record its interface."""
    if not places:
        return []
    by_network: dict[int, list[Place]] = {}
    for place in places:
        by_network.setdefault(place.network.id, []).append(place)
    claimed: dict[str, str] = {}
    for of_network in by_network.values():
        if not of_network[0].network.cidr:
            claimed |= _make(session, of_network)
            continue
        claimed |= _claim_fixed(session, [place for place in of_network if place.fixed_ip])
        claimed |= _claim_any(session, [place for place in of_network if not place.fixed_ip])
    now = clock.now()
    interfaces = [_interface(place, claimed[place.vif_id], now) for place in places]
    try:
        session.execute(
            sa.insert(INTERFACES),
            [
                {name: getattr(interface, name) for name in ("id", "mac", "instance_uuid", "network_id")}
                | {"tag": interface.tag or None, "created_at": now}
                for interface in interfaces
            ],
        )
    except sa.exc.IntegrityError as error:
        raise Conflict("An interface with the same MAC address or network was made meanwhile.") from error
    return interfaces


def _make(session: Session, places: Sequence[Place]) -> dict[str, str]:
    """Make a row for each place in a network of IPv6 alone, whose address is that of the MAC; returns no addresses.

    Raises NotFound for another address that is asked for.
    """
    network = places[0].network
    # Nobody gets what others have left: it is that of their MACs.
    session.execute(
        sa.delete(FIXED_IPS).where(FIXED_IPS.c.network_id == network.id, FIXED_IPS.c.instance_uuid.is_(None))
    )
    rows = []
    for place in places:
        address = address_v6(network.cidr_v6, place.mac, network.ipv6_backend, place.owner_id)
        if place.fixed_ip not in ("", address):
            raise NotFound(f"Network {network.label} has no address {place.fixed_ip} for instances.")
        rows.append(
            {
                "network_id": network.id,
                "address": address,
                "reserved": False,
                "instance_uuid": place.instance_uuid,
                "vif_id": place.vif_id,
                "updated_at": clock.now(),
            }
        )
    try:
        session.execute(sa.insert(FIXED_IPS), rows)
    except sa.exc.IntegrityError as error:
        raise Conflict("An interface with the same MAC address was made meanwhile.") from error
    return {place.vif_id: "" for place in places}


def _interface(place: Place, address: str, now: datetime.datetime) -> VirtualInterface:
    network = place.network
    return VirtualInterface(
        id=place.vif_id,
        mac=place.mac,
        instance_uuid=place.instance_uuid,
        network_id=network.id,
        network_uuid=network.uuid,
        network_label=network.label,
        address=address,
        cidr=network.cidr,
        gateway=network.gateway,
        bridge=network.bridge,
        mtu=network.mtu,
        created_at=now,
        tag=place.tag,
        vlan=network.vlan,
        bridge_interface=network.bridge_interface,
        multi_host=network.multi_host,
        injected=network.injected,
        dhcp_server=network.gateway,
        dns1=network.dns1,
        dns2=network.dns2,
        cidr_v6=network.cidr_v6,
        gateway_v6=network.gateway_v6,
        routed=network.routed,
        ipv6_backend=network.ipv6_backend,
        owner_id=place.owner_id,
    )


def _claim_any(session: Session, places: Sequence[Place]) -> dict[str, str]:
    """Claim any free address for places of one network; returns the addresses by interface."""
    claimed: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        left = [place for place in places if place.vif_id not in claimed]
        if not left:
            return claimed
        free = _free(session, left[0].network, len(left))
        claimed |= _take(session, list(zip(free, left, strict=True)))
    raise Conflict("Too many others took addresses at the same time.")


def _free(session: Session, network: Network, count: int) -> list[_Free]:
    """Guess ``count`` free addresses: first those that no gone guest may still use, the longest unused."""
    asked = {"network_id": network.id, "most": count + _SPREAD}
    found = [_Free(*row) for row in session.execute(_FREE, asked)]
    if len(found) < count:
        raise NoAddress(f"No more addresses are available in network {network.label}.")
    unleased = [free for free in found if not free.leased]
    if len(unleased) < count:
        return found[:count]
    return sorted(random.sample(unleased, count), key=lambda free: free.id)


def _claim_fixed(session: Session, places: Sequence[Place]) -> dict[str, str]:
    """Claim the very addresses that places of one network ask for."""
    claimed: dict[str, str] = {}
    for place in places:
        query = sa.select(FIXED_IPS.c.id, FIXED_IPS.c.address, FIXED_IPS.c.leased).where(
            FIXED_IPS.c.network_id == place.network.id,
            FIXED_IPS.c.address == place.fixed_ip,
            FIXED_IPS.c.reserved == sa.false(),
        )
        row = session.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"Network {place.network.label} has no address {place.fixed_ip} for instances.")
        taken = _take(session, [(_Free(*row), place)])
        if not taken:
            raise NoAddress(f"Fixed IP address {place.fixed_ip} is already in use.")
        claimed |= taken
    return claimed


def _take(session: Session, pairs: Sequence[tuple[_Free, Place]]) -> dict[str, str]:
    """Take the addresses that still are free, in one UPDATE; returns what was got, by interface."""
    row = FIXED_IPS.c.id
    taken = session.execute(
        sa.update(FIXED_IPS)
        .where(
            row.in_([free.id for free, _ in pairs]),
            FIXED_IPS.c.instance_uuid.is_(None),
            FIXED_IPS.c.reserved == sa.false(),
        )
        .values(
            instance_uuid=sa.case({free.id: place.instance_uuid for free, place in pairs}, value=row),
            vif_id=sa.case({free.id: place.vif_id for free, place in pairs}, value=row),
            updated_at=clock.now(),
        )
    )
    wanted = {place.vif_id: free.address for free, place in pairs}
    if taken.rowcount == len(pairs):  # type: ignore[attr-defined]
        return wanted
    got = sa.select(FIXED_IPS.c.vif_id).where(
        FIXED_IPS.c.vif_id.in_(wanted), row.in_([f.id for f, _ in pairs])
    )
    return {vif_id: wanted[vif_id] for vif_id in session.execute(got).scalars()}
