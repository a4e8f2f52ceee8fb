"""Moving a host's addresses and routes between an interface and the bridge that it is put in.

At every moment the host has each address on one of the two, and each route by one of them, so connections go on.
What a crash leaves half moved is moved by the next call, as each looks at what there is.
"""

import dataclasses
from typing import Any

from pyroute2 import IPRoute

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net.links import FLOATING_METRIC, GATEWAY_METRIC
from nova_lite.drivers.net.netlink import required

_GLOBAL = 0
_NO_DUPLICATE_CHECK = 0x02
_TEMPORARY = 0x01
_BY_KERNEL = 2
_MAIN = 254
_ONLINK = 4
_IPV4, _IPV6 = 2, 10


@dataclasses.dataclass(frozen=True, slots=True)
class _Route:
    """A route of the main table that somebody added, and how netlink is told of it."""

    family: int
    options: tuple[tuple[str, Any], ...]


def put_in_bridge(netlink: IPRoute, interface: str, bridge: str) -> None:
    """Put an interface in a bridge, which gets its addresses, routes and MAC address.

    Raises DriverError for one that is in another bridge.
    """
    index, master = required(netlink, interface), required(netlink, bridge)
    link = netlink.get_links(index)[0]
    if link.get_attr("IFLA_MASTER") not in (None, master):
        raise DriverError(f"cannot put {interface} in {bridge}: it is in another bridge.")
    mac = link.get_attr("IFLA_ADDRESS")
    if netlink.get_links(master)[0].get_attr("IFLA_ADDRESS") != mac:
        # One that is set stays, whatever guests come and go; neighbours know the host by it.
        netlink.link("set", index=master, address=mac)
    added = _add_addresses(netlink, index, master)
    netlink.link("set", index=index, master=master, state="up")
    _move_routes(netlink, index, master)
    _remove_addresses(netlink, index, added)


def take_out(netlink: IPRoute, interface: str, bridge: str) -> None:
    """Take an interface out of a bridge, and give it what the bridge has that is not a gateway's."""
    index, master = required(netlink, interface), required(netlink, bridge)
    added = _add_addresses(netlink, master, index)
    netlink.link("set", index=index, master=0, state="up")
    _move_routes(netlink, master, index)
    _remove_addresses(netlink, master, added)


def has_left(netlink: IPRoute, index: int) -> bool:
    """Tell whether an interface in a bridge still has what belongs to the bridge."""
    return bool(_addresses(netlink, index) or _routes(netlink, index))


def _addresses(netlink: IPRoute, index: int) -> list[dict[str, Any]]:
    """Return the host's own addresses of a link as netlink is told of them."""
    found = []
    for message in netlink.get_addr(index=index):
        flags = message.get_attr("IFA_FLAGS") or message["flags"]
        ours = message.get_attr("IFA_RT_PRIORITY") in (FLOATING_METRIC, GATEWAY_METRIC)
        if message["scope"] != _GLOBAL or ours or (message["family"] == _IPV6 and flags & _TEMPORARY):
            continue
        address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        wanted = {"family": message["family"], "address": address, "prefixlen": message["prefixlen"]}
        broadcast = message.get_attr("IFA_BROADCAST")
        found.append(wanted | ({"broadcast": broadcast} if broadcast else {}))
    return found


def _add_addresses(netlink: IPRoute, source: int, target: int) -> list[dict[str, Any]]:
    found = _addresses(netlink, source)
    for one in found:
        more = {"flags": _NO_DUPLICATE_CHECK} if one["family"] == _IPV6 else {}
        netlink.addr("replace", index=target, **one, **more)
    return found


def _remove_addresses(netlink: IPRoute, source: int, addresses: list[dict[str, Any]]) -> None:
    # With the first address of a subnet the others would go.
    for one in reversed(addresses):
        wanted = {name: one[name] for name in ("family", "address", "prefixlen")}
        netlink.addr("del", index=source, **wanted)


def _routes(netlink: IPRoute, index: int) -> list[_Route]:
    """Return the routes that leave by a link, direct ones before those that lead through a neighbour."""
    found = []
    for family in (_IPV4, _IPV6):
        for message in netlink.get_routes(family=family, oif=index, table=_MAIN):
            if message["proto"] == _BY_KERNEL or message["type"] != 1:
                continue
            if message.get_attr("RTA_OIF") != index or message.get_attr("RTA_TABLE") != _MAIN:
                continue
            destination, length = message.get_attr("RTA_DST"), message["dst_len"]
            any_of = "0.0.0.0/0" if family == _IPV4 else "::/0"
            options = {
                "dst": f"{destination}/{length}" if destination else any_of,
                "gateway": message.get_attr("RTA_GATEWAY"),
                "priority": message.get_attr("RTA_PRIORITY"),
                "prefsrc": message.get_attr("RTA_PREFSRC"),
                "flags": message["flags"] & _ONLINK,
                "proto": message["proto"],
                "scope": message["scope"],
            }
            found.append(_Route(family, tuple((key, value) for key, value in options.items() if value)))
    return sorted(found, key=lambda route: "gateway" in dict(route.options))


def _move_routes(netlink: IPRoute, source: int, target: int) -> None:
    """Have routes leave by another link; IPv6 has the old ones beside the new, which go."""
    for route in _routes(netlink, source):
        options = dict(route.options)
        netlink.route("replace", family=route.family, oif=target, **options)
        left = [one for one in _routes(netlink, source) if one == route]
        if left:
            netlink.route("del", family=route.family, oif=source, **options)
