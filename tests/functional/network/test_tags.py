"""Tags of what the network keeps; who serves networks, and how full they are."""

import pytest

from nova_lite.core import ids
from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

API = "network"


def made(cloud: Cloud, collection: str, body: dict[str, object], user: str) -> str:
    answer = cloud.ask("POST", f"/v2.0/{collection}", body, api=API, user=user)
    assert answer.status_code == 201, answer.text
    (resource,) = answer.json().values()
    return str(resource["id"])


def resource_of(cloud: Cloud, collection: str) -> tuple[str, str]:
    """Return a resource of a collection, and the user that may change it."""
    match collection:
        case "routers":
            return made(cloud, collection, {"router": {"name": "r"}}, "demo"), "demo"
        case "security-groups":
            return made(cloud, collection, {"security_group": {"name": ids.new_hex()}}, "demo"), "demo"
        case "ports":
            server_id = cloud.boot()
            found = cloud.ask("GET", f"/v2.0/ports?device_id={server_id}", api=API).json()["ports"]
            return found[0]["id"], "demo"
        case "floatingips":
            bulk = {"floating_ips_bulk_create": {"ip_range": "192.0.2.64/30"}}
            cloud.ask("POST", "/v2.1/os-floating-ips-bulk", bulk, user="admin", version="2.1")
            networks = cloud.ask("GET", "/v2.0/networks?router:external=True", api=API).json()["networks"]
            body: dict[str, object] = {"floatingip": {"floating_network_id": networks[0]["id"]}}
            return made(cloud, collection, body, "demo"), "demo"
        case _:
            return cloud.ask("GET", f"/v2.0/{collection}", api=API).json()[collection][0]["id"], "admin"


@pytest.mark.parametrize(
    "collection", ["networks", "subnets", "ports", "floatingips", "routers", "security-groups"]
)
def test_what_is_tagged_is_found_by_its_tags(cloud: Cloud, collection: str) -> None:
    wanted, user = resource_of(cloud, collection)
    one, name = f"/v2.0/{collection}/{wanted}", collection.replace("-", "_")

    def ask(method: str, path: str, body: object = None) -> tuple[int, object]:
        answer = cloud.ask(method, one + path, body, api=API, user=user)
        return answer.status_code, answer.json() if answer.content else None

    def found(query: str) -> bool:
        listed = cloud.ask("GET", f"/v2.0/{collection}?{query}", api=API).json()[name]
        return wanted in [resource["id"] for resource in listed]

    assert ask("PUT", "/tags", {"tags": ["b", "a", "b"]}) == (200, {"tags": ["a", "b"]})
    assert ask("PUT", "/tags/c") == (201, None)
    assert ask("GET", "/tags") == (200, {"tags": ["a", "b", "c"]})
    assert (ask("GET", "/tags/c")[0], ask("GET", "/tags/d")[0]) == (204, 404)
    shown = cloud.ask("GET", one, api=API).json()
    assert next(iter(shown.values()))["tags"] == ["a", "b", "c"]
    assert [found(f"{name}={tags}") for name in ("tags", "tags-any") for tags in ("a,b", "a,x", "x")] == [
        True, False, False, True, True, False,
    ]  # fmt: skip
    assert [found(f"{name}={tags}") for name in ("not-tags", "not-tags-any") for tags in ("a,b", "a,x", "x")] == [
        False, True, True, False, False, True,
    ]  # fmt: skip
    assert (ask("DELETE", "/tags/c")[0], ask("DELETE", "/tags/c")[0]) == (204, 404)
    assert ask("PUT", "/tags", {"tags": ["a/b"]})[0] == 400
    assert ask("PUT", "/tags", {"tags": [str(number) for number in range(51)]})[0] == 400
    assert cloud.ask("PUT", f"{one}/tags/x", api=API, user="other").status_code in (403, 404)
    assert ask("DELETE", "/tags") == (204, None)
    assert ask("GET", "/tags") == (200, {"tags": []})
    if collection in ("routers", "security-groups", "floatingips"):
        assert cloud.ask("DELETE", one, api=API).status_code == 204


def test_agents_are_the_network_daemons(cloud: Cloud) -> None:
    (agent,) = cloud.ask("GET", "/v2.0/agents", api=API, user="admin").json()["agents"]
    assert (agent["host"], agent["binary"], agent["alive"], agent["admin_state_up"]) == (
        "host1", "nova-network", True, True,
    )  # fmt: skip
    one = f"/v2.0/agents/{agent['id']}"
    for state in (False, True):
        body = {"agent": {"admin_state_up": state}}
        changed = cloud.ask("PUT", one, body, api=API, user="admin").json()["agent"]
        assert changed["admin_state_up"] is state
    assert cloud.ask("GET", one, api=API, user="admin").json()["agent"]["id"] == agent["id"]
    assert cloud.ask("GET", one, api=API).status_code == 403
    assert cloud.ask("GET", "/v2.0/agents/x", api=API, user="admin").status_code == 404
    zones = cloud.ask("GET", "/v2.0/availability_zones", api=API).json()["availability_zones"]
    assert zones == [{"name": "nova", "resource": "network", "state": "available"}]
    assert cloud.ask("GET", "/v2.0/service-providers", api=API).json()["service_providers"]


def test_an_operator_sees_how_full_networks_are(cloud: Cloud) -> None:
    path = "/v2.0/network-ip-availabilities"

    def used() -> int:
        (row,) = cloud.ask("GET", f"{path}?network_name=private", api=API, user="admin").json()[
            "network_ip_availabilities"
        ]
        (subnet,) = row["subnet_ip_availability"]
        assert (subnet["used_ips"], subnet["total_ips"]) == (row["used_ips"], row["total_ips"])
        assert row["total_ips"] > 900
        return int(row["used_ips"])

    before = used()
    cloud.boot(min_count=2, max_count=2)
    assert used() == before + 2
    network = cloud.ask("GET", "/v2.0/networks?name=private", api=API).json()["networks"][0]["id"]
    shown = cloud.ask("GET", f"{path}/{network}", api=API, user="admin").json()["network_ip_availability"]
    assert shown["used_ips"] == before + 2
    assert cloud.ask("GET", f"{path}/x", api=API, user="admin").status_code == 404
    assert cloud.ask("GET", path, api=API).status_code == 403
    listed = cloud.ask("GET", f"{path}?ip_version=6", api=API, user="admin").json()
    assert listed["network_ip_availabilities"] == []
