"""Which networks can be made, and what their host serves of them."""

import dataclasses
import threading
from typing import Any

import pytest

from nova_lite.core.errors import Conflict, DriverError
from nova_lite.db import networks
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet
from tests.cloud import wait_for
from tests.functional.network.world import ADMIN, HOST, Host, World


def test_a_network_in_use_cannot_be_deleted(world: World) -> None:
    network = world.network()
    uuids = world.boot()
    world.allocate(uuids)

    with pytest.raises(Conflict, match="in use"):
        world.networks.delete(ADMIN, network.uuid)

    world.manager.release(ADMIN, uuids)
    world.networks.delete(ADMIN, network.uuid)
    world.manager.converge()
    assert world.driver.bridges() == []


def test_overlapping_networks_are_refused(world: World) -> None:
    world.network("10.0.0.0/24")

    with pytest.raises(Conflict, match=r"overlaps with 10\.0\.0\.0/24"):
        world.network("10.0.0.128/25")

    assert len(world.networks.list(ADMIN)) == 1


def test_the_database_itself_refuses_an_address_in_two_networks(world: World) -> None:
    network = world.network("10.0.0.0/24")
    empty = world.networks.create(ADMIN, NewNetwork("empty"))

    def work(session: Any) -> None:
        networks.add_addresses(session, dataclasses.replace(empty, cidr=network.cidr), ())

    with pytest.raises(Conflict, match="overlaps"):
        world.database.run("test", work)


def test_a_network_whose_bridge_is_taken_is_refused(world: World) -> None:
    world.network("10.0.0.0/24", bridge="br7")

    with pytest.raises(Conflict, match="br7"):
        world.network("10.0.1.0/24", bridge="br7")


def test_new_networks_are_served_from_their_first_address_on(world: World) -> None:
    world.allocate(world.boot())
    world.network()

    [uuid] = world.boot()
    world.allocate([uuid])

    assert world.driver.bridges() == ["br100"]
    assert world.networks.list(ADMIN)[0].host == HOST


def test_what_is_given_while_others_are_served_is_written_together(world: World) -> None:
    world.network()
    world.allocate(world.boot())
    world.driver.writes.clear()
    world.driver.entered.clear()
    world.driver.gate.clear()
    threads = [threading.Thread(target=world.manager.allocate, args=(ADMIN, world.boot())) for _ in range(20)]
    threads[0].start()
    assert world.driver.entered.wait(20)
    for thread in threads[1:]:
        thread.start()
    assert wait_for(lambda: _used(world) == 21)

    world.driver.gate.set()
    for thread in threads:
        thread.join(60)

    assert len(world.driver.served()) == 21
    assert world.driver.writes["set_hosts"] < 8


def test_a_new_daemon_serves_what_the_database_says(world: World) -> None:
    world.network()
    uuids = world.boot(3)
    world.allocate(uuids)
    driver = Host()

    world.another_manager(driver).start()

    assert driver.served() == world.driver.served()
    assert driver.bridges() == ["br100"]


def test_addresses_of_instances_that_are_gone_come_back(world: World) -> None:
    world.network()
    lost, kept = world.boot(2)
    world.allocate([lost, kept])
    world.delete_row(lost)
    [difference] = world.manager.reconciler.differences()
    assert (difference.kind, difference.name) == ("address", lost)

    world.manager.converge()

    assert world.interfaces([lost, kept]).keys() == {kept}
    assert len(world.driver.served()) == 1
    assert world.manager.reconciler.differences() == []


def test_what_somebody_changed_on_the_host_is_mended(world: World) -> None:
    world.network()
    world.allocate(world.boot())
    served = world.driver.served()
    world.driver.remove()
    assert len(world.manager.reconciler.differences()) == 1

    world.manager.converge()

    assert world.driver.served() == served
    assert world.manager.reconciler.differences() == []


def test_a_host_that_cannot_serve_says_so_and_catches_up(world: World) -> None:
    world.network()
    world.allocate(world.boot())
    uuids = world.boot()
    world.driver.broken = True

    with pytest.raises(DriverError, match="disk is full"):
        world.manager.allocate(ADMIN, uuids)
    world.manager.release(ADMIN, uuids)
    world.driver.broken = False

    world.manager.converge()

    assert len(world.driver.served()) == 1


def test_a_subnet_can_come_later_and_go(world: World) -> None:
    network = world.networks.create(ADMIN, NewNetwork("later"))
    assert world.allocate(world.boot()) == {}

    world.networks.add_subnet(ADMIN, network.uuid, NewSubnet("10.3.0.0/24"))
    [uuid] = world.boot()
    [interface] = world.allocate([uuid])[uuid]
    assert interface.address.startswith("10.3.0.")

    with pytest.raises(Conflict):
        world.networks.remove_subnet(ADMIN, network.subnet_id)
    world.manager.release(ADMIN, [uuid])
    world.networks.remove_subnet(ADMIN, network.subnet_id)
    assert world.networks.get(ADMIN, network.uuid).cidr == ""


def _used(world: World) -> int:
    return sum(count.used for count in world.networks.address_counts(ADMIN).values())
