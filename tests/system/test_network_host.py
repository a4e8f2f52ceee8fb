"""A host's network for real: bridge, DHCP, metadata redirect, NAT, packet filter, in namespaces."""

import dataclasses
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.core.network import address_v6
from nova_lite.drivers.net import bridges
from nova_lite.drivers.net.base import (
    FilterGroup,
    FilterRule,
    FloatingAddress,
    NotServed,
)
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from tests.cloud import wait_for
from tests.system.one_host import (
    GUESTS,
    OPEN,
    Site,
    Stream,
    addressed,
    connects,
    dhcp,
    listener,
    pings,
    port,
    refusing,
    udhcpc,
)


def test_dhcp_gives_each_guest_the_address_that_the_plan_says(site: Site) -> None:
    for name, guest in (("a", site.a), ("b", site.b)):
        dhcp(guest)
        assert f"inet {GUESTS[name][1]}/24" in guest.run("ip", "-4", "addr", "show", "eth0")
        assert "default via 10.0.0.1" in guest.run("ip", "route")


class Recording(Runner):
    """Runs programs, and notes which."""

    ran: ClassVar[list[str]] = []

    def privileged(self, argv: Sequence[str], **options: Any) -> str:
        self.ran.append(argv[0])
        return super().privileged(argv, **options)


def test_a_guest_that_came_is_served_without_telling_dhcp_of_all_the_others(site: Site, tmp_path: Path) -> None:
    one, other = site.plan.hosts
    driver = LinuxNetworkDriver(Recording(), DnsmasqSettings(tmp_path, str(tmp_path / "lease-script")))
    with site.host.entered():
        driver.set_hosts(dataclasses.replace(site.plan, hosts=(one,)))
        assert Recording.ran == ["kill"], "one that went is forgotten"
        driver.set_hosts(site.plan)
        assert Recording.ran == ["kill"]
        assert site.network.differences((site.plan,)) == ()
    dhcp(site.b)
    assert f"inet {GUESTS['b'][1]}/24" in site.b.run("ip", "-4", "addr", "show", "eth0")
    with site.host.entered():
        driver.set_hosts(dataclasses.replace(site.plan, hosts=(other,)))
    dhcp(site.b)
    assert not site.a.succeeds(*udhcpc())


