"""Bridges of this host, with the VLAN devices and interfaces that lead from them to other hosts.

Two daemons may need the same bridge. Each puts its mark in the bridge's alias (IFLA_IFALIAS); who takes the last
mark away removes the bridge. One that an operator made has no mark, is used as it is, and is never removed. The
alias also names the interface that was put in the bridge, so that it gets back what the bridge took over.
"""

import contextlib
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

from pyroute2 import IPRoute

from nova_lite import concurrency
from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import moving
from nova_lite.drivers.net.base import LinkPlan
from nova_lite.drivers.net.netlink import Link, index_of, info_of, kind_of, link_named, required, talk

NETWORK, COMPUTE = "network", "compute"
"""The marks of nova-network, for what it serves, and of nova-compute, for what its guests are in."""

_TAP = "tap"
_ALIAS = "nova_lite"
_VIA = "via"
_GROUP = 8774
"""The group (IFLA_GROUP) that our links have from the moment on at which they are made."""


def vlan_device(vlan: int) -> str:
    """Return the name of the device that tags packets for a VLAN."""
    return f"vlan{vlan}"


def uplink(plan: LinkPlan) -> str:
    """Return the interface that a bridge has, empty for none."""
    return vlan_device(plan.vlan) if plan.vlan is not None else plan.interface


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the other daemons of this host from changing bridges meanwhile; raises DriverError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DriverError(f"cannot use networks_path {folder}: {error.strerror}.") from error
    path = folder / "links.lock"
    with concurrency.named_lock(str(path)), path.open("w") as file:
        concurrency.blocking(fcntl.flock, file, fcntl.LOCK_EX)
        yield


def marked(mark: str) -> set[str]:
    """Return the names of the bridges that bear a daemon's mark."""

    def work(netlink: IPRoute) -> set[str]:
        return {_name(link) for link in _bridges(netlink) if mark in _marks(link)}

    return talk(work)


def make(plan: LinkPlan, mark: str) -> bool:
    """Make a bridge as planned, and mark it; True if it was not so before.

    Raises DriverError for an interface that is not there, or for something else of a wanted name.
    """

    def work(netlink: IPRoute) -> bool:
        if _problem(netlink, plan, mark) is None:
            return False
        if plan.made:
            if plan.interface:
                required(netlink, plan.interface)
            _make_bridge(netlink, plan, mark)
            if plan.vlan is not None:
                _make_vlan(netlink, plan)
            if uplink(plan):
                moving.put_in_bridge(netlink, uplink(plan), plan.bridge)
        left = _problem(netlink, plan, mark)
        if left is not None:
            raise DriverError(f"cannot use the bridge {plan.bridge}: {left}.")
        return True

    return talk(work)


def problem(plan: LinkPlan, mark: str) -> str | None:
    """Return what is not as planned, None for nothing."""
    return talk(lambda netlink: _problem(netlink, plan, mark))


def release(name: str, mark: str) -> None:
    """Take a daemon's mark from a bridge, and remove the bridge when it was the last; absent ones are no error."""

    def work(netlink: IPRoute) -> None:
        link = link_named(netlink, name)
        if link is None or mark not in _marks(link):
            return
        left = _marks(link) - {mark}
        if left:
            _write_alias(netlink, link["index"], left, _uplink_of(link))
        else:
            _remove(netlink, link)

    talk(work)


def _problem(netlink: IPRoute, plan: LinkPlan, mark: str) -> str | None:
    bridge = link_named(netlink, plan.bridge)
    if bridge is None:
        return "there is no such bridge" + ("" if plan.made else ", and the operator makes it in this mode")
    if kind_of(bridge) != "bridge":
        return "there is something else of that name"
    if not bridge["flags"] & 1:
        return "it is down"
    if not plan.made:
        return None
    if _ours(bridge) and mark not in _marks(bridge):
        return "it does not bear our mark"
    if _ours(bridge) and bridge.get_attr("IFLA_MTU") != plan.mtu:
        return f"its MTU is not {plan.mtu}"
    return _uplink_problem(netlink, plan, bridge)


def _uplink_problem(netlink: IPRoute, plan: LinkPlan, bridge: Link) -> str | None:
    name = uplink(plan)
    if not name:
        return None
    port = link_named(netlink, name)
    if port is None:
        return f"the interface {name} is not there"
    if port.get_attr("IFLA_MASTER") != bridge["index"] or not port["flags"] & 1:
        return f"the interface {name} is not in it, or down"
    if moving.has_left(netlink, port["index"]):
        return f"the interface {name} still has addresses or routes"
    return None if plan.vlan is None else _vlan_problem(netlink, plan, port)


