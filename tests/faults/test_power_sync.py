"""Guests that change by themselves: what nova-compute makes of it when it looks."""

import pytest

from nova_lite.core.instance_states import PowerState, Verb, VmState
from tests.faults.stage import STAGE
from tests.faults.staged_cloud import BODIES, StagedCloud

GOES = {
    VmState.ACTIVE: None,
    VmState.STOPPED: Verb.STOP,
    VmState.PAUSED: Verb.PAUSE,
    VmState.SUSPENDED: Verb.SUSPEND,
    VmState.RESCUED: Verb.RESCUE,
}
"""The states of a server that has a guest, and the verb that leads there from active."""

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


@pytest.mark.parametrize(("before", "power"), FOLLOWS)
def test_the_database_follows_a_guest_that_changed_by_itself(
    cloud: StagedCloud, before: VmState, power: PowerState
) -> None:
    cloud.image()
    server_id = cloud.boot()
    verb = GOES[before]
    if verb is not None:
        cloud.act(server_id, BODIES[verb])
    STAGE.hypervisor.change(server_id, power)

    cloud.look()

    assert cloud.state(server_id) is FOLLOWS[before, power]
    assert cloud.show(server_id)["OS-EXT-STS:power_state"] == power
    assert cloud.leaks() == []
