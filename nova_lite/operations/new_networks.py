"""What a new network is like: what the request says, what the flags say where it does not, what is still free."""

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.errors import Conflict, InvalidInput
from nova_lite.core.network import Ipv6Backend, Network, NetworkMode
from nova_lite.db import networks
from nova_lite.operations.subnets import NewSubnet, check_prefix, check_subnet

MTU = range(576, 9217)
V4_NEEDED = "Where each compute host serves its guests, a network needs an IPv4 range"

_BRIDGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_VLANS = range(1, 4095)
_PORTS = range(1, 65536)


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkDefaults:
    """What a new network gets where the request says nothing.

    ``vlan_interface``, ``vlan_start`` and what begins with ``vpn`` are for networks with a VLAN: where the public
    side of the project's VPN will be, and how many addresses are kept for its clients.
    """

    bridge: str = "br100"
    bridge_interface: str = ""
    dns: tuple[str, ...] = ("8.8.4.4",)
    mtu: int = 1500
    mode: NetworkMode = NetworkMode()  # noqa: RUF009
    multi_host: bool = False
    injected: bool = False
    vlan_interface: str = ""
    vlan_start: int = 100
    vpn_ip: str = ""
    vpn_start: int = 1000
    vpn_clients: int = 0
    range_v6: str = ""
    ipv6_backend: str = Ipv6Backend.RFC2462


@dataclasses.dataclass(frozen=True, slots=True)
class NewNetwork:
    """A network to make; without ``subnet`` it has no addresses yet. ``project_id`` empty: for everybody.

    An empty ``uuid`` is a random one, an empty ``bridge`` is named after the default one, or after the VLAN. ``mtu`` 0
    is the default one, and so is what is None.
    """

    label: str
    subnet: NewSubnet | None = None
    bridge: str = ""
    bridge_interface: str | None = None
    mtu: int = 0
    multi_host: bool | None = None
    project_id: str = ""
    vlan: int | None = None
    vpn_port: int | None = None
    injected: bool | None = None
    uuid: str = ""


def check(request: NewNetwork) -> None:
    """Raise InvalidInput for what no network can be like."""
    if not 1 <= len(request.label) <= 255:
        raise InvalidInput("A network's name needs 1 to 255 characters.")
    if request.mtu and request.mtu not in MTU:
        raise bad_mtu()
    if request.vlan is not None and request.vlan not in _VLANS:
        raise InvalidInput(f"A VLAN has a number from {_VLANS.start} to {_VLANS.stop - 1}.")
    if request.vpn_port is not None and request.vpn_port not in _PORTS:
        raise InvalidInput("The port of a VPN must be from 1 to 65535.")
    if request.uuid and (len(request.uuid) != 36 or not ids.is_uuid(request.uuid)):
        raise InvalidInput(f"{request.uuid[:60]!r} is no uuid.")
    for name in (request.bridge, request.bridge_interface or ""):
        if name and _BRIDGE.fullmatch(name) is None:
            raise InvalidInput(
                f"{name!r} cannot name a bridge or interface: it needs 1 to 15 letters, digits, '_', '-', '.'."
            )


def bad_mtu() -> InvalidInput:
    """Return the error for an MTU that is out of range."""
    return InvalidInput(f"The MTU must be from {MTU.start} to {MTU.stop - 1}.")


def row(
    others: Sequence[Network], uuid: str, request: NewNetwork, defaults: NetworkDefaults
) -> Network:
    """Return a new network, still without addresses, beside the ``others``; raises Conflict, InvalidInput."""
    now = clock.now()
    values: dict[str, Any] = {
        "id": 0, "uuid": uuid, "label": request.label, "cidr": "", "gateway": "",
        "mtu": request.mtu or defaults.mtu,
        "multi_host": defaults.multi_host if request.multi_host is None else request.multi_host,
        "injected": defaults.injected if request.injected is None else request.injected,
        "project_id": request.project_id, "ipv6_backend": defaults.ipv6_backend, "created_at": now, "updated_at": now,
    }  # fmt: skip
    bridges = {other.bridge for other in others}
    if uuid in {other.uuid for other in others}:
        raise Conflict(f"There is a network {uuid} already.")
    if request.bridge in bridges:
        raise Conflict(f"The bridge {request.bridge} belongs to another network.")
    if defaults.mode.vlans or request.vlan is not None:
        return Network(**values, **_with_vlan(others, request, defaults))
    # An interface can be in one bridge only, so only the first network gets the default one.
    interface = defaults.bridge_interface if not bridges else ""
    return Network(
        **values,
        bridge=request.bridge or _next_name(defaults.bridge, bridges),
        bridge_interface=interface if request.bridge_interface is None else request.bridge_interface,
    )


