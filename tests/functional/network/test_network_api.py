"""The network API over HTTP messages, as its clients speak it: networks, subnets, ports and lists of them."""

import ipaddress
from typing import Any

import pytest

from nova_lite.core.network import external_network_id
from nova_lite.db import group_members, security_groups
from tests.functional.network.callers import ADMIN, DEMO, OTHER, Ask, problem
from tests.functional.network.world import World


def test_versions_need_no_token(ask: Ask) -> None:
    found = ask(None, "GET", "/").json["versions"]

    assert found == [
        {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": "http://localhost/v2.0/"}]}
    ]


def test_everything_else_needs_a_token(ask: Ask) -> None:
    assert ask(None, "GET", "/v2.0/networks").status_int == 401


def test_a_network_shows_its_subnet(world: World, ask: Ask) -> None:
    world.network()

    [network] = ask(DEMO, "GET", "/v2.0/networks").json["networks"]
    [subnet] = ask(DEMO, "GET", "/v2.0/subnets").json["subnets"]

    assert network["name"] == "private"
    assert (network["shared"], network["status"], network["mtu"]) == (True, "ACTIVE", 1500)
    assert network["subnets"] == [subnet["id"]]
    assert not any(name.startswith("provider:") for name in network)
    assert subnet["network_id"] == network["id"]
    assert subnet["cidr"] == "10.0.0.0/24"
    assert subnet["gateway_ip"] == "10.0.0.1"
    assert subnet["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert subnet["dns_nameservers"] == ["8.8.4.4"]
    assert ask(DEMO, "GET", f"/v2.0/networks/{network['id']}").json["network"] == network
    assert ask(DEMO, "GET", f"/v2.0/subnets/{subnet['id']}").json["subnet"] == subnet


def test_an_admin_makes_a_network_and_then_its_subnet(ask: Ask) -> None:
    made = ask(
        ADMIN, "POST", "/v2.0/networks", {"network": {"name": "lan", "admin_state_up": True, "shared": True}}
    )
    assert made.status_int == 201
    network = made.json["network"]
    body = {
        "name": "lan-4",
        "network_id": network["id"],
        "ip_version": 4,
        "cidr": "192.168.7.0/24",
        "dns_nameservers": ["1.1.1.1"],
        "allocation_pools": [{"start": "192.168.7.10", "end": "192.168.7.20"}],
        "enable_dhcp": True,
    }

    subnet = ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": body}).json["subnet"]

    assert subnet["name"] == "lan-4"
    assert subnet["allocation_pools"] == [{"start": "192.168.7.10", "end": "192.168.7.20"}]
    assert subnet["dns_nameservers"] == ["1.1.1.1"]
    assert [found["id"] for found in ask(DEMO, "GET", "/v2.0/subnets?name=lan-4").json["subnets"]] == [
        subnet["id"]
    ]


def test_guests_get_addresses_of_the_pool_only(world: World, ask: Ask) -> None:
    network = ask(ADMIN, "POST", "/v2.0/networks", {"network": {"name": "lan", "shared": True}}).json[
        "network"
    ]
    pool = [{"start": "192.168.7.10", "end": "192.168.7.12"}]
    body = {"network_id": network["id"], "cidr": "192.168.7.0/24", "allocation_pools": pool}
    ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": body})

    found = world.allocate(world.boot(3))

    given = {interface.address for of_one in found.values() for interface in of_one}
    assert given == {"192.168.7.10", "192.168.7.11", "192.168.7.12"}


def test_a_network_is_renamed_and_removed(world: World, ask: Ask) -> None:
    path = f"/v2.0/networks/{world.network().uuid}"

    assert ask(ADMIN, "PUT", path, {"network": {"name": "new"}}).json["network"]["name"] == "new"
    assert ask(ADMIN, "DELETE", path).status_int == 204
    assert ask(ADMIN, "GET", path).status_int == 404
    assert ask(ADMIN, "DELETE", path).status_int == 404


def test_a_network_in_use_stays(world: World, ask: Ask) -> None:
    network = world.network()
    world.allocate(world.boot())

    refused = ask(ADMIN, "DELETE", f"/v2.0/networks/{network.uuid}")

    assert refused.status_int == 409
    assert "in use" in problem(refused)
    assert ask(ADMIN, "GET", f"/v2.0/networks/{network.uuid}").status_int == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v2.0/networks", {"network": {"name": "mine"}}),
        ("DELETE", "/v2.0/networks/x", None),
        ("POST", "/v2.0/subnets", {"subnet": {"network_id": "x", "cidr": "10.0.0.0/24"}}),
        ("PUT", "/v2.0/quotas/demo", {"quota": {"network": 5}}),
    ],
)
def test_users_change_no_networks(ask: Ask, method: str, path: str, body: Any) -> None:
    assert ask(DEMO, method, path, body).status_int == 403