def test_a_guest_that_is_told_of_more_keeps_its_lease_and_one_that_went_does_not(site: Site, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.touch()
    (tmp_path / "lease-script").write_text(f'#!/bin/sh\necho "$1 $3" >> {calls}\n')
    for guest in (site.a, site.b):
        dhcp(guest)
    a, b = (GUESTS[name][1] for name in "ab")
    assert wait_for(lambda: {f"add {a}", f"add {b}"} <= set(calls.read_text().splitlines()))

    told = dataclasses.replace(site.plan.hosts[0], options=(("ntp-server", "10.0.0.9"),))
    with site.host.entered():
        site.network.set_hosts(dataclasses.replace(site.plan, hosts=(told,)))

    assert wait_for(lambda: f"del {b}" in calls.read_text())
    assert f"del {a}" not in calls.read_text()


def test_metadata_requests_reach_the_service_with_the_guests_own_address(site: Site) -> None:
    dhcp(site.a)
    thread, seen = listener(site.host, 8775)
    assert connects(site.a, "169.254.169.254", 80)
    thread.join(30)
    assert seen == [GUESTS["a"][1]]


def test_guests_reach_the_world_as_the_host(site: Site) -> None:
    addressed(site.a, "a")
    thread, seen = listener(site.outside, 9000)
    assert connects(site.a, "198.51.100.2", 9000)
    thread.join(30)
    assert seen == ["198.51.100.1"]

    site.outside.run("ip", "route", "add", "10.0.0.0/24", "via", "198.51.100.1")
    with site.host.entered():
        site.network.apply((dataclasses.replace(site.plan, untranslated=("198.51.100.0/28", "192.0.2.0/24")),))
    thread, seen = listener(site.outside, 9001)
    assert connects(site.a, "198.51.100.2", 9001)
    thread.join(30)
    assert seen == [GUESTS["a"][1]]


def test_a_host_that_becomes_the_gateway_tells_guests_so(site: Site) -> None:
    addressed(site.a, "a")
    site.a.run("ip", "neigh", "replace", "10.0.0.1", "lladdr", "fa:16:3e:00:00:99", "nud", "stale", "dev", "eth0")
    site.host.run("ip", "addr", "del", "10.0.0.1/24", "dev", "br100")
    with site.host.entered():
        site.network.apply((site.plan,))
    mac = site.host.run("cat", "/sys/class/net/br100/address").strip()
    assert wait_for(lambda: mac in site.a.run("ip", "neigh", "show", "10.0.0.1"))


def test_a_network_without_gateway_leads_nowhere_but_to_metadata(site: Site) -> None:
    closed = dataclasses.replace(site.plan, routed=False, metadata_host="198.51.100.2", cidr_v6="2001:db8:1::/64",
                                 gateway_v6="2001:db8:1::1")  # fmt: skip
    with site.host.entered():
        site.network.apply((closed,))
        assert site.network.differences((closed,)) == ()
    formed = ("ip", "-6", "addr", "show", "dev", "eth0", "-tentative")
    for guest in (site.a, site.b):
        dhcp(guest)
        assert "default" not in guest.run("ip", "route")
        assert wait_for(lambda guest=guest: "2001:db8:1:" in guest.run(*formed))
        assert "default" not in guest.run("ip", "-6", "route")
    thread, seen = listener(site.outside, 8775)
    site.outside.run("ip", "route", "add", "10.0.0.0/24", "via", "198.51.100.1")
    assert connects(site.a, "169.254.169.254", 80)
    thread.join(30)
    assert seen == [GUESTS["a"][1]]

    # Even a guest that takes the host for its router, and a world that knows the way, do not get through.
    site.a.run("ip", "route", "add", "default", "via", "10.0.0.1")
    site.a.run("ip", "-6", "route", "add", "default", "via", "2001:db8:1::1")
    site.host.run("ip", "addr", "add", "2001:db8:2::1/64", "dev", "ext0", "nodad")
    site.outside.run("ip", "addr", "add", "2001:db8:2::2/64", "dev", "eth0", "nodad")
    site.outside.run("ip", "-6", "route", "add", "2001:db8:1::/64", "via", "2001:db8:2::1")
    own = address_v6("2001:db8:1::/64", GUESTS["a"][0])
    there, back = ("198.51.100.2", "2001:db8:2::2"), (GUESTS["a"][1], own)
    assert wait_for(lambda: pings(site.a, GUESTS["b"][1]) and pings(site.b, own))
    quick = ("ping", "-c", "1", "-W", "0.3")
    assert not any(site.a.succeeds(*quick, address) for address in there)
    assert not any(site.outside.succeeds(*quick, address) for address in back)

    with site.host.entered():
        site.network.apply((dataclasses.replace(closed, routed=True),))
    for address in there:
        assert wait_for(lambda address=address: pings(site.a, address))
    assert "table inet nova_network" not in site.host.run("nft", "list", "ruleset")


def test_applying_the_same_plan_again_changes_nothing(site: Site) -> None:
    with site.host.entered():
        changes = site.network.changes
        site.network.apply((site.plan,))
        assert site.network.changes == changes
        assert site.network.differences((site.plan,)) == ()


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (["ip", "link", "del", "br100"], "bridge"),
        (["ip", "addr", "del", "10.0.0.1/24", "dev", "br100"], "address"),
        (["nft", "delete", "table", "ip", "nova_network"], "rule"),
        (["nft", "flush", "chain", "ip", "nova_network", "postrouting"], "rule"),
        (["sh", "-c", "kill -9 $(cat {folder}/nova-br100.pid)"], "dnsmasq"),
    ],
    ids=["bridge", "gateway", "table", "rules", "dnsmasq"],
)  # fmt: skip
def test_damage_is_seen_and_mended(site: Site, tmp_path: Path, damage: list[str], kind: str) -> None:
    subprocess.run(
        [
            "ip",
            "netns",
            "exec",
            site.host.name,
            *(word.replace("{folder}", str(tmp_path)) for word in damage),
        ],
        check=False,
    )

    def found() -> set[str]:
        return {difference.kind for difference in site.network.differences((site.plan,))}

    with site.host.entered():
        assert wait_for(lambda: kind in found())
        site.network.apply((site.plan,))
        assert site.network.differences((site.plan,)) == ()


