"""nova-network's face in the compute API: the same networks and groups as the network API shows."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import Cloud

PROXIED = {"version": "2.35"}


@pytest.fixture
def group(cloud: Cloud) -> Iterator[str]:
    body = {"security_group": {"name": "web", "description": "the web"}}
    made = cloud.ask("POST", "/v2.1/os-security-groups", body, **PROXIED)
    assert made.status_code == 200
    group_id = made.json()["security_group"]["id"]
    yield group_id
    cloud.delete_all()
    assert cloud.ask("DELETE", f"/v2.1/os-security-groups/{group_id}", **PROXIED).status_code == 202


def rule(cloud: Cloud, parent: str, **fields: object) -> dict[str, object]:
    body = {"security_group_rule": {"parent_group_id": parent} | fields}
    made = cloud.ask("POST", "/v2.1/os-security-group-rules", body, **PROXIED)
    assert made.status_code == 200, made.text
    found: dict[str, object] = made.json()["security_group_rule"]
    return found


def test_groups_and_rules_are_those_of_the_network_api(cloud: Cloud, group: str) -> None:
    made = rule(cloud, group, ip_protocol="tcp", from_port=80, to_port="443", cidr="10.0.0.0/8")
    assert made == {
        "id": made["id"], "parent_group_id": group, "ip_protocol": "tcp", "from_port": 80, "to_port": 443,
        "group": {}, "ip_range": {"cidr": "10.0.0.0/8"},
    }  # fmt: skip
    among = rule(cloud, group, group_id=group)
    assert among["group"] == {"name": "web", "tenant_id": cloud.ask(
        "GET", f"/v2.1/os-security-groups/{group}", **PROXIED
    ).json()["security_group"]["tenant_id"]}  # fmt: skip

    shown = cloud.ask("GET", f"/v2.0/security-groups/{group}", api="network").json()["security_group"]
    ingress = [found["id"] for found in shown["security_group_rules"] if found["direction"] == "ingress"]
    assert sorted(ingress) == sorted(str(found["id"]) for found in (made, among))
    assert cloud.ask("DELETE", f"/v2.1/os-security-group-rules/{made['id']}", **PROXIED).status_code == 202
    listed = cloud.ask("GET", "/v2.1/os-security-groups", **PROXIED).json()["security_groups"]
    (web,) = [found for found in listed if found["name"] == "web"]
    assert [found["id"] for found in web["rules"]] == [among["id"]]

    body = {"security_group": {"name": "pages", "description": "renamed"}}
    renamed = cloud.ask("PUT", f"/v2.1/os-security-groups/{group}", body, **PROXIED).json()
    assert renamed["security_group"]["name"] == "pages"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"ip_protocol": "tcp", "from_port": 90, "to_port": 80, "cidr": "0.0.0.0/0"}, 400),
        ({"ip_protocol": "tcp", "from_port": 80, "to_port": 80, "cidr": "nonsense"}, 400),
        ({"ip_protocol": "smoke", "from_port": 1, "to_port": 1}, 400),
        ({"cidr": "0.0.0.0/0"}, 400),
        ({"group_id": "00000000-0000-0000-0000-000000000000"}, 404),
    ],
)
def test_bad_rules_are_refused(cloud: Cloud, group: str, fields: dict[str, object], status: int) -> None:
    body = {"security_group_rule": {"parent_group_id": group} | fields}
    assert cloud.ask("POST", "/v2.1/os-security-group-rules", body, **PROXIED).status_code == status
    shown = cloud.ask("GET", f"/v2.1/os-security-groups/{group}", **PROXIED).json()["security_group"]
    assert shown["rules"] == []


def test_a_server_goes_into_a_group_and_out_of_it(cloud: Cloud, group: str) -> None:
    server_id = cloud.boot()

    def groups() -> list[str]:
        found = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-security-groups").json()["security_groups"]
        assert sorted(one["name"] for one in cloud.show(server_id)["security_groups"]) == sorted(
            one["name"] for one in found
        )
        return sorted(one["name"] for one in found)

    assert cloud.act(server_id, {"addSecurityGroup": {"name": "web"}}).status_code == 202
    assert groups() == ["default", "web"]
    assert cloud.leaks() == []
    assert cloud.act(server_id, {"addSecurityGroup": {"name": "web"}}).status_code == 400
    assert cloud.act(server_id, {"removeSecurityGroup": {"name": "default"}}).status_code == 202
    assert groups() == ["web"]
    assert cloud.act(server_id, {"removeSecurityGroup": {"name": "default"}}).status_code == 404
    assert cloud.act(server_id, {"removeSecurityGroup": {"name": group}}).status_code == 202
    assert cloud.act(server_id, {"addSecurityGroup": {"name": "unheard-of"}}).status_code == 404
    assert cloud.act(server_id, {"addSecurityGroup": {"name": "web"}}, user="other").status_code == 404


def test_networks_and_interfaces_are_shown(cloud: Cloud) -> None:
    (network,) = cloud.ask("GET", "/v2.1/os-networks", **PROXIED).json()["networks"]
    assert (network["label"], network["cidr"], network["netmask"]) == (
        "private",
        "10.0.0.0/22",
        "255.255.252.0",
    )
    assert "bridge" not in network
    shown = cloud.ask("GET", f"/v2.1/os-networks/{network['id']}", user="admin", **PROXIED).json()["network"]
    assert shown["bridge"] == "br100"
    few = cloud.ask("GET", f"/v2.1/os-tenant-networks/{network['id']}", **PROXIED).json()["network"]
    assert few == {"id": network["id"], "label": "private", "cidr": "10.0.0.0/22"}

    path = f"/v2.1/servers/{cloud.boot()}/os-virtual-interfaces"
    (interface,) = cloud.ask("GET", path, version="2.43").json()["virtual_interfaces"]
    assert interface["net_id"] == network["id"]
    (old,) = cloud.ask("GET", path, version="2.11").json()["virtual_interfaces"]
    assert old == {"id": interface["id"], "mac_address": interface["mac_address"]}


@pytest.mark.parametrize("path", ["/os-networks", "/os-tenant-networks", "/os-security-groups"])
def test_the_proxies_end_where_they_do_in_nova(cloud: Cloud, path: str) -> None:
    assert cloud.ask("GET", f"/v2.1{path}", version="2.36").status_code == 404


def test_operators_make_networks_and_give_them_to_projects(cloud: Cloud) -> None:
    body = {"network": {"label": "own", "cidr": "10.9.0.0/28", "dns1": "9.9.9.9", "allowed_start": "10.9.0.5"}}
    operator: dict[str, Any] = {"user": "admin", **PROXIED}
    assert cloud.ask("POST", "/v2.1/os-networks", body, **PROXIED).status_code == 403
    made = cloud.ask("POST", "/v2.1/os-networks", body, **operator)
    assert made.status_code == 200, made.text
    network = made.json()["network"]
    assert (network["dns1"], network["gateway"], network["project_id"]) == ("9.9.9.9", "10.9.0.1", None)
    path = f"/v2.1/os-networks/{network['id']}"
    try:
        assert cloud.ask("POST", "/v2.1/os-networks", body, **operator).status_code == 409
        assert cloud.ask("POST", "/v2.1/os-networks/add", {"id": network["id"]}, **operator).status_code == 202
        assert cloud.ask("GET", path, **PROXIED).status_code == 404
        assert cloud.ask("POST", f"{path}/action", {"disassociate": None}, **operator).status_code == 202
        assert cloud.ask("GET", path, **PROXIED).status_code == 200
        assert cloud.ask("POST", f"{path}/action", {"paint": None}, **operator).status_code == 400
    finally:
        assert cloud.ask("DELETE", path, **operator).status_code == 202
    assert cloud.ask("GET", path, **operator).status_code == 404


def test_a_fixed_address_is_kept_from_guests(cloud: Cloud) -> None:
    server_id = cloud.boot()
    (held,) = cloud.show(server_id)["addresses"]["private"]
    operator: dict[str, Any] = {"user": "admin", **PROXIED}

    def fixed(address: str) -> Any:
        return cloud.ask("GET", f"/v2.1/os-fixed-ips/{address}", **operator).json()["fixed_ip"]

    def act(address: str, action: str) -> int:
        path = f"/v2.1/os-fixed-ips/{address}/action"
        return cloud.ask("POST", path, {action: None}, **operator).status_code

    assert (fixed(held["addr"])["hostname"], fixed(held["addr"])["reserved"]) == ("vm", False)
    assert cloud.ask("GET", f"/v2.1/os-fixed-ips/{held['addr']}", **PROXIED).status_code == 403
    assert act("10.0.3.7", "reserve") == 202
    try:
        assert fixed("10.0.3.7") | {"host": "", "hostname": ""} == {
            "address": "10.0.3.7", "cidr": "10.0.0.0/22", "hostname": "", "host": "", "reserved": True,
        }  # fmt: skip
        wanted = [{"uuid": network_id(cloud), "fixed_ip": "10.0.3.7"}]
        assert cloud.show(cloud.boot(networks=wanted))["status"] == "ERROR"
    finally:
        assert act("10.0.3.7", "unreserve") == 202
    assert cloud.show(cloud.boot(networks=wanted))["status"] == "ACTIVE"
    assert act("10.0.0.1", "unreserve") == 400
    assert act("192.0.2.1", "reserve") == 404
    assert act("nonsense", "reserve") == 404


def network_id(cloud: Cloud) -> str:
    (network,) = cloud.ask("GET", "/v2.1/os-networks", **PROXIED).json()["networks"]
    return str(network["id"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_an_operator_allows_everybody_holds_for_groups_and_their_rules(cloud: Cloud, group: str) -> None:
    def allow(**limits: int) -> None:
        body = {"quota_class_set": limits}
        path = "/v2.1/os-quota-class-sets/default"
        assert cloud.ask("PUT", path, body, user="admin", **PROXIED).ok

    other = {"security_group": {"name": "other", "description": ""}}
    wanted = {"parent_group_id": group, "ip_protocol": "tcp", "from_port": 1, "to_port": 1, "cidr": "0.0.0.0/0"}
    allow(security_groups=2, security_group_rules=0)
    answers = [
        cloud.ask("POST", "/v2.1/os-security-groups", other, **PROXIED),
        cloud.ask("POST", "/v2.1/os-security-group-rules", {"security_group_rule": wanted}, **PROXIED),
    ]
    allow(security_groups=10, security_group_rules=20)

    assert [answer.status_code for answer in answers] == [403, 403]
