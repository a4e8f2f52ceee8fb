"""nova-network with real dnsmasq and its script: an address from the claim in the database to the guest."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.core.network import DhcpOption, HeldAddress, VirtualInterface
from nova_lite.db import leases, ports, schema
from nova_lite.db.engine import Database
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.operations.networks import Networks
from tests.cloud import wait_for
from tests.functional.network.world import ADMIN, HOST, World
from tools.services.namespaces import Namespace, busybox, namespaces


class Site:
    """A network host, and room for one guest."""

    def __init__(self, host: Namespace, guest: Namespace, folder: Path) -> None:
        self.host = host
        self.guest = guest
        flags = folder / "nova.conf"
        flags.write_text(f"--sql_connection=sqlite:///{folder}/nova.sqlite\n--state_path={folder}\n")
        script = folder / "nova-dhcpbridge"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m nova_lite.cmd.dhcpbridge "$@"\n')
        script.chmod(0o755)
        self.socket = folder / "leases.sock"
        environment = {
            "FLAGFILE": str(flags),
            "NOVA_LEASE_SOCKET": str(self.socket),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        dnsmasq = DnsmasqSettings(folder, str(script), tuple(environment.items()))
        self.driver = LinuxNetworkDriver(Runner(), dnsmasq)
        database = Database(f"sqlite:///{folder}/nova.sqlite")
        schema.METADATA.create_all(database.engine)
        settings = NetworkSettings(
            HOST, lease_socket=str(self.socket), metadata_host="127.0.0.1", single_gateway=True
        )
        manager = FlatDHCPManager(database, self.driver, settings)
        unused: Any = [None] * 5
        self.world = World(database, self.driver, manager, Networks(database), *unused)

    def boot(self, **wishes: Any) -> VirtualInterface:
        """Give an instance its addresses and plug the guest in by its first interface, which is returned."""
        [uuid] = self.world.boot(**wishes)
        with self.host.entered():
            interface = self.world.allocate([uuid])[uuid][0]
        self.host.link_to(self.guest, "tap0", "eth0")
        self.host.run("ip", "link", "set", "tap0", "master", interface.bridge)
        self.guest.run("ip", "link", "set", "eth0", "address", interface.mac)
        return interface

    def dhcp(self) -> str:
        """Let the guest ask for its address; returns what it has then."""
        script = Path(__file__).with_name("udhcpc.script")
        self.guest.run(
            busybox(), "udhcpc", "-i", "eth0", "-n", "-q", "-t", "10", "-T", "1", "-s", str(script)
        )
        return self.guest.run("ip", "-4", "-o", "addr", "show", "eth0")

    def told(self) -> str:
        """Let the guest ask, and return all that it is told."""
        script = self.socket.parent / "told.script"
        script.write_text("#!/bin/sh\nenv\n")
        script.chmod(0o755)
        options = ["-i", "eth0", "-n", "-q", "-t", "10", "-T", "1", "-O", "tftp", "-O", "mtu", "-s", str(script)]
        return self.guest.run(busybox(), "udhcpc", *options)

    def held(self, network_id: int) -> list[HeldAddress]:
        return self.world.database.read("test", lambda session: leases.held(session, [network_id]))

    def pid(self) -> int:
        return int((self.socket.parent / "nova-br100.pid").read_text())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with namespaces(["nethost", "guest"]) as (host, guest):
        site = Site(host, guest, tmp_path)
        site.world.network("10.0.0.0/24")
        with host.entered():
            site.world.manager.start()
        yield site
        site.world.manager.stop()
        with host.entered():
            site.driver.remove()
        site.world.database.close()


def test_a_guest_gets_its_address_and_the_row_knows_of_the_lease(site: Site) -> None:
    interface = site.boot()

    assert f"inet {interface.address}/24" in site.dhcp()

    assert wait_for(lambda: [held.leased for held in site.held(interface.network_id)] == [True])


def test_a_dhcp_server_that_died_comes_back_with_its_leases(site: Site) -> None:
    interface = site.boot()
    site.dhcp()
    assert wait_for(lambda: [held.leased for held in site.held(interface.network_id)] == [True])
    died = site.pid()
    site.host.run("kill", "-9", str(died))
    assert wait_for(lambda: not Path(f"/proc/{died}").exists())

    with site.host.entered():
        differences = site.world.manager.reconciler.differences()
        site.world.manager.converge()
        left = site.world.manager.reconciler.differences()

    assert [found.kind for found in differences] == ["dnsmasq"]
    assert left == []
    assert site.pid() != died
    assert f"inet {interface.address}/24" in site.dhcp()


def test_a_released_address_serves_the_next_guest_at_once(site: Site) -> None:
    site.world.network("10.9.0.0/30", "tiny", bridge="br9")
    with site.host.entered():
        site.world.manager.converge()
    tiny = next(one for one in site.world.networks.list(ADMIN) if one.label == "tiny")
    interface = site.boot(networks=[{"uuid": tiny.uuid}])
    site.dhcp()
    assert wait_for(lambda: [held.leased for held in site.held(tiny.id)] == [True])

    with site.host.entered():
        site.world.manager.release(ADMIN, [interface.instance_uuid])
    site.host.run("ip", "link", "del", "tap0")

    hosts = (site.socket.parent / "nova-br9.hosts").read_text()
    assert interface.mac not in hosts
    again = site.boot(networks=[{"uuid": tiny.uuid}])
    assert (again.address, again.mac == interface.mac) == (interface.address, False)
    assert f"inet {again.address}/30" in site.dhcp()


def test_a_guest_is_told_its_own_options_and_only_of_its_first_way_out(site: Site) -> None:
    second = site.world.network("10.9.0.0/24", "second")
    interface = site.boot()
    options = [DhcpOption("tftp-server", "10.0.0.7")]
    site.world.database.run("test", lambda s: ports.set_dhcp_options(s, interface.id, options))
    with site.host.entered():
        site.world.manager.refresh(ADMIN, [interface.network_id, second.id])
    told = site.told()
    assert "tftp=10.0.0.7" in told
    assert "router=10.0.0.1" in told
    assert "mtu=1500" in told

    # the same guest in the other network
    other = site.world.interfaces([interface.instance_uuid])[interface.instance_uuid][1]
    site.host.run("ip", "link", "set", "tap0", "master", other.bridge)
    site.guest.run("ip", "link", "set", "eth0", "address", other.mac)
    told = site.told()
    assert f"ip={other.address}" in told
    assert "router=" not in told
    assert "tftp=" not in told
