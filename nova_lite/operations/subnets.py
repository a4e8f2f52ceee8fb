"""A network's range of addresses: what an operator may ask for, and what it comes to."""

import dataclasses
import ipaddress

from nova_lite.core.errors import InvalidInput

_SHORTEST_PREFIX = 16
_LONGEST_PREFIX = 30
_MOST_NAME_SERVERS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class NewSubnet:
    """A range to use, ``cidr``, or an IPv6 prefix, or both.

    Empty: ``gateway`` is the first address, ``dhcp_start`` the first after it.

    ``dhcp_start`` and ``dhcp_end`` bound what guests get; of ``fixed_cidr``, a part of the range, where it is
    given. ``dns`` None is the default. ``cidr_v6`` is a /64 prefix, ``gateway_v6`` its first address. One that is not
    ``routed`` leads nowhere; the host still has the gateway's address there, for DHCP.
    """

    cidr: str
    name: str = ""
    gateway: str = ""
    dhcp_start: str = ""
    dhcp_end: str = ""
    dns: tuple[str, ...] | None = None
    fixed_cidr: str = ""
    cidr_v6: str = ""
    gateway_v6: str = ""
    routed: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Subnet:
    """A range that was checked; ``reserved`` are the addresses that guests never get.

    ``vpn_private_address`` is among them, empty without a VPN.
    """

    cidr: str
    name: str
    gateway: str
    dhcp_start: str
    dhcp_end: str
    dns: tuple[str, ...]
    reserved: tuple[str, ...]
    vpn_private_address: str = ""
    cidr_v6: str = ""
    gateway_v6: str = ""


def check_subnet(
    wanted: NewSubnet, default_dns: tuple[str, ...], *, vpn_clients: int | None = None
) -> Subnet:
    """Return what ``wanted`` comes to; raises InvalidInput.

    With ``vpn_clients`` the first address after the gateway's is the VPN's, and the last ones, as many, its
    clients'.
    """
    cidr = _range(wanted.cidr)
    hosts = range(int(cidr.network_address) + 1, int(cidr.broadcast_address))
    gateway = _inside(cidr, wanted.gateway, "gateway") if wanted.gateway else hosts[0]
    after = [number for number in hosts[:3] if number != gateway]
    has_vpn = vpn_clients is not None
    if len(after) < 1 + has_vpn or len(hosts) <= 2 * has_vpn + (vpn_clients or 0):
        raise InvalidInput(f"The range {cidr} leaves no address for instances.")
    part = _part(cidr, wanted.fixed_cidr) if wanted.fixed_cidr else hosts
    last = min(hosts[-1] - (vpn_clients or 0), part[-1])
    first = max(after[has_vpn], part[0])
    start = _inside(cidr, wanted.dhcp_start, "first DHCP address") if wanted.dhcp_start else first
    end = _inside(cidr, wanted.dhcp_end, "last DHCP address") if wanted.dhcp_end else last
    vpn = after[0] if has_vpn else 0
    if start > end or (start == end == gateway):
        raise InvalidInput(f"The range {cidr} leaves no address for instances.")
    reserved = {int(cidr.network_address), int(cidr.broadcast_address), gateway}
    reserved |= {number for number in hosts if not start <= number <= end} | ({vpn} if has_vpn else set())
    dns = default_dns if wanted.dns is None else wanted.dns
    return Subnet(
        cidr=str(cidr),
        name=wanted.name,
        gateway=_text(gateway),
        dhcp_start=_text(start),
        dhcp_end=_text(end),
        dns=check_dns(dns),
        reserved=tuple(map(_text, sorted(reserved))),
        vpn_private_address=_text(vpn) if has_vpn else "",
        **(check_prefix(wanted.cidr_v6, wanted.gateway_v6) if wanted.cidr_v6 or wanted.gateway_v6 else {}),
    )


def check_dns(servers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses of name servers in their usual form; raises InvalidInput."""
    if len(servers) > _MOST_NAME_SERVERS:
        raise InvalidInput(f"A network has at most {_MOST_NAME_SERVERS} name servers.")
    try:
        return tuple(str(ipaddress.IPv4Address(server)) for server in servers)
    except ValueError as error:
        raise InvalidInput(f"A name server needs an IPv4 address: {error}") from error


def _range(text: str) -> ipaddress.IPv4Network:
    try:
        cidr = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:60]!r} is not a valid IPv4 CIDR: {error}") from error
    if not _SHORTEST_PREFIX <= cidr.prefixlen <= _LONGEST_PREFIX:
        raise InvalidInput(
            f"The range {cidr} cannot be used: its prefix must be from /{_SHORTEST_PREFIX} to /{_LONGEST_PREFIX}."
        )
    if cidr.is_loopback or cidr.is_multicast or cidr.is_link_local or cidr.network_address.is_unspecified:
        raise InvalidInput(f"The range {cidr} cannot be used for instances.")
    return cidr


def _part(cidr: ipaddress.IPv4Network, text: str) -> range:
    """Return the addresses of a part of a range; raises InvalidInput."""
    try:
        part = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:60]!r} is not a valid IPv4 CIDR: {error}") from error
    if not part.subnet_of(cidr):
        raise InvalidInput(f"The range {part} is not a part of {cidr}.")
    return range(int(part.network_address), int(part.broadcast_address) + 1)


def check_prefix(cidr_v6: str, gateway_v6: str = "") -> dict[str, str]:
    """Return an IPv6 prefix with its gateway, the first address unless one is given; raises InvalidInput."""
    if not cidr_v6:
        raise InvalidInput("An IPv6 gateway needs an IPv6 range.")
    try:
        cidr = ipaddress.IPv6Network(cidr_v6)
        gateway = ipaddress.IPv6Address(gateway_v6) if gateway_v6 else cidr[1]
    except (ValueError, IndexError) as error:
        raise InvalidInput(f"{cidr_v6[:60]!r} and its gateway are not valid IPv6: {error}") from error
    if cidr.prefixlen != 64:
        raise InvalidInput(f"The range {cidr} cannot be used: guests form their addresses of /64 prefixes.")
    if cidr.is_link_local or cidr.is_multicast or cidr.is_loopback:
        raise InvalidInput(f"The range {cidr} cannot be used for instances.")
    if gateway not in cidr or gateway == cidr[0]:
        raise InvalidInput(f"The gateway {gateway} is not an address for hosts of {cidr}.")
    return {"cidr_v6": str(cidr), "gateway_v6": str(gateway)}


def _inside(cidr: ipaddress.IPv4Network, text: str, what: str) -> int:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise InvalidInput(f"The {what} is not an IPv4 address: {error}") from error
    if address not in cidr or address in (cidr.network_address, cidr.broadcast_address):
        raise InvalidInput(f"The {what} {address} is not an address for hosts of {cidr}.")
    return int(address)


def _text(number: int) -> str:
    return str(ipaddress.IPv4Address(number))
