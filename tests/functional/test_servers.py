"""Servers as users know them, over HTTP."""

import base64
from typing import Any

import pytest
import requests

from tests.cloud import Cloud


def test_a_server_is_booted_and_everything_about_it_is_shown(cloud: Cloud) -> None:
    server_id = cloud.boot("web", metadata={"role": "front"}, description="the first")
    server = cloud.show(server_id)
    assert server["status"] == "ACTIVE"
    assert server["OS-EXT-STS:power_state"] == 1
    assert server["metadata"] == {"role": "front"}
    assert server["description"] == "the first"
    assert server["security_groups"] == [{"name": "default"}]
    (address,) = server["addresses"]["private"]
    assert address["addr"].startswith("10.0.")
    assert address["OS-EXT-IPS-MAC:mac_addr"].startswith("fa:16:3e:")


STOP, PAUSE, SUSPEND = {"os-stop": None}, {"pause": None}, {"suspend": None}
RESCUE: dict[str, Any] = {"rescue": {}}
HARD_REBOOT = {"reboot": {"type": "HARD"}}
VERBS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "stop": ([STOP], "SHUTOFF"),
    "start": ([STOP, {"os-start": None}], "ACTIVE"),
    "soft reboot": ([{"reboot": {"type": "SOFT"}}], "ACTIVE"),
    "hard reboot": ([HARD_REBOOT], "ACTIVE"),
    "hard reboot of a stopped one": ([STOP, HARD_REBOOT], "ACTIVE"),
    "pause": ([PAUSE], "PAUSED"),
    "unpause": ([PAUSE, {"unpause": None}], "ACTIVE"),
    "hard reboot of a paused one": ([PAUSE, HARD_REBOOT], "ACTIVE"),
    "suspend": ([SUSPEND], "SUSPENDED"),
    "resume": ([SUSPEND, {"resume": None}], "ACTIVE"),
    "unrescue": ([RESCUE, {"unrescue": None}], "ACTIVE"),
}


@pytest.mark.parametrize(("verbs", "status"), VERBS.values(), ids=VERBS)
def test_power_verbs_end_in_the_state_of_the_table(
    cloud: Cloud, verbs: list[dict[str, Any]], status: str
) -> None:
    server_id = cloud.boot()
    for verb in verbs:
        answer = cloud.act(server_id, verb)
        assert (answer.status_code, answer.content == b"") == (
            (200, False) if verb is RESCUE else (202, True)
        )
    assert cloud.show(server_id)["status"] == status


def test_a_verb_from_the_wrong_state_is_409_and_changes_nothing(cloud: Cloud) -> None:
    server_id = cloud.boot()
    before = cloud.show(server_id)
    answer = cloud.act(server_id, {"os-start": None})
    assert answer.status_code == 409
    assert answer.json()["conflictingRequest"]["code"] == 409
    assert "vm_state active" in answer.json()["conflictingRequest"]["message"]
    assert cloud.show(server_id) == before


def test_a_deleted_server_is_gone_and_its_address_is_free(cloud: Cloud) -> None:
    server_id = cloud.boot()
    assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 204
    cloud.settle()
    assert cloud.ask("GET", f"/v2.1/servers/{server_id}").status_code == 404
    assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 404
    assert cloud.leaks() == []


def test_many_servers_of_one_request_get_names_and_addresses_of_their_own(cloud: Cloud) -> None:
    cloud.boot("many", min_count=5, max_count=5)
    servers = cloud.ask("GET", "/v2.1/servers/detail").json()["servers"]
    assert sorted(server["name"] for server in servers) == [f"many-{number}" for number in range(1, 6)]
    assert {server["status"] for server in servers} == {"ACTIVE"}
    assert len({server["addresses"]["private"][0]["addr"] for server in servers}) == 5


def test_a_request_of_many_gives_as_many_as_the_quota_allows(cloud: Cloud) -> None:
    cloud.boot("some", min_count=2, max_count=50)
    assert len(cloud.ask("GET", "/v2.1/servers").json()["servers"]) == 10


def test_a_request_over_quota_is_403_and_takes_nothing(cloud: Cloud) -> None:
    body = {"name": "x", "flavorRef": "6", "imageRef": cloud.image(), "networks": "auto", "min_count": 11}
    answer = cloud.ask("POST", "/v2.1/servers", {"server": body})
    assert answer.status_code == 403
    assert "Quota exceeded for instances" in answer.json()["forbidden"]["message"]
    assert cloud.ask("GET", "/v2.1/limits").json()["limits"]["absolute"]["totalInstancesUsed"] == 0