def _with_vlan(
    others: Sequence[Network], request: NewNetwork, defaults: NetworkDefaults
) -> dict[str, Any]:
    if not defaults.mode.vlans:
        raise InvalidInput("Only with --network_manager=VlanManager do networks have a VLAN.")
    interface = request.bridge_interface or defaults.vlan_interface
    if not interface:
        raise InvalidInput("cannot make a VLAN without the interface that carries it: see --vlan_interface.")
    used = {other.vlan for other in others}
    if request.vlan in used and request.vlan is not None:
        raise Conflict(f"The VLAN {request.vlan} belongs to another network.")
    vlan = request.vlan or _next_number(defaults.vlan_start, used, _VLANS, "VLAN")
    bridge = request.bridge or f"br{vlan}"
    if bridge in {other.bridge for other in others}:
        raise Conflict(f"The bridge {bridge} belongs to another network.")
    ports = {other.vpn_public_port for other in others if other.vpn_public_address == defaults.vpn_ip}
    if request.vpn_port is not None and request.vpn_port in ports:
        raise Conflict(f"The port {request.vpn_port} belongs to another network's VPN.")
    return {
        "vlan": vlan,
        "bridge": bridge,
        "bridge_interface": interface,
        "vpn_public_address": defaults.vpn_ip,
        "vpn_public_port": request.vpn_port or _next_number(defaults.vpn_start, ports, _PORTS, "VPN port"),
    }


def fill(
    session: Session, others: Sequence[Network], network: Network, wanted: NewSubnet, defaults: NetworkDefaults
) -> Network:
    """Write a network's subnet and make its addresses; raises InvalidInput, Conflict for a range that is taken."""
    if not wanted.cidr:
        return fill_v6(session, others, network, wanted)
    if network.cidr_v6:
        _require_alike(network, wanted)
    networks.remove_addresses(session, network)
    vpn_clients = defaults.vpn_clients if network.vlan is not None else None
    subnet = check_subnet(wanted, defaults.dns, vpn_clients=vpn_clients)
    _require_apart(subnet.cidr, others, lambda other: other.cidr)
    cidr_v6, gateway_v6 = subnet.cidr_v6 or network.cidr_v6, subnet.gateway_v6 or network.gateway_v6
    if cidr_v6:
        require_free_prefix(cidr_v6, others)
    elif defaults.range_v6:
        cidr_v6 = next(iter(prefixes_v6(defaults.range_v6, 1, others)))
        gateway_v6 = str(ipaddress.IPv6Network(cidr_v6)[1])
    dns1, dns2 = (*subnet.dns, "", "")[:2]
    values: dict[str, Any] = {
        "cidr": subnet.cidr,
        "gateway": subnet.gateway,
        "dhcp_start": subnet.dhcp_start,
        "dhcp_end": subnet.dhcp_end,
        "dns1": dns1,
        "dns2": dns2,
        "subnet_name": subnet.name,
        "vpn_private_address": subnet.vpn_private_address,
        "cidr_v6": cidr_v6,
        "gateway_v6": gateway_v6,
        "routed": wanted.routed,
    }
    networks.update(session, network.uuid, **values)
    filled = dataclasses.replace(network, updated_at=clock.now(), **values)
    networks.add_addresses(session, filled, subnet.reserved)
    return filled


