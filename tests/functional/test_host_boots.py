"""Hosts that were booted: what becomes of their guests by the operator's flags."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from nova_lite.cmd import wiring
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.policy import Policy
from nova_lite.compute.reconcile import Reconciler
from nova_lite.core.instance_states import PowerState, TaskState, Verb
from nova_lite.db import instances
from nova_lite.db.engine import Database
from tests.cloud import Cloud

ORDERED = {
    Policy(): {"runs": "create", "stopped": "stop"},
    Policy(resume_guests=True): {"runs": "reboot", "stopped": "stop"},
    Policy(start_guests=True): {"runs": "reboot", "stopped": "start"},
}
"""By the operator's flags, the last thing that is done to a server that should run, and to one that should not."""


def boot_the_host(cloud: Cloud) -> None:
    """Do to the files of simulated guests what a boot of the host does."""
    own = Path(cloud.conf.instances_path, "_hosts", cloud.conf.host)
    for file in own.glob("instance-*.json"):
        uuid, name, _ = json.loads(file.read_text())
        file.write_text(json.dumps([uuid, name, PowerState.SHUTDOWN]))
    (own / "boot_id").write_text("another boot")


def last_action(cloud: Cloud, server_id: str) -> str:
    listed = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()
    return str(listed["instanceActions"][0]["action"])


@contextlib.contextmanager
def a_host(cloud: Cloud) -> Iterator[ComputeHost]:
    """The tools of the host as a nova-compute has them that starts now."""
    base = wiring.make_base(cloud.conf)
    host = wiring.compute_host(base)
    host.driver.start()
    yield host
    base.close()


@pytest.mark.parametrize("policy", ORDERED)
def test_guests_are_started_after_a_boot_as_the_flags_say(cloud: Cloud, policy: Policy) -> None:
    servers = {name: cloud.boot(name) for name in ("runs", "stopped")}
    cloud.act(servers["stopped"], {"os-stop": None})
    with a_host(cloud) as host:
        # Without a boot the start of a daemon changes nothing.
        Reconciler(host, policy).revival.begin()
    assert {name: last_action(cloud, server) for name, server in servers.items()} == ORDERED[Policy()]

    boot_the_host(cloud)
    with a_host(cloud) as host:
        Reconciler(host, policy).revival.begin()
    cloud.settle()

    assert {name: last_action(cloud, server) for name, server in servers.items()} == ORDERED[policy]
    assert cloud.show(servers["runs"])["status"] == "ACTIVE"
    cloud.delete_all()
    assert cloud.leaks() == []


def test_a_start_that_came_to_nothing_leaves_the_boot_to_be_noticed_again(cloud: Cloud, tmp_path: Path) -> None:
    server = cloud.boot("runs")
    boot_the_host(cloud)
    with a_host(cloud) as host:
        away = dataclasses.replace(host, database=Database(f"sqlite:///{tmp_path}/without-tables"))
        with pytest.raises(OperationalError, match="no such table"):
            Reconciler(away, Policy(resume_guests=True)).revival.begin()
        Reconciler(host, Policy(resume_guests=True)).revival.begin()
    cloud.settle()

    assert last_action(cloud, server) == "reboot"
    cloud.delete_all()
    assert cloud.leaks() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seen_by", ["who follows guests", "the sweep"])
def test_a_guest_with_which_something_was_under_way_is_started_when_that_is_over(cloud: Cloud, seen_by: str) -> None:
    server = cloud.boot("runs")
    stored = cloud.database.read("test", lambda session: instances.get(session, server))
    assert stored is not None
    cloud.database.run("test", lambda session: instances.begin(session, stored, Verb.SNAPSHOT))
    boot_the_host(cloud)
    with a_host(cloud) as host:
        reconciler = Reconciler(host, Policy(resume_guests=True))
        reconciler.revival.begin()
        reconciler.revival.go_on()
        assert (last_action(cloud, server), host.driver.was_rebooted()) == ("create", True)

        tasks = [TaskState.IMAGE_SNAPSHOT]
        cloud.database.run("test", lambda session: instances.finish(session, server, Verb.SNAPSHOT, tasks))
        if seen_by == "the sweep":
            reconciler.revival.go_on()
        else:
            reconciler.follow(server)
        assert not host.driver.was_rebooted()
    cloud.settle()

    assert (last_action(cloud, server), cloud.show(server)["status"]) == ("reboot", "ACTIVE")
    cloud.delete_all()
    assert cloud.leaks() == []
