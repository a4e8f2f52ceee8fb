"""What users see of a cloud on three hosts, in any mode of networking."""

import socket
from contextlib import AbstractContextManager

from tests.system.cloud_guest import Guest
from tests.system.three_hosts import POOL, ThreeHosts, at_once
from tools.deployment import Daemon


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


def go_through(site: ThreeHosts) -> None:
    """See what users see of a cloud, and that nothing is left of it."""
    site.front.manage("network", "create", "--label", "private", *site.mode.networks)
    site.front.manage("floating", "create", "--ip_range", POOL, "--interface", "eth2")
    guests = site.boot({"a": ("red", 1), "b": ("red", 2), "c": ("blue", 3)})
    a, b, c = guests.values()

    for guest in guests.values():
        check_told(site, guest)
    if "instance_dns_domain" in site.mode.flags:
        name = f"b.{site.mode.flags['instance_dns_domain']}"
        assert site.wait_for(lambda: b.address() in c.lookup(name))
    check_groups(site, a, b, c)
    site.mode.look(site, a, c)
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
    """The guest gets the address that is its own, which is known to be leased, and metadata knows it by that."""
    [[told]] = site.show(guest.server_id)["addresses"].values()
    address = told["addr"]
    assert addressed(site, guest) == address
    if not site.mode.by_hand:
        assert site.wait_for(lambda: leased(site, address))
    assert guest.metadata("latest/meta-data/local-ipv4") == address
    assert guest.metadata("latest/meta-data/hostname") == f"{guest.name}.novalocal"


def leased(site: ThreeHosts, address: str) -> bool:
    """Tell whether nova-network has heard that a guest holds its address."""
    lines = [line.replace("|", " ").split() for line in site.front.manage("fixed", "list").splitlines()]
    return any(address in words and words[words.index(address) + 2] == "True" for words in lines)


def check_groups(site: ThreeHosts, a: Guest, b: Guest, c: Guest) -> None:
    """Guests on different hosts reach each other where a group allows it, and not where it does not."""
    assert site.wait_for(lambda: a.reaches(b.address()))
    assert not c.reaches(a.address())
    assert not a.reaches(c.address())
    allow(site, "icmp", -1, -1)
    assert site.wait_for(lambda: c.reaches(a.address()) and c.reaches(b.address()))
    assert not a.reaches(c.address())


def check_floating(site: ThreeHosts, a: Guest, b: Guest, c: Guest) -> None:
    """A floating address works from outside, moves in one call, lives without the daemons, and goes when released."""
    made = site.ask("POST", "/v2.1/os-floating-ips", {"pool": "nova"}, version="2.1").json()["floating_ip"]
    address = made["ip"]
    assert site.who_answers(address) == ""
    lead(site, address, a)
    assert answering(site, address) == "a"
    lead(site, address, b)
    assert answering(site, address) == "b"
    check_death(site, a, b, c, site.connection(site.outside, address))
    assert answering(site, address) == "b"
    assert site.ask("DELETE", f"/v2.1/os-floating-ips/{made['id']}", version="2.1").status_code == 202
    assert site.who_answers(address) == ""


def answering(site: ThreeHosts, address: str) -> str:
    """Return the name that the first server says that answers at an address."""
    said: list[str] = []
    assert site.wait_for(lambda: said.append(site.who_answers(address)) or said[-1])
    return said[-1]


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
        assert site.wait_for(lambda: a.reaches(b.address()))
        site.mode.damage(site)
        at_once(lambda daemon: daemon.start(), killed)
        assert echo(connection, b"after") == b"after"
    assert site.doctor() == []
    assert site.wait_for(lambda: a.reaches(b.address()))
    assert not a.reaches(c.address())
    check_told(site, site.boot({"d": ("red", 3)})["d"])


def echo(connection: socket.socket, text: bytes) -> bytes:
    """Return what a guest says to this."""
    connection.sendall(text)
    return connection.recv(100)
