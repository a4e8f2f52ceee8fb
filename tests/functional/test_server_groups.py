"""Server groups and scheduler hints."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import Cloud

PATH = "/v2.1/os-server-groups"

with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def no_groups_left(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.delete_all()
    for group in cloud.ask("GET", PATH).json()["server_groups"]:
        assert cloud.ask("DELETE", f"{PATH}/{group['id']}").status_code == 204


def make(cloud: Cloud, policy: str, **more: Any) -> str:
    answer = cloud.ask("POST", PATH, {"server_group": {"name": "group", "policy": policy} | more})
    assert answer.status_code == 200, answer.text
    group_id: str = answer.json()["server_group"]["id"]
    return group_id


def status_with(cloud: Cloud, **hints: Any) -> str:
    status: str = cloud.show(cloud.boot("hinted", hints=hints))["status"]
    return status


def test_a_group_shows_its_members(cloud: Cloud) -> None:
    group_id = make(cloud, "affinity")
    first = cloud.boot("first", hints={"group": group_id})
    cloud.boot("apart")

    assert cloud.ask("GET", f"{PATH}/{group_id}").json()["server_group"]["members"] == [first]
    assert cloud.show(first)["server_groups"] == [group_id]
    cloud.ask("DELETE", f"/v2.1/servers/{first}")
    cloud.settle()
    assert cloud.ask("GET", f"{PATH}/{group_id}").json()["server_group"]["members"] == []


@with_sqlite
def test_apart_means_that_one_host_takes_only_so_many(cloud: Cloud) -> None:
    strict, two = make(cloud, "anti-affinity"), make(cloud, "anti-affinity", rules={"max_server_per_host": 2})

    assert [status_with(cloud, group=strict) for _ in range(2)] == ["ACTIVE", "ERROR"]
    assert [status_with(cloud, group=two) for _ in range(3)] == ["ACTIVE", "ACTIVE", "ERROR"]
    together = make(cloud, "affinity")
    assert [status_with(cloud, group=together) for _ in range(2)] == ["ACTIVE", "ACTIVE"]
    softly = make(cloud, "soft-anti-affinity")
    assert [status_with(cloud, group=softly) for _ in range(2)] == ["ACTIVE", "ACTIVE"]


def test_several_of_one_request_are_apart_too(cloud: Cloud) -> None:
    group_id = make(cloud, "anti-affinity")
    cloud.boot("several", hints={"group": group_id}, min_count=3, max_count=3)

    servers = cloud.ask("GET", "/v2.1/servers/detail").json()["servers"]
    assert sorted(server["status"] for server in servers) == ["ACTIVE", "ERROR", "ERROR"]


@with_sqlite
def test_why_no_host_was_found_is_told_to_admins_filter_by_filter(cloud: Cloud) -> None:
    alone = cloud.boot("alone")
    server_id = cloud.boot("refused", hints={"different_host": alone})

    fault = cloud.show(server_id)["fault"]
    assert fault["message"] == "No valid host was found. There are not enough hosts available."
    assert "details" not in fault
    details = cloud.show(server_id, user="admin")["fault"]["details"]
    assert "1 after ComputeFilter" in details
    assert "0 after DifferentHostFilter" in details


@with_sqlite
def test_hints_choose_the_host(cloud: Cloud) -> None:
    here, nowhere = cloud.boot("here"), str(uuid.uuid4())

    assert status_with(cloud, same_host=[here]) == "ACTIVE"
    assert status_with(cloud, same_host=[nowhere]) == "ERROR"
    assert status_with(cloud, different_host=nowhere) == "ACTIVE"
    assert status_with(cloud, build_near_host_ip="127.0.0.9", cidr="/24") == "ACTIVE"
    assert status_with(cloud, build_near_host_ip="192.0.2.1") == "ERROR"
    assert status_with(cloud, query='[">=", "$free_ram_mb", 64]') == "ACTIVE"
    assert status_with(cloud, query=["and", ["=", "$host", "host1"], ["<", "$free_disk_mb", 0]]) == "ERROR"


@with_sqlite
@pytest.mark.parametrize(
    "hints",
    [
        {"group": str(uuid.uuid4())},
        {"group": "no id"},
        {"query": "{"},
        {"query": ["xor", 1, 2]},
        {"build_near_host_ip": "10.0.0.1", "cidr": "/99"},
        {"same_host": [1]},
    ],
    ids=str,
)
def test_a_bad_hint_is_400(cloud: Cloud, hints: dict[str, Any]) -> None:
    body = {"name": "vm", "flavorRef": "6", "imageRef": cloud.image(), "networks": "auto"}
    answer = cloud.ask("POST", "/v2.1/servers", {"server": body, "os:scheduler_hints": hints})
    assert answer.status_code == 400


@with_sqlite
def test_groups_are_bounded_and_their_projects_own(cloud: Cloud) -> None:
    group_id = make(cloud, "affinity")
    assert cloud.ask("GET", f"{PATH}/{group_id}", user="other").status_code == 404
    assert cloud.ask("DELETE", f"{PATH}/{group_id}", user="other").status_code == 404
    for _ in range(9):
        make(cloud, "affinity")
    refused = cloud.ask("POST", PATH, {"server_group": {"name": "eleventh", "policy": "affinity"}})
    assert refused.status_code == 403
    rules = {"name": "x", "policy": "affinity", "rules": {"max_server_per_host": 2}}
    assert cloud.ask("POST", PATH, {"server_group": rules}).status_code == 400
