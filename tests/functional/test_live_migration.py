"""Running servers brought to another host."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import wait_for
from tests.functional.shapes import shape
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts

ANYWHERE: dict[str, Any] = {"os-migrateLive": {"host": None, "block_migration": "auto"}}


@pytest.fixture(scope="module")
def shared_cloud(database_url: str, tmp_path_factory: Any, new_database: Any) -> Iterator[TwoHosts]:
    kind = database_url.split(":")[0].split("+")[0]
    database = new_database({"mysql": "mariadb"}.get(kind, kind))
    yield from two_hosts(tmp_path_factory.mktemp("two"), database)


@pytest.fixture
def slow_cloud(tmp_path: Any) -> Iterator[TwoHosts]:
    """A cloud in which no live migration comes to an end by itself."""
    for cloud in two_hosts(
        tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", "--fake_live_migration_seconds=600"
    ):
        yield cloud
        cloud.delete_all()
        assert cloud.leaks() == []


with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def other(host: str) -> str:
    return "host1" if host == SECOND else SECOND


def room(cloud: TwoHosts) -> dict[str, int]:
    """Return the memory that is given away on each host."""
    path = "/v2.1/os-hypervisors/detail"
    found = cloud.ask("GET", path, user="admin", version="2.53").json()["hypervisors"]
    return {node["hypervisor_hostname"]: node["memory_mb_used"] for node in found}


def newest_migration(cloud: TwoHosts) -> dict[str, Any]:
    found: dict[str, Any] = cloud.ask("GET", "/v2.1/os-migrations", user="admin").json()["migrations"][0]
    return found


@pytest.mark.parametrize(("before", "status"), [(None, "ACTIVE"), ({"pause": None}, "PAUSED")])
def test_a_server_moves_as_it_is(cloud: TwoHosts, before: Any, status: str) -> None:
    server_id = cloud.boot("moves")
    if before:
        cloud.act(server_id, before)
    was, had = cloud.host_of(server_id), cloud.show(server_id)
    assert cloud.act(server_id, ANYWHERE, user="admin").status_code == 202

    shown = cloud.show(server_id)
    assert (cloud.host_of(server_id), shown["status"]) == (other(was), status)
    assert shown["OS-EXT-STS:power_state"] == had["OS-EXT-STS:power_state"]
    assert shown["addresses"] == had["addresses"]
    assert room(cloud) == {was: 0, other(was): 128}
    migration = newest_migration(cloud)
    assert (migration["migration_type"], migration["status"]) == ("live-migration", "completed")
    assert (migration["source_compute"], migration["dest_compute"]) == (was, other(was))
    assert len(cloud.files()) == 1
    done = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"][0]
    assert (done["action"], done["message"]) == ("live-migration", None)


@with_sqlite
@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("2.1", {"block_migration": True, "disk_over_commit": False}),
        ("2.25", {"block_migration": "auto"}),
        ("2.30", {"block_migration": "auto", "force": True}),
        ("2.96", {"block_migration": True}),
    ],
)
def test_a_server_goes_where_it_is_told(cloud: TwoHosts, version: str, wanted: dict[str, Any]) -> None:
    server_id = cloud.boot("sent")
    there = other(cloud.host_of(server_id))
    answer = cloud.act(
        server_id, {"os-migrateLive": {"host": there, **wanted}}, user="admin", version=version
    )

    assert (answer.status_code, answer.content) == (202, b"")
    assert cloud.host_of(server_id) == there


@with_sqlite
def test_hosts_that_share_no_disks_have_to_copy_them(cloud: TwoHosts) -> None:
    server_id = cloud.boot("stays")
    was = cloud.host_of(server_id)
    cloud.act(server_id, {"os-migrateLive": {"host": None, "block_migration": False}}, user="admin")

    assert (cloud.host_of(server_id), cloud.show(server_id)["status"]) == (was, "ACTIVE")
    assert newest_migration(cloud)["status"] == "error"
    assert "have to be copied" in cloud.ask(
        "GET", f"/v2.1/servers/{server_id}/os-instance-actions"
    ).json()["instanceActions"][0]["message"]  # fmt: skip


def test_hosts_that_share_their_disks_copy_nothing(tmp_path: Any) -> None:
    shared = f"--instances_path={tmp_path}/instances"
    for cloud in two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", shared):
        server_id = cloud.boot("moves")
        was = cloud.host_of(server_id)
        cloud.repair()
        assert len(cloud.files()) == 1
        refused = {"os-migrateLive": {"host": None, "block_migration": True}}
        cloud.act(server_id, refused, user="admin")
        assert cloud.host_of(server_id) == was
        cloud.act(server_id, ANYWHERE, user="admin")
        assert cloud.host_of(server_id) == other(was)
        cloud.repair()
        assert (len(cloud.files()), cloud.show(server_id)["status"]) == (1, "ACTIVE")
        cloud.delete_all()
        assert (cloud.files(), cloud.leaks()) == ([], [])


@with_sqlite
@pytest.mark.parametrize(
    ("wanted", "status", "words"),
    [
        ({"host": "SAME"}, 400, "to current host"),
        ({"host": "nowhere"}, 400, "could not be found"),
        ({"host": None, "block_migration": "perhaps"}, 400, "block_migration"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_changes(
    cloud: TwoHosts, wanted: dict[str, Any], status: int, words: str
) -> None:
    server_id = cloud.boot("stays")
    if wanted["host"] == "SAME":
        wanted = {"host": cloud.host_of(server_id)}
    answer = cloud.act(
        server_id, {"os-migrateLive": {"block_migration": "auto", **wanted}}, user="admin"
    )

    assert (answer.status_code, words in answer.text) == (status, True)
    assert cloud.show(server_id)["OS-EXT-STS:task_state"] is None


@with_sqlite
def test_only_a_running_server_moves_alive(cloud: TwoHosts) -> None:
    server_id = cloud.boot("off")
    cloud.act(server_id, {"os-stop": None})
    refused = cloud.act(server_id, ANYWHERE, user="admin")

    assert (refused.status_code, "while it is in vm_state stopped" in refused.text) == (409, True)
    assert cloud.act(server_id, ANYWHERE).status_code == 403


class TestWhileItMoves:
    @pytest.fixture
    def moving(self, slow_cloud: TwoHosts) -> Iterator[tuple[TwoHosts, str, str]]:
        """A cloud, a server in it that is on its way, and the path of its migrations."""
        server_id = slow_cloud.boot("slow")
        path = f"/v2.1/servers/{server_id}/migrations"
        slow_cloud.ask("POST", f"/v2.1/servers/{server_id}/action", ANYWHERE, user="admin")

        def runs() -> bool:
            found = slow_cloud.ask("GET", path, user="admin").json()["migrations"]
            return [one["status"] for one in found] == ["running"]

        assert wait_for(runs)
        yield slow_cloud, server_id, path

    def test_an_admin_looks_at_it_and_brings_it_to_an_end(
        self, moving: tuple[TwoHosts, str, str]
    ) -> None:
        cloud, server_id, path = moving
        was = cloud.host_of(server_id)
        assert cloud.show(server_id)["status"] == "MIGRATING"
        assert room(cloud) == {was: 128, other(was): 128}
        for minor in (23, 58, 59, 61, 62, 79, 80, 96):
            listed = cloud.ask("GET", path, user="admin", version=f"2.{minor}").json()
            (one,) = listed["migrations"]
            assert shape("list_live_migrations", minor).problems(listed) == []
            shown = cloud.ask("GET", f"{path}/{one['id']}", user="admin", version=f"2.{minor}").json()
            # Strict clients take the uuid in a list later than Nova tells it of one migration.
            assert shown["migration"].keys() - one.keys() == ({"uuid"} if 59 <= minor < 62 else set())
        assert one["memory_total_bytes"] == 128 * 1024**2

        order = {"force_complete": None}
        answer = cloud.ask("POST", f"{path}/{one['id']}/action", order, user="admin")
        assert (answer.status_code, answer.content) == (202, b"")
        cloud.settle()
        assert (cloud.host_of(server_id), cloud.show(server_id)["status"]) == (other(was), "ACTIVE")
        assert cloud.ask("GET", path, user="admin").json() == {"migrations": []}
        gone = cloud.ask("POST", f"{path}/{one['id']}/action", order, user="admin")
        assert gone.status_code == 404

    def test_an_admin_calls_it_off(self, moving: tuple[TwoHosts, str, str]) -> None:
        cloud, server_id, path = moving
        was = cloud.host_of(server_id)
        number = cloud.ask("GET", path, user="admin").json()["migrations"][0]["id"]
        assert cloud.ask("DELETE", f"{path}/{number}").status_code == 403
        assert cloud.ask("DELETE", f"{path}/{number}", user="admin").status_code == 202
        cloud.settle()

        assert (cloud.host_of(server_id), cloud.show(server_id)["status"]) == (was, "ACTIVE")
        assert newest_migration(cloud)["status"] == "cancelled"
        assert room(cloud) == {was: 128, other(was): 0}
        assert len(cloud.files()) == 1

    def test_its_owner_deletes_the_server(self, moving: tuple[TwoHosts, str, str]) -> None:
        cloud, server_id, _ = moving
        cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
        cloud.settle()
        cloud.repair()

        assert cloud.files() == []
        assert set(room(cloud).values()) == {0}


def test_disks_need_the_room_of_all_that_may_be_written_unless_an_admin_says_otherwise(tmp_path: Any) -> None:
    url, flags = f"sqlite:///{tmp_path}/nova.sqlite", ("--fake_local_gb=10", "--disk_allocation_ratio=4")
    for cloud in two_hosts(tmp_path, url, *flags):
        flavor = {"name": "wide", "id": "wide", "ram": 64, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 15}
        assert cloud.ask("POST", "/v2.1/flavors", {"flavor": flavor}, user="admin").ok
        server_id = cloud.boot("wide", flavorRef="wide")
        was = cloud.host_of(server_id)
        events = f"/v2.1/servers/{server_id}/os-instance-actions"
        for over_commit, host in ((False, was), (True, other(was))):
            wanted = {"host": None, "block_migration": True, "disk_over_commit": over_commit}
            cloud.act(server_id, {"os-migrateLive": wanted}, user="admin", version="2.24")
            told = cloud.ask("GET", events).json()["instanceActions"][0]["message"] or ""
            assert (cloud.host_of(server_id), "disk of instance is too large" in told) == (host, not over_commit)
        cloud.delete_all()
        assert cloud.leaks() == []
