"""A network's range of addresses: what an operator may ask for, and what it comes to."""

import dataclasses
import ipaddress

from nova_lite.core.errors import InvalidInput

_SHORTEST_PREFIX = 16
_LONGEST_PREFIX = 30
_MOST_NAME_SERVERS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class NewSubnet:
    """A range to use. Empty: ``gateway`` is the first address, ``dhcp_start`` the first after it.

    ``dhcp_start`` and ``dhcp_end`` bound what guests get. ``dns`` None is the default.
    """

    cidr: str
    name: str = ""
    gateway: str = ""
    dhcp_start: str = ""
    dhcp_end: str = ""
    dns: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Subnet:
    """A range that was checked; ``reserved`` are the addresses that guests never get."""

    cidr: str
    name: str
    gateway: str
    dhcp_start: str
    dhcp_end: str
    dns: tuple[str, ...]
    reserved: tuple[str, ...]


def check_subnet(wanted: NewSubnet, default_dns: tuple[str, ...]) -> Subnet:
    """Return what ``wanted`` comes to; raises InvalidInput."""
    cidr = _range(wanted.cidr)
    hosts = range(int(cidr.network_address) + 1, int(cidr.broadcast_address))
    gateway = _inside(cidr, wanted.gateway, "gateway") if wanted.gateway else hosts[0]
    after = hosts[1] if gateway == hosts[0] else hosts[0]
    start = _inside(cidr, wanted.dhcp_start, "first DHCP address") if wanted.dhcp_start else after
    end = _inside(cidr, wanted.dhcp_end, "last DHCP address") if wanted.dhcp_end else hosts[-1]
    if start > end or (start == end == gateway):
        raise InvalidInput(f"The range {cidr} leaves no address for instances.")
    reserved = {int(cidr.network_address), int(cidr.broadcast_address), gateway}
    reserved |= {number for number in hosts if not start <= number <= end}
    dns = default_dns if wanted.dns is None else wanted.dns
    return Subnet(
        cidr=str(cidr),
        name=wanted.name,
        gateway=_text(gateway),
        dhcp_start=_text(start),
        dhcp_end=_text(end),
        dns=check_dns(dns),
        reserved=tuple(map(_text, sorted(reserved))),
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
