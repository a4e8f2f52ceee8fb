"""Resizing and migrating servers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts

RESIZE: dict[str, Any] = {"resize": {"flavorRef": "1"}}
CONFIRM, REVERT, MIGRATE = {"confirmResize": None}, {"revertResize": None}, {"migrate": None}


@pytest.fixture(scope="module")
def shared_cloud(database_url: str, tmp_path_factory: Any, new_database: Any) -> Iterator[TwoHosts]:
    kind = database_url.split(":")[0].split("+")[0]
    database = new_database({"mysql": "mariadb"}.get(kind, kind))
    yield from two_hosts(tmp_path_factory.mktemp("two"), database, "--quota_cores=3")


with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def usage(cloud: TwoHosts) -> tuple[int, int]:
    """Return the cores and memory that the project's quota counts."""
    limits = cloud.ask("GET", "/v2.1/limits").json()["limits"]["absolute"]
    return limits["totalCoresUsed"], limits["totalRAMUsed"]


def room(cloud: TwoHosts) -> dict[str, int]:
    """Return the memory that is given away on each host."""
    found = cloud.ask("GET", "/v2.1/os-hypervisors/detail", user="admin", version="2.53").json()[
        "hypervisors"
    ]
    return {node["hypervisor_hostname"]: node["memory_mb_used"] for node in found}


def migrations(cloud: TwoHosts) -> list[tuple[str, str]]:
    found = cloud.ask("GET", "/v2.1/os-migrations", user="admin").json()["migrations"]
    return [(one["migration_type"], one["status"]) for one in found]


def look(cloud: TwoHosts, server_id: str) -> tuple[str, int]:
    """Return the status and power state of a server."""
    shown = cloud.show(server_id)
    return shown["status"], shown["OS-EXT-STS:power_state"]


@pytest.mark.parametrize("word", [CONFIRM, REVERT])
def test_hosts_that_share_their_disks_carry_nothing(tmp_path: Any, word: dict[str, Any]) -> None:
    shared = f"--instances_path={tmp_path}/instances"
    for cloud in two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", shared):
        server_id = cloud.boot("moves")
        was = cloud.host_of(server_id)
        stored = sorted((tmp_path / "images").rglob("*"))
        cloud.act(server_id, MIGRATE, user="admin")
        assert (cloud.show(server_id)["status"], cloud.host_of(server_id) == was) == ("VERIFY_RESIZE", False)
        assert sorted((tmp_path / "images").rglob("*")) == stored
        assert len(cloud.files()) == 2
        cloud.act(server_id, word)
        assert (cloud.show(server_id)["status"], len(cloud.files())) == ("ACTIVE", 1)
        assert (cloud.host_of(server_id) == was) == (word is REVERT)
        cloud.delete_all()
        assert (cloud.files(), cloud.leaks()) == ([], [])


def test_a_server_is_resized_and_its_user_agrees(cloud: TwoHosts) -> None:
    server_id = cloud.boot("grows")
    assert cloud.act(server_id, RESIZE).status_code == 202

    shown = cloud.show(server_id)
    assert (shown["status"], shown["flavor"]["original_name"]) == ("VERIFY_RESIZE", "m1.tiny")
    assert sum(room(cloud).values()) == 128 + 512
    assert cloud.act(server_id, CONFIRM).status_code == 204
    shown = cloud.show(server_id)
    assert (shown["status"], shown["flavor"]["ram"]) == ("ACTIVE", 512)
    assert sum(room(cloud).values()) == 512
    assert usage(cloud) == (1, 512)
    assert migrations(cloud)[0] == ("resize", "confirmed")
    assert len(cloud.files()) == 1
    images = cloud.ask("GET", "/v2/images?os_hidden=true", user="admin", api="image").json()["images"]
    assert images == []


def test_a_resize_is_taken_back(cloud: TwoHosts) -> None:
    server_id = cloud.boot("stays")
    before = cloud.host_of(server_id)
    cloud.act(server_id, RESIZE)
    assert usage(cloud) == (1, 512)
    assert cloud.act(server_id, REVERT).status_code == 202

    shown = cloud.show(server_id)
    assert (shown["status"], shown["flavor"]["original_name"]) == ("ACTIVE", "m1.nano")
    assert cloud.host_of(server_id) == before
    assert usage(cloud) == (1, 128)
    assert migrations(cloud)[0] == ("resize", "reverted")
    assert len(cloud.files()) == 1


