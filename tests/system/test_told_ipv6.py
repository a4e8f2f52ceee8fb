"""IPv6 as guests hear of it from a real DHCP server, through the filter: addresses told, and IPv6 alone."""

import dataclasses
import os
import signal

from nova_lite.core.network import Ipv6Backend, address_v6
from nova_lite.drivers.net.base import FilterGroup, FilterRule
from tests.cloud import wait_for
from tests.system import dhcpv6
from tests.system.one_host import GUESTS, OPEN, Site, dhcp, pings, port
from tools.services.namespaces import Namespace


def brought_up(guest: Namespace) -> None:
    """Have a guest make its link-local address, as it does when the link comes up."""
    guest.run("ip", "link", "set", "eth0", "down")
    guest.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0")
    guest.run("ip", "link", "set", "eth0", "up")


def test_a_guest_gets_the_address_that_names_its_project_and_forms_none_itself(site: Site) -> None:
    prefix = "2001:db8:1::/64"
    own = {
        name: address_v6(prefix, mac, Ipv6Backend.ACCOUNT_IDENTIFIER, "test") for name, (mac, _) in GUESTS.items()
    }
    assert own["a"] == "2001:db8:1:0:a94a:8fe5:ff00:a"
    hosts = tuple(
        dataclasses.replace(host, address_v6=own[name]) for host, name in zip(site.plan.hosts, GUESTS, strict=True)
    )
    plan = dataclasses.replace(
        site.plan, cidr_v6=prefix, gateway_v6="2001:db8:1::1", tells_v6=True, hosts=hosts
    )
    ports = tuple(dataclasses.replace(port(name, OPEN), address6=own[name]) for name in GUESTS)
    with site.host.entered():
        site.firewall.protect(ports, (FilterGroup(OPEN),))
        site.network.apply((plan,))
        assert site.network.differences((plan,)) == ()

    for name, guest in (("a", site.a), ("b", site.b)):
        brought_up(guest)
        assert wait_for(lambda guest=guest: "default" in guest.run("ip", "-6", "route"))
        assert "2001:db8:1:" not in guest.run("ip", "-6", "addr", "show", "eth0"), "formed by itself"
        address, server = dhcpv6.ask(guest, GUESTS[name][0])
        assert address == own[name]
        guest.run("ip", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
    assert wait_for(lambda: pings(site.a, "2001:db8:1::1"))

    # Who is not told of stays without; a server that was started anew goes by the same name.
    with site.host.entered():
        site.network.set_hosts(dataclasses.replace(plan, hosts=hosts[:1]))
        assert dhcpv6.ask(site.b, GUESTS["b"][0])[0] == ""
        servers = site.network._dnsmasq
        os.kill(int(servers.pid(plan.bridge)), signal.SIGKILL)
        assert wait_for(lambda: servers.pid(plan.bridge) is None)
        site.network.apply((plan,))
    assert dhcpv6.ask(site.b, GUESTS["b"][0]) == (own["b"], server)
    dhcp(site.a)


def test_a_network_of_ipv6_alone_is_served_and_mended(site: Site) -> None:
    own = {name: address_v6("2001:db8:1::/64", mac) for name, (mac, _) in GUESTS.items()}
    hosts = tuple(dataclasses.replace(host, address="") for host in site.plan.hosts)
    plan = dataclasses.replace(
        site.plan, cidr="", gateway="", dhcp_start="", dns=(), cidr_v6="2001:db8:1::/64", gateway_v6="2001:db8:1::1",
        hosts=hosts,
    )  # fmt: skip
    everything = FilterGroup(OPEN, (FilterRule("", -1, -1, "::/0", ethertype="IPv6"),), tuple(own.values()))
    ports = tuple(dataclasses.replace(port(name, OPEN), address="", address6=own[name]) for name in GUESTS)
    site.host.run("ip", "addr", "add", "2001:db8:2::1/64", "dev", "ext0", "nodad")
    site.outside.run("ip", "addr", "add", "2001:db8:2::2/64", "dev", "eth0", "nodad")
    site.outside.run("ip", "-6", "route", "add", "2001:db8:1::/64", "via", "2001:db8:2::1")
    with site.host.entered():
        site.firewall.protect(ports, (everything,))
        site.network.apply((plan,))
        assert site.network.differences((plan,)) == ()
    assert "10.0.0.1" not in site.host.run("ip", "addr", "show", "br100")
    for name, guest in (("a", site.a), ("b", site.b)):
        brought_up(guest)
        assert wait_for(lambda name=name, guest=guest: own[name] in guest.run("ip", "-6", "addr", "show", "eth0"))
    for one, address in ((site.a, own["b"]), (site.a, "2001:db8:2::2"), (site.outside, own["b"])):
        assert wait_for(lambda one=one, address=address: pings(one, address))

    site.host.run("ip", "addr", "del", "2001:db8:1::1/64", "dev", "br100")
    with site.host.entered():
        site.network.set_hosts(dataclasses.replace(plan, hosts=hosts[:1]))
        assert {one.kind for one in site.network.differences((plan,))} == {"address"}
        site.network.apply((plan,))
        assert site.network.differences((plan,)) == ()
