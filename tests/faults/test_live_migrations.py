"""Moves between two hosts: failed, killed and repeated at each step, and a host that dies on the way.

Servers have ephemeral and swap disks, in which something is written that has to be there when they have moved.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.core.instance_states import Verb
from nova_lite.db import actions
from tests.faults.stage import STAGE, Cue, Moment, end_thread, fail
from tests.faults.staged import step_names
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts

ANYWHERE: dict[str, Any] = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
STAGED = ("--compute_manager=tests.faults.staged.StagedComputeManager", "--periodic_interval=600")
# Without the filter for hosts that are up, a dead one is chosen.
MORTAL = ("--scheduler_default_filters=RamFilter",)

LIVE_STEPS = step_names(Verb.LIVE_MIGRATE)
POINTS = [(step, moment) for step in LIVE_STEPS for moment in Moment]
MIGRATE: dict[str, Any] = {"migrate": None}
REVERT: dict[str, Any] = {"revertResize": None}
CONFIRM: dict[str, Any] = {"confirmResize": None}
COLD = [
    *((MIGRATE, step) for step in step_names(Verb.RESIZE)),
    *((REVERT, step) for step in step_names(Verb.REVERT_RESIZE)),
    *((CONFIRM, step) for step in step_names(Verb.CONFIRM_RESIZE)),
]
WAYS = [
    *((ANYWHERE, step, moment) for step, moment in POINTS),
    *((MIGRATE, step, Moment.AFTER) for step in step_names(Verb.RESIZE)),
    *((REVERT, step, Moment.AFTER) for step in step_names(Verb.REVERT_RESIZE)),
]
ENDED = ("cancelled", "error", "reverted", "completed")
STAYS = ("networking", "expecting")
"""Steps that fail before the guest moves."""

BLANK: dict[str, Any] = {"source_type": "blank", "destination_type": "local", "boot_index": -1}
DEVICES = [BLANK | {"volume_size": 1}, BLANK | {"volume_size": 1}, BLANK | {"guest_format": "swap", "volume_size": 32}]
FLAVOR = {"id": "roomy", "name": "roomy", "ram": 64, "vcpus": 1, "disk": 1, "swap": 64, "OS-FLV-EXT-DATA:ephemeral": 2}
WHOLE = {"disk.local": (1024**3, b"mine"), "disk.eph1": (1024**3, b"too."), "disk.swap": (32 * 1024**2, bytes(4))}
"""The size and the beginning of each such disk."""


@pytest.fixture(scope="module", autouse=True)
def own_stage() -> Iterator[None]:
    """Leave the stage to who had it before: the staged managers of these clouds step onto it, too."""
    before = STAGE.compute, STAGE.network, STAGE.hypervisor
    yield
    STAGE.compute, STAGE.network, STAGE.hypervisor = before


@pytest.fixture(scope="module")
def module_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    folder = tmp_path_factory.mktemp("two")
    for cloud in two_hosts(folder, f"sqlite:///{folder}/nova.sqlite", *STAGED):
        assert cloud.ask("POST", "/v2.1/flavors", {"flavor": FLAVOR}, user="admin").ok
        yield cloud


@pytest.fixture
def cloud(module_cloud: TwoHosts) -> Iterator[TwoHosts]:
    STAGE.clear()
    yield module_cloud
    assert STAGE.unplayed() == []
    STAGE.clear()
    module_cloud.delete_all()
    module_cloud.repair()
    assert module_cloud.leaks() == []


@pytest.fixture
def mortal_cloud(tmp_path: Any) -> Iterator[TwoHosts]:
    for cloud in two_hosts(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *STAGED, *MORTAL):
        STAGE.clear()
        yield cloud
        cloud.delete_all()
        cloud.repair()
        assert cloud.leaks() == []


def other(host: str) -> str:
    return "host1" if host == SECOND else SECOND


def boot_on(cloud: TwoHosts, host: str) -> str:
    """Boot a server and bring it to a host."""
    server_id = cloud.boot("vm")
    if cloud.host_of(server_id) != host:
        cloud.act(server_id, ANYWHERE, user="admin")
    assert cloud.host_of(server_id) == host
    return server_id


def look(cloud: TwoHosts, server_id: str) -> tuple[str, str]:
    return cloud.host_of(server_id), cloud.show(server_id)["status"]


def boot_with_disks(cloud: TwoHosts) -> str:
    """Boot a server with ephemeral and swap disks, and write into the former."""
    server_id = cloud.boot("vm", flavorRef="roomy", block_device_mapping_v2=DEVICES)
    for name, (_, head) in WHOLE.items():
        with (folder_of(cloud, server_id) / name).open("r+b") as disk:
            disk.write(head)
    return server_id


def folder_of(cloud: TwoHosts, server_id: str) -> Path:
    shown = cloud.show(server_id, user="admin")
    host = "instances2" if shown["OS-EXT-SRV-ATTR:host"] == SECOND else "instances"
    return cloud.folder / host / str(shown["OS-EXT-SRV-ATTR:instance_name"])


def disks(cloud: TwoHosts, server_id: str) -> dict[str, tuple[int, bytes]]:
    """Return the size and the beginning of each ephemeral and swap disk of a server, where it is."""
    found = {}
    for path in folder_of(cloud, server_id).glob("disk.*"):
        with path.open("rb") as disk:
            found[path.name] = (path.stat().st_size, disk.read(4))
    return found


def guests(cloud: TwoHosts) -> list[str]:
    """Return the hosts that have a guest."""
    return sorted(path.parent.name for path in cloud.folder.glob("instances*/_hosts/*/instance-*.json"))


@pytest.mark.parametrize(("step", "moment"), POINTS)
def test_whatever_fails_the_server_is_where_its_guest_is(cloud: TwoHosts, step: str, moment: Moment) -> None:
    server_id = boot_with_disks(cloud)
    was = cloud.host_of(server_id)
    STAGE.give(Cue(f"do {step}", moment), fail(RuntimeError("something that nobody thought of")))
    cloud.act(server_id, ANYWHERE, user="admin")

    stays = step in STAYS or (step, moment) == ("moving", Moment.BEFORE)
    expected = was if stays else other(was)
    assert (look(cloud, server_id), guests(cloud)) == ((expected, "ACTIVE"), [expected])
    cloud.repair()
    assert (len(cloud.files()), cloud.leaks()) == (1, [])
    assert (look(cloud, server_id), disks(cloud, server_id)) == ((expected, "ACTIVE"), WHOLE)


@pytest.mark.parametrize(("step", "moment"), POINTS)
def test_a_migration_whose_thread_ends_is_taken_up_by_the_sweep(
    cloud: TwoHosts, step: str, moment: Moment
) -> None:
    server_id = boot_with_disks(cloud)
    was = cloud.host_of(server_id)
    STAGE.give(Cue(f"do {step}", moment), end_thread)
    cloud.act(server_id, ANYWHERE, user="admin")

    assert (look(cloud, server_id), guests(cloud)) == ((other(was), "ACTIVE"), [other(was)])
    assert (len(cloud.files()), cloud.leaks(), disks(cloud, server_id)) == (1, [], WHOLE)


@pytest.mark.parametrize("step", LIVE_STEPS)
def test_a_step_may_be_done_twice(cloud: TwoHosts, step: str) -> None:
    server_id = boot_with_disks(cloud)
    was = cloud.host_of(server_id)
    STAGE.clear()
    STAGE.repeat(f"do {step}")
    cloud.act(server_id, ANYWHERE, user="admin")

    assert STAGE.seen.count(f"do {step}") == 2
    assert (look(cloud, server_id), guests(cloud)) == ((other(was), "ACTIVE"), [other(was)])
    assert (len(cloud.files()), cloud.leaks(), disks(cloud, server_id)) == (1, [], WHOLE)


@pytest.mark.parametrize("fault", ["fails", "is killed and done again"])
@pytest.mark.parametrize(("body", "step"), COLD)
def test_whatever_a_step_of_a_cold_move_comes_to_the_server_has_all_its_disks(
    cloud: TwoHosts, body: dict[str, Any], step: str, fault: str
) -> None:
    server_id = boot_with_disks(cloud)
    was = cloud.host_of(server_id)
    if body != MIGRATE:
        cloud.act(server_id, MIGRATE, user="admin")
    STAGE.clear()
    effect = fail(RuntimeError("something that nobody thought of")) if fault == "fails" else end_thread
    STAGE.give(Cue(f"do {step}", Moment.AFTER), effect)
    cloud.act(server_id, body, user="admin")

    place, status = was if body == REVERT else other(was), "VERIFY_RESIZE" if body == MIGRATE else "ACTIVE"
    if fault == "fails" and body == MIGRATE:
        place, status = was, "ACTIVE"
    elif fault == "fails" and step in ("destroying", "confirming"):
        assert look(cloud, server_id) == (other(was), "VERIFY_RESIZE")
        cloud.act(server_id, body, user="admin")
    elif fault == "fails":
        status = "ERROR"
    assert (look(cloud, server_id), disks(cloud, server_id)) == ((place, status), WHOLE)
    assert len(cloud.files()) == (2 if status == "VERIFY_RESIZE" else 1)
    assert [image["id"] for image in images(cloud)] == [cloud.image()]


def images(cloud: TwoHosts) -> list[dict[str, Any]]:
    """Return all images, of which those that carry disks are to be gone when these have arrived."""
    found: list[dict[str, Any]] = cloud.ask("GET", "/v2/images", user="admin", api="image").json()["images"]
    return found


@pytest.mark.parametrize("undone", STAYS)
def test_what_was_made_ready_may_be_removed_twice(cloud: TwoHosts, undone: str) -> None:
    server_id = cloud.boot("vm")
    was = cloud.host_of(server_id)
    STAGE.give(Cue("do expecting", Moment.AFTER), fail(RuntimeError("something that nobody thought of")))
    STAGE.repeat(f"undo {undone}")
    cloud.act(server_id, ANYWHERE, user="admin")

    assert STAGE.seen.count(f"undo {undone}") == 2
    assert (look(cloud, server_id), len(cloud.files())) == ((was, "ACTIVE"), 1)


@pytest.mark.parametrize(("body", "step", "moment"), WAYS)
def test_nothing_stays_of_a_server_that_is_deleted_on_its_way(
    cloud: TwoHosts, body: dict[str, Any], step: str, moment: Moment
) -> None:
    server_id = cloud.boot("vm")
    if body == REVERT:
        cloud.act(server_id, MIGRATE, user="admin")

    def delete() -> None:
        assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 204

    STAGE.give(Cue(f"do {step}", moment), delete)
    cloud.act(server_id, body, user="admin")

    check_gone(cloud, server_id)


@pytest.mark.parametrize("place", ["first", "second"])
def test_nothing_stays_of_a_server_that_is_deleted_between_two_hosts(cloud: TwoHosts, place: str) -> None:
    server_id = cloud.boot("vm")
    cloud.act(server_id, MIGRATE, user="admin")
    STAGE.clear()
    for step in step_names(Verb.DELETE):
        STAGE.repeat(f"do {step}")

    def let_end() -> None:
        STAGE.give(Cue("do destroying", Moment.AFTER), end_thread)

    if place == "first":
        let_end()
    else:
        STAGE.give(Cue("do disconnecting", Moment.AFTER), let_end)
    cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
    cloud.settle()

    check_gone(cloud, server_id)


def test_nothing_stays_of_a_server_that_is_deleted_while_it_is_evacuated(mortal_cloud: TwoHosts) -> None:
    cloud = mortal_cloud
    server_id = boot_on(cloud, SECOND)
    cloud.stop_second()
    down = {"binary": "nova-compute", "host": SECOND, "forced_down": True}
    assert cloud.ask("PUT", "/v2.1/os-services/force-down", down, user="admin", version="2.11").ok
    STAGE.give(Cue("do disks", Moment.AFTER), lambda: cloud.ask("DELETE", f"/v2.1/servers/{server_id}"))
    cloud.act(server_id, {"evacuate": {}}, user="admin", version="2.14")
    assert cloud.ask("GET", f"/v2.1/servers/{server_id}").status_code == 404

    cloud.start_second()
    check_gone(cloud, server_id)


def test_an_evacuated_server_has_new_disks_whatever_a_step_comes_to(mortal_cloud: TwoHosts) -> None:
    cloud, steps = mortal_cloud, step_names(Verb.EVACUATE)
    assert cloud.ask("POST", "/v2.1/flavors", {"flavor": FLAVOR}, user="admin").ok
    killed, *failing = servers = [boot_with_disks(cloud) for _ in range(1 + len(steps))]
    for server_id in servers:
        if cloud.host_of(server_id) != SECOND:
            cloud.act(server_id, ANYWHERE, user="admin")
    cloud.stop_second()
    down = {"binary": "nova-compute", "host": SECOND, "forced_down": True}
    assert cloud.ask("PUT", "/v2.1/os-services/force-down", down, user="admin", version="2.11").ok

    for server_id, step in zip(failing, steps, strict=True):
        STAGE.give(Cue(f"do {step}", Moment.AFTER), fail(RuntimeError("something that nobody thought of")))
        cloud.act(server_id, {"evacuate": {}}, user="admin", version="2.14")
        assert look(cloud, server_id) == ("host1", "ERROR")
        # What it was made of is on the host that died.
        cloud.act(server_id, {"rebuild": {"imageRef": cloud.image()}})
    for step in steps[-2:]:
        STAGE.give(Cue(f"do {step}", Moment.AFTER), end_thread)
    cloud.act(killed, {"evacuate": {}}, user="admin", version="2.14")

    fresh = {name: (size, bytes(4)) for name, (size, _) in WHOLE.items()}
    for server_id in servers:
        assert (look(cloud, server_id), disks(cloud, server_id)) == (("host1", "ACTIVE"), fresh)
    cloud.start_second()
    cloud.repair()
    assert [file.split("/")[0] for file in cloud.files()] == ["instances"] * len(servers)


def test_a_server_whose_host_dies_as_it_leaves_is_deleted_where_it_goes(mortal_cloud: TwoHosts) -> None:
    cloud = mortal_cloud
    server_id = boot_on(cloud, SECOND)

    def delete() -> None:
        # It does not hear of it any more.
        STAGE.compute.dead = True
        cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
        STAGE.die()

    STAGE.give(Cue("do moving", Moment.AFTER), delete)
    cloud.ask("POST", f"/v2.1/servers/{server_id}/action", ANYWHERE, user="admin")
    kill_second(cloud)
    assert [file.split("/")[0] for file in cloud.files()] == ["instances2"]

    cloud.start_second()
    check_gone(cloud, server_id)


def check_gone(cloud: TwoHosts, server_id: str) -> None:
    """Look for what is left of a server that was deleted; nothing was repaired."""
    assert cloud.ask("GET", f"/v2.1/servers/{server_id}", user="admin").status_code == 404
    assert (guests(cloud), cloud.files(), cloud.leaks()) == ([], [], [])
    newest = cloud.ask("GET", "/v2.1/os-migrations", user="admin").json()["migrations"][0]
    assert (newest["instance_uuid"], newest["status"] in ENDED) == (server_id, True), newest["status"]
    nodes = cloud.ask("GET", "/v2.1/os-hypervisors/detail", user="admin", version="2.53").json()["hypervisors"]
    assert {(node["memory_mb_used"], node["vcpus_used"], node["running_vms"]) for node in nodes} == {(0, 0, 0)}


def kill_second(cloud: TwoHosts) -> None:
    """Wait until the second host's daemon has died, and let the others see it."""
    assert STAGE.died.wait(30.0), "nova-compute was to die and did not"
    cloud.stop_second()
    cloud.settle()
    assert cloud.database.read("test", actions.open_actions) == []


