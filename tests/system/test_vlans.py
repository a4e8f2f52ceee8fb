"""VLANs for real, on the kernel of the lab: the machine's own has none."""

import functools
import ipaddress
from collections.abc import Iterator

import pytest

from tests.system.cloud_guest import Guest
from tests.system.lab_hosts import LabHost, lab_machines
from tests.system.three_hosts import Mode, ThreeHosts, servers, three_hosts
from tests.system.three_hosts_seen import go_through
from tools.services.namespaces import Namespace


def check_vlans(site: ThreeHosts, a: Guest, c: Guest) -> None:
    """Each project has a VLAN of its own, and from one nobody reaches who is in another by an address of theirs."""
    _, second, third = (host.space for host in site.hosts)
    red, blue = vlan_of(second), vlan_of(third)
    assert {red, blue} == {"100", "101"}
    for host, vlan in ((second, red), (third, blue)):
        told = host.run("ip", "-d", "link", "show", f"vlan{vlan}")
        assert f"vlan protocol 802.1Q id {vlan}" in told
        assert "mtu 1400" in told
    assert "mtu 1400" in c.space.run("ip", "link", "show", "eth0")
    network = ipaddress.ip_interface(f"{a.address()}/26").network
    stranger = next(one for one in reversed(list(network.hosts())) if str(one) != a.address())
    for host, vlan, theirs in ((second, red, True), (third, blue, False)):
        host.run("ip", "addr", "add", f"{stranger}/26", "dev", f"br{vlan}")
        ping = functools.partial(host.succeeds, "ping", "-c", "1", "-W", "2", a.address())
        assert site.wait_for(ping) if theirs else not ping()
        host.run("ip", "addr", "del", f"{stranger}/26", "dev", f"br{vlan}")


def remove_a_vlan(site: ThreeHosts) -> None:
    """Remove what daemons that are dead have to make again when they are back."""
    space = site.hosts[1].space
    space.run("ip", "link", "del", f"vlan{vlan_of(space)}")


def vlan_of(host: Namespace) -> str:
    """Return the number of the one VLAN that a host has."""
    [name] = [
        line.split("@")[0] for line in host.run("ip", "-br", "link").splitlines() if line.startswith("vlan")
    ]
    return name.removeprefix("vlan")


MODE = Mode(
    "VlanManager",
    {
        "vlan_interface": "eth1", "flat_interface": "", "concurrency": "threading", "network_device_mtu": 1400,
        # For daemons that are slow, and many times slower while others use the machine.
        "report_interval": 10, "service_down_time": 600, "action_sweep_interval": 5, "action_heartbeat_timeout": 600,
        "periodic_interval": 30, "rpc_response_timeout": 300,
    },
    networks=("--fixed_range_v4", "10.0.0.0/24", "--num_networks", "2", "--network_size", "64", "--vlan", "100"),
    machines=lab_machines,
    look=check_vlans,
    damage=remove_a_vlan,
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeHosts]:
    with (
        servers(tmp_path_factory.mktemp("servers")) as running,
        three_hosts(tmp_path_factory.mktemp("cloud"), MODE, running) as site,
    ):
        yield site


def test_a_cloud_in_which_each_project_has_a_vlan(site: ThreeHosts) -> None:
    go_through(site)


def test_the_driver_makes_mends_and_removes_vlans(site: ThreeHosts) -> None:
    host = site.hosts[0]
    assert isinstance(host, LabHost)
    host.call("tests.system.vlan_program:main")
