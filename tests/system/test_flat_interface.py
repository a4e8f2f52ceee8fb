"""The flat interface: a host's only way to the others is put in the bridge, and nothing of it is lost."""

import dataclasses
import multiprocessing
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import bridges, netlink
from nova_lite.drivers.net.base import LinkPlan, NetworkPlan
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from tests.cloud import wait_for
from tests.system.one_host import pings
from tools.services.namespaces import Namespace, namespaces

FAR, FAR_V6 = "203.0.113.9", "2001:db8:9::9"
PLAN = LinkPlan("br100", "ext0")


@dataclasses.dataclass
class Pair:
    """A host, and the router that is all of the world to it."""

    host: Namespace
    router: Namespace

    def whole(self) -> bool:
        """Tell whether the host is reached, and reaches the world, by both versions of IP."""
        return (
            pings(self.router, "198.51.100.1")
            and pings(self.router, "2001:db8::1")
            and pings(self.host, FAR)
            and pings(self.host, FAR_V6)
        )

    def mac(self, link: str) -> str:
        return self.host.run("cat", f"/sys/class/net/{link}/address").strip()


@pytest.fixture
def pair() -> Iterator[Pair]:
    with namespaces(["flat", "router"]) as (host, router):
        host.link_to(router, "ext0", "eth0")
        for where, link, addresses in (
            (host, "ext0", ("198.51.100.1/24", "198.51.100.7/24", "2001:db8::1/64")),
            (router, "eth0", ("198.51.100.2/24", "2001:db8::2/64")),
            (router, "lo", (f"{FAR}/32", f"{FAR_V6}/128")),
        ):
            for address in addresses:
                where.run("ip", "addr", "add", address, "dev", link, *(("nodad",) if ":" in address else ()))
        host.run("ip", "route", "add", "default", "via", "198.51.100.2", "metric", "100")
        host.run("ip", "route", "add", "192.0.2.0/24", "dev", "ext0", "scope", "link", "src", "198.51.100.7")
        host.run("ip", "-6", "route", "add", "default", "via", "2001:db8::2")
        yield Pair(host, router)


def routes(host: Namespace) -> set[str]:
    """Return the routes of a host, whichever link they leave by."""
    listed = host.run("ip", "route") + host.run("ip", "-6", "route", "show", "default")
    return {
        line.replace("br100", "LINK").replace("ext0", "LINK").replace(" linkdown", "").strip()
        for line in listed.splitlines()
        if "proto kernel" not in line
    }


def test_addresses_and_routes_move_to_the_bridge_and_back_and_connections_go_on(pair: Pair) -> None:
    before, mac = routes(pair.host), pair.mac("ext0")
    with pair.host.entered():
        server = socket.create_server(("198.51.100.1", 5000))
    with pair.router.entered():
        client = socket.create_connection(("198.51.100.1", 5000), timeout=10)
    served, _ = server.accept()
    served.settimeout(10)

    for step, act in enumerate((bridges.make, bridges.make, lambda plan, mark: bridges.release(plan.bridge, mark))):
        with pair.host.entered():
            act(PLAN, bridges.COMPUTE)
        client.sendall(b"x")
        assert served.recv(1) == b"x"
        assert pair.whole()
        assert routes(pair.host) == before
        holder, other = ("br100", "ext0") if step < 2 else ("ext0", "br100")
        shown = pair.host.run("ip", "addr", "show", holder)
        assert all(text in shown for text in ("198.51.100.1/24", "198.51.100.7/24", "2001:db8::1/64", mac))
        if step < 2:
            assert "198.51.100" not in pair.host.run("ip", "addr", "show", other)
    assert "br100" not in pair.host.run("ip", "link")
    for end in (client, served, server):
        end.close()


class Dying:
    """A talk with the kernel that ends with the process at a change of its own choosing."""

    left = 0

    def __init__(self) -> None:
        self._talk = IPRoute()

    def __getattr__(self, name: str) -> Any:
        work = getattr(self._talk, name)
        return work if name not in ("link", "addr", "route") else lambda *words, **more: self._change(work, words, more)

    @staticmethod
    def _change(work: Any, words: tuple[str, ...], more: dict[str, Any]) -> Any:
        if Dying.left == 0:
            os._exit(9)
        Dying.left -= 1
        return work(*words, **more)


