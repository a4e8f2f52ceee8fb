"""The network driver on two hosts over a trunk, on a kernel that knows VLANs: called in the lab by test_vlans.py.

The first host serves the networks of two projects, as nova-network does; the second only has guests in them, as
nova-compute does there.
"""

import contextlib
import tempfile
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import bridges
from nova_lite.drivers.net.base import LinkPlan, NetworkPlan
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from tools.services.namespaces import Namespace, namespaces


def plan(vlan: int, third: int) -> NetworkPlan:
    """Return a project's network on the host that serves it."""
    return NetworkPlan(
        network_id=vlan, uuid=f"net-{vlan}", cidr=f"10.0.{third}.0/24", gateway=f"10.0.{third}.1",
        bridge=f"br{vlan}", dhcp_start=f"10.0.{third}.3", bridge_interface="eth1", vlan=vlan, mtu=1400,
    )  # fmt: skip


def main() -> None:
    """Go through all of it."""
    folders = [Path(tempfile.mkdtemp()) for _ in range(2)]
    serving, computing = (LinuxNetworkDriver(Runner(), DnsmasqSettings(one, "/bin/true")) for one in folders)
    plans = (plan(100, 0), plan(101, 1))
    with namespaces(["host1", "host2"]) as (one, two):
        one.link_to(two, "eth1", "eth1")
        with one.entered():
            serve(serving, plans)
        with two.entered():
            have(computing, plans, two)
        with one.entered():
            serving.apply(())
            assert serving.differences(()) == ()
        for host in (one, two):
            left = host.run("ip", "-o", "link")
            assert "vlan" not in left, left
            assert "br10" not in left, left


def serve(driver: LinuxNetworkDriver, plans: tuple[NetworkPlan, ...]) -> None:
    """The networks are made, and made again nothing changes."""
    driver.apply(plans)
    assert driver.differences(plans) == ()
    changes = driver.changes
    driver.apply(plans)
    assert driver.changes == changes


def have(driver: LinuxNetworkDriver, plans: tuple[NetworkPlan, ...], host: Namespace) -> None:
    """A VLAN that somebody removed is seen and comes back, what cannot be made leaves nothing, and all goes again."""
    links = tuple(one.link for one in plans)
    driver.add_links(links)
    assert driver.link_differences(links) == ()
    assert "vlan protocol 802.1Q id 101" in host.run("ip", "-d", "link", "show", "vlan101")
    assert "mtu 1400" in host.run("ip", "link", "show", "br101")

    host.run("ip", "link", "del", "vlan100")
    assert [found.name for found in driver.link_differences(links)] == ["br100"]
    driver.set_links(links)
    assert driver.link_differences(links) == ()

    with contextlib.suppress(DriverError):
        bridges.make(LinkPlan("br102", "nowhere", 102), bridges.COMPUTE)
    assert "br102" not in bridges.marked(bridges.COMPUTE)
    driver.set_links(links[:1])
    assert driver.link_differences(links[:1]) == ()
    driver.set_links(())