def test_another_projects_network_is_not_found(world: World, ask: Ask) -> None:
    network = world.network(project_id="demo")

    assert ask(DEMO, "GET", f"/v2.0/networks/{network.uuid}").status_int == 200
    assert ask(OTHER, "GET", f"/v2.0/networks/{network.uuid}").status_int == 404
    assert ask(OTHER, "GET", "/v2.0/networks").json == {"networks": []}
    assert ask(OTHER, "GET", f"/v2.0/subnets/{network.subnet_id}").status_int == 404


def test_guests_are_told_of_ipv6_addresses_that_say_whose_they_are(world: World, ask: Ask) -> None:
    network = world.network()
    v6 = {"network_id": network.uuid, "ip_version": 6, "cidr": "fd00:7::/64", "ipv6_ra_mode": "dhcpv6-stateful"}
    both = v6 | {"ipv6_address_mode": "slaac"}
    assert ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": both}).status_int == 400
    subnet = ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": v6}).json["subnet"]
    assert subnet["ipv6_address_mode"] == "dhcpv6-stateful"

    [uuid] = world.boot(project="test")
    made = world.manager.allocate(ADMIN, [uuid])[uuid]
    [interface] = world.interfaces([uuid])[uuid]
    last = interface.mac[9:].replace(":", "")
    wanted = str(ipaddress.IPv6Address(f"fd00:7::a94a:8fe5:ff{last[:2]}:{last[2:]}"))
    assert (interface.address_v6, made[0].address_v6) == (wanted, wanted)
    [plan] = world.driver._plans.values()
    assert (plan.tells_v6, [host.address_v6 for host in plan.hosts]) == (True, [wanted])
    group = world.database.read("test", lambda s: security_groups.ensure_default(s, "test"))
    [members] = world.database.read("test", lambda s: group_members.filter_groups(s, [group]))
    assert members.addresses == (interface.address, wanted)


def test_a_network_without_gateway_leads_nowhere(world: World, ask: Ask) -> None:
    network = ask(ADMIN, "POST", "/v2.0/networks", {"network": {"name": "lan", "shared": True}}).json["network"]
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "192.168.7.0/24", "gateway_ip": None}
    subnet = ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": body}).json["subnet"]
    assert (subnet["gateway_ip"], subnet["allocation_pools"][0]["start"]) == (None, "192.168.7.2")

    [uuid] = world.boot()
    [interface] = world.allocate([uuid])[uuid]
    assert (interface.router, interface.dhcp_server) == ("", "192.168.7.1")
    assert [(plan.routed, plan.gateway) for plan in world.driver._plans.values()] == [(False, "192.168.7.1")]
    world.floating_ips.create_range(ADMIN, "192.0.2.0/30")
    port = {"floating_network_id": external_network_id("nova"), "port_id": interface.id}
    refused = ask(DEMO, "POST", "/v2.0/floatingips", {"floatingip": port})
    assert (refused.status_int, "no gateway" in problem(refused)) == (400, True)
    router = ask(DEMO, "POST", "/v2.0/routers", {"router": {"name": "r"}}).json["router"]
    path = f"/v2.0/routers/{router['id']}/add_router_interface"
    assert ask(DEMO, "PUT", path, {"subnet_id": subnet["id"]}).status_int == 400
    v6 = {"network_id": network["id"], "ip_version": 6, "cidr": "fd00:7::/64", "gateway_ip": None}
    assert ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": v6}).json["subnet"]["gateway_ip"] is None


