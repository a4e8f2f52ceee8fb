"""A cloud on three hosts with real daemons, bridges, DHCP, filters and address translation: what users see of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import wait_for
from tests.system.namespaces import Namespace
from tests.system.three_hosts import POOL, Guest, Mode, ThreeHosts, at_once, servers, three_hosts
from tools.deployment import Daemon
from tools.services import Broker, MariaDB

MODES = {
    "flatdhcp": Mode("FlatDHCPManager", bridges_by_hand=(2, 3)),
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


def lead(site: ThreeHosts, floating: str, guest: Guest) -> None:
    """Let a floating address lead to a guest, wherever it led before."""
    body = {"addFloatingIp": {"address": floating}}
    answer = site.ask("POST", f"/v2.1/servers/{guest.server_id}/action", body, version="2.1")
    assert answer.status_code == 202, answer.text


def test_a_cloud_on_three_hosts(site: ThreeHosts) -> None:
    first = site.hosts[0]
    first.manage("network", "create", "--label", "private", "--fixed_range_v4", "10.0.0.0/24")
    first.manage("floating", "create", "--ip_range", POOL, "--interface", "eth2")
    guests = site.boot({"a": ("red", 1), "b": ("red", 2), "c": ("blue", 3)})
    a, b, c = guests.values()

    # DHCP gives the right address, and metadata answers the right instance.
    for guest in guests.values():
        told = site.show(guest.server_id)["addresses"]["private"][0]["addr"]
        assert guest.dhcp() == told
        assert guest.metadata("latest/meta-data/local-ipv4") == told
        assert guest.metadata("latest/meta-data/hostname") == f"{guest.name}.novalocal"

    # Guests on different hosts reach each other where a group allows it, and not where it does not.
    assert a.reaches(b.address())
    assert not c.reaches(a.address())
    assert not a.reaches(c.address())
    allow(site, "icmp", -1, -1)
    assert wait_for(lambda: c.reaches(a.address()) and c.reaches(b.address()))
    assert not a.reaches(c.address())

    # A floating address works from outside, and moves in one call.
    allow(site, "tcp", 1, 100)
    a.serve()
    b.serve()
    floating = site.ask("POST", "/v2.1/os-floating-ips", {"pool": "nova"}, version="2.1").json()[
        "floating_ip"
    ]
    address = floating["ip"]
    assert site.who_answers(address) == ""
    lead(site, address, a)
    assert wait_for(lambda: site.who_answers(address) == "a")
    lead(site, address, b)
    assert site.who_answers(address) == "b"

    # All of it goes on while the daemons are dead, and when they are back.
    with site.connection(address) as connection:
        connection.sendall(b"before")
        assert connection.recv(10) == b"before"
        killed = site.of("nova-network", "nova-compute")
        at_once(Daemon.kill, killed)
        connection.sendall(b"meanwhile")
        assert connection.recv(10) == b"meanwhile"
        assert site.who_answers(address) == "b"
        assert a.dhcp() == a.address()
        assert a.reaches(b.address())
        at_once(Daemon.start, killed)
        connection.sendall(b"after")
        assert connection.recv(10) == b"after"
    assert site.doctor() == []
    assert site.who_answers(address) == "b"
    assert not a.reaches(c.address())
    assert site.boot({"d": ("red", 3)})["d"].dhcp()

    # What is released is gone, and nothing of the cloud is left in the end.
    assert site.ask("DELETE", f"/v2.1/os-floating-ips/{floating['id']}", version="2.1").status_code == 202
    assert site.who_answers(address) == ""
    assert b.reaches(a.address())
    site.delete_all()
    assert site.doctor() == []
    site.stop()
    for host in site.hosts:
        host.clean()
        by_hand = {"links": "br100"} if int(host.name[1:]) in site.mode.bridges_by_hand else {}
        assert host.rest() == by_hand
