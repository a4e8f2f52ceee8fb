"""Talking to the kernel about links, addresses and routes (rtnetlink(7)); the only maker of pyroute2's objects.

pyroute2 has an event loop of its own, so each talk is done in a real thread.
"""

import contextlib
import errno
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pyroute2 import IPRoute, NetlinkError

from nova_lite import concurrency
from nova_lite.core.errors import DriverError

T = TypeVar("T")

Link = Any
"""A link's message."""


def talk(work: Callable[[IPRoute], T]) -> T:
    """Let ``work`` talk to the kernel; raises DriverError for what it refuses."""

    def do() -> T:
        with _explained():
            netlink = IPRoute()
            try:
                return work(netlink)
            finally:
                netlink.close()

    return concurrency.blocking(do)


def index_of(netlink: IPRoute, name: str) -> int | None:
    """Return the number of the link of this name, or None."""
    found = netlink.link_lookup(ifname=name)
    return int(found[0]) if found else None


def required(netlink: IPRoute, name: str) -> int:
    """Return the number of the link of this name; raises DriverError without it."""
    index = index_of(netlink, name)
    if index is None:
        raise DriverError(f"cannot find the network interface {name}.")
    return index


def link_named(netlink: IPRoute, name: str) -> Link | None:
    """Return the link of this name, or None."""
    index = index_of(netlink, name)
    return None if index is None else netlink.get_links(index)[0]


def kind_of(link: Link) -> str:
    """Return the kind of a link (bridge, vlan, veth, tun …), empty for hardware."""
    info = link.get_attr("IFLA_LINKINFO")
    return str(info.get_attr("IFLA_INFO_KIND") or "") if info else ""


def info_of(link: Link, name: str) -> Any:
    """Return one of the properties that only links of its kind have, or None."""
    data = link.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    return data.get_attr(name) if data else None


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        reason = "root is needed" if error.code == errno.EPERM else error.args[1]
        raise DriverError(f"cannot change the host's network: {reason}.") from error
