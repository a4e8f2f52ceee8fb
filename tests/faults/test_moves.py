"""Servers on their way between two hosts, of which one dies."""

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db import actions
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts

# Without the filter for hosts that are up, a dead one is chosen.
FLAGS = ("--scheduler_default_filters=RamFilter",)


@pytest.fixture
def cloud(tmp_path: Any) -> Iterator[TwoHosts]:
    for cloud in two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *FLAGS):
        yield cloud
        cloud.delete_all()
        assert cloud.leaks() == []


def status(cloud: TwoHosts, server_id: str) -> tuple[str, str]:
    return cloud.show(server_id)["status"], cloud.host_of(server_id)


def migrate(cloud: TwoHosts, server_id: str, host: str) -> None:
    assert cloud.act(server_id, {"migrate": {"host": host}}, user="admin").status_code == 202


def test_a_server_whose_new_host_is_dead_comes_back(cloud: TwoHosts) -> None:
    server_id = cloud.boot("vm", availability_zone="nova")
    if cloud.host_of(server_id) == SECOND:
        migrate(cloud, server_id, "host1")
        cloud.act(server_id, {"confirmResize": None})
    cloud.stop_second()
    migrate(cloud, server_id, SECOND)

    assert status(cloud, server_id) == ("ACTIVE", "host1")
    newest = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"][0]
    assert newest["message"] == f"The host {SECOND} went down."
    cloud.start_second()


def test_a_resize_is_confirmed_and_reverted_though_the_other_host_is_dead(cloud: TwoHosts) -> None:
    kept, reverted = cloud.boot("kept"), cloud.boot("reverted")
    for server_id in (kept, reverted):
        if cloud.host_of(server_id) == "host1":
            migrate(cloud, server_id, SECOND)
            cloud.act(server_id, {"confirmResize": None})
    migrate(cloud, kept, "host1")
    migrate(cloud, reverted, "host1")
    cloud.act(reverted, {"confirmResize": None})
    migrate(cloud, reverted, SECOND)
    cloud.stop_second()

    cloud.act(kept, {"confirmResize": None})
    cloud.act(reverted, {"revertResize": None})

    assert status(cloud, kept) == ("ACTIVE", "host1")
    assert status(cloud, reverted) == ("ACTIVE", "host1")
    cloud.start_second()
    cloud.repair()
    assert len(cloud.files()) == 2


def test_a_server_whose_old_host_dies_before_it_leaves_stays_where_it_is(cloud: TwoHosts) -> None:
    server_id = cloud.boot("vm")
    if cloud.host_of(server_id) == "host1":
        migrate(cloud, server_id, SECOND)
        cloud.act(server_id, {"confirmResize": None})
    cloud.stop_second()
    migrate(cloud, server_id, "host1")

    assert status(cloud, server_id) == ("ACTIVE", SECOND)
    assert cloud.database.read("test", actions.open_actions) == []
    cloud.start_second()
