"""Who gets which address, and that nobody gets another's."""

import threading
from typing import Any

import pytest

from nova_lite.core.errors import NoAddress, NotFound
from nova_lite.db import addresses, leases
from nova_lite.drivers.net.base import DhcpHost
from tests.functional.network.world import ADMIN, World


def test_an_instance_gets_an_address_that_dhcp_knows_at_once(world: World) -> None:
    world.network()
    [uuid] = world.boot()

    [interface] = world.allocate([uuid])[uuid]

    assert interface.address.startswith("10.0.0.")
    assert world.driver.served() == {interface.mac: interface.address}


def test_dhcp_knows_the_name_of_the_guest(world: World) -> None:
    world.network()
    [uuid] = world.boot()

    [interface] = world.allocate([uuid])[uuid]

    [plan] = world.driver._plans.values()
    assert plan.hosts == (DhcpHost(interface.mac, interface.address, "vm-0"),)


def test_asking_again_changes_nothing(world: World) -> None:
    world.network()
    [uuid] = world.boot()
    first = world.allocate([uuid])

    again = world.allocate([uuid])

    assert again == first
    assert world.driver.writes["set_hosts"] == 0 or len(world.driver.served()) == 1


def test_one_instance_takes_four_statements_and_one_for_dhcp(world: World) -> None:
    world.network()
    world.allocate(world.boot())
    uuids = world.boot()

    sent = world.statements(lambda: world.manager.allocate(ADMIN, uuids))

    assert len(sent) == 5


def test_releasing_takes_two_statements(world: World) -> None:
    world.network()
    uuids = world.boot()
    world.allocate(uuids)

    sent = world.statements(lambda: world.manager.release(ADMIN, uuids))

    assert len(sent) == 2
    assert world.driver.served() == {}


def test_a_hundred_instances_take_no_more_statements_than_one(world: World) -> None:
    world.network()
    world.allocate(world.boot())
    uuids = world.boot(100)

    sent = world.statements(lambda: world.manager.allocate(ADMIN, uuids))

    assert len(sent) == 5
    found = world.interfaces(uuids)
    assert len({interface.address for of_one in found.values() for interface in of_one}) == 100


def test_many_at_once_get_different_addresses(world: World) -> None:
    world.network("10.0.0.0/25")
    uuids = world.boot(60)
    failures: list[Exception] = []

    def allocate(mine: list[str]) -> None:
        try:
            for uuid in mine:
                world.manager.allocate(ADMIN, [uuid])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=allocate, args=(uuids[first::12],)) for first in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    found = [interface for of_one in world.interfaces(uuids).values() for interface in of_one]
    assert len({interface.address for interface in found}) == 60
    assert world.driver.served() == {interface.mac: interface.address for interface in found}


