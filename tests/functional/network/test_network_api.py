"""The network API over HTTP messages, as its clients speak it."""

import json
import queue
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import webob

from nova_lite.api.app import CLOUD, CONTEXT, POLICY, Application
from nova_lite.api.middleware.faults import Faults
from nova_lite.api.openstack.network.policies import RULES
from nova_lite.api.openstack.network.routes import ROUTES
from nova_lite.core.context import RequestContext
from nova_lite.core.ids import new_uuid
from nova_lite.core.policy import Policy
from nova_lite.core.quota import Limits
from nova_lite.operations.network_tags import NetworkTags
from nova_lite.operations.quotas import Quotas
from nova_lite.operations.routers import Routers
from tests.functional.network.world import World

DEMO = RequestContext(user_id="u1", project_id="demo", roles=("member",))
OTHER = RequestContext(user_id="u2", project_id="other", roles=("member",))
READER = RequestContext(user_id="u3", project_id="demo", roles=("reader",))
ADMIN = RequestContext(user_id="root", project_id="ops", roles=("admin",), is_admin=True)

Ask = Callable[..., webob.Response]


@pytest.fixture
def ask(world: World) -> Ask:
    """Send a request as somebody and return the response."""
    application = Faults(Application("network", ROUTES), "network")
    defaults = Limits(
        dict.fromkeys(
            ("floating_ips", "networks", "fixed_ips", "security_groups", "security_group_rules", "instances"),
            10,
        )
    )
    cloud = SimpleNamespace(
        networks=world.networks,
        floating_ips=world.floating_ips,
        routers=Routers(world.database),
        network_tags=NetworkTags(world.database),
        security_groups=world.security_groups,
        quotas=Quotas(world.database, defaults),
    )
    policy = Policy(RULES)

    def send(caller: RequestContext | None, method: str, path: str, body: Any = None) -> webob.Response:
        request = webob.Request.blank(path, method=method)
        if body is not None:
            request.content_type = "application/json"
            request.body = json.dumps(body).encode()
        request.environ |= {CLOUD: cloud, POLICY: policy}
        if caller is not None:
            request.environ[CONTEXT] = caller
        return request.get_response(application)

    return send


def problem(response: webob.Response) -> str:
    return str(response.json["NeutronError"]["message"])


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
        {"cidr": "10.1.0.0/24", "gateway_ip": None},
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


def test_a_project_has_a_default_group_from_the_first_look_on(ask: Ask) -> None:
    [group] = ask(DEMO, "GET", "/v2.0/security-groups").json["security_groups"]

    assert (group["name"], group["project_id"]) == ("default", "demo")
    rules = group["security_group_rules"]
    assert [rule["direction"] for rule in rules] == ["egress", "egress", "ingress"]
    assert rules[2]["remote_group_id"] == group["id"]
    assert ask(DEMO, "GET", "/v2.0/security-groups").json["security_groups"] == [group]


def test_a_group_is_made_changed_and_removed(ask: Ask) -> None:
    made = ask(DEMO, "POST", "/v2.0/security-groups", {"security_group": {"name": "web", "description": "d"}})
    assert made.status_int == 201
    group = made.json["security_group"]
    path = f"/v2.0/security-groups/{group['id']}"
    assert [rule["direction"] for rule in group["security_group_rules"]] == ["egress", "egress"]

    assert ask(DEMO, "PUT", path, {"security_group": {"name": "www"}}).json["security_group"]["name"] == "www"
    assert [
        one["id"] for one in ask(DEMO, "GET", "/v2.0/security-groups?name=www").json["security_groups"]
    ] == [group["id"]]
    assert ask(OTHER, "GET", path).status_int == 404
    assert ask(OTHER, "DELETE", path).status_int == 404
    assert ask(READER, "DELETE", path).status_int == 403
    assert ask(DEMO, "DELETE", path).status_int == 204
    assert ask(DEMO, "GET", path).status_int == 404


def test_two_groups_of_a_project_cannot_have_one_name(ask: Ask) -> None:
    body = {"security_group": {"name": "web"}}
    ask(DEMO, "POST", "/v2.0/security-groups", body)

    assert ask(DEMO, "POST", "/v2.0/security-groups", body).status_int == 409
    assert ask(OTHER, "POST", "/v2.0/security-groups", body).status_int == 201


