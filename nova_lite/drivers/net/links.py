"""Links, addresses and routes of this host, by netlink (rtnetlink(7)); the only user of pyroute2.

pyroute2 has an event loop of its own, so each function does its netlink talk in a real thread.
"""

import contextlib
import errno
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pyroute2 import IPRoute, NetlinkError

from nova_lite import concurrency
from nova_lite.core.errors import DriverError

T = TypeVar("T")

ALIAS = "nova_lite"
"""The alias (IFLA_IFALIAS) by which the bridges that we made are known."""

_FLOATING_METRIC = 8774
"""The metric (IFA_RT_PRIORITY) by which the floating addresses that we added are known."""

METADATA_ADDRESS = "169.254.169.254"


def exists(name: str) -> bool:
    """Tell whether there is a link of this name."""
    return _talk(lambda netlink: _index(netlink, name) is not None)


def our_bridges() -> set[str]:
    """Return the names of the bridges that we made."""

    def work(netlink: IPRoute) -> set[str]:
        return {
            str(link.get_attr("IFLA_IFNAME"))
            for link in netlink.get_links()
            if link.get_attr("IFLA_IFALIAS") == ALIAS
        }

    return _talk(work)


def has_address(name: str, address: str, prefix: int) -> bool:
    """Tell whether a link carries an address."""

    def work(netlink: IPRoute) -> bool:
        index = _index(netlink, name)
        return index is not None and (address, prefix) in _addresses(netlink, index)

    return _talk(work)


def is_up(name: str, mtu: int) -> bool:
    """Tell whether a link is there, administratively up, and takes packets of so many bytes."""

    def work(netlink: IPRoute) -> bool:
        index = _index(netlink, name)
        return index is not None and _is_up(netlink, index, mtu)

    return _talk(work)


def local_addresses() -> set[str]:
    """Return every address of this host."""

    def work(netlink: IPRoute) -> set[str]:
        return {str(found.get_attr("IFA_ADDRESS")) for found in netlink.get_addr()}

    return _talk(work)


def make_bridge(name: str, mtu: int) -> bool:
    """Make a bridge without forward delay and spanning tree, and bring it up; True if it was not so before."""

    def work(netlink: IPRoute) -> bool:
        index = _index(netlink, name)
        if index is not None and _is_up(netlink, index, mtu):
            return False
        if index is None:
            netlink.link("add", ifname=name, kind="bridge", br_forward_delay=0, br_stp_state=0)
            index = _index(netlink, name)
            netlink.link("set", index=index, ifalias=ALIAS)
        netlink.link("set", index=index, mtu=mtu, state="up")
        return True

    return _talk(work)


def add_address(name: str, address: str, prefix: int, *, scope_link: bool = False) -> bool:
    """Add an address to a link; True if it was not there before."""

    def work(netlink: IPRoute) -> bool:
        index = _required(netlink, name)
        if (address, prefix) in _addresses(netlink, index):
            return False
        options: dict[str, Any] = {"scope": 253} if scope_link else {}
        if not scope_link:
            network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
            options["broadcast"] = str(network.broadcast_address)
        netlink.addr("add", index=index, address=address, prefixlen=prefix, **options)
        return True

    return _talk(work)


def remove_address(name: str, address: str, prefix: int) -> None:
    """Remove an address; an absent one is not an error."""

    def work(netlink: IPRoute) -> None:
        index = _index(netlink, name)
        if index is not None and (address, prefix) in _addresses(netlink, index):
            netlink.addr("del", index=index, address=address, prefixlen=prefix)

    _talk(work)


def floating_addresses() -> set[tuple[str, str]]:
    """Return (interface, address) of the floating addresses that we added."""

    def work(netlink: IPRoute) -> set[tuple[str, str]]:
        names = {link["index"]: str(link.get_attr("IFLA_IFNAME")) for link in netlink.get_links()}
        return {
            (names[found["index"]], str(found.get_attr("IFA_ADDRESS")))
            for found in netlink.get_addr(family=2)
            if found.get_attr("IFA_RT_PRIORITY") == _FLOATING_METRIC and int(found["prefixlen"]) == 32
        }

    return _talk(work)