def test_a_flavor_that_no_host_can_hold_ends_in_error_with_the_reason(cloud: Cloud) -> None:
    made = cloud.ask(
        "POST",
        "/v2.1/flavors",
        {"flavor": {"name": "giant", "ram": 1, "vcpus": 1, "disk": 99999999}},
        user="admin",
    )
    flavor_id = made.json()["flavor"]["id"]
    cloud.ask("POST", f"/v2.1/flavors/{flavor_id}/os-extra_specs", {"extra_specs": {"hw:a": "b"}}, user="admin")
    server = cloud.show(cloud.boot(flavorRef=flavor_id), user="admin")
    cloud.ask("DELETE", f"/v2.1/flavors/{flavor_id}", user="admin")
    assert server["status"] == "ERROR"
    assert "0 after DiskFilter" in server["fault"]["details"]


def test_the_console_and_the_record_of_actions_are_shown(cloud: Cloud) -> None:
    server_id = cloud.boot()
    output = cloud.act(server_id, {"os-getConsoleOutput": {"length": 5}})
    assert output.status_code == 200
    assert "simulated guest started" in output.json()["output"]
    cloud.act(server_id, {"os-stop": None})
    listed = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"]
    assert [action["action"] for action in listed] == ["stop", "create"]
    path = f"/v2.1/servers/{server_id}/os-instance-actions/{listed[1]['request_id']}"
    events = cloud.ask("GET", path).json()["instanceAction"]["events"]
    assert [event["event"] for event in events] == ["compute_networking", "compute_disks", "compute_spawning"]
    assert {event["result"] for event in events} == {"Success"}


def test_metadata_items_are_added_replaced_and_removed(cloud: Cloud) -> None:
    path = f"/v2.1/servers/{cloud.boot(metadata={'a': '1'})}/metadata"
    assert cloud.ask("POST", path, {"metadata": {"b": "2"}}).json() == {"metadata": {"a": "1", "b": "2"}}
    assert cloud.ask("PUT", f"{path}/a", {"meta": {"a": "3"}}).json() == {"meta": {"a": "3"}}
    assert cloud.ask("DELETE", f"{path}/b").status_code == 204
    assert cloud.ask("GET", path).json() == {"metadata": {"a": "3"}}
    assert cloud.ask("PUT", path, {"metadata": {"c": "4"}}).json() == {"metadata": {"c": "4"}}
    assert cloud.ask("GET", f"{path}/a").status_code == 404


def test_a_server_is_renamed_and_described(cloud: Cloud) -> None:
    server_id = cloud.boot()
    body = {"server": {"name": "renamed", "description": "new", "accessIPv4": "192.0.2.1"}}
    assert cloud.ask("PUT", f"/v2.1/servers/{server_id}", body).json()["server"]["name"] == "renamed"
    server = cloud.show(server_id)
    assert (server["description"], server["accessIPv4"]) == ("new", "192.0.2.1")


def test_pages_follow_each_other_by_their_links(cloud: Cloud) -> None:
    cloud.boot("page", min_count=5, max_count=5)
    path = "/v2.1/servers?limit=2&sort_key=display_name&sort_dir=asc"
    seen = [server["name"] for page in cloud.pages(path, "servers") for server in page["servers"]]
    assert seen == [f"page-{number}" for number in range(1, 6)]


def test_another_projects_server_does_not_exist(cloud: Cloud) -> None:
    server_id = cloud.boot()
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "", {"server": {"name": "x"}}),
        ("POST", "/action", {"os-stop": None}),
        ("GET", "/metadata", None),
        ("GET", "/os-instance-actions", None),
        ("GET", "/os-interface", None),
    ):
        answer = cloud.ask(method, f"/v2.1/servers/{server_id}{path}", body, user="other")
        assert answer.status_code == 404, (method, path)
    assert cloud.ask("GET", "/v2.1/servers", user="other").json()["servers"] == []
    assert cloud.ask("GET", "/v2.1/servers?all_tenants=1", user="other").status_code == 403
    assert len(cloud.ask("GET", "/v2.1/servers?all_tenants=1", user="admin").json()["servers"]) == 1


