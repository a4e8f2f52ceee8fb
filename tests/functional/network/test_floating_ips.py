"""Floating addresses: who has which, where they lead, and that hosts know it."""

import concurrent.futures
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, DriverError, InvalidInput, NotFound, NovaError, OverQuota
from nova_lite.core.network import FloatingIp
from nova_lite.db import floating_ips
from tests.cloud import wait_for
from tests.functional.network.world import ADMIN, Host, World

DEMO = RequestContext(user_id="u1", project_id="demo", roles=("member",))
OTHER = RequestContext(user_id="u2", project_id="other", roles=("member",))


def filled(world: World, cidr: str = "192.0.2.0/29") -> World:
    """Return the world with a network, and a pool of six addresses."""
    world.network()
    world.floating_ips.create_range(ADMIN, cidr)
    return world


def booted(world: World, **options: Any) -> tuple[str, str]:
    """Boot an instance and return its uuid and fixed address."""
    [uuid] = world.boot(**options)
    return uuid, world.allocate([uuid])[uuid][0].address


def free(world: World) -> int:
    [pool] = world.floating_ips.pools(ADMIN)
    return pool.total - pool.used


def test_an_address_leads_to_an_instance_and_its_host_knows_at_once(world: World) -> None:
    filled(world)
    uuid, fixed = booted(world)
    taken = world.floating_ips.allocate(DEMO)
    led = world.floating_ips.associate(DEMO, taken.address, uuid)

    assert (led.fixed_address, led.instance_uuid, led.pool) == (fixed, uuid, "nova")
    assert world.driver.leading() == {taken.address: fixed}
    [interface] = world.interfaces([uuid])[uuid]
    assert interface.floating == (taken.address,)


def test_an_address_moves_in_one_call(world: World) -> None:
    filled(world)
    (first, _), (second, fixed) = booted(world), booted(world)
    taken = world.floating_ips.allocate(DEMO)
    world.floating_ips.associate(DEMO, taken.id, first)
    world.floating_ips.associate(DEMO, taken.id, second)

    assert world.driver.leading() == {taken.address: fixed}
    with pytest.raises(Conflict):
        world.floating_ips.disassociate(DEMO, taken.id, first)
    world.floating_ips.disassociate(DEMO, taken.id, second)
    assert world.driver.leading() == {}
    assert world.floating_ips.get(DEMO, taken.id).instance_uuid == ""


def test_an_address_leads_nowhere_once_its_instance_is_gone_and_stays_the_projects(world: World) -> None:
    filled(world)
    uuid, _ = booted(world)
    taken = world.floating_ips.allocate(DEMO)
    world.floating_ips.associate(DEMO, taken.id, uuid)
    world.delete_row(uuid)
    world.manager.release(ADMIN, [uuid])

    assert world.driver.leading() == {}
    assert [one.address for one in world.floating_ips.list(DEMO)] == [taken.address]
    assert world.floating_ips.list(DEMO)[0].vif_id == ""


def test_giving_an_address_back_ends_where_it_led(world: World) -> None:
    filled(world)
    uuid, _ = booted(world)
    taken = world.floating_ips.allocate(DEMO)
    world.floating_ips.associate(DEMO, taken.id, uuid)
    world.floating_ips.release(DEMO, taken.id)

    assert (world.driver.leading(), free(world)) == ({}, 6)
    with pytest.raises(NotFound):
        world.floating_ips.get(DEMO, taken.id)


