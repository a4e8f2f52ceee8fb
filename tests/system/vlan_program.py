"""Two hosts over a trunk, on a kernel that knows VLANs: run in the kernel lab by test_vlans.py.

The first host serves the networks of two projects, as nova-network does; the second only has guests in them, as
nova-compute does there. Prints what it has seen, and ends with a traceback otherwise.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import bridges
from nova_lite.drivers.net.base import DhcpHost, LinkPlan, NetworkPlan
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from tools.services.namespaces import Namespace, busybox, namespaces

SCRIPT = Path(__file__).with_name("udhcpc.script")

GUESTS = {
    # name: MAC, address, VLAN
    "a1": ("fa:16:3e:00:01:01", "10.0.0.3", 100),
    "a2": ("fa:16:3e:00:01:02", "10.0.0.4", 100),
    "b2": ("fa:16:3e:00:02:02", "10.0.1.3", 101),
}


def plan(vlan: int, third: int) -> NetworkPlan:
    """Return a project's network on the host that serves it."""
    hosts = tuple(DhcpHost(mac, address, name) for name, (mac, address, of) in GUESTS.items() if of == vlan)
    return NetworkPlan(
        network_id=vlan, uuid=f"net-{vlan}", cidr=f"10.0.{third}.0/24", gateway=f"10.0.{third}.1",
        bridge=f"br{vlan}", dhcp_start=f"10.0.{third}.3", bridge_interface="eth1", vlan=vlan, hosts=hosts,
        mtu=1400,
    )  # fmt: skip


def eventually(check: Callable[[], bool]) -> bool:
    """Ask again until it holds; False when it does not in time."""
    deadline = time.monotonic() + 20
    while not check():
        if time.monotonic() > deadline:
            return False
    return True


def dhcp(guest: Namespace) -> None:
    """Get an address as a guest does."""
    options = ["-n", "-q", "-t", "8", "-T", "2", "-s", str(SCRIPT)]
    guest.run(busybox(), "udhcpc", "-i", "eth0", *options, timeout=60)


def reaches(guest: Namespace, address: str) -> bool:
    """Tell whether a guest reaches an address."""
    return guest.succeeds("ping", "-c", "1", "-W", "2", address)


def plug(host: Namespace, guest: Namespace, name: str) -> None:
    """Plug a guest in on a host."""
    mac, _, vlan = GUESTS[name]
    host.link_to(guest, f"tap-{name}", "eth0")
    host.run("ip", "link", "set", f"tap-{name}", "master", f"br{vlan}")
    guest.run("ip", "link", "set", "eth0", "address", mac)


def main() -> None:
    """Go through all of it."""
    started = time.monotonic()

    def seen(what: str) -> None:
        print(f"{time.monotonic() - started:5.1f} {what}", flush=True)

    folders = [Path(tempfile.mkdtemp()) for _ in range(2)]
    serving, computing = (LinuxNetworkDriver(Runner(), DnsmasqSettings(one, "/bin/true")) for one in folders)
    plans = (plan(100, 0), plan(101, 1))
    with namespaces(["host1", "host2", *GUESTS]) as (one, two, a1, a2, b2):
        one.link_to(two, "eth1", "eth1")
        with one.entered():
            serving.apply(plans)
            assert serving.differences(plans) == ()
            changes = serving.changes
            serving.apply(plans)
            assert serving.changes == changes
        seen("the first host serves both networks, and applying again changes nothing")
        with two.entered():
            computing.add_links(tuple(one.link for one in plans))
            assert computing.link_differences(tuple(one.link for one in plans)) == ()
        assert "vlan protocol 802.1Q id 101" in two.run("ip", "-d", "link", "show", "vlan101")
        assert "mtu 1400" in two.run("ip", "link", "show", "br101")
        seen("the second host has both bridges on their VLANs")

        for host, guest, name in ((one, a1, "a1"), (two, a2, "a2"), (two, b2, "b2")):
            plug(host, guest, name)
            dhcp(guest)
            assert f"inet {GUESTS[name][1]}/24" in guest.run("ip", "-4", "addr", "show", "eth0"), name
        seen("each guest has its address, over the trunk as well")
        assert reaches(a2, GUESTS["a1"][1])
        assert reaches(b2, "10.0.1.1")
        seen("guests of a project reach each other and their gateway")

        b2.run("ip", "addr", "replace", "10.0.0.9/24", "dev", "eth0")
        assert not reaches(b2, GUESTS["a1"][1])
        assert not reaches(b2, GUESTS["a2"][1])
        seen("a guest of another project reaches them by no address of theirs")

        two.run("ip", "link", "del", "vlan100")
        with two.entered():
            assert [found.name for found in computing.link_differences((plans[0].link, plans[1].link))] == ["br100"]
            computing.set_links((plans[0].link, plans[1].link))
        assert eventually(lambda: reaches(a2, GUESTS["a1"][1]))
        seen("a VLAN that somebody removed is seen and comes back")

        with two.entered():
            with contextlib.suppress(DriverError):
                bridges.make(LinkPlan("br102", "nowhere", 102), bridges.COMPUTE)
            assert "br102" not in bridges.marked(bridges.COMPUTE)
            computing.set_links((plans[0].link,))
            assert computing.link_differences((plans[0].link,)) == ()
            computing.set_links(())
        with one.entered():
            serving.apply(())
            assert serving.differences(()) == ()
        for host in (one, two):
            left = host.run("ip", "-o", "link")
            assert "vlan" not in left, left
            assert "br10" not in left, left
        seen("nothing is left on either host")


if __name__ == "__main__":
    main()
