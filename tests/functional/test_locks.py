"""Locks on servers, and what an admin says of a server's state."""

import pytest

from tests.cloud import Cloud

LOCK = {"lock": {"locked_reason": "being audited"}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/action", {"os-stop": None}),
        ("POST", "/action", {"pause": None}),
        ("POST", "/action", {"forceDelete": None}),
        ("DELETE", "", None),
        ("POST", "/metadata", {"metadata": {"a": "1"}}),
        ("DELETE", "/metadata/kept", None),
    ],
)
def test_only_an_admin_changes_a_locked_server(cloud: Cloud, method: str, path: str, body: object) -> None:
    server_id = cloud.boot(metadata={"kept": "1"})
    assert cloud.act(server_id, LOCK).status_code == 202
    before = cloud.show(server_id)
    assert (before["locked"], before["locked_reason"]) == (True, "being audited")

    refused = cloud.ask(method, f"/v2.1/servers/{server_id}{path}", body)
    assert refused.status_code == 409
    assert refused.json()["conflictingRequest"]["message"] == f"Instance {server_id} is locked"
    assert cloud.show(server_id) == before

    assert cloud.ask(method, f"/v2.1/servers/{server_id}{path}", body, user="admin").ok
    cloud.settle()
    assert cloud.leaks() == []


def test_an_unlocked_server_may_be_changed(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.act(server_id, LOCK)
    assert cloud.act(server_id, {"unlock": None}).status_code == 202

    server = cloud.show(server_id)
    assert (server["locked"], server["locked_reason"]) == (False, None)
    assert cloud.act(server_id, {"os-stop": None}).status_code == 202


def test_what_an_admin_locked_only_an_admin_unlocks(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.act(server_id, LOCK)
    cloud.act(server_id, {"lock": {"locked_reason": "by the operator"}}, user="admin")
    assert cloud.show(server_id)["locked_reason"] == "by the operator"

    # the owner's own lock does not take the operator's away
    cloud.act(server_id, LOCK)
    assert cloud.show(server_id)["locked_reason"] == "by the operator"
    assert cloud.act(server_id, {"unlock": None}).status_code == 403
    assert cloud.show(server_id)["locked"] is True

    assert cloud.act(server_id, {"unlock": None}, user="admin").status_code == 202
    assert cloud.show(server_id)["locked"] is False


def test_locks_have_a_reason_and_are_listed_where_the_version_says_so(cloud: Cloud) -> None:
    locked, free = cloud.boot("locked"), cloud.boot("free")
    old = cloud.act(locked, {"lock": "whatever"}, version="2.72")
    assert old.status_code == 202
    assert cloud.show(locked)["locked_reason"] is None
    assert cloud.act(free, {"lock": {"locked_reason": ""}}).status_code == 400
    assert cloud.act(free, {"lock": "whatever"}).status_code == 400

    def listed(query: str, version: str) -> list[str]:
        found = cloud.ask("GET", f"/v2.1/servers?{query}", version=version).json()["servers"]
        return sorted(server["name"] for server in found)

    assert listed("locked=true", "2.73") == ["locked"]
    assert listed("locked=false", "2.73") == ["free"]
    assert listed("locked=true", "2.72") == ["free", "locked"]
    assert cloud.ask("GET", "/v2.1/servers?locked=perhaps", version="2.73").status_code == 400


def test_an_admin_says_what_state_a_server_is_in(cloud: Cloud) -> None:
    server_id = cloud.boot()
    body = {"os-resetState": {"state": "error"}}
    assert cloud.act(server_id, body).status_code == 403
    assert cloud.show(server_id)["status"] == "ACTIVE"
    assert cloud.act(server_id, body, user="admin").status_code == 202
    assert cloud.show(server_id)["status"] == "ERROR"
    assert cloud.act(server_id, {"os-resetState": {"state": "active"}}, user="admin").status_code == 202
    assert cloud.show(server_id)["status"] == "ACTIVE"
    assert cloud.act(server_id, {"os-resetState": {"state": "stopped"}}, user="admin").status_code == 400


def test_a_server_may_be_deleted_by_force(cloud: Cloud) -> None:
    server_id = cloud.boot()
    assert cloud.act(server_id, {"forceDelete": None}).status_code == 202
    assert cloud.ask("GET", f"/v2.1/servers/{server_id}").status_code == 404
    assert cloud.leaks() == []


def test_a_server_that_no_host_has_cannot_be_worked_on(cloud: Cloud) -> None:
    too_large = {"name": "huge", "vcpus": 1, "ram": 64, "disk": 99999999, "id": "huge"}
    assert cloud.ask("POST", "/v2.1/flavors", {"flavor": too_large}, user="admin").ok
    server_id = cloud.boot(flavorRef="huge")
    try:
        assert cloud.show(server_id)["status"] == "ERROR"
        refused = cloud.act(server_id, {"os-stop": None})
        assert refused.status_code == 409
        assert "on no host" in refused.json()["conflictingRequest"]["message"]
        assert cloud.show(server_id)["status"] == "ERROR"
    finally:
        cloud.ask("DELETE", "/v2.1/flavors/huge", user="admin")