def add_floating(name: str, address: str) -> bool:
    """Add a floating address to a link; True if it was not there before. Raises DriverError without the link."""

    def work(netlink: IPRoute) -> bool:
        index = _required(netlink, name)
        # Asking first would list every address of the link.
        return _unless(
            errno.EEXIST,
            lambda: netlink.addr(
                "add", index=index, address=address, prefixlen=32, rt_priority=_FLOATING_METRIC
            ),
        )

    return _talk(work)


def remove_floating(name: str, address: str) -> bool:
    """Remove a floating address from a link; False if it was not there."""

    def work(netlink: IPRoute) -> bool:
        index = _index(netlink, name)
        return index is not None and _unless(
            errno.EADDRNOTAVAIL,
            lambda: netlink.addr("del", index=index, address=address, prefixlen=32),
        )

    return _talk(work)


def remove_bridge(name: str) -> None:
    """Remove a bridge; an absent one is not an error."""

    def work(netlink: IPRoute) -> None:
        index = _index(netlink, name)
        if index is not None:
            netlink.link("del", index=index)

    _talk(work)


def put_in_bridge(interface: str, bridge: str) -> bool:
    """Put an interface in a bridge, which takes over its addresses and routes; True if it was not in it.

    The bridge has the addresses before the interface loses them, so connections through it go on.
    """

    def work(netlink: IPRoute) -> bool:
        index, master = _required(netlink, interface), _required(netlink, bridge)
        if netlink.get_links(index)[0].get_attr("IFLA_MASTER") == master:
            return False
        routes = _routes_by(netlink, index)
        moving = _addresses(netlink, index)
        netlink.link("set", index=index, master=master, state="up")
        for address, prefix in moving:
            netlink.addr("replace", index=master, address=address, prefixlen=prefix)
            netlink.addr("del", index=index, address=address, prefixlen=prefix)
        for destination, gateway in routes:
            netlink.route("replace", dst=destination, gateway=gateway, oif=master)
        return True

    return _talk(work)


def _talk(work: Callable[[IPRoute], T]) -> T:
    def talk() -> T:
        with _explained():
            netlink = IPRoute()
            try:
                return work(netlink)
            finally:
                netlink.close()

    return concurrency.blocking(talk)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        reason = "root is needed" if error.code == errno.EPERM else error.args[1]
        raise DriverError(f"cannot change the host's network: {reason}.") from error


def _unless(harmless: int, act: Callable[[], object]) -> bool:
    """Act; False when the kernel says by this error that there is nothing to do."""
    try:
        act()
    except NetlinkError as error:
        if error.code != harmless:
            raise
        return False
    return True


def _index(netlink: IPRoute, name: str) -> int | None:
    found = netlink.link_lookup(ifname=name)
    return int(found[0]) if found else None


def _is_up(netlink: IPRoute, index: int, mtu: int) -> bool:
    link = netlink.get_links(index)[0]
    return bool(link["flags"] & 1) and link.get_attr("IFLA_MTU") == mtu


def _required(netlink: IPRoute, name: str) -> int:
    index = _index(netlink, name)
    if index is None:
        raise DriverError(f"cannot find the network interface {name}.")
    return index


def _addresses(netlink: IPRoute, index: int) -> list[tuple[str, int]]:
    """Return the IPv4 addresses of a link, link-local ones left out unless they are ours."""
    return [
        (str(found.get_attr("IFA_ADDRESS")), int(found["prefixlen"]))
        for found in netlink.get_addr(family=2, index=index)
    ]


def _routes_by(netlink: IPRoute, index: int) -> list[tuple[str, str]]:
    """Return (destination, gateway) of the routes that leave by a link through a gateway."""
    found = []
    for route in netlink.get_routes(family=2):
        gateway = route.get_attr("RTA_GATEWAY")
        if route.get_attr("RTA_OIF") == index and gateway:
            destination = route.get_attr("RTA_DST")
            found.append((f"{destination}/{route['dst_len']}" if destination else "default", str(gateway)))
    return found
