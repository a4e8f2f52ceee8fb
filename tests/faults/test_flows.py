"""Every flow of nova-compute: failed, killed, repeated and forgotten at each of its steps."""

import threading

import pytest
import sqlalchemy as sa

from nova_lite.core import clock, ids
from nova_lite.core.actions import Action, ActionState
from nova_lite.core.errors import HypervisorUnavailable, MessagingTimeout
from nova_lite.core.instance_states import TRANSITIONS, Verb, VmState
from nova_lite.db import actions
from tests.cloud import wait_for
from tests.faults.stage import STAGE, Cue, Moment, end_thread, fail
from tests.faults.staged import ATTEMPTS, VERBS, step_names
from tests.faults.staged_cloud import StagedCloud, end_after_failure, end_of

STEPS = [(verb, step) for verb in VERBS for step in step_names(verb)]
POINTS = [(verb, step, moment) for verb, step in STEPS for moment in Moment]
UNDONE = [
    (failing, undone)
    for position, failing in enumerate(step_names(Verb.BOOT), start=1)
    for undone in step_names(Verb.BOOT)[:position]
]
"""Each step of a boot that may fail, with each step that is undone then."""

_PATIENCE = 30.0


def _broken() -> RuntimeError:
    return RuntimeError("something that nobody thought of")


