"""nova-network with real dnsmasq and its script: an address from the claim in the database to the guest."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova_lite.core.network import HeldAddress, VirtualInterface
from nova_lite.db import addresses, schema
from nova_lite.db.engine import Database
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.operations.networks import Networks
from tests.functional.network.world import ADMIN, HOST, World
from tests.system.namespaces import Namespace, busybox, namespaces


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
        settings = NetworkSettings(HOST, lease_socket=str(self.socket), metadata_host="127.0.0.1")
        manager = FlatDHCPManager(database, self.driver, settings)
        self.world = World(database, self.driver, manager, Networks(database), *[None] * 5)  # type: ignore[arg-type]

    def boot(self) -> VirtualInterface:
        """Give an instance its address and plug the guest in."""
        [uuid] = self.world.boot()
        with self.host.entered():
            [interface] = self.world.allocate([uuid])[uuid]
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

    def held(self, network_id: int) -> list[HeldAddress]:
        return self.world.database.read("test", lambda session: addresses.held(session, [network_id]))

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


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 15
    pause = threading.Event()
    while not check() and time.monotonic() < deadline:
        pause.wait(0.05)
    return check()


def test_a_guest_gets_its_address_and_the_row_knows_of_the_lease(site: Site) -> None:
    interface = site.boot()

    assert f"inet {interface.address}/24" in site.dhcp()

    assert eventually(lambda: [held.leased for held in site.held(interface.network_id)] == [True])


def test_a_dhcp_server_that_died_comes_back_with_its_leases(site: Site) -> None:
    interface = site.boot()
    site.dhcp()
    assert eventually(lambda: [held.leased for held in site.held(interface.network_id)] == [True])
    died = site.pid()
    site.host.run("kill", "-9", str(died))
    assert eventually(lambda: not Path(f"/proc/{died}").exists())

    with site.host.entered():
        differences = site.world.manager.reconciler.differences()
        site.world.manager.converge()
        left = site.world.manager.reconciler.differences()

    assert [found.kind for found in differences] == ["dnsmasq"]
    assert left == []
    assert site.pid() != died
    assert f"inet {interface.address}/24" in site.dhcp()


def test_a_released_address_serves_another_guest_only_when_none_else_is_free(site: Site) -> None:
    interface = site.boot()
    site.dhcp()
    assert eventually(lambda: [held.leased for held in site.held(interface.network_id)] == [True])

    with site.host.entered():
        site.world.manager.release(ADMIN, [interface.instance_uuid])
        hosts = (site.socket.parent / "nova-br100.hosts").read_text()
        others = site.world.allocate(site.world.boot(20))

    assert interface.mac not in hosts
    assert interface.address not in {other.address for of_one in others.values() for other in of_one}
