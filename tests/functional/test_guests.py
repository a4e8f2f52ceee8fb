"""What is asked of guests, and what other services tell of servers."""

import concurrent.futures
import dataclasses
from pathlib import Path

import pytest

from nova_lite.core.errors import Conflict
from nova_lite.core.instance_states import OPTIONAL, Verb
from nova_lite.core.metadata import MetadataSettings
from nova_lite.drivers.virt.base import Capabilities
from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.operations.metadata import Metadata
from tests.cloud import Cloud, running
from tests.functional.conftest import NewDatabase

GONE = "17a2ff08-b3d1-43e6-9a1d-9d5d9cff6d4a"


def console(cloud: Cloud, server_id: str) -> str:
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/action", {"os-getConsoleOutput": {}})
    return str(answer.json()["output"])


def test_a_password_reaches_the_guest_and_is_nowhere_to_be_read(cloud: Cloud) -> None:
    server_id = cloud.boot()
    assert cloud.act(server_id, {"changePassword": {"adminPass": "hush-hush"}}).status_code == 202

    assert "password was changed" in console(cloud, server_id)
    assert cloud.show(server_id)["status"] == "ACTIVE"
    dump = Path(cloud.conf.sql_connection.removeprefix("sqlite:///"))
    if dump.exists():
        assert b"hush-hush" not in dump.read_bytes()
    cloud.act(server_id, {"os-stop": None})
    assert cloud.act(server_id, {"changePassword": {"adminPass": "x"}}).status_code == 409


class Container(FakeVirtDriver):
    """A hypervisor that cannot do everything."""

    @property
    def capabilities(self) -> Capabilities:
        """As the driver of containers has them."""
        return dataclasses.replace(super().capabilities, cannot=OPTIONAL - {Verb.PAUSE, Verb.RESCUE})


def test_what_a_hypervisor_cannot_do_is_refused_at_once(tmp_path: Path, new_database: NewDatabase) -> None:
    with running(tmp_path, new_database("sqlite"), f"--compute_driver={__name__}.Container") as cloud:
        server_id = cloud.boot()
        refused = [
            ("suspend", None), ("changePassword", {"adminPass": "x"}), ("trigger_crash_dump", None),
            ("os-migrateLive", {"host": None, "block_migration": "auto"}),
        ]  # fmt: skip
        for verb, body in refused:
            answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/action", {verb: body}, user="admin")
            assert answer.status_code == 409, verb
            assert answer.json()["conflictingRequest"]["message"] == (
                f"Cannot '{verb}' instance {server_id}: the hypervisor of its host cannot do that."
            )
            shown = cloud.show(server_id)
            assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("ACTIVE", None)
        assert cloud.act(server_id, {"pause": None}).status_code == 202
        assert cloud.show(server_id)["status"] == "PAUSED"
        cloud.delete_all()
        assert cloud.leaks() == []


def test_a_crash_dump_is_triggered_since_2_17(cloud: Cloud) -> None:
    server_id = cloud.boot()
    assert cloud.act(server_id, {"trigger_crash_dump": None}, version="2.16").status_code == 400
    assert cloud.act(server_id, {"trigger_crash_dump": None}).status_code == 202
    assert "memory was dumped" in console(cloud, server_id)


def test_diagnostics_have_two_forms(cloud: Cloud) -> None:
    server_id = cloud.boot()
    path = f"/v2.1/servers/{server_id}/diagnostics"
    assert cloud.ask("GET", path).status_code == 403
    assert cloud.ask("GET", path, user="admin", version="2.47").json()["cpu0_time"] == 0
    new = cloud.ask("GET", path, user="admin").json()
    assert (new["state"], new["num_cpus"], new["num_nics"]) == ("running", 1, 1)
    assert cloud.ask("GET", f"/v2.1/servers/{server_id}/topology").json() == {
        "nodes": [],
        "pagesize_kb": None,
    }


def send(cloud: Cloud, *events: dict[str, str], version: str = "2.96") -> tuple[int, list[int]]:
    answer = cloud.ask(
        "POST", "/v2.1/os-server-external-events", {"events": list(events)}, user="admin", version=version
    )
    cloud.settle()
    return answer.status_code, [event["code"] for event in answer.json().get("events", [])]


def test_events_of_other_services_are_done_each_for_itself(cloud: Cloud) -> None:
    server_id = cloud.boot()
    changed = {"server_uuid": server_id, "name": "network-changed"}
    off = {"server_uuid": server_id, "name": "power-update", "tag": "POWER_OFF"}

    assert send(cloud, changed) == (200, [200])
    assert send(cloud, changed, {"server_uuid": GONE, "name": "network-changed"}) == (207, [200, 404])
    assert send(cloud, {"server_uuid": GONE, "name": "network-changed"}) == (404, [])
    assert send(cloud, off) == (200, [200])
    assert cloud.show(server_id)["status"] == "SHUTOFF"
    assert send(cloud, off) == (200, [200])
    assert send(cloud, off | {"tag": "POWER_ON"}) == (200, [200])
    assert cloud.show(server_id)["status"] == "ACTIVE"
    assert send(cloud, off | {"tag": "SIDEWAYS"}, changed) == (207, [400, 200])


@pytest.mark.parametrize(
    ("name", "version"), [("power-update", "2.75"), ("volume-extended", "2.50"), ("x", "2.96")]
)
def test_events_are_known_from_their_version_on(cloud: Cloud, name: str, version: str) -> None:
    assert send(cloud, {"server_uuid": GONE, "name": name}, version=version)[0] == 400


def test_a_guest_tells_its_password_once(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", "--use_forwarded_for") as cloud:
        _tell_password(cloud)


def _tell_password(cloud: Cloud) -> None:
    server_id = cloud.boot()
    (address,) = cloud.show(server_id)["addresses"]["private"]
    as_guest = {"api": "metadata", "headers": {"X-Forwarded-For": address["addr"]}}
    path = f"/v2.1/servers/{server_id}/os-server-password"
    assert cloud.ask("GET", path).json() == {"password": ""}

    def tell(text: bytes) -> int:
        return cloud.ask("POST", "/openstack/latest/password", data=text, **as_guest).status_code

    assert tell(b"") == 400
    assert tell(b"x" * 1025) == 400
    assert tell(b"x" * 5000) == 413
    assert tell(b"\xff") == 400
    assert tell(b"ZW5jcnlwdGVk") == 200
    assert tell(b"b3RoZXI=") == 409

    assert cloud.ask("GET", path).json() == {"password": "ZW5jcnlwdGVk"}
    assert cloud.ask("GET", "/openstack/latest/password", **as_guest).text == "ZW5jcnlwdGVk"
    assert cloud.ask("DELETE", path).status_code == 204
    assert cloud.ask("GET", path).json() == {"password": ""}
    assert cloud.ask("GET", path, user="other").status_code == 404


def test_a_guest_that_tells_several_passwords_at_once_is_heard_once(cloud: Cloud) -> None:
    server_id = cloud.boot()
    (address,) = cloud.show(server_id)["addresses"]["private"]
    metadata = Metadata(cloud.database, MetadataSettings())

    def tell(text: str) -> str:
        try:
            metadata.tell_password(address["addr"], text)
        except Conflict:
            return ""
        return text

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        (heard,) = filter(None, pool.map(tell, ("one", "two", "three", "four")))

    assert cloud.ask("GET", f"/v2.1/servers/{server_id}/os-server-password").json() == {"password": heard}
    cloud.delete_all()