@pytest.mark.parametrize(
    "subnet",
    [
        {"cidr": "10.0.0.0"},
        {"cidr": "10.0.0.1/24"},
        {"cidr": "10.0.0.0/33"},
        {"cidr": "10.0.0.0/8"},
        {"cidr": "10.0.0.0/31"},
        {"cidr": "fd00::/64"},
        {"cidr": "127.0.0.0/16"},
        {"cidr": "169.254.0.0/16"},
        {"cidr": "10.1.0.0/24", "gateway_ip": "10.2.0.1"},
        {"cidr": "10.1.0.0/24", "gateway_ip": "10.1.0.255"},
        {"cidr": "10.1.0.0/24", "dns_nameservers": ["nowhere"]},
        {"cidr": "10.1.0.0/24", "allocation_pools": [{"start": "10.1.0.9", "end": "10.1.0.3"}]},
        {"cidr": "10.1.0.0/24", "allocation_pools": [{"start": "10.1.0.9", "end": "10.7.0.3"}]},
        {"cidr": "10.1.0.0/24", "colour": "blue"},
        {"cidr": "10.1.0.0/24", "ip_version": 6},
        {},
    ],
)
def test_a_malformed_subnet_is_refused_and_nothing_changes(world: World, ask: Ask, subnet: Any) -> None:
    network = ask(ADMIN, "POST", "/v2.0/networks", {"network": {"name": "lan"}}).json["network"]

    refused = ask(ADMIN, "POST", "/v2.0/subnets", {"subnet": {"network_id": network["id"], **subnet}})

    assert refused.status_int == 400
    assert problem(refused)
    assert ask(ADMIN, "GET", "/v2.0/subnets").json == {"subnets": []}


def test_a_subnet_that_overlaps_is_refused(world: World, ask: Ask) -> None:
    world.network("10.0.0.0/24")
    network = ask(ADMIN, "POST", "/v2.0/networks", {"network": {"name": "lan"}}).json["network"]

    refused = ask(
        ADMIN, "POST", "/v2.0/subnets", {"subnet": {"network_id": network["id"], "cidr": "10.0.0.0/25"}}
    )

    assert refused.status_int == 409


def test_ports_are_the_interfaces_of_instances(world: World, ask: Ask) -> None:
    network = world.network()
    uuids = world.boot(2)
    found = world.allocate(uuids)
    [interface] = found[uuids[0]]

    [port] = ask(DEMO, "GET", f"/v2.0/ports?device_id={uuids[0]}").json["ports"]

    assert (port["id"], port["mac_address"]) == (interface.id, interface.mac)
    assert port["fixed_ips"] == [{"subnet_id": network.subnet_id, "ip_address": interface.address}]
    assert (port["network_id"], port["status"], port["device_owner"]) == (
        network.uuid,
        "ACTIVE",
        "compute:nova",
    )
    [group] = ask(DEMO, "GET", "/v2.0/security-groups").json["security_groups"]
    assert port["security_groups"] == [group["id"]]
    assert ask(DEMO, "GET", f"/v2.0/ports/{interface.id}").json["port"] == port
    assert ask(OTHER, "GET", f"/v2.0/ports/{interface.id}").status_int == 404
    assert ask(OTHER, "GET", "/v2.0/ports").json == {"ports": []}
    assert len(ask(ADMIN, "GET", "/v2.0/ports").json["ports"]) == 2


@pytest.mark.parametrize(
    "query",
    [
        "mac_address={mac}",
        "fixed_ips=ip_address={address}",
        "device_id=nobody&device_id={device}",
        "status=ACTIVE&id={id}",
        "network_id={network}&id={id}",
    ],
)
def test_ports_are_found_by_what_they_are(world: World, ask: Ask, query: str) -> None:
    network = world.network()
    uuids = world.boot(3)
    [interface] = world.allocate(uuids)[uuids[1]]
    path = "/v2.0/ports?" + query.format(
        mac=interface.mac, address=interface.address, device=uuids[1], id=interface.id, network=network.uuid
    )

    assert [port["id"] for port in ask(DEMO, "GET", path).json["ports"]] == [interface.id]