@with_sqlite
def test_a_server_that_is_off_stays_off(cloud: TwoHosts) -> None:
    server_id = cloud.boot("off")
    cloud.act(server_id, {"os-stop": None})
    for end in (REVERT, CONFIRM):
        cloud.act(server_id, RESIZE)
        assert look(cloud, server_id) == ("VERIFY_RESIZE", 4)
        cloud.act(server_id, end)
        assert look(cloud, server_id) == ("SHUTOFF", 4)
    assert cloud.act(server_id, {"os-start": None}).ok
    assert cloud.show(server_id)["status"] == "ACTIVE"


@with_sqlite
def test_an_admin_brings_a_server_to_another_host_and_back(cloud: TwoHosts) -> None:
    server_id = cloud.boot("moves")
    first = cloud.host_of(server_id)
    cloud.act(server_id, MIGRATE, user="admin")
    cloud.act(server_id, CONFIRM)
    second = cloud.host_of(server_id)
    assert {first, second} == {"host1", SECOND}
    assert cloud.act(server_id, {"migrate": {"host": first}}, user="admin").status_code == 202
    assert cloud.host_of(server_id) == first
    events = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"]
    assert [event["action"] for event in events] == ["migrate", "confirmResize", "migrate", "create"]
    path = f"/v2.1/servers/{server_id}/os-instance-actions/{events[0]['request_id']}"
    newest = cloud.ask("GET", path, user="admin")
    steps = newest.json()["instanceAction"]["events"]
    assert [step["host"] for step in steps] == [second] * 4 + [first] * 3
    cloud.act(server_id, CONFIRM)


@pytest.fixture
def flavors(cloud: TwoHosts) -> Iterator[None]:
    """Two flavors whose servers have ephemeral and swap disks."""
    for name, ephemeral, swap in (("less", 2, 16), ("more", 3, 32)):
        flavor = {"name": name, "id": name, "ram": 64, "vcpus": 1, "disk": 1, "swap": swap}
        body = {"flavor": flavor | {"OS-FLV-EXT-DATA:ephemeral": ephemeral}}
        assert cloud.ask("POST", "/v2.1/flavors", body, user="admin").status_code == 200
    yield
    cloud.delete_all()
    for name in ("less", "more"):
        cloud.ask("DELETE", f"/v2.1/flavors/{name}", user="admin")


