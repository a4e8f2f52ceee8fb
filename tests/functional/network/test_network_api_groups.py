"""Security groups and their rules over the network API."""

import queue
from typing import Any

import pytest
import webob

from nova_lite.core.context import RequestContext
from nova_lite.core.ids import new_uuid
from tests.functional.network.callers import ADMIN, DEMO, OTHER, READER, Ask, problem
from tests.functional.network.world import World


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

    assert answers == [201, 201, 201, 409]


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

    assert answers == [201, 201, 201, 201, 409]


def test_hosts_with_members_hear_of_changed_rules(world: World, ask: Ask) -> None:
    group_id = default_group(ask)
    rule = add_rule(ask, group_id, protocol="tcp").json["security_group_rule"]
    with pytest.raises(queue.Empty):
        world.computes.heard.get(timeout=0.05)
    world.boot()

    add_rule(ask, group_id, protocol="udp")
    assert world.computes.heard.get(timeout=30) == [group_id]

    ask(DEMO, "DELETE", f"/v2.0/security-group-rules/{rule['id']}")
    assert world.computes.heard.get(timeout=30) == [group_id]


def test_hosts_hear_when_a_source_of_their_rules_is_removed(world: World, ask: Ask) -> None:
    world.boot()
    group_id = default_group(ask)
    source = ask(DEMO, "POST", "/v2.0/security-groups", {"security_group": {"name": "web"}}).json
    source_id = source["security_group"]["id"]
    add_rule(ask, group_id, remote_group_id=source_id)
    world.computes.heard.get(timeout=30)

    assert ask(DEMO, "DELETE", f"/v2.0/security-groups/{source_id}").status_int == 204

    assert world.computes.heard.get(timeout=30) == [group_id]
    rules = ask(DEMO, "GET", "/v2.0/security-group-rules").json["security_group_rules"]
    assert not any(rule["remote_group_id"] == source_id for rule in rules)