def test_the_default_group_stays_as_it_is(ask: Ask) -> None:
    [group] = ask(DEMO, "GET", "/v2.0/security-groups").json["security_groups"]
    path = f"/v2.0/security-groups/{group['id']}"

    assert ask(DEMO, "DELETE", path).status_int == 409
    assert ask(DEMO, "PUT", path, {"security_group": {"name": "other"}}).status_int == 400


def test_a_group_with_members_stays(world: World, ask: Ask) -> None:
    world.boot()
    [group] = ask(DEMO, "GET", "/v2.0/security-groups").json["security_groups"]

    refused = ask(ADMIN, "DELETE", f"/v2.0/security-groups/{group['id']}")

    assert refused.status_int == 409
    assert "in use" in problem(refused)


def test_a_projects_groups_are_limited(ask: Ask) -> None:
    answers = [
        ask(DEMO, "POST", "/v2.0/security-groups", {"security_group": {"name": f"g{number}"}}).status_int
        for number in range(4)
    ]

    assert answers == [201, 201, 201, 403]


def default_group(ask: Ask, caller: RequestContext = DEMO) -> str:
    return str(ask(caller, "GET", "/v2.0/security-groups").json["security_groups"][0]["id"])


def add_rule(ask: Ask, group_id: str, **rule: Any) -> webob.Response:
    body = {"security_group_id": group_id, "direction": "ingress", **rule}
    return ask(DEMO, "POST", "/v2.0/security-group-rules", {"security_group_rule": body})


def test_a_rule_is_added_shown_and_removed(ask: Ask) -> None:
    group_id = default_group(ask)
    ssh = {
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 22,
        "port_range_max": 22,
        "remote_ip_prefix": "0.0.0.0/0",
    }

    made = add_rule(ask, group_id, **ssh)
    assert made.status_int == 201
    rule = made.json["security_group_rule"]
    assert {name: rule[name] for name in ssh} == ssh
    path = f"/v2.0/security-group-rules/{rule['id']}"
    assert ask(DEMO, "GET", path).json["security_group_rule"] == rule
    listed = ask(DEMO, "GET", f"/v2.0/security-group-rules?security_group_id={group_id}&direction=ingress")
    assert rule in listed.json["security_group_rules"]
    assert ask(OTHER, "GET", path).status_int == 404
    assert ask(OTHER, "DELETE", path).status_int == 404
    assert add_rule(ask, group_id, **ssh).status_int == 409

    assert ask(DEMO, "DELETE", path).status_int == 204
    assert ask(DEMO, "GET", path).status_int == 404


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, {"protocol": None, "port_range_min": None, "remote_ip_prefix": "0.0.0.0/0"}),
        ({"protocol": "icmp"}, {"protocol": "icmp", "port_range_min": None, "port_range_max": None}),
        (
            {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0},
            {"port_range_min": 8, "port_range_max": 0},
        ),
        (
            {"protocol": "6", "port_range_min": "80"},
            {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80},
        ),
        ({"protocol": 17, "port_range_max": 53}, {"protocol": "udp", "port_range_min": 53}),
        ({"protocol": "tcp", "remote_ip_prefix": "10.1.2.3/8"}, {"remote_ip_prefix": "10.0.0.0/8"}),
        ({"ethertype": "IPv6", "protocol": "ipv6-icmp"}, {"protocol": "icmp", "remote_ip_prefix": "::/0"}),
    ],
)
def test_rules_are_read_as_they_are_meant(ask: Ask, given: Any, shown: Any) -> None:
    rule = add_rule(ask, default_group(ask), **given).json["security_group_rule"]

    assert {name: rule[name] for name in shown} == shown


@pytest.mark.parametrize(
    "rule",
    [
        {"protocol": "carrier-pigeon"},
        {"protocol": "tcp", "port_range_min": 99, "port_range_max": 22},
        {"protocol": "tcp", "port_range_min": 1, "port_range_max": 70000},
        {"port_range_min": 22, "port_range_max": 22},
        {"protocol": "icmp", "port_range_min": 300},
        {"protocol": "icmp", "port_range_max": 1},
        {"remote_ip_prefix": "somewhere"},
        {"remote_ip_prefix": "fd00::/8"},
        {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "x"},
        {"ethertype": "IPX"},
        {"direction": "sideways"},
        {"direction": "egress", "protocol": "tcp"},
        {"colour": "blue"},
    ],
)
def test_a_malformed_rule_is_refused_and_nothing_changes(ask: Ask, rule: Any) -> None:
    group_id = default_group(ask)
    before = ask(DEMO, "GET", "/v2.0/security-group-rules").json

    assert add_rule(ask, group_id, **rule).status_int == 400
    assert ask(DEMO, "GET", "/v2.0/security-group-rules").json == before