def disks(cloud: TwoHosts, server_id: str) -> list[tuple[str, int, bytes]]:
    """Return name, size and beginning of a server's disks beside the root disk, on the host where it is."""
    place = "instances2" if cloud.host_of(server_id) == SECOND else "instances"
    name = cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:instance_name"]
    found = []
    for path in sorted((cloud.folder / place / name).glob("disk.*")):
        with path.open("rb") as disk:
            found.append((path.name, path.stat().st_size // 1024**2, disk.read(4).strip(b"\0")))
    return found


def write(cloud: TwoHosts, server_id: str, **marks: bytes) -> None:
    """Write to the beginnings of disks, as a guest does."""
    place = "instances2" if cloud.host_of(server_id) == SECOND else "instances"
    name = cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:instance_name"]
    for disk, mark in marks.items():
        with (cloud.folder / place / name / f"disk.{disk}").open("r+b") as written:
            written.write(mark)


@with_sqlite
@pytest.mark.usefixtures("flavors")
def test_ephemeral_disks_go_along_and_grow_with_the_flavor(cloud: TwoHosts) -> None:
    blank = {"source_type": "blank", "destination_type": "local", "boot_index": -1, "volume_size": 1}
    several = cloud.boot("several", flavorRef="less", block_device_mapping_v2=[blank, blank])
    one = cloud.boot("one", flavorRef="less")
    write(cloud, several, local=b"one", eph1=b"two")
    write(cloud, one, local=b"all")
    was = cloud.host_of(several)
    cloud.act(several, MIGRATE, user="admin")
    cloud.act(several, CONFIRM)
    assert cloud.host_of(several) != was
    assert disks(cloud, several) == [
        ("disk.eph1", 1024, b"two"), ("disk.local", 1024, b"one"), ("disk.swap", 16, b""),
    ]  # fmt: skip

    for end in (REVERT, CONFIRM):
        cloud.act(one, {"resize": {"flavorRef": "more"}})
        assert disks(cloud, one) == [("disk.local", 3072, b"all"), ("disk.swap", 32, b"")]
        cloud.act(one, end)
        cloud.act(several, {"resize": {"flavorRef": "more"}})
        assert disks(cloud, several)[:2] == [("disk.eph1", 1024, b"two"), ("disk.local", 1024, b"one")]
        cloud.act(several, end)
        assert len(cloud.files()) == 2
    answer = cloud.act(one, {"resize": {"flavorRef": "less"}})
    assert (answer.status_code, "Resize down is not allowed" in answer.text) == (400, True)

    # What is only the host's does not go onto the shelf, and is made anew with an image.
    cloud.act(several, {"shelve": None})
    cloud.act(several, {"unshelve": None})
    assert disks(cloud, several) == [
        ("disk.eph1", 1024, b""), ("disk.local", 1024, b""), ("disk.swap", 32, b""),
    ]  # fmt: skip
    cloud.act(one, {"rebuild": {"imageRef": cloud.image()}})
    assert disks(cloud, one) == [("disk.local", 3072, b""), ("disk.swap", 32, b"")]
    assert {cloud.show(server_id)["status"] for server_id in (one, several)} == {"ACTIVE"}


@with_sqlite
def test_a_server_may_be_deleted_between_two_sizes(cloud: TwoHosts) -> None:
    server_id = cloud.boot("gone")
    cloud.act(server_id, RESIZE)
    daemons = cloud.ask("GET", "/v2.1/os-services?binary=nova-compute", user="admin", version="2.53")
    for daemon in daemons.json()["services"]:
        refused = cloud.ask("DELETE", f"/v2.1/os-services/{daemon['id']}", user="admin", version="2.53")
        assert refused.status_code == 409, daemon
    assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 204
    cloud.settle()

    assert usage(cloud) == (0, 0)
    assert set(room(cloud).values()) == {0}
    assert migrations(cloud)[0] == ("resize", "cancelled")
    cloud.repair()
    assert cloud.files() == []


@with_sqlite
@pytest.mark.parametrize(
    ("body", "user", "status"),
    [
        ({"resize": {"flavorRef": "6"}}, "demo", 400),
        ({"resize": {"flavorRef": "no-such"}}, "demo", 400),
        ({"resize": {"flavorRef": "5"}}, "demo", 403),
        (MIGRATE, "demo", 403),
        ({"migrate": {"host": "HERE"}}, "admin", 400),
        (CONFIRM, "demo", 409),
        (REVERT, "demo", 409),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_changes(
    cloud: TwoHosts, body: dict[str, Any], user: str, status: int
) -> None:
    server_id = cloud.boot("same")
    body = json.loads(json.dumps(body).replace("HERE", cloud.host_of(server_id)))
    answer = cloud.act(server_id, body, user=user)

    assert answer.status_code == status, answer.text
    assert cloud.show(server_id)["status"] == "ACTIVE"
    assert usage(cloud) == (1, 128)


@with_sqlite
def test_a_server_for_whose_new_size_there_is_no_host_stays_as_it_is(cloud: TwoHosts) -> None:
    server_id = cloud.boot("stays")
    big = {"flavor": {"name": "big", "ram": 2000000, "vcpus": 1, "disk": 1, "id": "big"}}
    quota = f"/v2.1/os-quota-sets/{cloud.show(server_id)['tenant_id']}"
    cloud.ask("PUT", quota, {"quota_set": {"ram": -1}}, user="admin")
    cloud.ask("POST", "/v2.1/flavors", big, user="admin")
    cloud.act(server_id, {"resize": {"flavorRef": "big"}})

    assert cloud.show(server_id)["status"] == "ACTIVE"
    event = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"][0]
    assert "No valid host" in event["message"]
    assert usage(cloud) == (1, 128)
    assert migrations(cloud)[0] == ("resize", "error")
    cloud.ask("DELETE", "/v2.1/flavors/big", user="admin")
    cloud.ask("DELETE", quota, user="admin")