@pytest.mark.parametrize("refuses", ["interface", "dnsmasq"])
def test_a_network_that_cannot_be_served_leaves_the_others_alone(site: Site, tmp_path: Path, refuses: str) -> None:
    other = dataclasses.replace(site.plan, network_id=2, cidr="10.9.0.0/24", gateway="10.9.0.1", bridge="br099",
                                dhcp_start="10.9.0.2", hosts=())  # fmt: skip
    if refuses == "interface":
        other = dataclasses.replace(other, bridge_interface="nowhere0")
    else:
        other = dataclasses.replace(other, dhcp_start="nonsense")
    site.host.run("nft", "delete", "table", "ip", "nova_network")
    site.host.run("ip", "addr", "del", "10.0.0.1/24", "dev", "br100")
    with site.host.entered():
        with pytest.raises(NotServed, match=f"nowhere0|{refuses}") as refused:
            site.network.apply((other, site.plan))
        assert refused.value.refused.keys() == {2}
        kinds = {one.kind for one in site.network.differences((other, site.plan)) if one.name != "br099"}
        assert kinds == set()
        assert bridges.marked(bridges.NETWORK) == {"br100"} | ({"br099"} if refuses == "dnsmasq" else set())
    dhcp(site.a)
    with site.host.entered():
        site.network.apply((site.plan,))
        assert site.network.differences((site.plan,)) == ()


def test_programs_that_are_missing_stop_the_start_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path="": None if name == "dnsmasq" else f"/usr/sbin/{name}")
    with pytest.raises(ConfigurationError, match="needed and not installed: dnsmasq"):
        LinuxNetworkDriver(Runner(), DnsmasqSettings(tmp_path, "/bin/true")).start()


def test_an_unwanted_network_is_removed_with_its_dhcp_server(site: Site) -> None:
    with site.host.entered():
        site.network.apply(())
        assert bridges.marked(bridges.NETWORK) == set()
        assert site.network.differences(()) == ()


def test_a_flat_interface_hands_its_address_and_route_to_the_bridge(site: Site) -> None:
    plan = dataclasses.replace(site.plan, bridge_interface="ext0")
    site.host.run("ip", "route", "add", "203.0.113.0/24", "via", "198.51.100.2")
    with site.host.entered():
        site.network.apply((plan,))
    assert "198.51.100.1/24" in site.host.run("ip", "-4", "addr", "show", "br100")
    assert "203.0.113.0/24 via 198.51.100.2 dev br100" in site.host.run("ip", "route")
    assert pings(site.host, "198.51.100.2")


def test_a_missing_interface_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    settings = DnsmasqSettings(tmp_path, "/bin/true")
    driver = LinuxNetworkDriver(Runner(), settings, needed={"vlan_interface": "nowhere0"})
    with pytest.raises(ConfigurationError, match="--vlan_interface names nowhere0"):
        driver.start()