def _vlan_problem(netlink: IPRoute, plan: LinkPlan, port: Link) -> str | None:
    if kind_of(port) != "vlan" or info_of(port, "IFLA_VLAN_ID") != plan.vlan:
        return f"there is something else of the name {_name(port)}"
    if port.get_attr("IFLA_LINK") != index_of(netlink, plan.interface):
        return f"{_name(port)} is not on {plan.interface}"
    return None


def _make_bridge(netlink: IPRoute, plan: LinkPlan, mark: str) -> None:
    if index_of(netlink, plan.bridge) is None:
        netlink.link(
            "add", ifname=plan.bridge, kind="bridge", br_forward_delay=0, br_stp_state=0, group=_GROUP
        )
    link = link_named(netlink, plan.bridge)
    if link is None or kind_of(link) != "bridge":
        raise DriverError(f"cannot make the bridge {plan.bridge}: there is something else of that name.")
    if _ours(link):
        _write_alias(netlink, link["index"], _marks(link) | {mark}, uplink(plan))
        if link.get_attr("IFLA_MTU") != plan.mtu:
            netlink.link("set", index=link["index"], mtu=plan.mtu)
    netlink.link("set", index=link["index"], state="up")


def _make_vlan(netlink: IPRoute, plan: LinkPlan) -> None:
    """Make the device that tags; one of that name on another interface is made anew if it is ours."""
    assert plan.vlan is not None
    name = vlan_device(plan.vlan)
    found = link_named(netlink, name)
    if found is not None and _ours(found) and _vlan_problem(netlink, plan, found):
        netlink.link("del", index=found["index"])
        found = None
    parent = required(netlink, plan.interface)
    netlink.link("set", index=parent, state="up")
    if found is None:
        netlink.link("add", ifname=name, kind="vlan", link=parent, vlan_id=plan.vlan, group=_GROUP)
    netlink.link("set", index=required(netlink, name), mtu=plan.mtu)


def _remove(netlink: IPRoute, bridge: Link) -> None:
    """Remove a bridge of ours, and the VLAN device in it; another interface gets back what it had."""
    name = _uplink_of(bridge)
    port = link_named(netlink, name) if name else None
    if port is not None and _ours(port):
        netlink.link("del", index=port["index"])
    elif port is not None and port.get_attr("IFLA_MASTER") in (None, bridge["index"]):
        # Not in it any more is one that a crash interrupted; the bridge may still have what is its.
        moving.take_out(netlink, name, _name(bridge))
    netlink.link("del", index=bridge["index"])


def _bridges(netlink: IPRoute) -> list[Link]:
    """Return the bridges; guests' taps are not looked at, for to read a link takes a while and they are many."""
    names = [name for _, name in socket.if_nameindex() if not name.startswith(_TAP)]
    links = [link_named(netlink, name) for name in names]
    return [link for link in links if link is not None and kind_of(link) == "bridge"]


def _name(link: Link) -> str:
    return str(link.get_attr("IFLA_IFNAME"))


def _ours(link: Link) -> bool:
    return link.get_attr("IFLA_GROUP") == _GROUP or _words(link)[:1] == [_ALIAS]


def _marks(link: Link) -> frozenset[str]:
    """Return whose marks a link bears; a bridge of the days before there were marks is nova-network's."""
    words = _words(link)
    if words == [_ALIAS]:
        return frozenset({NETWORK})
    end = words.index(_VIA) if _VIA in words else len(words)
    return frozenset(words[1:end]) if words[:1] == [_ALIAS] else frozenset()


def _uplink_of(bridge: Link) -> str:
    words = _words(bridge)
    return words[words.index(_VIA) + 1] if _VIA in words[:-1] else ""


def _words(link: Link) -> list[str]:
    return str(link.get_attr("IFLA_IFALIAS") or "").split()


def _write_alias(netlink: IPRoute, index: int, marks: frozenset[str] | set[str], via: str) -> None:
    words = [_ALIAS, *sorted(marks), *([_VIA, via] if via else [])]
    netlink.link("set", index=index, ifalias=" ".join(words))
