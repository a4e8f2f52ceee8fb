"""A cloud on three hosts with real daemons, bridges, DHCP, filters and address translation: what users see of it."""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cloud import wait_for
from tests.system.three_hosts import POOL, Guest, Mode, ThreeHosts, at_once, servers, three_hosts
from tools.deployment import Daemon
from tools.services import Broker, MariaDB
from tools.services.namespaces import Namespace

DOMAIN = "guests.example.org"
MODES = {
    "flatdhcp": Mode("FlatDHCPManager", {"instance_dns_manager": "file", "instance_dns_domain": DOMAIN}),
    "multi_host": Mode("FlatDHCPManager", {"multi_host": True}, network_hosts=(1, 2, 3), multi_host=True),
    "flat": Mode("FlatManager", {"flat_injected": True, "force_config_drive": True}, by_hand=True),
}

Running = tuple[Namespace, Broker, MariaDB]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(params=MODES)
def site(request: pytest.FixtureRequest, tmp_path: Path, running: Running) -> Iterator[ThreeHosts]:
    with three_hosts(tmp_path, MODES[request.param], running) as site:
        yield site


def allow(site: ThreeHosts, protocol: str, first: int, last: int) -> None:
    """Open a port of the red project's default group to the world."""
    [group] = site.ask("GET", "/v2.1/os-security-groups", version="2.1").json()["security_groups"]
    rule = {"ip_protocol": protocol, "from_port": first, "to_port": last, "cidr": "0.0.0.0/0"}
    body = {"security_group_rule": {**rule, "parent_group_id": group["id"]}}
    assert site.ask("POST", "/v2.1/os-security-group-rules", body, version="2.1").status_code == 200


def addressed(site: ThreeHosts, guest: Guest) -> str:
    """Let a guest get its address as its network has it, and return it."""
    return guest.configure() if site.mode.by_hand else guest.dhcp()


def lead(site: ThreeHosts, floating: str, guest: Guest) -> None:
    """Let a floating address lead to a guest, wherever it led before."""
    body = {"addFloatingIp": {"address": floating}}
    answer = site.ask("POST", f"/v2.1/servers/{guest.server_id}/action", body, version="2.1")
    assert answer.status_code == 202, answer.text


def test_a_cloud_on_three_hosts(site: ThreeHosts) -> None:
    first = site.hosts[0]
    first.manage("network", "create", "--label", "private", *site.mode.networks)
    first.manage("floating", "create", "--ip_range", POOL, "--interface", "eth2")
    guests = site.boot({"a": ("red", 1), "b": ("red", 2), "c": ("blue", 3)})
    a, b, c = guests.values()

    for guest in guests.values():
        check_told(site, guest)
    if "instance_dns_domain" in site.mode.flags:
        assert wait_for(lambda: b.address() in c.lookup(f"b.{DOMAIN}"))
    check_groups(site, a, b, c)
    allow(site, "tcp", 1, 100)
    a.serve()
    b.serve()
    if site.mode.by_hand:
        check_death(site, a, b, c, site.connection(a.space, b.address()))
    else:
        check_floating(site, a, b, c)
    site.delete_all()
    assert site.doctor() == []
    site.stop()
    for host in site.hosts:
        host.clean()
        assert host.rest() == site.own(host)


def check_told(site: ThreeHosts, guest: Guest) -> None:
    """The guest gets the address that is its own, and metadata knows it by that."""
    [[told]] = site.show(guest.server_id)["addresses"].values()
    address = told["addr"]
    assert addressed(site, guest) == address
    assert guest.metadata("latest/meta-data/local-ipv4") == address
    assert guest.metadata("latest/meta-data/hostname") == f"{guest.name}.novalocal"


def check_groups(site: ThreeHosts, a: Guest, b: Guest, c: Guest) -> None:
    """Guests on different hosts reach each other where a group allows it, and not where it does not."""
    assert a.reaches(b.address())
    assert not c.reaches(a.address())
    assert not a.reaches(c.address())
    allow(site, "icmp", -1, -1)
    assert wait_for(lambda: c.reaches(a.address()) and c.reaches(b.address()))
    assert not a.reaches(c.address())


def check_floating(site: ThreeHosts, a: Guest, b: Guest, c: Guest) -> None:
    """A floating address works from outside, moves in one call, lives without the daemons, and goes when released."""
    made = site.ask("POST", "/v2.1/os-floating-ips", {"pool": "nova"}, version="2.1").json()["floating_ip"]
    address = made["ip"]
    assert site.who_answers(address) == ""
    lead(site, address, a)
    assert site.who_answers(address) == "a"
    lead(site, address, b)
    assert site.who_answers(address) == "b"
    check_death(site, a, b, c, site.connection(site.outside, address))
    assert site.who_answers(address) == "b"
    assert site.ask("DELETE", f"/v2.1/os-floating-ips/{made['id']}", version="2.1").status_code == 202
    assert site.who_answers(address) == ""


def check_death(
    site: ThreeHosts, a: Guest, b: Guest, c: Guest, connecting: AbstractContextManager[socket.socket]
) -> None:
    """All goes on while the daemons are dead, and when they are back; so does a connection to ``b``."""
    with connecting as connection:
        assert echo(connection, b"before") == b"before"
        killed = site.of("nova-network", "nova-compute")
        at_once(Daemon.kill, killed)
        assert echo(connection, b"meanwhile") == b"meanwhile"
        check_told(site, a)
        assert a.reaches(b.address())
        at_once(Daemon.start, killed)
        assert echo(connection, b"after") == b"after"
    assert site.doctor() == []
    assert a.reaches(b.address())
    assert not a.reaches(c.address())
    check_told(site, site.boot({"d": ("red", 3)})["d"])


def echo(connection: socket.socket, text: bytes) -> bytes:
    """Return what a guest says to this."""
    connection.sendall(text)
    return connection.recv(100)
