"""Addresses of this host's links."""

import contextlib
import dataclasses
import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from pyroute2 import IPRoute, NetlinkError

from nova_lite.drivers.net.netlink import index_of, required, talk

FLOATING_METRIC, GATEWAY_METRIC = 8774, 8775
"""The metrics (IFA_RT_PRIORITY) by which the floating and gateways' addresses that we added are known."""

_IPV6 = 10
_NO_DUPLICATE_CHECK = 0x02

METADATA_ADDRESS = "169.254.169.254"


def exists(name: str) -> bool:
    """Tell whether there is a link of this name."""
    return talk(lambda netlink: index_of(netlink, name) is not None)


@dataclasses.dataclass(frozen=True, slots=True)
class HostAddresses:
    """Every address of this host, and (interface, address) of the floating ones that we added."""

    local: set[str]
    floating: set[tuple[str, str]]


def host_addresses() -> HostAddresses:
    """Return the addresses of this host; there may be many, and to read one takes a while."""

    def work(netlink: IPRoute) -> HostAddresses:
        local, floating = set(), set()
        for found in netlink.get_addr():
            address = str(found.get_attr("IFA_ADDRESS"))
            local.add(address)
            if found.get_attr("IFA_RT_PRIORITY") == FLOATING_METRIC and int(found["prefixlen"]) == 32:
                floating.add((found["index"], address))
        names = {index: _name(index) for index in {index for index, _ in floating}}
        return HostAddresses(local, {(names[index], address) for index, address in floating if names[index]})

    return talk(work)


def add_address(name: str, address: str, prefix: int, *, scope_link: bool = False) -> bool:
    """Add an address to a link; True if it was not there before."""

    def work(netlink: IPRoute) -> bool:
        index = required(netlink, name)
        if (address, prefix) in _addresses(netlink, index):
            return False
        options: dict[str, Any] = {"scope": 253} if scope_link else {}
        if not scope_link:
            network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
            options["broadcast"] = str(network.broadcast_address)
        netlink.addr("add", index=index, address=address, prefixlen=prefix, **options)
        return True

    return talk(work)


def set_gateways(name: str, wanted: set[tuple[str, int]]) -> bool:
    """Have a link carry exactly these gateways' addresses, (address, prefix) each; True if it did not.

    The host's own addresses are not touched; an absent link has none.
    """

    def work(netlink: IPRoute) -> bool:
        if index_of(netlink, name) is None and not wanted:
            return False
        index = required(netlink, name)
        present = {_pair(found) for found in netlink.get_addr(index=index)}
        ours = {
            _pair(found)
            for found in netlink.get_addr(index=index)
            if found.get_attr("IFA_RT_PRIORITY") == GATEWAY_METRIC
        }
        for address, prefix in sorted(ours - wanted):
            netlink.addr("del", index=index, address=address, prefixlen=prefix)
        for address, prefix in sorted(wanted - present):
            netlink.addr("add", index=index, address=address, prefixlen=prefix, **_of_gateway(address, prefix))
        return bool((ours - wanted) or (wanted - present))

    return talk(work)


def missing_addresses(name: str, wanted: set[tuple[str, int]]) -> set[str]:
    """Return which addresses, (address, prefix) each, a link lacks."""

    def work(netlink: IPRoute) -> set[str]:
        index = index_of(netlink, name)
        present = set() if index is None else {_pair(found) for found in netlink.get_addr(index=index)}
        return {address for address, _ in wanted - present}

    return talk(work)


def remove_address(name: str, address: str, prefix: int) -> None:
    """Remove an address; an absent one is not an error."""

    def work(netlink: IPRoute) -> None:
        index = index_of(netlink, name)
        if index is not None and (address, prefix) in _addresses(netlink, index):
            netlink.addr("del", index=index, address=address, prefixlen=prefix)

    talk(work)


def add_floating(name: str, address: str) -> bool:
    """Add a floating address to a link; True if it was not there before. Raises DriverError without the link."""

    def work(netlink: IPRoute) -> bool:
        index = required(netlink, name)
        # Asking first would list every address of the link.
        return _unless(
            errno.EEXIST,
            lambda: netlink.addr("add", index=index, address=address, prefixlen=32, rt_priority=FLOATING_METRIC),
        )

    return talk(work)


def remove_floating(name: str, address: str) -> bool:
    """Remove a floating address from a link; False if it was not there."""

    def work(netlink: IPRoute) -> bool:
        index = index_of(netlink, name)
        return index is not None and _unless(
            errno.EADDRNOTAVAIL,
            lambda: netlink.addr("del", index=index, address=address, prefixlen=32),
        )

    return talk(work)


def _name(index: int) -> str:
    """Return the name of a link, empty for one that has just gone; to list all links takes long."""
    with contextlib.suppress(OSError):
        return socket.if_indextoname(index)
    return ""


def _unless(harmless: int, act: Callable[[], object]) -> bool:
    """Act; False when the kernel says by this error that there is nothing to do."""
    try:
        act()
    except NetlinkError as error:
        if error.code != harmless:
            raise
        return False
    return True


def _addresses(netlink: IPRoute, index: int) -> list[tuple[str, int]]:
    """Return the IPv4 addresses of a link, link-local ones left out unless they are ours."""
    return [
        (str(found.get_attr("IFA_ADDRESS")), int(found["prefixlen"]))
        for found in netlink.get_addr(family=2, index=index)
    ]


def _pair(found: Any) -> tuple[str, int]:
    """Return the address and prefix of an address's message."""
    return str(found.get_attr("IFA_LOCAL") or found.get_attr("IFA_ADDRESS")), int(found["prefixlen"])


def _of_gateway(address: str, prefix: int) -> dict[str, Any]:
    """Return how the kernel is told of a gateway's address."""
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    if network.version == 6:
        return {"family": _IPV6, "flags": _NO_DUPLICATE_CHECK, "rt_priority": GATEWAY_METRIC}
    return {"broadcast": str(network.broadcast_address), "rt_priority": GATEWAY_METRIC}
