"""The packet filter for real: who reaches whom, what a guest may say it is, and what a change does to connections."""

import dataclasses
import os
from pathlib import Path

import pytest

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net.base import PROVIDER, FilterGroup, FilterPort, FilterRule
from nova_lite.drivers.net.filter_state import link_local
from nova_lite.drivers.net.firewall import NftablesFirewall
from nova_lite.drivers.runner import Runner
from tests.system import frames
from tests.system.one_host import (
    CLOSED,
    GUESTS,
    OPEN,
    Site,
    Stream,
    addressed,
    connects,
    listener,
    pings,
    port,
    refusing,
)

EVERYBODY = FilterGroup(OPEN, (FilterRule("", -1, -1, "0.0.0.0/0"), FilterRule("", -1, -1, "::/0", ethertype="IPv6")))
SSH, WEB = FilterRule("tcp", 22, 22, "0.0.0.0/0"), FilterRule("tcp", 80, 80, "0.0.0.0/0")
GLOBAL6 = {"a": "2001:db8::a", "b": "2001:db8::b"}


@pytest.fixture
def guests(site: Site) -> Site:
    """The site, its guests with their addresses of both versions of IP."""
    for name, guest in (("a", site.a), ("b", site.b)):
        # The link-local address is made when the link comes up.
        guest.run("ip", "link", "set", "eth0", "down")
        guest.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0")
        guest.run("ip", "link", "set", "eth0", "up")
        addressed(guest, name)
        guest.run("ip", "addr", "add", f"{GLOBAL6[name]}/64", "dev", "eth0", "nodad")
    return site


def port6(name: str, *groups: str) -> FilterPort:
    """Return a port with an IPv6 address besides."""
    return dataclasses.replace(port(name, *groups), address6=GLOBAL6[name])


def protect(site: Site, ports: tuple[FilterPort, ...], *groups: FilterGroup) -> None:
    with site.host.entered():
        site.firewall.protect(ports, groups)
        assert site.firewall.differences(ports, groups) == ()


def refresh(site: Site, *groups: FilterGroup) -> None:
    with site.host.entered():
        site.firewall.refresh(groups)


def test_nothing_reaches_a_guest_that_no_rule_allows(site: Site) -> None:
    closed = FilterGroup(CLOSED)
    with site.host.entered():
        site.firewall.protect((port("a", CLOSED), port("b", CLOSED)), (closed,))
    addressed(site.a, "a")
    addressed(site.b, "b")
    assert not pings(site.b, GUESTS["a"][1])
    assert not pings(site.host, GUESTS["a"][1])
    assert pings(site.a, "10.0.0.1")
    assert pings(site.a, "198.51.100.2")


def test_rules_open_exactly_what_they_say(site: Site) -> None:
    rules = (FilterRule("tcp", 22, 22, cidr="10.0.0.0/24"), FilterRule("icmp", 8, -1, cidr="0.0.0.0/0"))
    with site.host.entered():
        site.firewall.protect(
            (port("a", OPEN), port("b", CLOSED)), (FilterGroup(OPEN, rules), FilterGroup(CLOSED))
        )
    addressed(site.a, "a")
    addressed(site.b, "b")
    listener(site.a, 22)
    listener(site.a, 80)
    assert connects(site.b, GUESTS["a"][1], 22)
    assert not connects(site.b, GUESTS["a"][1], 80)
    assert pings(site.b, GUESTS["a"][1])


def test_a_source_group_lets_its_members_in_and_nobody_else(site: Site) -> None:
    members = FilterGroup(CLOSED, (), (GUESTS["b"][1],))
    opened = FilterGroup(OPEN, (FilterRule("", -1, -1, source_group=CLOSED),))
    with site.host.entered():
        site.firewall.protect((port("a", OPEN), port("b", CLOSED)), (opened, members))
    addressed(site.a, "a")
    addressed(site.b, "b")
    assert pings(site.b, GUESTS["a"][1])
    assert not pings(site.host, GUESTS["a"][1])


@pytest.mark.parametrize(
    "spoof",
    [
        ["ip", "link", "set", "eth0", "address", "fa:16:3e:00:00:ff"],
        ["ip", "addr", "replace", "10.0.0.99/24", "dev", "eth0"],
    ],
    ids=["mac", "address"],
)
def test_a_guest_cannot_speak_as_somebody_else(site: Site, spoof: list[str]) -> None:
    with site.host.entered():
        site.firewall.protect((port("a", CLOSED),), (FilterGroup(CLOSED),))
    addressed(site.a, "a")
    assert pings(site.a, "10.0.0.1")
    site.a.run("ip", "addr", "flush", "dev", "eth0")
    addressed(site.a, "a") if "link" in spoof else None
    site.a.run(*spoof)
    assert not pings(site.a, "10.0.0.1")


