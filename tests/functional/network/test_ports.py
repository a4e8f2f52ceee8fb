"""Ports of the network API, on servers that run."""

from typing import Any

import pytest

from tests.cloud import Cloud


@pytest.fixture
def port(cloud: Cloud) -> Any:
    """The port of a server."""
    path = f"/v2.0/ports?device_id={cloud.boot()}"
    (found,) = cloud.ask("GET", path, api="network").json()["ports"]
    return found


def change(cloud: Cloud, port: Any, values: dict[str, Any], **more: Any) -> Any:
    return cloud.ask("PUT", f"/v2.0/ports/{port['id']}", {"port": values}, api="network", **more)


def test_a_port_has_the_name_that_it_is_given(cloud: Cloud, port: Any) -> None:
    changed = change(cloud, port, {"name": "uplink", "description": "to the world"}).json()["port"]
    assert (changed["name"], changed["description"]) == ("uplink", "to the world")
    found = cloud.ask("GET", "/v2.0/ports?name=uplink", api="network").json()["ports"]
    assert [one["id"] for one in found] == [port["id"]]
    assert change(cloud, port, {"name": "mine"}, user="other").status_code == 404


def test_the_groups_of_a_port_are_those_of_its_server(cloud: Cloud, port: Any) -> None:
    body = {"security_group": {"name": "web", "description": ""}}
    web = cloud.ask("POST", "/v2.0/security-groups", body, api="network").json()["security_group"]["id"]
    try:
        (default,) = port["security_groups"]
        assert change(cloud, port, {"security_groups": [web]}).json()["port"]["security_groups"] == [web]
        cloud.settle()
        assert cloud.leaks() == []
        assert [group["name"] for group in cloud.show(port["device_id"])["security_groups"]] == ["web"]

        missing = change(cloud, port, {"security_groups": [default, port["id"]]})
        assert missing.status_code == 404
        assert change(cloud, port, {}).json()["port"]["security_groups"] == [web]
        both = change(cloud, port, {"security_groups": [default, web]}).json()["port"]["security_groups"]
        assert sorted(both) == sorted([default, web])
        assert change(cloud, port, {"security_groups": []}).json()["port"]["security_groups"] == []
        cloud.settle()
        assert cloud.leaks() == []
    finally:
        assert cloud.ask("DELETE", f"/v2.0/security-groups/{web}", api="network").status_code == 204


def test_a_server_loses_a_port_that_is_deleted(cloud: Cloud, port: Any) -> None:
    path = f"/v2.0/ports/{port['id']}"
    assert cloud.ask("DELETE", path, api="network", user="other").status_code == 404
    assert cloud.ask("DELETE", path, api="network").status_code == 204
    cloud.settle()
    assert cloud.ask("GET", path, api="network").status_code == 404
    assert cloud.show(port["device_id"])["addresses"] == {}


@pytest.mark.parametrize("values", [{"mac_address": "x"}, {"admin_state_up": False}, {"security_groups": "web"}])
def test_what_a_port_cannot_be_is_refused(cloud: Cloud, port: Any, values: dict[str, Any]) -> None:
    assert change(cloud, port, values).status_code == 400