def _run(namespace: Namespace, changes: int, making: bool) -> None:
    """Make or release the bridge and die after so many changes; what a child process does."""
    netlink.IPRoute = Dying
    Dying.left = changes
    with namespace.entered():
        if making:
            bridges.make(PLAN, bridges.COMPUTE)
        else:
            bridges.release(PLAN.bridge, bridges.COMPUTE)
    os._exit(0)


@pytest.mark.parametrize("making", [True, False], ids=["in", "out"])
def test_a_kill_at_any_change_loses_no_route_and_is_made_good(pair: Pair, making: bool) -> None:
    before = routes(pair.host)
    changes = 0
    while True:
        with pair.host.entered():
            bridges.make(PLAN, bridges.COMPUTE)
            if making:
                bridges.release(PLAN.bridge, bridges.COMPUTE)
        child = multiprocessing.get_context("fork").Process(target=_run, args=(pair.host, changes, making))
        child.start()
        child.join(20)
        if child.exitcode == 0:
            break
        assert child.exitcode == 9
        assert routes(pair.host) == before, f"killed before change {changes}"
        changes += 1
        with pair.host.entered():
            if making:
                bridges.make(PLAN, bridges.COMPUTE)
                assert bridges.problem(PLAN, bridges.COMPUTE) is None
            else:
                bridges.release(PLAN.bridge, bridges.COMPUTE)
                assert bridges.marked(bridges.COMPUTE) == set()
        assert pair.whole()
        assert routes(pair.host) == before
    assert changes > 8


def test_a_missing_interface_or_bridge_is_told_and_nothing_is_half_made(pair: Pair) -> None:
    with pair.host.entered():
        for plan, sentence in (
            (LinkPlan("br7", "nowhere"), "nowhere"),
            (LinkPlan("br7", made=False), "there is no such bridge, and the operator makes it"),
            (LinkPlan("ext0", ""), "something else of that name"),
        ):
            with pytest.raises(DriverError, match=sentence):
                bridges.make(plan, bridges.COMPUTE)
        assert bridges.marked(bridges.COMPUTE) == set()
    assert "br7" not in pair.host.run("ip", "link")


def test_an_operators_bridge_is_used_and_left(pair: Pair, tmp_path: Path) -> None:
    pair.host.run("ip", "link", "add", "br7", "type", "bridge")
    pair.host.run("ip", "link", "set", "br7", "up")
    driver = LinuxNetworkDriver(Runner(), DnsmasqSettings(tmp_path, "/bin/true"))
    for plan in (LinkPlan("br7", made=False), LinkPlan("br7")):
        with pair.host.entered():
            driver.add_links((plan,))
            assert driver.link_differences((plan,)) == ()
            driver.set_links(())
    assert "br7" in pair.host.run("ip", "link")


def test_guests_form_ipv6_addresses_and_reach_the_world(pair: Pair, tmp_path: Path) -> None:
    plan = NetworkPlan(
        network_id=1, uuid="net", cidr="10.0.0.0/24", gateway="10.0.0.1", bridge="br100", dhcp_start="10.0.0.2",
        cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1",
    )  # fmt: skip
    driver = LinuxNetworkDriver(Runner(), DnsmasqSettings(tmp_path, "/bin/true"))
    pair.router.run("ip", "-6", "route", "add", "fd00:1::/64", "via", "2001:db8::1")
    with namespaces(["guest"]) as (guest,), pair.host.entered():
        driver.apply((plan,))
        pair.host.link_to(guest, "tap-a", "eth0")
        guest.run("ip", "link", "set", "eth0", "address", "fa:16:3e:00:00:0a")
        pair.host.run("ip", "link", "set", "tap-a", "master", "br100")
        assert wait_for(lambda: "fd00:1::f816:3eff:fe00:a/64" in guest.run("ip", "-6", "addr", "show", "eth0"))
        assert wait_for(lambda: pings(guest, FAR_V6))
        driver.remove()
    assert pair.whole()
