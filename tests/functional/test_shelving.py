"""Servers that leave their host: shelved, evacuated, deleted and restored."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.cmd import wiring
from nova_lite.compute.aging import Aging
from tests.functional.shapes import shape
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts

SHELVE: dict[str, Any] = {"shelve": None}
UNSHELVE: dict[str, Any] = {"unshelve": None}


def addresses(cloud: TwoHosts, server_id: str) -> list[str]:
    return [entry["addr"] for entries in cloud.show(server_id)["addresses"].values() for entry in entries]


def images(cloud: TwoHosts, server_id: str) -> list[dict[str, Any]]:
    path = f"/v2/images?instance_uuid={server_id}"
    found: list[dict[str, Any]] = cloud.ask("GET", path, api="image").json()["images"]
    return found


class TestShelving:
    @pytest.fixture(scope="class")
    def shared_cloud(self, tmp_path_factory: Any, new_database: Any) -> Iterator[TwoHosts]:
        yield from two_hosts(tmp_path_factory.mktemp("shelf"), new_database("sqlite"))

    def test_a_shelved_server_has_no_host_and_keeps_the_rest(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("resting", metadata={"a": "1"})
        had = addresses(cloud, server_id)
        assert cloud.act(server_id, SHELVE).status_code == 202

        assert cloud.show(server_id)["status"] == "SHELVED_OFFLOADED"
        assert cloud.host_of(server_id) is None
        assert cloud.files() == []
        assert [image["name"] for image in images(cloud, server_id)] == ["resting-shelved"]
        assert addresses(cloud, server_id) == had
        listed = cloud.ask("GET", "/v2.1/os-hypervisors/detail", user="admin", version="2.53").json()
        assert {node["memory_mb_used"] for node in listed["hypervisors"]} == {0}

        cloud.act(server_id, UNSHELVE)
        shown = cloud.show(server_id)
        assert (shown["status"], shown["metadata"], addresses(cloud, server_id)) == (
            "ACTIVE",
            {"a": "1"},
            had,
        )
        assert images(cloud, server_id) == []

    def test_a_server_is_unshelved_where_an_admin_wants_it(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("resting")
        for host in (SECOND, "host1"):
            cloud.act(server_id, SHELVE)
            assert cloud.act(server_id, {"unshelve": {"host": host}}).status_code == 403
            assert cloud.act(server_id, {"unshelve": {"host": host}}, user="admin").status_code == 202
            assert cloud.host_of(server_id) == host

    def test_a_server_that_no_host_takes_stays_on_the_shelf(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("resting")
        cloud.act(server_id, SHELVE)
        cloud.act(server_id, {"unshelve": {"availability_zone": "nowhere"}})
        assert cloud.show(server_id)["status"] == "SHELVED_OFFLOADED"
        cloud.act(server_id, {"unshelve": {"availability_zone": "nova"}})
        assert cloud.show(server_id)["status"] == "ACTIVE"

    def test_a_shelved_server_is_deleted_with_its_image(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("resting")
        cloud.act(server_id, SHELVE)
        assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 204
        cloud.settle()
        assert images(cloud, server_id) == []

    @pytest.mark.parametrize("body", [{"os-start": None}, SHELVE, {"shelveOffload": None}], ids=str)
    def test_what_needs_a_host_is_refused_on_the_shelf(self, cloud: TwoHosts, body: dict[str, Any]) -> None:
        server_id = cloud.boot("resting")
        cloud.act(server_id, SHELVE)
        assert cloud.act(server_id, body, user="admin").status_code == 409


class TestKeeping:
    """The operator's flags let deleted and shelved servers stay on their host for a while."""

    @pytest.fixture(scope="class")
    def shared_cloud(self, tmp_path_factory: Any, new_database: Any) -> Iterator[TwoHosts]:
        flags = ("--reclaim_instance_interval=3600", "--shelved_offload_time=3600")
        yield from two_hosts(tmp_path_factory.mktemp("keep"), new_database("sqlite"), *flags)

    def age(self, cloud: TwoHosts, **due: float) -> None:
        """Let both hosts begin what is due under other times."""
        after = {"reclaim_after": 0.0, "offload_after": 0.0} | due
        for name in ("host1", SECOND):
            base = wiring.make_base(cloud.conf)
            host = wiring.compute_host(base)
            Aging(dataclasses.replace(host, name=name), **after).sweep()
            base.close()
        cloud.settle()

    def test_a_deleted_server_is_restored(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("back")
        assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 204
        cloud.settle()
        assert cloud.show(server_id)["status"] == "SOFT_DELETED"
        assert cloud.ask("GET", "/v2.1/servers").json()["servers"] == []
        self.age(cloud, reclaim_after=3600)
        assert cloud.act(server_id, {"restore": None}).status_code == 202
        assert cloud.show(server_id)["status"] == "ACTIVE"
        cloud.act(server_id, {"forceDelete": None})
        assert cloud.ask("GET", f"/v2.1/servers/{server_id}").status_code == 404

    def test_a_deleted_server_goes_when_its_time_is_over(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("gone")
        cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
        cloud.settle()
        self.age(cloud, reclaim_after=0.000001)
        assert cloud.ask("GET", f"/v2.1/servers/{server_id}").status_code == 404

    def test_a_shelved_server_leaves_its_host_when_its_time_is_over(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("resting")
        cloud.act(server_id, SHELVE)
        assert (cloud.show(server_id)["status"], len(cloud.files())) == ("SHELVED", 1)
        cloud.act(server_id, UNSHELVE)
        assert (cloud.show(server_id)["status"], images(cloud, server_id)) == ("ACTIVE", [])
        cloud.act(server_id, SHELVE)
        self.age(cloud, offload_after=0.000001)
        assert (cloud.show(server_id)["status"], len(cloud.files())) == ("SHELVED_OFFLOADED", 0)


class TestEvacuation:
    @pytest.fixture
    def cloud(self, tmp_path: Any) -> Iterator[TwoHosts]:
        for cloud in two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite"):
            yield cloud
            cloud.delete_all()
            assert cloud.leaks() == []

    @pytest.mark.parametrize(("off", "minor"), [(False, 94), (True, 13), (False, 96)], ids=["on", "off", "kept off"])
    def test_a_server_whose_host_died_is_made_anew(self, cloud: TwoHosts, off: bool, minor: int) -> None:
        server_id = cloud.boot("saved")
        if cloud.host_of(server_id) != SECOND:
            cloud.act(server_id, {"migrate": None}, user="admin")
            cloud.act(server_id, {"confirmResize": None})
        if off:
            cloud.act(server_id, {"os-stop": None})
        had = addresses(cloud, server_id)
        refused = cloud.act(server_id, {"evacuate": {}}, user="admin")
        assert (refused.status_code, "still in use" in refused.text) == (400, True)
        cloud.stop_second()

        order = {"evacuate": {} if minor >= 14 else {"onSharedStorage": False}}
        answer = cloud.act(server_id, order, user="admin", version=f"2.{minor}")

        told = shape("evacuate_server" if minor >= 14 else "evacuate_server_with_admin_pass", minor)
        assert (answer.status_code, bool(answer.content)) == (200, minor < 14)
        assert told.problems(answer.json() if answer.content else {}) == []
        assert cloud.show(server_id)["status"] == ("SHUTOFF" if off or minor >= 95 else "ACTIVE")
        assert (cloud.host_of(server_id), addresses(cloud, server_id)) == ("host1", had)
        newest = cloud.ask("GET", "/v2.1/os-migrations", user="admin").json()["migrations"][0]
        assert (newest["migration_type"], newest["status"]) == ("evacuation", "done")
        cloud.start_second()
        cloud.repair()
        assert [name.split("/")[0] for name in cloud.files()] == ["instances"]

    def test_a_server_that_no_host_takes_stays_as_it_is(self, cloud: TwoHosts) -> None:
        server_id = cloud.boot("lost")
        if cloud.host_of(server_id) != SECOND:
            cloud.act(server_id, {"migrate": None}, user="admin")
            cloud.act(server_id, {"confirmResize": None})
        services = cloud.ask("GET", "/v2.1/os-services?host=host1", user="admin").json()["services"]
        (compute,) = [service for service in services if service["binary"] == "nova-compute"]
        cloud.ask("PUT", f"/v2.1/os-services/{compute['id']}", {"status": "disabled"}, user="admin")
        cloud.stop_second()
        cloud.act(server_id, {"evacuate": {}}, user="admin")

        assert (cloud.show(server_id)["status"], cloud.host_of(server_id)) == ("ACTIVE", SECOND)
        newest = cloud.ask("GET", "/v2.1/os-migrations", user="admin").json()["migrations"][0]
        assert newest["status"] == "error"
        cloud.start_second()