def fill_v6(session: Session, others: Sequence[Network], network: Network, wanted: NewSubnet) -> Network:
    """Write the IPv6 subnet of a network that has none; raises InvalidInput, Conflict for a prefix that is taken."""
    if not network.cidr and network.multi_host:
        raise InvalidInput(f"{V4_NEEDED}.")
    if network.cidr:
        _require_alike(network, wanted)
    values: dict[str, Any] = dict(check_prefix(wanted.cidr_v6, wanted.gateway_v6))
    require_free_prefix(values["cidr_v6"], others)
    if not network.cidr:
        values |= {"routed": wanted.routed, "subnet_name": wanted.name}
    networks.update(session, network.uuid, **values)
    return dataclasses.replace(network, updated_at=clock.now(), **values)


def _require_alike(network: Network, wanted: NewSubnet) -> None:
    if wanted.routed != network.routed:
        raise InvalidInput("Of the two subnets of a network both have a gateway, or neither has.")


def divide(cidr: str, count: int, size: int, others: Sequence[Network]) -> list[str]:
    """Return ``count`` ranges of ``size`` addresses (0: all there is) of a range, those in use left out.

    Raises InvalidInput for what is malformed or does not divide so, Conflict when too few are free.
    """
    try:
        whole = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise InvalidInput(f"{cidr[:60]!r} is not a valid IPv4 CIDR: {error}") from error
    if count < 1:
        raise InvalidInput("The number of networks must be at least 1.")
    size = min(size or whole.num_addresses, whole.num_addresses // count)
    if size < 4:
        raise InvalidInput(f"The range {cidr} is too small for {count} networks.")
    if count == 1 and size == whole.num_addresses:
        return [cidr]
    prefix = 33 - size.bit_length()
    used = [ipaddress.ip_network(other.cidr) for other in others if other.cidr]
    found: list[str] = []
    for subnet in whole.subnets(new_prefix=prefix):
        if len(found) < count and not any(subnet.overlaps(one) for one in used):
            found.append(str(subnet))
        if len(found) == count:
            return found
    raise Conflict(f"The range {cidr} has only {len(found)} networks of {2 ** (32 - prefix)} addresses left.")


def prefixes_v6(cidr: str, count: int, others: Sequence[Network]) -> list[str]:
    """Return ``count`` free /64 prefixes of a range; raises InvalidInput, Conflict when too few are free."""
    try:
        whole = ipaddress.IPv6Network(cidr)
    except ValueError as error:
        raise InvalidInput(f"{cidr[:60]!r} is not a valid IPv6 CIDR: {error}") from error
    if whole.prefixlen > 64:
        raise InvalidInput(f"The range {cidr} cannot be used: guests form their addresses of /64 prefixes.")
    used = {other.cidr_v6 for other in others}
    found: list[str] = []
    for prefix in whole.subnets(new_prefix=64):
        if str(prefix) not in used:
            found.append(str(prefix))
        if len(found) == count:
            return found
    raise Conflict(f"The range {cidr} has only {len(found)} prefixes left.")


def require_free_prefix(cidr_v6: str, others: Sequence[Network]) -> None:
    """Raise Conflict where another network has an IPv6 prefix."""
    _require_apart(cidr_v6, others, lambda other: other.cidr_v6)


def _require_apart(cidr: str, others: Sequence[Network], range_of: Callable[[Network], str]) -> None:
    mine = ipaddress.ip_network(cidr)
    for other in others:
        if range_of(other) and ipaddress.ip_network(range_of(other)).overlaps(mine):
            raise Conflict(f"The range {cidr} overlaps with {range_of(other)} of network {other.label}.")


def _next_name(name: str, used: Collection[str]) -> str:
    """Return ``name``, or the first name after it, by its number, that no network has."""
    stem = name.rstrip("0123456789")
    number = int(name[len(stem) :] or 0)
    while name in used:
        number += 1
        name = f"{stem}{number}"
    return name


def _next_number(first: int, used: Collection[int | None], allowed: range, what: str) -> int:
    for number in range(first, allowed.stop):
        if number not in used:
            return number
    raise Conflict(f"No {what} is left from {first} to {allowed.stop - 1}.")
