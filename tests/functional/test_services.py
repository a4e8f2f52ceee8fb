"""Daemons that are forgotten, hosts that nobody switches on, and what compute had once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts

with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoHosts]:
    yield from two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite")


def daemon(cloud: TwoHosts, version: str) -> dict[str, Any]:
    path = f"/v2.1/os-services?binary=nova-compute&host={SECOND}"
    (found,) = cloud.ask("GET", path, user="admin", version=version).json()["services"]
    return dict(found)


@pytest.mark.parametrize("version", ["2.1", "2.53"])
def test_a_daemon_is_forgotten_once_its_host_is_empty(two: TwoHosts, version: str) -> None:
    two.ask("PUT", "/v2.1/os-services/disable", {"host": "host1", "binary": "nova-compute"}, user="admin",
            version="2.1")  # fmt: skip
    server_id = two.boot("there")
    assert two.host_of(server_id) == SECOND
    path = f"/v2.1/os-services/{daemon(two, version)['id']}"
    group = {"aggregate": {"name": "a", "availability_zone": "z"}}
    number = two.ask("POST", "/v2.1/os-aggregates", group, user="admin").json()["aggregate"]["id"]

    refused = two.ask("DELETE", path, user="admin", version=version)
    assert (refused.status_code, "hosting instances" in refused.text) == (409, True)
    two.delete_all()
    put = {"add_host": {"host": SECOND}}
    assert two.ask("POST", f"/v2.1/os-aggregates/{number}/action", put, user="admin").status_code == 200
    two.stop_second()
    assert two.ask("DELETE", path, user="admin", version=version).status_code == 204

    assert two.ask("DELETE", path, user="admin", version=version).status_code == 404
    listed = two.ask("GET", "/v2.1/os-hypervisors", user="admin").json()["hypervisors"]
    assert [one["hypervisor_hostname"] for one in listed] == ["host1"]
    assert two.ask("GET", f"/v2.1/os-aggregates/{number}", user="admin").json()["aggregate"]["hosts"] == []


@with_sqlite
@pytest.mark.parametrize("power", ["startup", "shutdown", "reboot"])
def test_hosts_are_not_switched(cloud: Cloud, power: str) -> None:
    path = f"/v2.1/os-hosts/host1/{power}"
    answer = cloud.ask("GET", path, user="admin", version="2.42")
    assert (answer.status_code, list(answer.json())) == (501, ["notImplemented"])
    assert cloud.ask("GET", path.replace("host1", "nowhere"), user="admin", version="2.42").status_code == 404
    assert cloud.ask("GET", path, user="admin", version="2.43").status_code == 404


@with_sqlite
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/os-cells", None),
        ("POST", "/os-cells", {"cell": {"name": "a"}}),
        ("GET", "/os-cells/capacities", None),
        ("PUT", "/os-cells/a", {}),
        ("GET", "/os-fping", None),
        ("GET", "/os-cloudpipe", None),
        ("POST", "/os-cloudpipe", {"cloudpipe": {"project_id": "x"}}),
        ("GET", "/servers/a/consoles", None),
        ("POST", "/servers/a/action", {"resetNetwork": None}),
        ("POST", "/servers/a/action", {"injectNetworkInfo": None}),
    ],
)
def test_what_is_gone_is_said_to_be_gone(cloud: Cloud, method: str, path: str, body: Any) -> None:
    answer = cloud.ask(method, f"/v2.1{path}", body)
    assert (answer.status_code, answer.json()["computeFault"]["code"]) == (410, 410)


@with_sqlite
def test_there_are_no_volumes(cloud: Cloud) -> None:
    server_id = cloud.boot()
    path = f"/v2.1/servers/{server_id}/os-volume_attachments"
    volume = "9a5b4b24-1a2c-4f6e-8a11-0d3f6e1c5a77"
    assert cloud.ask("GET", path).json() == {"volumeAttachments": []}
    assert cloud.ask("GET", f"{path}/{volume}").status_code == 404
    attachment = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.ask("POST", path, attachment).status_code == 404
    assert cloud.ask("PUT", f"{path}/{volume}", attachment, user="admin").status_code == 404
    assert cloud.ask("DELETE", f"{path}/{volume}").status_code == 404
    late = {"volumeAttachment": {"volumeId": volume, "delete_on_termination": True}}
    assert cloud.ask("POST", path, late, version="2.78").status_code == 400
    for name in ("os-volumes", "os-snapshots", "os-volume-types"):
        assert cloud.ask("GET", f"/v2.1/{name}", version="2.1").status_code == 404


@with_sqlite
def test_a_volume_service_is_told_that_no_server_has_its_volume(cloud: Cloud) -> None:
    path = "/v2.1/os-assisted-volume-snapshots"
    info = {"snapshot_id": "s", "type": "qcow2", "new_file": "f"}
    made = cloud.ask("POST", path, {"snapshot": {"volume_id": "v", "create_info": info}}, user="admin")
    assert (made.status_code, "attached to no server" in made.text) == (400, True)
    bad = cloud.ask("POST", path, {"snapshot": {"volume_id": "v", "create_info": {}}}, user="admin")
    assert (bad.status_code, "snapshot_id" in bad.text) == (400, True)
    assert cloud.ask("DELETE", f"{path}/s?delete_info=1", user="admin").status_code == 400


@with_sqlite
def test_a_project_has_a_network_made_for_it(cloud: Cloud) -> None:
    path, wanted = "/v2.1/os-tenant-networks", {"network": {"label": "own", "cidr": "10.99.0.0/24"}}
    assert cloud.ask("POST", path, wanted, version="2.35").status_code == 403
    made = cloud.ask("POST", path, wanted, user="admin", version="2.35")
    assert (made.status_code, made.json()["network"]["cidr"]) == (200, "10.99.0.0/24")
    own = f"{path}/{made.json()['network']['id']}"
    assert cloud.ask("GET", own, version="2.35").status_code == 404
    assert cloud.ask("DELETE", own, user="admin", version="2.35").status_code == 202
    assert cloud.ask("GET", own, user="admin", version="2.35").status_code == 404


@with_sqlite
def test_the_topology_of_a_server_is_there_since_2_78_and_for_who_says_no_version(cloud: Cloud) -> None:
    path = f"/v2.1/servers/{cloud.boot()}/topology"
    assert cloud.ask("GET", path, version="2.78").json() == {"nodes": [], "pagesize_kb": None}
    assert cloud.ask("GET", path, version="2.77").status_code == 404
    assert cloud.ask("GET", path, headers={"OpenStack-API-Version": ""}).status_code == 200


@with_sqlite
@pytest.mark.parametrize("scope", [{"system": {"all": True}}, {"domain": {"id": "default"}}])
def test_a_token_that_is_not_of_a_project_opens_identity_alone(cloud: Cloud, scope: Any) -> None:
    user = cloud.ask("GET", "/v3/users?name=admin", api="identity", user="admin").json()["users"][0]["id"]
    role = cloud.ask("GET", "/v3/roles?name=admin", api="identity", user="admin").json()["roles"][0]["id"]
    target = "system" if "system" in scope else "domains/default"
    grant = f"/v3/{target}/users/{user}/roles/{role}"
    assert cloud.ask("PUT", grant, api="identity", user="admin").status_code == 204
    who = {"name": "admin", "domain": {"id": "default"}, "password": "admin-secret"}
    identity = {"methods": ["password"], "password": {"user": who}}
    body = {"auth": {"identity": identity, "scope": scope}}
    token = cloud.ask("POST", "/v3/auth/tokens", body, api="identity").headers["X-Subject-Token"]
    cloud.ask("DELETE", grant, api="identity", user="admin")
    cloud.ask("PUT", grant, api="identity", user="admin")
    mine = {"headers": {"X-Auth-Token": token}}

    assert cloud.ask("GET", "/v3/users", api="identity", **mine).status_code == 200
    for api, path in (("osapi_compute", "/v2.1/servers"), ("image", "/v2/images"), ("network", "/v2.0/networks")):
        assert cloud.ask("GET", path, api=api, **mine).status_code == 403
    cloud.ask("DELETE", grant, api="identity", user="admin")
