"""A network that a host cannot serve: who needs it is told why, and nobody else suffers."""

import pytest

from nova_lite.core.errors import DriverError
from nova_lite.db import networks
from tests.functional.network.world import ADMIN, Host, World


def test_a_network_that_cannot_be_served_keeps_nobody_from_the_others(world: World) -> None:
    good, bad = world.network(), world.network("10.1.0.0/24", "bad", bridge_interface="nowhere0")
    [fine] = world.boot(networks=[{"uuid": good.uuid}])
    [lost] = world.boot(networks=[{"uuid": bad.uuid}])

    [interface] = world.allocate([fine])[fine]
    for _ in range(2):
        with pytest.raises(DriverError, match="nowhere0"):
            world.manager.allocate(ADMIN, [lost])
    with pytest.raises(DriverError, match="nowhere0"):
        world.manager.converge()
    assert world.driver.served() == {interface.mac: interface.address}
    after = Host()
    world.another_manager(after).start()
    assert after.bridges() == [good.bridge]

    world.database.run("test.mend", lambda session: networks.update(session, bad.uuid, bridge_interface=""))
    world.manager.converge()
    assert set(world.driver.served().values()) == {interface.address, world.interfaces([lost])[lost][0].address}


def test_a_network_that_could_not_be_served_and_is_gone_is_complained_of_no_more(world: World) -> None:
    world.network()
    bad = world.network("10.1.0.0/24", "bad", bridge_interface="nowhere0")
    with pytest.raises(DriverError, match="nowhere0"):
        world.manager.converge()

    world.networks.delete(ADMIN, bad.uuid)

    world.manager.converge()


def test_a_host_that_can_serve_nothing_does_not_start(world: World) -> None:
    world.network(bridge_interface="nowhere0")
    with pytest.raises(DriverError, match="nowhere0"):
        world.another_manager(Host()).start()