def test_a_project_has_no_more_than_its_quota_and_none_of_others(world: World) -> None:
    filled(world)
    mine = [world.floating_ips.allocate(DEMO) for _ in range(3)]
    with pytest.raises(OverQuota):
        world.floating_ips.allocate(DEMO)
    assert world.floating_ips.list(OTHER) == []
    uuid, _ = booted(world, project="other")
    for act in (
        lambda: world.floating_ips.get(OTHER, mine[0].address),
        lambda: world.floating_ips.release(OTHER, mine[0].id),
        lambda: world.floating_ips.associate(OTHER, mine[0].address, uuid),
        lambda: world.floating_ips.associate(DEMO, mine[0].address, uuid),
        lambda: world.floating_ips.disassociate(OTHER, mine[0].id),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_fixed_address_may_be_named_if_it_is_the_servers(world: World) -> None:
    filled(world)
    uuid, fixed = booted(world)
    taken = world.floating_ips.allocate(DEMO)
    with pytest.raises(InvalidInput):
        world.floating_ips.associate(DEMO, taken.id, uuid, "10.0.0.200")
    assert world.floating_ips.associate(DEMO, taken.id, uuid, fixed).fixed_address == fixed
    [bare] = world.boot()
    with pytest.raises(InvalidInput, match="No fixed IP"):
        world.floating_ips.associate(DEMO, taken.id, bare)
    assert world.driver.leading() == {taken.address: fixed}


def test_ranges_are_added_and_removed_whole_or_not_at_all(world: World) -> None:
    filled(world)
    for ip_range, error in (("192.0.2.4/30", Conflict), ("nonsense", InvalidInput), ("10.0.0.0/8", InvalidInput)):
        with pytest.raises(error):
            world.floating_ips.create_range(ADMIN, ip_range)
    assert list(world.floating_ips.create_range(ADMIN, "203.0.113.7", pool="more", interface="eth9")) == [
        "203.0.113.7"
    ]
    taken = world.floating_ips.allocate(DEMO)
    with pytest.raises(Conflict):
        world.floating_ips.delete_range(ADMIN, "192.0.2.0/29")
    assert free_of(world) == {"more": 1, "nova": 5}
    world.floating_ips.release(DEMO, taken.id)
    assert world.floating_ips.delete_range(ADMIN, "192.0.2.0/29") == 6
    assert free_of(world) == {"more": 1}


def free_of(world: World) -> dict[str, int]:
    return {pool.name: pool.total - pool.used for pool in world.floating_ips.pools(ADMIN)}


def test_an_empty_pool_and_an_unknown_one_are_told(world: World) -> None:
    filled(world, "192.0.2.9/32")
    world.floating_ips.allocate(OTHER)
    with pytest.raises(NotFound, match="No more floating IPs in pool nova"):
        world.floating_ips.allocate(DEMO)
    with pytest.raises(NotFound, match="pool elsewhere not found"):
        world.floating_ips.allocate(DEMO, "elsewhere")


def test_many_who_ask_at_once_get_different_addresses(world: World) -> None:
    filled(world, "192.0.2.0/28")

    def take(number: int) -> FloatingIp | None:
        try:
            return world.floating_ips.allocate(RequestContext(project_id=f"p{number}"))
        except NovaError:
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        taken = [one for one in pool.map(take, range(20)) if one is not None]

    assert len({one.address for one in taken}) == len(taken) == 14
    assert free(world) == 0


def test_two_operators_who_add_the_same_addresses_are_told_so(world: World) -> None:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement.partition(" (")[0])

    def first(session: Session) -> Any:
        floating_ips.insert(session, ["192.0.2.1"], "nova", "eth0")
        second = pool.submit(world.floating_ips.create_range, ADMIN, "192.0.2.0/30")
        if world.database.dialect != "sqlite":
            # The second has found nothing and writes. In SQLite it would not have begun: one writes at a time.
            assert wait_for(lambda: sent.count("INSERT INTO floating_ips") == 2)
        return second

    sa.event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            second = world.database.run("test.first", first)
            with pytest.raises(Conflict, match="already"):
                second.result(timeout=30)
    finally:
        sa.event.remove(world.database.engine, "before_cursor_execute", note)
    assert [one.address for one in world.floating_ips.every(ADMIN)] == ["192.0.2.1"]


def test_an_instance_is_given_one_address_by_itself_however_many_give(world: World) -> None:
    filled(world)
    manager = world.another_manager(Host(), auto_assign_pool="nova")
    manager.start()
    [uuid] = world.boot()
    found = manager._claim([uuid])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda _: manager._assign_floating(found), range(4)))

    assert sorted(given) == [False, False, False, True]
    [floating] = world.floating_ips.list(DEMO)
    [interface] = world.interfaces([uuid])[uuid]
    assert (interface.floating, floating.auto_assigned) == ((floating.address,), True)


def test_a_host_that_was_away_learns_it_when_it_starts(world: World) -> None:
    filled(world)
    uuid, fixed = booted(world)
    taken = world.floating_ips.allocate(DEMO)

    def lead(session: Any) -> None:
        [interface] = world.interfaces([uuid])[uuid]
        floating_ips.point(session, taken.id, "demo", interface.id)

    world.database.run("test.lead", lead)
    assert [one.kind for one in world.manager.reconciler.differences()] == ["network"]
    fresh = Host()
    world.another_manager(fresh).start()
    assert fresh.leading() == {taken.address: fixed}
    world.manager.converge()
    assert world.driver.leading() == {taken.address: fixed}


def test_addresses_that_come_by_themselves_go_with_their_instance(world: World) -> None:
    filled(world)
    host = Host()
    manager = world.another_manager(host, auto_assign_pool="nova")
    manager.start()
    [uuid] = world.boot()
    for _ in range(2):
        manager.allocate(ADMIN, [uuid])
    [floating] = world.floating_ips.list(DEMO)
    assert list(host.leading()) == [floating.address]
    with pytest.raises(Conflict):
        world.floating_ips.release(DEMO, floating.id)

    world.delete_row(uuid)
    manager.release(ADMIN, [uuid])
    manager.converge()
    assert (host.leading(), free(world)) == ({}, 6)


def test_an_address_that_no_host_can_carry_is_refused_and_stays_where_it_was(world: World) -> None:
    filled(world)
    world.floating_ips.create_range(ADMIN, "203.0.113.8/30", pool="bad", interface="nowhere0")
    (first, fixed), (second, _) = booted(world), booted(world)
    good, bad = world.floating_ips.allocate(DEMO), world.floating_ips.allocate(DEMO, "bad")
    world.floating_ips.associate(DEMO, good.id, first)
    [interface] = world.interfaces([second])[second]
    for act in (
        lambda: world.floating_ips.associate(DEMO, bad.id, second),
        lambda: world.floating_ips.associate_port(DEMO, bad.id, interface.id),
        lambda: world.floating_ips.allocate(DEMO, "bad", port_id=interface.id),
    ):
        with pytest.raises(DriverError, match="nowhere0"):
            act()
        assert world.driver.leading() == {good.address: fixed}
        assert [one.vif_id for one in world.floating_ips.list(DEMO) if one.pool == "bad"] == [""]
    assert world.manager.reconciler.differences() == []
    # others go on
    assert len(world.allocate(world.boot())) == 1
    assert free_of(world) == {"bad": 1, "nova": 5}