def test_a_rule_of_an_unknown_group_is_not_found(ask: Ask) -> None:
    assert add_rule(ask, new_uuid(), protocol="tcp").status_int == 404
    assert add_rule(ask, default_group(ask), remote_group_id=default_group(ask, OTHER)).status_int == 404
    assert add_rule(ask, default_group(ask, OTHER), protocol="tcp").status_int == 404


def test_that_all_may_leave_is_there_already(ask: Ask) -> None:
    assert add_rule(ask, default_group(ask), direction="egress").status_int == 409


def test_a_groups_rules_are_limited(ask: Ask) -> None:
    group_id = default_group(ask)

    answers = [
        add_rule(ask, group_id, protocol="tcp", port_range_min=port).status_int for port in range(1, 6)
    ]

    assert answers == [201, 201, 201, 201, 403]


def test_hosts_with_members_hear_of_changed_rules(world: World, ask: Ask) -> None:
    group_id = default_group(ask)
    rule = add_rule(ask, group_id, protocol="tcp").json["security_group_rule"]
    with pytest.raises(queue.Empty):
        world.computes.heard.get(timeout=0.05)
    world.boot()

    add_rule(ask, group_id, protocol="udp")
    assert world.computes.heard.get(timeout=10) == [group_id]

    ask(DEMO, "DELETE", f"/v2.0/security-group-rules/{rule['id']}")
    assert world.computes.heard.get(timeout=10) == [group_id]


def test_hosts_hear_when_a_source_of_their_rules_is_removed(world: World, ask: Ask) -> None:
    world.boot()
    group_id = default_group(ask)
    source = ask(DEMO, "POST", "/v2.0/security-groups", {"security_group": {"name": "web"}}).json
    source_id = source["security_group"]["id"]
    add_rule(ask, group_id, remote_group_id=source_id)
    world.computes.heard.get(timeout=10)

    assert ask(DEMO, "DELETE", f"/v2.0/security-groups/{source_id}").status_int == 204

    assert world.computes.heard.get(timeout=10) == [group_id]
    rules = ask(DEMO, "GET", "/v2.0/security-group-rules").json["security_group_rules"]
    assert not any(rule["remote_group_id"] == source_id for rule in rules)


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