def test_the_metadata_service_tells_nothing_to_an_address_that_is_nobodys(cloud: Cloud) -> None:
    cloud.boot(user_data=base64.b64encode(b"secret").decode())
    answer = requests.get(cloud.url("metadata", "/latest/user-data"), timeout=5)
    assert answer.status_code == 404


BAD_BODIES = {
    "no name": {"flavorRef": "6", "imageRef": "IMAGE", "networks": "auto"},
    "empty name": {"name": "", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto"},
    "long name": {"name": "x" * 256, "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto"},
    "unknown key": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "colour": "red"},
    "unknown flavor": {"name": "x", "flavorRef": "99", "imageRef": "IMAGE", "networks": "auto"},
    "unknown image": {"name": "x", "flavorRef": "6", "imageRef": "0" * 36, "networks": "auto"},
    "unknown network": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": [{"uuid": "0" * 36}]},
    "unknown key pair": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "key_name": "no"},
    "unknown group": {
        "name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "security_groups": [{"name": "no"}],
    },
    "bad user data": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "user_data": "%%"},
    "bad count": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "min_count": 0},
    "reversed counts": {
        "name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "min_count": 3, "max_count": 2,
    },
    "mistyped metadata": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE", "networks": "auto", "metadata": {"a": 1}},
    "no network in 2.37": {"name": "x", "flavorRef": "6", "imageRef": "IMAGE"},
}  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_request_is_400_with_a_sentence_and_makes_nothing(
    cloud: Cloud, body: dict[str, object]
) -> None:
    wanted = {key: cloud.image() if value == "IMAGE" else value for key, value in body.items()}
    answer = cloud.ask("POST", "/v2.1/servers", {"server": wanted})
    assert answer.status_code == 400, answer.text
    assert answer.json()["badRequest"]["message"]
    assert cloud.ask("GET", "/v2.1/servers").json()["servers"] == []


def test_requests_that_are_no_requests_get_their_status(cloud: Cloud) -> None:
    url, token = cloud.url("osapi_compute", "/v2.1/servers"), cloud.token()
    headers = {"X-Auth-Token": token, "Content-Type": "application/json"}

    def post(data: bytes, **changed: str) -> requests.Response:
        return requests.post(url, data=data, headers=headers | changed, timeout=10)

    assert post(b"{not json").status_code == 400
    assert post(b"[]").status_code == 400
    assert post(b"").status_code == 400
    assert post(b"x" * 200000).status_code == 413
    assert post(b"{}", **{"Content-Type": "text/csv"}).status_code == 415
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, headers={"X-Auth-Token": "nonsense"}, timeout=10).status_code == 401
    assert requests.get(f"{url}/unknown/path", headers=headers, timeout=10).status_code == 404
    assert requests.patch(url, headers=headers, timeout=10).status_code == 405
    assert requests.get(f"{url}?limit=x", headers=headers, timeout=10).status_code == 400
    assert requests.get(f"{url}?marker=x", headers=headers, timeout=10).status_code == 400


def test_versions_are_negotiated(cloud: Cloud) -> None:
    url, token = cloud.url("osapi_compute", "/v2.1/servers"), cloud.token()

    def get(**headers: str) -> requests.Response:
        return requests.get(url, headers={"X-Auth-Token": token, **headers}, timeout=10)

    assert get().headers["OpenStack-API-Version"] == "compute 2.1"
    named = get(**{"OpenStack-API-Version": "compute 2.40"})
    assert named.headers["OpenStack-API-Version"] == "compute 2.40"
    assert named.headers["X-OpenStack-Nova-API-Version"] == "2.40"
    assert get(**{"X-OpenStack-Nova-API-Version": "2.5"}).headers["OpenStack-API-Version"] == "compute 2.5"
    assert (
        get(**{"OpenStack-API-Version": "compute latest"}).headers["OpenStack-API-Version"] == "compute 2.96"
    )
    beyond = get(**{"OpenStack-API-Version": "compute 2.97"})
    assert beyond.status_code == 406
    assert "maximum is 2.96" in beyond.json()["computeFault"]["message"]
    assert get(**{"OpenStack-API-Version": "compute nonsense"}).status_code == 400
    assert all(answer.headers["x-openstack-request-id"].startswith("req-") for answer in (named, beyond))