@pytest.mark.parametrize("moment", Moment)
def test_a_server_stays_when_the_host_that_expects_it_dies(mortal_cloud: TwoHosts, moment: Moment) -> None:
    cloud = mortal_cloud
    server_id = boot_on(cloud, "host1")
    STAGE.give(Cue("do expecting", moment), STAGE.die)
    cloud.ask("POST", f"/v2.1/servers/{server_id}/action", ANYWHERE, user="admin")
    kill_second(cloud)

    assert (look(cloud, server_id), guests(cloud)) == (("host1", "ACTIVE"), ["host1"])
    cloud.start_second()


@pytest.mark.parametrize(("moment", "expected"), [(Moment.BEFORE, SECOND), (Moment.AFTER, "host1")])
def test_the_new_host_says_where_the_guest_is_when_the_old_one_died(
    mortal_cloud: TwoHosts, moment: Moment, expected: str
) -> None:
    cloud = mortal_cloud
    server_id = boot_on(cloud, SECOND)
    STAGE.give(Cue("do moving", moment), STAGE.die)
    cloud.ask("POST", f"/v2.1/servers/{server_id}/action", ANYWHERE, user="admin")
    kill_second(cloud)

    assert (look(cloud, server_id), guests(cloud)) == ((expected, "ACTIVE"), [expected])
    cloud.start_second()


def test_a_guest_that_has_moved_is_where_it_went_though_that_host_dies(mortal_cloud: TwoHosts) -> None:
    cloud = mortal_cloud
    server_id = boot_on(cloud, "host1")
    STAGE.give(Cue("do landing", Moment.BEFORE), STAGE.die)
    cloud.ask("POST", f"/v2.1/servers/{server_id}/action", ANYWHERE, user="admin")
    kill_second(cloud)

    assert (look(cloud, server_id), guests(cloud)) == ((SECOND, "ACTIVE"), [SECOND])
    cloud.start_second()
    cloud.repair()
    assert (look(cloud, server_id), guests(cloud)) == ((SECOND, "ACTIVE"), [SECOND])