def test_unprotecting_leaves_nothing_of_an_instance(site: Site) -> None:
    ports, groups = (port("a", OPEN), port("b", CLOSED)), (FilterGroup(OPEN), FilterGroup(CLOSED))
    with site.host.entered():
        site.firewall.protect(ports, groups)
        assert site.firewall.differences(ports, groups) == ()
        site.firewall.unprotect("uuid-a")
        site.firewall.unprotect("uuid-a")
        assert site.firewall.differences(ports[1:], groups[1:]) == ()




def test_ports_protocols_and_icmp_types_are_told_apart(guests: Site) -> None:
    rules = (FilterRule("icmp", 8, 0, "10.0.0.11/32"), FilterRule("tcp", 100, 110, "0.0.0.0/0"))
    protect(guests, (port("a", OPEN), port("b", CLOSED)), FilterGroup(OPEN, rules), FilterGroup(CLOSED))
    for number in (100, 110, 111):
        listener(guests.a, number)
    assert [connects(guests.b, GUESTS["a"][1], number) for number in (100, 110, 111)] == [True, True, False]
    assert pings(guests.b, GUESTS["a"][1])
    assert not pings(guests.host, GUESTS["a"][1])

    refresh(guests, FilterGroup(OPEN, (FilterRule("icmp", 13, -1, "0.0.0.0/0"),)))
    assert not pings(guests.b, GUESTS["a"][1])


def test_the_same_holds_for_ipv6(guests: Site) -> None:
    protect(guests, (port6("a", CLOSED), port6("b", CLOSED)), FilterGroup(CLOSED))
    local = f"{link_local(GUESTS['a'][0])}%eth0"
    assert not pings(guests.b, GLOBAL6["a"])
    assert not pings(guests.b, local)

    echo = FilterRule("icmp", 128, -1, "2001:db8::/64", ethertype="IPv6")
    web = FilterRule("tcp", 80, 80, source_group=CLOSED, ethertype="IPv6")
    members = FilterGroup(CLOSED, (), (GLOBAL6["b"],))
    protect(guests, (port6("a", OPEN), port6("b", CLOSED)), FilterGroup(OPEN, (echo, web)), members)
    assert pings(guests.b, GLOBAL6["a"])
    assert guests.b.succeeds("ping", "-c", "1", "-W", "3", "-s", "3000", GLOBAL6["a"]), "in honest fragments"
    assert not pings(guests.b, local)
    streams = [Stream(guests.b, GLOBAL6["a"], guests.a, 80)]
    assert not connects(guests.b, GUESTS["a"][1], 80), "a rule for IPv6 opens nothing for IPv4"
    assert streams[0].flows()
    refresh(guests, FilterGroup(CLOSED))
    assert not streams[0].flows()
    streams[0].close()