class TestFloatingAddresses:
    @pytest.fixture
    def port(self, world: World) -> str:
        """The id of a port of an instance, with addresses of the world to be had."""
        world.network()
        world.floating_ips.create_range(ADMIN, "192.0.2.8/30")
        [uuid] = world.boot()
        return world.allocate([uuid])[uuid][0].id

    def test_a_pool_is_an_external_network(self, port: str, ask: Ask) -> None:
        [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=True").json["networks"]

        assert (pool["name"], pool["subnets"]) == ("nova", [])
        assert ask(DEMO, "GET", f"/v2.0/networks/{pool['id']}").json["network"] == pool
        [inner] = ask(DEMO, "GET", "/v2.0/networks?router:external=False").json["networks"]
        assert inner.keys() == pool.keys()

    def test_an_address_is_taken_led_somewhere_and_given_back(
        self, world: World, port: str, ask: Ask
    ) -> None:
        [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=true").json["networks"]
        body = {"floatingip": {"floating_network_id": pool["id"]}}
        made = ask(DEMO, "POST", "/v2.0/floatingips", body)
        assert made.status_int == 201
        taken = made.json["floatingip"]
        assert (taken["status"], taken["port_id"], taken["project_id"]) == ("DOWN", None, "demo")
        path = f"/v2.0/floatingips/{taken['id']}"

        led = ask(DEMO, "PUT", path, {"floatingip": {"port_id": port}}).json["floatingip"]
        assert (led["status"], led["port_id"]) == ("ACTIVE", port)
        assert world.driver.leading() == {taken["floating_ip_address"]: led["fixed_ip_address"]}
        assert ask(DEMO, "GET", f"/v2.0/floatingips?port_id={port}").json["floatingips"] == [led]
        assert ask(OTHER, "GET", "/v2.0/floatingips").json == {"floatingips": []}
        for method, sent in (("GET", None), ("PUT", {"floatingip": {"port_id": None}}), ("DELETE", None)):
            assert ask(OTHER, method, path, sent).status_int == 404
        assert ask(READER, "DELETE", path).status_int == 403

        away = ask(DEMO, "PUT", path, {"floatingip": {"port_id": None}}).json["floatingip"]
        assert (away["status"], world.driver.leading()) == ("DOWN", {})
        assert ask(DEMO, "DELETE", path).status_int == 204
        assert ask(DEMO, "GET", path).status_int == 404

    def test_what_cannot_be_is_refused_and_leaves_nothing(self, port: str, ask: Ask) -> None:
        [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=true").json["networks"]
        [inner] = ask(DEMO, "GET", "/v2.0/networks?router:external=False").json["networks"]

        def take(**wanted: Any) -> int:
            body = {"floatingip": {"floating_network_id": pool["id"]} | wanted}
            return ask(DEMO, "POST", "/v2.0/floatingips", body).status_int

        assert take(floating_network_id=inner["id"]) == 400
        assert take(floating_network_id=new_uuid()) == 404
        assert take(port_id=new_uuid()) == 404
        assert take(port_id=port, fixed_ip_address="10.0.0.250") == 400
        assert take(floating_ip_address="192.0.2.200") == 404
        assert take(floating_ip_address="not an address") == 400
        assert take(project_id="other") == 400
        assert ask(DEMO, "GET", "/v2.0/floatingips").json == {"floatingips": []}
        assert take(port_id=port) == 201


def test_a_router_is_kept_with_its_gateway_and_subnets(world: World, ask: Ask) -> None:
    network = world.network()
    world.floating_ips.create_range(ADMIN, "192.0.2.8/30")
    [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=true").json["networks"]
    made = ask(DEMO, "POST", "/v2.0/routers", {"router": {"name": "r", "admin_state_up": True}})
    assert (made.status_int, made.json["router"]["external_gateway_info"]) == (201, None)
    path = f"/v2.0/routers/{made.json['router']['id']}"

    gateway = {"router": {"external_gateway_info": {"network_id": pool["id"]}}}
    told = ask(DEMO, "PUT", path, gateway).json["router"]["external_gateway_info"]
    assert told["network_id"] == pool["id"]
    inner = {"router": {"external_gateway_info": {"network_id": network.uuid}}}
    assert ask(DEMO, "PUT", path, inner).status_int == 400
    cleared = ask(DEMO, "PUT", path, {"router": {"external_gateway_info": None, "name": "r2"}}).json["router"]
    assert (cleared["name"], cleared["external_gateway_info"]) == ("r2", None)

    routes = {"router": {"routes": [{"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}]}}
    for way in ("", "/add_extraroutes", "/remove_extraroutes"):
        refused = ask(DEMO, "PUT", path + way, routes)
        assert (refused.status_int, "not supported" in refused.json["NeutronError"]["message"]) == (400, True)
    assert ask(DEMO, "PUT", path, {"router": {"routes": []}}).json["router"]["routes"] == []

    subnet = {"subnet_id": network.subnet_id}
    added = ask(DEMO, "PUT", f"{path}/add_router_interface", subnet)
    assert (added.status_int, added.json["subnet_id"]) == (200, network.subnet_id)
    assert ask(DEMO, "PUT", f"{path}/add_router_interface", subnet).status_int == 400
    assert ask(DEMO, "PUT", f"{path}/add_router_interface", {"subnet_id": new_uuid()}).status_int == 404
    assert ask(DEMO, "PUT", f"{path}/add_router_interface", {"port_id": new_uuid()}).status_int == 404
    assert ask(DEMO, "DELETE", path).status_int == 409
    assert ask(OTHER, "GET", path).status_int == 404
    assert ask(OTHER, "GET", "/v2.0/routers").json == {"routers": []}
    assert [one["id"] for one in ask(DEMO, "GET", "/v2.0/routers?name=r2").json["routers"]] == [cleared["id"]]
    assert ask(DEMO, "PUT", f"{path}/remove_router_interface", subnet).status_int == 200
    assert ask(DEMO, "PUT", f"{path}/remove_router_interface", subnet).status_int == 404
    assert ask(DEMO, "DELETE", path).status_int == 204
    assert ask(DEMO, "GET", path).status_int == 404