class TestFloatingAddresses:
    """An address of the world leads to a guest, and from there elsewhere."""

    ADDRESS = "198.51.100.100"

    def lead(self, site: Site, *names: str) -> None:
        """Let the address lead to these guests, the first of them, or to none."""
        floating = tuple(FloatingAddress(self.ADDRESS, GUESTS[name][1], "ext0") for name in names[:1])
        site.plan = dataclasses.replace(site.plan, floating=floating)
        with site.host.entered():
            site.network.set_floating(site.plan)
            assert site.network.differences((site.plan,)) == ()

    @pytest.fixture
    def guests(self, site: Site) -> Site:
        for name, guest in (("a", site.a), ("b", site.b)):
            addressed(guest, name)
        group = FilterGroup(OPEN, (FilterRule("", -1, -1, "0.0.0.0/0"),))
        with site.host.entered():
            site.firewall.protect((port("a", OPEN), port("b", OPEN)), (group,))
        return site

    def test_the_world_reaches_the_guest_and_hears_it_by_the_address(self, guests: Site) -> None:
        assert not connects(guests.outside, self.ADDRESS, 80)
        self.lead(guests, "a")
        thread, seen = listener(guests.a, 80)
        assert connects(guests.outside, self.ADDRESS, 80)
        thread.join(30)
        assert seen == ["198.51.100.2"]

        thread, seen = listener(guests.outside, 81)
        assert connects(guests.a, "198.51.100.2", 81)
        thread.join(30)
        assert seen == [self.ADDRESS]

        thread, seen = listener(guests.outside, 82)
        assert connects(guests.b, "198.51.100.2", 82)
        thread.join(30)
        assert seen == ["198.51.100.1"], "who has no floating address is heard by the host's"

    def test_the_guest_reaches_itself_its_neighbour_and_the_host_reach_it_by_the_address(
        self, guests: Site
    ) -> None:
        # As nova-compute does it for its guests' taps.
        guests.host.run("bridge", "link", "set", "dev", "tap-a", "hairpin", "on")
        self.lead(guests, "a")
        for who, expected in ((guests.a, self.ADDRESS), (guests.b, "10.0.0.1"), (guests.host, None)):
            thread, seen = listener(guests.a, 80)
            assert connects(who, self.ADDRESS, 80)
            thread.join(30)
            assert expected in (None, *seen)

    def test_a_move_is_in_force_at_once_and_cuts_what_went_the_old_way(self, guests: Site) -> None:
        self.lead(guests, "a")
        with guests.a.entered():
            server = socket.create_server(("", 80))
        with guests.outside.entered():
            client = socket.create_connection((self.ADDRESS, 80), timeout=5)
        connection, _ = server.accept()
        client.sendall(b"before")
        assert connection.recv(10) == b"before"
        announced = guests.outside.run("ip", "neigh", "show", self.ADDRESS)
        assert "lladdr" in announced

        self.lead(guests, "b")
        client.sendall(b"after")
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        for thing in (client, connection, server):
            thing.close()
        thread, _ = listener(guests.b, 80)
        assert connects(guests.outside, self.ADDRESS, 80)
        thread.join(30)

        self.lead(guests)
        assert not connects(guests.outside, self.ADDRESS, 80)
        assert self.ADDRESS not in guests.host.run("ip", "addr", "show", "ext0")

    def test_an_interface_that_is_not_there_is_told_and_the_others_are_in_force(self, guests: Site) -> None:
        lost = FloatingAddress("198.51.100.99", GUESTS["b"][1], "nowhere")
        good = FloatingAddress(self.ADDRESS, GUESTS["a"][1], "ext0")
        plan = dataclasses.replace(guests.plan, floating=(lost, good))
        with guests.host.entered():
            with pytest.raises(DriverError, match="nowhere"):
                guests.network.set_floating(plan)
            assert [one.name for one in guests.network.differences((plan,))] == ["198.51.100.99"]
        thread, _ = listener(guests.a, 80)
        assert connects(guests.outside, self.ADDRESS, 80)
        thread.join(30)

    def test_what_was_removed_by_hand_is_told_and_comes_back(self, guests: Site) -> None:
        self.lead(guests, "a")
        guests.host.run("ip", "addr", "del", f"{self.ADDRESS}/32", "dev", "ext0")
        guests.host.run("nft", "flush", "map", "ip", "nova_network", "floating")
        with guests.host.entered():
            kinds = {one.kind for one in guests.network.differences((guests.plan,))}
            assert kinds == {"floating", "rule"}
            guests.network.apply((guests.plan,))
            assert guests.network.differences((guests.plan,)) == ()

    def test_where_nft_refuses_nothing_is_half_made(
        self, guests: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.lead(guests, "a")
        moved = FloatingAddress(self.ADDRESS, GUESTS["b"][1], "ext0")
        other = FloatingAddress("198.51.100.101", GUESTS["a"][1], "ext0")
        with guests.host.entered(), monkeypatch.context() as patch:
            patch.setenv("PATH", f"{refusing(tmp_path)}:{os.environ['PATH']}")
            for floating in ((moved, other), ()):
                with pytest.raises(DriverError, match="refused"):
                    guests.network.set_floating(dataclasses.replace(guests.plan, floating=floating))
        with guests.host.entered():
            assert guests.network.differences((guests.plan,)) == ()
        thread, _ = listener(guests.a, 80)
        assert connects(guests.outside, self.ADDRESS, 80)
        thread.join(30)

    def test_a_table_that_somebody_removed_is_made_anew_by_the_next_change(self, guests: Site) -> None:
        guests.host.run("nft", "delete", "table", "ip", "nova_network")
        self.lead(guests, "a")
        thread, _ = listener(guests.a, 80)
        assert connects(guests.outside, self.ADDRESS, 80)
        thread.join(30)

    def test_a_new_daemon_keeps_what_is_led_right_and_cuts_what_is_not(
        self, guests: Site, tmp_path: Path
    ) -> None:
        kept = FloatingAddress(self.ADDRESS, GUESTS["a"][1], "ext0")
        lost = FloatingAddress("198.51.100.101", GUESTS["b"][1], "ext0")
        with guests.host.entered():
            guests.network.set_floating(dataclasses.replace(guests.plan, floating=(kept, lost)))
        streams = [
            Stream(guests.outside, self.ADDRESS, guests.a, 80),
            Stream(guests.outside, "198.51.100.101", guests.b, 80),
        ]
        try:
            assert [stream.flows() for stream in streams] == [True, True]
            # The daemon ends before it does what it was told, and another one comes.
            plan = dataclasses.replace(guests.plan, floating=(kept,))
            with guests.host.entered():
                again = LinuxNetworkDriver(Runner(), DnsmasqSettings(tmp_path, str(tmp_path / "lease-script")))
                again.apply((plan,))
                assert again.differences((plan,)) == ()
            assert [stream.flows() for stream in streams] == [True, False]
        finally:
            for stream in streams:
                stream.close()