def test_a_guest_can_say_only_what_it_is(guests: Site) -> None:
    (mine, address), (theirs, other) = GUESTS["a"], GUESTS["b"]
    local, all_nodes = link_local(mine), "ff02::1"
    protect(guests, (port6("a", OPEN), port6("b", OPEN)), EVERYBODY)
    honest = {
        "arp": frames.arp(mine, address, theirs),
        "datagram": frames.udp4(mine, theirs, address, 5000),
        "dhcp client": frames.udp4(mine, theirs, address, 68),
        "datagram over 6": frames.udp6(mine, theirs, GLOBAL6["a"], GLOBAL6["b"], 5000),
        "link-local": frames.udp6(mine, theirs, local, link_local(theirs), 5000),
        "neighbour": frames.advertisement(mine, theirs, local, all_nodes, GLOBAL6["a"]),
        "solicitation": frames.icmp6(mine, "33:33:00:00:00:02", local, "ff02::2", 133, b"\0" * 4),
    }
    forged = {
        "mac": frames.udp4("fa:16:3e:00:00:ff", theirs, address, 5000),
        "address": frames.udp4(mine, theirs, "10.0.0.99", 5000),
        "the gateway's address": frames.udp4(mine, theirs, "10.0.0.1", 5000),
        "arp of the gateway": frames.arp(mine, "10.0.0.1", theirs),
        "arp of a neighbour": frames.arp(mine, other, theirs),
        "arp by another mac": frames.arp("fa:16:3e:00:00:ff", address, theirs, frame_source=mine),
        "dhcp server": frames.udp4(mine, theirs, address, 67),
        "no address": frames.udp4(mine, theirs, "0.0.0.0", 5000),
        "address over 6": frames.udp6(mine, theirs, "2001:db8::99", GLOBAL6["b"], 5000),
        "link-local of another": frames.udp6(mine, theirs, link_local(theirs), GLOBAL6["b"], 5000),
        "dhcp server over 6": frames.udp6(mine, theirs, local, link_local(theirs), 547),
        "router": frames.icmp6(mine, theirs, local, all_nodes, 134, bytes.fromhex("4000070800000000" "00000000")),
        "redirect": frames.icmp6(mine, theirs, local, link_local(theirs), 137, b"\0" * 36),
        "neighbour's address": frames.advertisement(mine, theirs, local, all_nodes, GLOBAL6["b"]),
        "router's address": frames.advertisement(mine, theirs, local, all_nodes, "fe80::1"),
        "vlan": frames.ethernet(mine, theirs, frames.VLAN, b"\0\5\x08\0" + b"\0" * 42),
        "another protocol": frames.ethernet(mine, theirs, 0x88CC, b"\0" * 46),
    }
    forged["router behind options"] = frames.behind_options(forged["router"])
    parts = frames.fragments(forged["router"])
    forged |= {f"router in fragment {number}": part for number, part in enumerate(parts, 1)}
    last = frames.udp4(mine, theirs, address, 5000, b"the end")
    assert frames.arrived(guests.a, guests.b, honest | forged, last) == list(honest)


def test_what_the_operator_refuses_reaches_nobody(guests: Site) -> None:
    protect(guests, (port("a", OPEN), port("b", OPEN)), FilterGroup(OPEN, (SSH, WEB)))
    streams = [Stream(guests.b, GUESTS["a"][1], guests.a, number) for number in (22, 80)]
    refresh(guests, FilterGroup(PROVIDER, (FilterRule("tcp", 20, 30, "10.0.0.0/24"),)))
    assert [stream.flows() for stream in streams] == [False, True]
    listener(guests.a, 22)
    assert not connects(guests.b, GUESTS["a"][1], 22)
    refresh(guests, FilterGroup(PROVIDER))
    assert connects(guests.b, GUESTS["a"][1], 22)
    for stream in streams:
        stream.close()


class TestConnections:
    """What a change does to connections that are open."""

    def test_only_what_no_rule_allows_any_more_is_cut(self, guests: Site) -> None:
        ranged = FilterRule("tcp", 20, 30, "0.0.0.0/0")
        protect(guests, (port("a", OPEN),), FilterGroup(OPEN, (SSH, WEB, ranged)))
        streams = [Stream(guests.b, GUESTS["a"][1], guests.a, number) for number in (22, 25, 80)]
        refresh(guests, FilterGroup(OPEN, (SSH, WEB)))
        assert [stream.flows() for stream in streams] == [True, False, True]
        refresh(guests, FilterGroup(OPEN, (WEB,)))
        assert [stream.flows() for stream in streams] == [False, False, True]
        for stream in streams:
            stream.close()

    def test_who_leaves_a_source_group_is_cut_and_the_others_go_on(self, guests: Site) -> None:
        opened = FilterGroup(OPEN, (FilterRule("", -1, -1, source_group=CLOSED),))
        both = FilterGroup(CLOSED, (), (GUESTS["b"][1], "10.0.0.1"))
        protect(guests, (port("a", OPEN), port("b", CLOSED)), opened, both)
        streams = [Stream(source, GUESTS["a"][1], guests.a, 80) for source in (guests.b, guests.host)]
        refresh(guests, FilterGroup(CLOSED, (), ("10.0.0.1",)))
        assert [stream.flows() for stream in streams] == [False, True]
        for stream in streams:
            stream.close()

    def test_a_guest_that_leaves_a_group_is_cut_off_from_what_only_that_let_in(self, guests: Site) -> None:
        groups = (FilterGroup(OPEN, (SSH,)), FilterGroup(CLOSED, (WEB,)))
        protect(guests, (port("a", OPEN, CLOSED),), *groups)
        streams = [Stream(guests.b, GUESTS["a"][1], guests.a, number) for number in (22, 80)]
        protect(guests, (port("a", CLOSED),), groups[1])
        assert [stream.flows() for stream in streams] == [False, True]
        for stream in streams:
            stream.close()

    def test_a_new_daemon_keeps_what_is_allowed_and_cuts_what_is_not(self, guests: Site) -> None:
        protect(guests, (port("a", OPEN), port("b", OPEN)), FilterGroup(OPEN, (SSH, WEB)))
        streams = [
            Stream(guests.b, GUESTS["a"][1], guests.a, 22),
            Stream(guests.b, GUESTS["a"][1], guests.a, 80),
            Stream(guests.b, "198.51.100.2", guests.outside, 80),
        ]
        # One daemon ends between a change of the tables and the cut, the next one before it unprotects b.
        groups = (FilterGroup(OPEN, (WEB,)),)
        for ports, flowing in (
            ((port("a", OPEN), port("b", OPEN)), [False, True, True]),
            ((port("a", OPEN),), [False, False, False]),
        ):
            with guests.host.entered():
                again = NftablesFirewall(Runner())
                again.start()
                again.apply(ports, groups)
                assert again.differences(ports, groups) == ()
            assert [stream.flows() for stream in streams] == flowing
        for stream in streams:
            stream.close()

    def test_a_restart_in_the_middle_of_a_stream_does_not_touch_it(self, guests: Site) -> None:
        ports, groups = (port("a", OPEN), port("b", OPEN)), (FilterGroup(OPEN, (SSH,)),)
        protect(guests, ports, *groups)
        stream = Stream(guests.b, GUESTS["a"][1], guests.a, 22)
        for _ in range(3):
            with guests.host.entered():
                again = NftablesFirewall(Runner())
                again.start()
                again.apply(ports, groups)
            assert stream.flows()
        stream.close()