def test_the_same_instance_asked_for_by_many_at_once_gets_one_address(world: World) -> None:
    world.network()
    [uuid] = world.boot()
    threads = [threading.Thread(target=world.manager.allocate, args=(ADMIN, [uuid])) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(world.interfaces([uuid])[uuid]) == 1
    assert len(world.driver.served()) == 1
    [count] = world.networks.address_counts(ADMIN).values()
    assert count.used == 1


def test_network_gateway_and_broadcast_are_never_given(world: World) -> None:
    world.network("10.0.0.0/29")
    uuids = world.boot(5)

    found = world.allocate(uuids)

    given = {interface.address for of_one in found.values() for interface in of_one}
    assert given == {f"10.0.0.{number}" for number in range(2, 7)}


def test_a_full_network_refuses_and_takes_nothing(world: World) -> None:
    world.network("10.0.0.0/29")
    uuids = world.boot(6)

    with pytest.raises(NoAddress, match="No more addresses are available in network private"):
        world.manager.allocate(ADMIN, uuids)

    assert world.interfaces(uuids) == {}
    [count] = world.networks.address_counts(ADMIN).values()
    assert (count.used, count.total) == (0, 5)


def test_released_addresses_can_be_had_again(world: World) -> None:
    world.network("10.0.0.0/29")
    first, second = world.boot(5), world.boot(5)
    world.allocate(first)

    world.manager.release(ADMIN, first)
    world.manager.release(ADMIN, first)

    assert world.driver.served() == {}
    assert len(world.allocate(second)) == 5


def test_an_address_that_a_gone_guest_may_still_use_is_taken_last(world: World) -> None:
    world.network("10.0.0.0/29")
    [gone] = world.boot()
    [interface] = world.allocate([gone])[gone]
    world.manager.lease_changed(ADMIN, "add", interface.mac, interface.address)
    world.manager.release(ADMIN, [gone])

    early = world.allocate(world.boot(4))
    late = world.allocate(world.boot())

    taken = {interface.address for of_one in early.values() for interface in of_one}
    assert interface.address not in taken
    assert [other.address for of_one in late.values() for other in of_one] == [interface.address]


def test_a_lease_ends_when_the_dhcp_server_says_so(world: World) -> None:
    network = world.network()
    [uuid] = world.boot()
    [interface] = world.allocate([uuid])[uuid]
    world.manager.lease_changed(ADMIN, "add", interface.mac, interface.address)
    [held] = world.database.read("test", lambda session: leases.held(session, [network.id]))
    assert held.leased

    world.manager.lease_changed(ADMIN, "del", interface.mac, interface.address)

    [held] = world.database.read("test", lambda session: leases.held(session, [network.id]))
    assert not held.leased


def test_a_lease_of_a_stranger_is_not_believed(world: World) -> None:
    network = world.network()
    [uuid] = world.boot()
    [interface] = world.allocate([uuid])[uuid]

    world.manager.lease_changed(ADMIN, "add", "fa:16:3e:00:00:01", interface.address)

    [held] = world.database.read("test", lambda session: leases.held(session, [network.id]))
    assert not held.leased


def test_an_instance_gets_an_interface_on_each_network_of_its_project(world: World) -> None:
    world.network("10.0.0.0/24", "shared")
    world.network("10.0.1.0/24", "own", project_id="demo")
    world.network("10.0.2.0/24", "foreign", project_id="other")
    [uuid] = world.boot()

    found = world.allocate([uuid])[uuid]

    assert [interface.network_label for interface in found] == ["shared", "own"]
    assert world.driver.bridges() == ["br100", "br101", "br102"]


def test_only_the_networks_that_were_asked_for_are_used(world: World) -> None:
    world.network("10.0.0.0/24", "one")
    two = world.network("10.0.1.0/24", "two")
    [uuid] = world.boot(networks=[{"uuid": two.uuid, "fixed_ip": ""}])

    found = world.allocate([uuid])[uuid]

    assert [interface.network_uuid for interface in found] == [two.uuid]


def test_an_instance_that_wants_no_network_gets_none(world: World) -> None:
    world.network()
    [uuid] = world.boot(networks="none")

    assert world.allocate([uuid]) == {}


def test_a_requested_address_is_given(world: World) -> None:
    network = world.network()
    [uuid] = world.boot(networks=[{"uuid": network.uuid, "fixed_ip": "10.0.0.77"}])

    [interface] = world.allocate([uuid])[uuid]

    assert interface.address == "10.0.0.77"


def test_a_requested_address_that_is_taken_is_refused(world: World) -> None:
    network = world.network()
    wanted = [{"uuid": network.uuid, "fixed_ip": "10.0.0.77"}]
    world.allocate(world.boot(networks=wanted))

    with pytest.raises(NoAddress, match=r"10\.0\.0\.77 is already in use"):
        world.manager.allocate(ADMIN, world.boot(networks=wanted))


@pytest.mark.parametrize("address", ["10.9.9.9", "10.0.0.1", "10.0.0.255"])
def test_a_requested_address_that_guests_cannot_have_is_refused(world: World, address: str) -> None:
    network = world.network()
    uuids = world.boot(networks=[{"uuid": network.uuid, "fixed_ip": address}])

    with pytest.raises(NotFound, match="has no address"):
        world.manager.allocate(ADMIN, uuids)


def test_another_projects_network_cannot_be_asked_for(world: World) -> None:
    foreign = world.network(project_id="other")
    uuids = world.boot(networks=[{"uuid": foreign.uuid}])

    with pytest.raises(NotFound):
        world.manager.allocate(ADMIN, uuids)


def test_an_instance_that_is_deleted_meanwhile_gets_nothing(world: World) -> None:
    world.network()
    [uuid] = world.boot()
    world.delete_row(uuid)

    world.manager.allocate(ADMIN, [uuid])

    assert world.interfaces([uuid]) == {}


def test_the_holder_of_an_address_is_found(world: World) -> None:
    world.network()
    [uuid] = world.boot()
    [interface] = world.allocate([uuid])[uuid]

    def holder(address: str) -> Any:
        return world.database.read("test", lambda session: addresses.holder_of(session, address))

    assert holder(interface.address).instance_uuid == uuid
    assert holder("10.0.0.1") is None
    assert holder("192.0.2.1") is None