def test_fields_order_and_pages_are_as_asked(world: World, ask: Ask) -> None:
    for number in range(3):
        world.network(f"10.0.{number}.0/24", f"net-{number}")

    first = ask(DEMO, "GET", "/v2.0/networks?fields=id&fields=name&sort_key=name&sort_dir=desc&limit=2").json
    assert [sorted(network) for network in first["networks"]] == [["id", "name"], ["id", "name"]]
    assert [network["name"] for network in first["networks"]] == ["net-2", "net-1"]
    [link] = first["networks_links"]
    assert link["rel"] == "next"

    second = ask(DEMO, "GET", link["href"]).json
    assert [network["name"] for network in second["networks"]] == ["net-0"]
    assert "networks_links" not in second
    end = f"/v2.0/networks?sort_key=name&limit=2&marker={first['networks'][0]['id']}"
    assert ask(DEMO, "GET", end).json["networks"] == []


@pytest.mark.parametrize("query", ["limit=x", "marker=nothing", "sort_key=colour"])
def test_a_list_that_cannot_be_made_is_refused(world: World, ask: Ask, query: str) -> None:
    world.network()

    assert ask(DEMO, "GET", f"/v2.0/networks?{query}").status_int == 400


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("router:external=True", 0),
        ("router%3Aexternal=false", 1),
        ("shared=true", 1),
        ("name=none", 0),
        ("tags=x", 0),
    ],
)
def test_filters_compare_by_value(world: World, ask: Ask, query: str, count: int) -> None:
    world.network()

    assert len(ask(DEMO, "GET", f"/v2.0/networks?{query}").json["networks"]) == count


def test_quotas_are_shown_set_and_cleared(ask: Ask) -> None:
    assert ask(DEMO, "GET", "/v2.0/quotas/demo").json["quota"]["security_group"] == 10
    assert ask(DEMO, "GET", "/v2.0/quotas/other").status_int == 403
    assert ask(DEMO, "GET", "/v2.0/quotas/demo/default").json["quota"]["network"] == 10

    body = {"quota": {"security_group": 3, "router": 5, "check_limit": True}}
    assert ask(ADMIN, "PUT", "/v2.0/quotas/demo", body).json["quota"]["security_group"] == 3
    details = ask(DEMO, "GET", "/v2.0/quotas/demo/details").json["quota"]
    assert details["security_group"]["limit"] == 3

    assert ask(ADMIN, "DELETE", "/v2.0/quotas/demo").status_int == 204
    assert ask(DEMO, "GET", "/v2.0/quotas/demo").json["quota"]["security_group"] == 10


def test_what_nobody_fills_is_an_empty_list(ask: Ask) -> None:
    assert ask(DEMO, "GET", "/v2.0/subnetpools").json == {"subnetpools": []}


def test_extensions_are_listed_by_alias(ask: Ask) -> None:
    aliases = [one["alias"] for one in ask(DEMO, "GET", "/v2.0/extensions").json["extensions"]]

    assert "security-group" in aliases
    assert ask(DEMO, "GET", "/v2.0/extensions/quotas").json["extension"]["alias"] == "quotas"
    assert ask(DEMO, "GET", "/v2.0/extensions/Availability%20Zone").status_int == 404


@pytest.mark.parametrize(
    "path",
    ["/v2.0/networks/x", "/v2.0/subnets/x", "/v2.0/ports/x", "/v2.0/security-groups/x", "/v2.0/nothing"],
)
def test_what_is_unknown_is_not_found(ask: Ask, path: str) -> None:
    missing = ask(DEMO, "GET", path)

    assert missing.status_int == 404
    assert set(missing.json["NeutronError"]) == {"type", "message", "detail"}