def test_where_nft_refuses_nothing_is_half_made(
    guests: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports, group = (port("a", OPEN),), FilterGroup(OPEN, (SSH,))
    protect(guests, ports, group)
    with guests.host.entered(), monkeypatch.context() as patch:
        patch.setenv("PATH", f"{refusing(tmp_path)}:{os.environ['PATH']}")
        for act in (
            lambda: guests.firewall.protect((port("b", OPEN),), (group,)),
            lambda: guests.firewall.refresh((FilterGroup(OPEN, (SSH, WEB)),)),
            lambda: guests.firewall.unprotect("uuid-a"),
        ):
            with pytest.raises(DriverError, match="refused"):
                act()
    with guests.host.entered():
        assert guests.firewall.differences(ports, (group,)) == ()
        guests.firewall.unprotect("uuid-a")
        assert guests.firewall.differences((), ()) == ()


def test_what_somebody_removed_is_put_in_force_again_and_what_got_through_is_cut(guests: Site) -> None:
    ports, group = (port("a", CLOSED), port("b", CLOSED)), FilterGroup(CLOSED)
    protect(guests, ports, group)
    guests.host.run("nft", "delete", "table", "inet", "nova_compute")
    stream = Stream(guests.b, GUESTS["a"][1], guests.a, 22)
    assert stream.flows()

    with guests.host.entered():
        assert {one.kind for one in guests.firewall.restore()} == {"filter"}
        assert guests.firewall.differences(ports, (group,)) == ()
        assert guests.firewall.restore() == ()
    assert not stream.flows()
    stream.close()


def test_tables_that_somebody_removed_are_made_anew_by_the_next_change(guests: Site) -> None:
    groups = (FilterGroup(OPEN, (SSH,)), FilterGroup(CLOSED))
    protect(guests, (port("a", OPEN),), *groups[:1])
    for table in ("inet", "bridge"):
        guests.host.run("nft", "delete", "table", table, "nova_compute")
    with guests.host.entered():
        guests.firewall.protect((port("b", CLOSED),), groups[1:])
        assert guests.firewall.differences((port("a", OPEN), port("b", CLOSED)), groups) == ()


def test_a_cut_that_failed_is_made_up_for_by_the_next_change(
    guests: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protect(guests, (port("a", OPEN), port("b", CLOSED)), FilterGroup(OPEN, (SSH,)), FilterGroup(CLOSED))
    stream = Stream(guests.b, GUESTS["a"][1], guests.a, 22)
    with guests.host.entered(), monkeypatch.context() as patch:
        patch.setenv("PATH", f"{refusing(tmp_path, 'conntrack')}:{os.environ['PATH']}")
        with pytest.raises(DriverError, match="refused"):
            guests.firewall.refresh((FilterGroup(OPEN),))
    assert stream.flows()

    refresh(guests, FilterGroup(OPEN))
    assert not stream.flows()
    stream.close()
