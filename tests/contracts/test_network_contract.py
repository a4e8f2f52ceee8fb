"""What every driver of a host's network and every packet filter promises, simulated or real."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.drivers.net.base import (
    PROVIDER,
    DhcpHost,
    FilterGroup,
    FilterPort,
    FilterRule,
    FirewallDriver,
    FloatingAddress,
    LinkPlan,
    NetworkDriver,
    NetworkPlan,
)
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.fake import FakeFirewall, FakeNetworkDriver
from nova_lite.drivers.net.firewall import NftablesFirewall
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from tools.services.namespaces import namespaces

KINDS = ("fake", "linux")
WEB = FilterGroup(
    "11111111-1111-4111-8111-111111111111", (FilterRule("tcp", 80, 80, "0.0.0.0/0"),), ("10.0.0.5",)
)
SSH = FilterGroup(
    "22222222-2222-4222-8222-222222222222", (FilterRule("tcp", 22, 22, "10.0.0.0/8"),), ("10.0.0.6",)
)


@pytest.fixture
def host() -> Iterator[None]:
    """Be on a host of our own."""
    with namespaces(["contract"]) as (host,), host.entered():
        yield


@pytest.fixture(params=KINDS)
def network(request: pytest.FixtureRequest, host: None, tmp_path: Path) -> Iterator[NetworkDriver]:
    script = tmp_path / "lease-script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    driver: NetworkDriver = FakeNetworkDriver()
    if request.param == "linux":
        driver = LinuxNetworkDriver(Runner(), DnsmasqSettings(tmp_path, str(script)))
    driver.start()
    yield driver
    driver.remove()


@pytest.fixture(params=KINDS)
def firewall(request: pytest.FixtureRequest, host: None) -> Iterator[FirewallDriver]:
    driver: FirewallDriver = FakeFirewall() if request.param == "fake" else NftablesFirewall(Runner())
    driver.start()
    driver.apply((), ())
    yield driver
    driver.remove()


def plan(number: int) -> NetworkPlan:
    return NetworkPlan(
        network_id=number, uuid=f"network-{number}", cidr=f"10.0.{number}.0/24", gateway=f"10.0.{number}.1",
        bridge=f"br{number}", dhcp_start=f"10.0.{number}.2",
        hosts=(DhcpHost(f"fa:16:3e:00:00:0{number}", f"10.0.{number}.5", "vm"),),
    )  # fmt: skip


def port(name: str, *groups: FilterGroup) -> FilterPort:
    return FilterPort(
        instance_uuid=f"instance-{name}", tap=f"tap{name}", mac=f"fa:16:3e:00:00:0{name}",
        address=f"10.0.0.{name}", gateway="10.0.0.1", dhcp_server="10.0.0.1",
        groups=tuple(group.id for group in groups),
    )  # fmt: skip


def test_the_host_is_as_the_plans_say_however_often_they_are_applied(network: NetworkDriver) -> None:
    plans = (plan(1), plan(2))
    for _ in range(2):
        network.apply(plans)
        assert network.differences(plans) == ()


def test_what_the_plans_do_not_name_goes(network: NetworkDriver) -> None:
    network.apply((plan(1), plan(2)))
    network.apply((plan(2),))

    assert network.differences((plan(2),)) == ()
    assert network.differences((plan(1), plan(2))) != ()


def test_what_differs_is_told_and_mended_by_applying(network: NetworkDriver) -> None:
    network.apply((plan(1),))
    wider = dataclasses.replace(plan(1), mtu=1400)

    assert network.differences((wider,)) != ()
    assert network.differences((wider,)) != (), "looking changes nothing"
    network.apply((wider,))
    assert network.differences((wider,)) == ()


def test_hosts_of_a_network_are_renewed_alone(network: NetworkDriver) -> None:
    network.apply((plan(1), plan(2)))
    more = dataclasses.replace(
        plan(1), hosts=(*plan(1).hosts, DhcpHost("fa:16:3e:00:00:99", "10.0.1.9", "new"))
    )
    for _ in range(2):
        network.set_hosts(more)

    assert network.differences((more, plan(2))) == ()
    assert network.differences((plan(1), plan(2))) != ()


def test_floating_addresses_of_a_network_are_renewed_alone(network: NetworkDriver) -> None:
    network.apply((plan(1), plan(2)))
    for floating in (
        (FloatingAddress("203.0.113.5", "10.0.1.5", "lo"), FloatingAddress("203.0.113.6", "10.0.1.5", "lo")),
        (FloatingAddress("203.0.113.5", "10.0.1.9", "lo"),),
        (),
    ):
        leading = dataclasses.replace(plan(1), floating=floating)
        for _ in range(2):
            network.set_floating(leading)
        assert network.differences((leading, plan(2))) == ()
        assert (network.differences((plan(1), plan(2))) == ()) == (floating == ())
        network.apply((leading, plan(2)))
        assert network.differences((leading, plan(2))) == ()


def test_bridges_for_guests_are_made_and_go_with_the_last_of_them(network: NetworkDriver) -> None:
    first, second = LinkPlan("br1"), LinkPlan("br2", mtu=1400)
    for _ in range(2):
        network.add_links((first,))
        network.add_links((second,))
        assert network.link_differences((first, second)) == ()

    network.set_links((second,))
    assert network.link_differences((second,)) == ()
    assert network.link_differences((first, second)) != ()
    network.set_links(())
    assert network.link_differences(()) == ()


def test_a_bridge_that_is_served_and_has_guests_stays_until_neither(network: NetworkDriver) -> None:
    served = plan(1)
    network.add_links((served.link,))
    network.apply((served,))
    network.apply(())
    assert network.link_differences((served.link,)) == ()
    assert network.differences(()) == ()

    network.apply((served,))
    network.set_links(())
    assert network.differences((served,)) == ()
    assert network.link_differences(()) == ()


def test_ipv6_and_options_of_guests_are_served(network: NetworkDriver) -> None:
    told = DhcpHost("fa:16:3e:00:00:99", "10.0.1.9", "new", (("tftp-server", "10.0.1.7"), ("66", "x")), routed=False)
    both = dataclasses.replace(plan(1), cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1", hosts=(told,))
    for wanted in (plan(1), both, plan(1), both):
        for _ in range(2):
            network.apply((wanted,))
            assert network.differences((wanted,)) == ()
    assert network.differences((plan(1),)) != ()


def test_removing_twice_is_removing_once(network: NetworkDriver) -> None:
    network.apply((plan(1),))
    network.remove()
    network.remove()

    assert network.differences(()) == ()
    assert network.differences((plan(1),)) != ()


def test_the_filter_holds_what_it_is_told_however_often(firewall: FirewallDriver) -> None:
    ports, groups = (port("5", WEB), port("6", WEB, SSH)), (WEB, SSH)
    for _ in range(2):
        firewall.apply(ports, groups)
        assert firewall.differences(ports, groups) == ()


def test_protecting_adds_a_port_and_unprotecting_takes_it_away(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB),), (WEB,))
    for _ in range(2):
        firewall.protect((port("6", SSH),), (SSH,))
    both = (port("5", WEB), port("6", SSH))
    assert firewall.differences(both, (WEB, SSH)) == ()

    for _ in range(2):
        firewall.unprotect("instance-5")
    assert firewall.differences((port("6", SSH),), (SSH,)) == ()
    assert firewall.differences(both, (WEB, SSH)) != ()


def test_a_guest_joins_groups_that_are_there(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB),), (WEB,))
    assert not firewall.join((port("6", WEB, SSH),))
    assert firewall.differences((port("5", WEB),), (WEB,)) == ()

    for _ in range(2):
        assert firewall.join((port("6", WEB),))
    assert firewall.groups() == {WEB.id, PROVIDER}
    joined = dataclasses.replace(WEB, members=(*WEB.members, port("6", WEB).address))
    assert firewall.differences((port("5", WEB), port("6", WEB)), (joined,)) == ()


def test_a_port_moves_between_groups(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB), port("6", WEB)), (WEB,))
    moved = port("5", SSH)
    firewall.protect((moved,), (SSH,))
    assert firewall.differences((moved, port("6", WEB)), (WEB, SSH)) == ()

    # the last to leave a group takes it along
    firewall.protect((port("6", SSH),), (SSH,))
    assert firewall.differences((moved, port("6", SSH)), (SSH,)) == ()


def test_rules_of_groups_in_use_are_renewed(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB),), (WEB,))
    changed = dataclasses.replace(WEB, rules=(FilterRule("tcp", 8080, 8080, "0.0.0.0/0"),))

    assert firewall.differences((port("5", WEB),), (changed,)) != ()
    firewall.refresh((changed,))
    assert firewall.differences((port("5", WEB),), (changed,)) == ()


def test_a_group_that_nobody_here_uses_is_not_renewed_into_being(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB),), (WEB,))
    firewall.refresh((SSH,))

    assert firewall.differences((port("5", WEB),), (WEB,)) == ()


def test_a_removed_filter_can_be_made_again(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB),), (WEB,))
    firewall.remove()
    firewall.remove()
    firewall.apply((port("5", WEB),), (WEB,))

    assert firewall.differences((port("5", WEB),), (WEB,)) == ()


def test_what_is_as_it_was_put_in_force_needs_no_restoring(firewall: FirewallDriver) -> None:
    firewall.apply((port("5", WEB),), (WEB,))
    assert firewall.restore() == ()
    firewall.remove()
    assert firewall.restore() == ()
    assert firewall.groups() == {PROVIDER}


def test_what_the_operator_refuses_stays_whoever_comes_and_goes(firewall: FirewallDriver) -> None:
    refused = FilterGroup(PROVIDER, (FilterRule("tcp", 25, 25, "0.0.0.0/0"),))
    firewall.apply((port("5", WEB),), (WEB,))
    firewall.refresh((refused,))
    firewall.protect((port("6", SSH),), (SSH,))
    firewall.unprotect("instance-5")

    assert firewall.differences((port("6", SSH),), (SSH, refused)) == ()
    assert firewall.differences((port("6", SSH),), (SSH,)) != ()
    firewall.refresh((FilterGroup(PROVIDER),))
    assert firewall.differences((port("6", SSH),), (SSH,)) == ()


def test_members_and_rules_of_both_versions_of_ip_are_kept(firewall: FirewallDriver) -> None:
    both = FilterGroup(
        WEB.id,
        (
            FilterRule("icmp", 128, 0, "2001:db8::/64", ethertype="IPv6"),
            FilterRule("", -1, -1, source_group=WEB.id, ethertype="IPv6"),
            FilterRule("icmp", -1, -1, "::/0", ethertype="IPv6"),
            FilterRule("udp", -1, -1, "0.0.0.0/0"),
            FilterRule("icmp", 8, 0, "0.0.0.0/0"),
            FilterRule("", -1, -1, "10.9.0.0/16"),
        ),
        ("10.0.0.5", "2001:db8::5"),
    )
    here = dataclasses.replace(port("5", WEB), address6="2001:db8::5")
    firewall.apply((here,), (both,))
    assert firewall.differences((here,), (both,)) == ()

    fewer = dataclasses.replace(both, rules=both.rules[1:], members=("10.0.0.5", "2001:db8::6"))
    firewall.refresh((fewer,))
    assert firewall.differences((here,), (fewer,)) == ()
