"""The unmodified openstack client looks after servers that are on their way to another host."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import wait_for
from tests.functional.openstack_commands import MOVES, parsed
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts


@pytest.fixture
def slow_cloud(tmp_path: Path) -> Iterator[TwoHosts]:
    """A cloud in which no live migration comes to an end by itself."""
    url = f"sqlite:///{tmp_path}/nova.sqlite"
    yield from two_hosts(tmp_path, url, "--fake_live_migration_seconds=600")


def server(cloud: TwoHosts, *words: str) -> Any:
    """Run a command of ``openstack server`` as the admin."""
    listing = ("-f", "json") if words[1] in ("list", "show") else ()
    argv = ("--os-compute-api-version", "2.96", "server", *words, *listing)
    return cloud.openstack(*argv, user="admin")


def test_an_operator_calls_one_back_and_hurries_another(slow_cloud: TwoHosts) -> None:
    cloud = slow_cloud
    server_id = cloud.boot("vm")
    host = cloud.host_of(server_id)
    there = "host1" if host == SECOND else SECOND

    def running() -> list[str]:
        path = f"/v2.1/servers/{server_id}/migrations"
        found = cloud.ask("GET", path, user="admin").json()["migrations"]
        return [str(one["id"]) for one in found if one["status"] == "running"]

    server(cloud, "migrate", "--live-migration", server_id)
    assert wait_for(running)
    found = server(cloud, "migration", "list", "--server", server_id)[0]
    assert (found["Status"], found["Dest Compute"]) == ("running", there)
    (number,) = running()
    shown = server(cloud, "migration", "show", server_id, found["UUID"])
    assert (str(shown["ID"]), shown["Status"]) == (number, "running")
    server(cloud, "migration", "abort", server_id, number)
    cloud.settle()
    assert cloud.host_of(server_id) == host

    server(cloud, "migrate", "--live-migration", "--host", there, server_id)
    assert wait_for(running)
    (number,) = running()
    server(cloud, "migration", "force", "complete", server_id, number)
    cloud.settle()
    assert (cloud.host_of(server_id), cloud.show(server_id)["status"]) == (there, "ACTIVE")


def test_a_server_moves_is_brought_back_and_restored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nova.sqlite"
    for cloud in two_hosts(tmp_path, url, "--reclaim_instance_interval=3600"):
        cloud.image()
        words: dict[str, Any] = {}
        for user, command, keep in parsed(MOVES):
            found = cloud.openstack(*command.format(**words).split(), *(["-f", "json"] if keep else []), user=user)
            cloud.settle()
            if keep:
                words[keep] = found
        assert words["vm"]["status"] == "ACTIVE"


def test_a_server_is_brought_away_from_a_dead_host(tmp_path: Path) -> None:
    for cloud in two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite"):
        away = {"host": "host1", "binary": "nova-compute"}
        cloud.ask("PUT", "/v2.1/os-services/disable", away, user="admin", version="2.1")
        server_id = cloud.boot("vm")
        cloud.ask("PUT", "/v2.1/os-services/enable", away, user="admin", version="2.1")
        cloud.stop_second()
        orders = (f"compute service set --down {SECOND} nova-compute", f"server evacuate {server_id}")
        for order in orders:
            cloud.openstack("--os-compute-api-version", "2.96", *order.split(), user="admin")
        cloud.settle()
        assert (cloud.host_of(server_id), cloud.show(server_id)["status"]) == ("host1", "SHUTOFF")

        newest = ("--os-compute-api-version", "2.96")
        listed = cloud.openstack(*newest, "compute", "service", "list", "-f", "json", user="admin")
        (dead,) = [row["ID"] for row in listed if row["Host"] == SECOND]
        cloud.openstack(*newest, "compute", "service", "delete", dead, user="admin")
        left = cloud.openstack("compute", "service", "list", "-f", "json", user="admin")
        assert SECOND not in {row["Host"] for row in left}
