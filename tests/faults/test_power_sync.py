"""Guests that change by themselves: what nova-compute makes of it when it looks."""

import pytest

from nova_lite.core.instance_states import PowerState, Verb, VmState
from tests.cloud import wait_for
from tests.faults.stage import STAGE, Cue, Moment
from tests.faults.staged_cloud import BODIES, StagedCloud

GOES = {
    VmState.ACTIVE: None,
    VmState.STOPPED: Verb.STOP,
    VmState.PAUSED: Verb.PAUSE,
    VmState.SUSPENDED: Verb.SUSPEND,
    VmState.RESCUED: Verb.RESCUE,
}
"""The states of a server that has a guest, and the verb that leads there from active."""

LOOKED = Cue("look at a guest", Moment.AFTER)

FOLLOWS = {
    (VmState.ACTIVE, PowerState.SHUTDOWN): VmState.STOPPED,
    (VmState.ACTIVE, PowerState.CRASHED): VmState.STOPPED,
    (VmState.ACTIVE, PowerState.PAUSED): VmState.ACTIVE,
    (VmState.STOPPED, PowerState.RUNNING): VmState.ACTIVE,
    (VmState.PAUSED, PowerState.SHUTDOWN): VmState.STOPPED,
    (VmState.PAUSED, PowerState.RUNNING): VmState.ACTIVE,
    (VmState.SUSPENDED, PowerState.RUNNING): VmState.ACTIVE,
    (VmState.RESCUED, PowerState.SHUTDOWN): VmState.RESCUED,
}


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("before", "power"), FOLLOWS)
def test_the_database_follows_a_guest_that_changed_by_itself(
    cloud: StagedCloud, before: VmState, power: PowerState, told: bool
) -> None:
    cloud.image()
    server_id = cloud.boot()
    verb = GOES[before]
    if verb is not None:
        cloud.act(server_id, BODIES[verb])
    STAGE.hypervisor.change(server_id, power, told=told)

    if told:
        # At once, and not by a comparison that comes from time to time.
        assert wait_for(lambda: cloud.show(server_id)["OS-EXT-STS:power_state"] == power)
    else:
        cloud.look()

    assert cloud.state(server_id) is FOLLOWS[before, power]
    assert cloud.show(server_id)["OS-EXT-STS:power_state"] == power
    assert cloud.leaks() == []


def test_a_guest_that_changed_while_something_was_done_to_it_is_looked_at_after_that(cloud: StagedCloud) -> None:
    cloud.image()
    server_id = cloud.boot()
    # A snapshot does not change what the guest is; the guest does.
    STAGE.give(
        Cue("do uploading", Moment.BEFORE), lambda: STAGE.hypervisor.change(server_id, PowerState.SHUTDOWN)
    )
    cloud.act(server_id, BODIES[Verb.SNAPSHOT])

    assert wait_for(lambda: cloud.show(server_id)["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN)
    assert cloud.state(server_id) is VmState.STOPPED


@pytest.mark.parametrize("looks", [1, 2])
def test_a_guest_that_changed_as_something_began_to_be_done_to_it_is_looked_at_after_that(
    cloud: StagedCloud, looks: int
) -> None:
    cloud.image()
    server_id = cloud.boot()
    seen = []

    def look() -> None:
        seen.append(looks)
        if len(seen) < looks:
            STAGE.give(LOOKED, look)
        else:
            # Nobody works at it yet when the row is read, or all of it has been done when the row is written.
            STAGE.rings_lost = looks == 1
            cloud.order(Verb.SNAPSHOT, server_id)
            if looks == 2:
                cloud.settle()

    # Whoever looks from now on sees that it is off, also the one who looks since the boot.
    STAGE.hypervisor.change(server_id, PowerState.SHUTDOWN, told=False)
    STAGE.give(LOOKED, look)
    STAGE.hypervisor.change(server_id, PowerState.SHUTDOWN)
    assert wait_for(lambda: len(seen) == looks and (looks == 1 or STAGE.seen.count("do uploading") == 1))
    cloud.settle_with_sweeps()

    def is_off() -> bool:
        STAGE.compute.sweep()
        return bool(cloud.show(server_id)["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN)

    assert wait_for(is_off)
    assert cloud.state(server_id) is VmState.STOPPED


def test_a_guest_that_nobody_knows_any_more_is_found_gone_at_once(cloud: StagedCloud) -> None:
    cloud.image()
    server_id = cloud.boot()
    STAGE.hypervisor.destroy(server_id)

    assert wait_for(lambda: cloud.show(server_id)["OS-EXT-STS:power_state"] == PowerState.NOSTATE)
    assert cloud.state(server_id) is VmState.STOPPED


@pytest.mark.parametrize("again", [PowerState.RUNNING, PowerState.SHUTDOWN])
def test_a_look_from_before_an_action_changes_nothing_after_it(cloud: StagedCloud, again: PowerState) -> None:
    cloud.image()
    server_id = cloud.boot()
    assert wait_for(STAGE.compute.is_idle), "after the boot the guest is looked at once more"
    STAGE.hypervisor.change(server_id, PowerState.SHUTDOWN, told=False)
    (found,) = (one for one in STAGE.compute.reconciler.findings() if one.kind == "power")
    cloud.order(Verb.REBOOT_HARD, server_id)
    cloud.settle()
    assert wait_for(STAGE.compute.is_idle), "after the reboot, too"
    STAGE.hypervisor.change(server_id, again, told=False)
    found.mend()

    assert cloud.state(server_id) is VmState.ACTIVE
    assert cloud.show(server_id)["OS-EXT-STS:power_state"] == PowerState.RUNNING


def test_a_look_at_a_guest_that_is_on_again_changes_nothing(cloud: StagedCloud) -> None:
    cloud.image()
    server_id = cloud.boot()
    assert wait_for(STAGE.compute.is_idle), "after the boot the guest is looked at once more"
    STAGE.hypervisor.change(server_id, PowerState.SHUTDOWN, told=False)
    (found,) = (one for one in STAGE.compute.reconciler.findings() if one.kind == "power")
    STAGE.hypervisor.change(server_id, PowerState.RUNNING, told=False)
    found.mend()

    assert cloud.state(server_id) is VmState.ACTIVE
    assert cloud.leaks() == []