@pytest.mark.parametrize(("verb", "step", "moment"), POINTS)
def test_a_step_that_fails_ends_the_action_with_its_reason(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    before = None if verb is Verb.BOOT else cloud.state(server_id)
    STAGE.give(Cue(f"do {step}", moment), fail(_broken()))
    server_id = cloud.order(verb, server_id)
    cloud.settle()

    assert cloud.comes_to(server_id, end_after_failure(verb, before, step))
    assert cloud.failed(server_id)
    if TRANSITIONS[verb].failed is VmState.ERROR:
        assert "RuntimeError" in cloud.show(server_id)["fault"]["message"]
    if verb is Verb.BOOT:
        assert cloud.host_of(server_id) is None
    else:
        # What cannot be undone stays as it is; the database follows it.
        cloud.look()
    assert cloud.leaks() == []


@pytest.mark.parametrize(("verb", "step", "moment"), POINTS)
def test_an_action_whose_daemon_dies_at_a_step_is_done_by_the_next_daemon(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    STAGE.give(Cue(f"do {step}", moment), STAGE.die)
    server_id = cloud.order(verb, server_id)
    cloud.restart_compute()
    cloud.settle()

    assert cloud.state(server_id) == end_of(verb)
    assert cloud.leaks() == []


@pytest.mark.parametrize(("verb", "step", "moment"), POINTS)
def test_an_action_whose_thread_ends_is_taken_up_by_the_sweep(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    STAGE.give(Cue(f"do {step}", moment), end_thread)
    server_id = cloud.order(verb, server_id)
    cloud.settle_with_sweeps()

    assert cloud.state(server_id) == end_of(verb)
    assert cloud.leaks() == []


@pytest.mark.parametrize(("verb", "step"), STEPS)
def test_an_action_whose_daemon_dies_at_a_step_again_and_again_is_given_up(
    cloud: StagedCloud, verb: Verb, step: str
) -> None:
    server_id = cloud.prepare(verb)
    before = None if verb is Verb.BOOT else cloud.state(server_id)
    STAGE.give(Cue(f"do {step}", Moment.AFTER), STAGE.die, always=True)
    server_id = cloud.order(verb, server_id)
    for _ in range(ATTEMPTS):
        cloud.restart_compute()
    cloud.settle()

    assert STAGE.seen.count(f"do {step}") == ATTEMPTS
    assert cloud.comes_to(server_id, end_after_failure(verb, before, step))
    cloud.look()
    assert cloud.leaks() == []


@pytest.mark.parametrize(("verb", "step", "moment"), POINTS)
def test_an_action_that_finds_something_away_is_taken_up_again(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    STAGE.give(Cue(f"do {step}", moment), fail(MessagingTimeout()))
    server_id = cloud.order(verb, server_id)
    cloud.settle_with_sweeps()

    assert cloud.state(server_id) == end_of(verb)
    assert cloud.leaks() == []


def test_what_an_action_waits_for_is_told_while_it_waits_and_when_it_is_given_up(cloud: StagedCloud) -> None:
    STAGE.give(Cue("do spawning", Moment.BEFORE), fail(HypervisorUnavailable("libvirt is away.")), always=True)
    server_id = cloud.order(Verb.BOOT, "")

    def told() -> str:
        found = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"]
        return str(found[0]["message"])

    assert wait_for(lambda: told() == "libvirt is away.")
    cloud.settle_with_sweeps()
    assert cloud.show(server_id)["fault"]["message"] == told()
    assert told() == f"The operation was given up after {ATTEMPTS} attempts: libvirt is away."
    assert cloud.leaks() == []


@pytest.mark.parametrize(("verb", "step"), STEPS)
def test_a_step_may_be_done_twice(cloud: StagedCloud, verb: Verb, step: str) -> None:
    server_id = cloud.prepare(verb)
    STAGE.repeat(f"do {step}")
    server_id = cloud.order(verb, server_id)
    cloud.settle()

    assert STAGE.seen.count(f"do {step}") == 2
    assert cloud.state(server_id) == end_of(verb)
    assert cloud.leaks() == []


@pytest.mark.parametrize(("failing", "undone"), UNDONE)
def test_a_step_of_a_boot_may_be_undone_twice(cloud: StagedCloud, failing: str, undone: str) -> None:
    STAGE.give(Cue(f"do {failing}", Moment.AFTER), fail(_broken()))
    STAGE.repeat(f"undo {undone}")
    server_id = cloud.boot()

    assert STAGE.seen.count(f"undo {undone}") == 2
    assert cloud.state(server_id) is VmState.ERROR
    assert cloud.leaks() == []


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(("failing", "undone"), UNDONE)
def test_a_boot_whose_daemon_dies_at_an_undo_is_done_by_the_next_daemon(
    cloud: StagedCloud, failing: str, undone: str, moment: Moment
) -> None:
    cloud.prepare(Verb.BOOT)
    STAGE.give(Cue(f"do {failing}", Moment.AFTER), fail(_broken()))
    STAGE.give(Cue(f"undo {undone}", moment), STAGE.die)
    server_id = cloud.order(Verb.BOOT, "")
    cloud.restart_compute()
    cloud.settle()

    assert cloud.state(server_id) is VmState.ACTIVE
    assert cloud.leaks() == []


@pytest.mark.parametrize(
    ("verb", "step", "moment"),
    [
        *((Verb.BOOT, step, moment) for step in step_names(Verb.BOOT) for moment in Moment),
        *((verb, "disks", Moment.AFTER) for verb in (Verb.REBUILD, Verb.UNSHELVE, Verb.RESIZE)),
    ],
)
def test_a_delete_in_the_middle_leaves_nothing(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    STAGE.give(Cue(f"do {step}", moment), cloud.delete_every_server)
    server_id = cloud.order(verb, server_id)
    cloud.settle()

    assert cloud.state(server_id) is VmState.DELETED
    assert cloud.leaks() == []


@pytest.mark.parametrize("verb", VERBS)
def test_an_action_whose_ring_is_lost_is_found_by_the_sweep(cloud: StagedCloud, verb: Verb) -> None:
    server_id = cloud.prepare(verb)
    STAGE.rings_lost = True
    server_id = cloud.order(verb, server_id)
    cloud.settle()

    assert cloud.state(server_id) == end_of(verb)
    assert cloud.leaks() == []


def test_guests_that_leave_at_once_leave_no_bridge(cloud: StagedCloud) -> None:
    cloud.image()
    for _ in range(2):
        cloud.boot()
    # The bridges are tidied before the addresses are given back: now each sees the other's still.
    STAGE.give(Cue("ask network", Moment.BEFORE), threading.Barrier(2, timeout=_PATIENCE).wait, always=True)
    cloud.delete_every_server()
    cloud.settle()

    assert cloud.leaks() == []


def test_a_sweep_leaves_alone_what_was_begun_since_it_looked(cloud: StagedCloud) -> None:
    server_id = cloud.prepare(Verb.REBOOT)
    begun, swept = threading.Event(), threading.Event()

    def order_and_await() -> None:
        cloud.order(Verb.REBOOT, server_id)
        assert begun.wait(_PATIENCE)

    def begin_and_await() -> None:
        begun.set()
        assert swept.wait(_PATIENCE)

    STAGE.give(Cue("do rebooting", Moment.BEFORE), begin_and_await)
    STAGE.give(Cue("compute.sweep", Moment.BEFORE), order_and_await)
    STAGE.give(Cue("compute.sweep", Moment.AFTER), swept.set)
    STAGE.compute.sweep()
    assert begun.wait(_PATIENCE)
    cloud.settle()

    assert STAGE.seen.count("do rebooting") == 1


@pytest.mark.parametrize(
    ("step", "moment", "whole"),
    [
        ("snapshotting", Moment.BEFORE, False),
        ("snapshotting", Moment.AFTER, False),
        ("uploading", Moment.BEFORE, False),
        ("uploading", Moment.AFTER, True),
    ],
)
def test_an_image_that_came_to_nothing_is_gone_and_a_whole_one_stays(
    cloud: StagedCloud, step: str, moment: Moment, whole: bool
) -> None:
    server_id = cloud.prepare(Verb.SNAPSHOT)
    STAGE.give(Cue(f"do {step}", moment), fail(_broken()))
    cloud.order(Verb.SNAPSHOT, server_id)
    cloud.settle()

    found = cloud.ask("GET", "/v2/images?instance_uuid=" + server_id, api="image").json()["images"]
    assert [image["status"] for image in found] == (["active"] if whole else [])
    cloud.reap()
    stored = {path.name for path in (cloud.folder / "images").iterdir()}
    assert stored >= {cloud.image()}
    assert stored - {cloud.image()} <= {image["id"] for image in cloud.every_image()}


def test_a_host_is_mended_while_others_work(cloud: StagedCloud) -> None:
    server_id = cloud.prepare(Verb.STOP)
    assert wait_for(STAGE.compute.is_idle)
    STAGE.compute._host.firewall.unprotect(server_id)
    (cloud.folder / "instances" / "instance-0000ffff").mkdir()
    elsewhere = Action(
        ids.new_uuid(), ids.new_uuid(), Verb.SNAPSHOT, "p", "u", "r", ActionState.RUNNING, clock.now(), clock.now(),
        host="elsewhere",
    )  # fmt: skip
    cloud.database.run("test", lambda session: actions.insert(session, [elsewhere]))
    STAGE.compute.repair()
    cloud.database.run("test", lambda session: session.execute(sa.delete(actions.ActionRow)))

    assert cloud.leaks() == []


def test_a_host_that_always_works_is_mended_but_for_what_it_works_on(cloud: StagedCloud) -> None:
    worked_on, quiet = cloud.prepare(Verb.STOP), cloud.boot()
    firewall, links = STAGE.compute._host.firewall, STAGE.compute._host.links
    begun, may_end = threading.Event(), threading.Event()
    STAGE.give(Cue("virt.power_off", Moment.BEFORE), lambda: (begun.set(), may_end.wait(_PATIENCE)))
    cloud.order(Verb.STOP, worked_on)
    assert begun.wait(_PATIENCE)

    for server_id in (worked_on, quiet):
        firewall.unprotect(server_id)
    links._driver.set_links(())
    (cloud.folder / "instances" / "instance-0000ffff").mkdir()
    STAGE.compute.repair()
    assert cloud.show(worked_on)["OS-EXT-STS:task_state"] == "powering-off"
    assert {uuid for uuid, _ in firewall._ports} == {quiet}
    assert links.differences() == ()
    assert not (cloud.folder / "instances" / "instance-0000ffff").exists()

    may_end.set()
    cloud.settle()
    cloud.look()
    assert cloud.leaks() == []
