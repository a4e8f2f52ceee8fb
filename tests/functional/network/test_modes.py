"""The modes of networking: whose a network is, who serves it, and what is served."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from nova_lite.core.errors import Conflict, DriverError, InvalidInput, NoAddress, NotFound
from nova_lite.core.hosts import Service
from nova_lite.core.network import Network
from nova_lite.db import addresses, services
from nova_lite.db.engine import Database
from nova_lite.db.services import ServiceReport
from nova_lite.network.flat import FlatManager
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.network.vlan import VlanManager
from nova_lite.operations.networks import NetworkDefaults, NewNetwork, NewNetworks
from nova_lite.operations.subnets import NewSubnet
from nova_lite.rpc.network import NetworkContract, NetworkProxy
from tests.functional.network.conftest import started
from tests.functional.network.world import ADMIN, HOST, Host, World

THERE = "there"


def several(world: World, count: int, size: int = 16, cidr: str = "10.0.0.0/24", **values: Any) -> list[Network]:
    """Make networks of one range."""
    each = NewNetwork("net", NewSubnet(cidr), **values)
    return list(world.networks.create_many(ADMIN, NewNetworks(each, count, size)))


def fresh(world: World, network: Network) -> Network:
    return world.networks.get(ADMIN, network.uuid)


class TestVlan:
    """Each project has a VLAN of its own."""

    @pytest.fixture
    def world(self, database: Database) -> Iterator[World]:
        defaults = NetworkDefaults(
            mode=VlanManager.mode, vlan_interface="eth1", vpn_ip="198.51.100.1", vpn_clients=2
        )
        with started(database, VlanManager, defaults=defaults) as world:
            yield world

    def test_networks_of_a_range_have_vlans_and_reserved_addresses_of_their_own(self, world: World) -> None:
        first, second = several(world, 2, 32)

        assert [(one.label, one.vlan, one.bridge) for one in (first, second)] == [
            ("net_0", 100, "br100"), ("net_1", 101, "br101"),
        ]  # fmt: skip
        assert (second.cidr, second.gateway) == ("10.0.0.32/27", "10.0.0.33")
        assert (second.vpn_private_address, second.dhcp_start) == ("10.0.0.34", "10.0.0.35")
        assert [one.vpn_public_port for one in (first, second)] == [1000, 1001]
        assert second.vpn_public_address == "198.51.100.1"
        counts = world.networks.address_counts(ADMIN)
        assert counts[second.id].total == 32 - 3 - 1 - 2

    def test_a_project_gets_its_network_at_its_first_boot_and_keeps_it(self, world: World) -> None:
        several(world, 3)
        assert world.driver.bridges() == []
        mine, others = world.boot(2, project="mine"), world.boot(project="other")

        found = world.allocate(mine) | world.allocate(others) | world.allocate(world.boot(project="mine"))

        networks = {one.network_uuid for of_one in found.values() for one in of_one}
        assert len(networks) == 2
        owners = {one.project_id: one for one in world.networks.list(ADMIN)}
        assert owners.keys() == {"mine", "other", ""}
        assert {found[uuid][0].network_uuid for uuid in mine} == {owners["mine"].uuid}
        assert world.driver.bridges() == sorted({owners["mine"].bridge, owners["other"].bridge})
        assert owners["mine"].host == HOST

    def test_many_first_boots_of_projects_at_once_give_each_one_network(self, world: World) -> None:
        several(world, 8)
        boots = [world.boot(project=f"project-{number % 6}") for number in range(18)]
        failures: list[Exception] = []

        def allocate(uuids: list[str]) -> None:
            try:
                world.manager.allocate(ADMIN, uuids)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=allocate, args=(uuids,)) for uuids in boots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert failures == []
        owners = [one.project_id for one in world.networks.list(ADMIN) if one.project_id]
        assert sorted(owners) == [f"project-{number}" for number in range(6)]

    def test_who_comes_when_the_last_network_goes_to_his_own_project_is_in_it(
        self, world: World, database: Database
    ) -> None:
        [network] = several(world, 1)
        mine, late = world.boot(project="mine"), world.boot(project="mine")
        meanwhile = threading.Thread(target=world.manager.allocate, args=(ADMIN, mine))

        def overtake(_connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
            if "vlan IS NOT NULL" in statement and meanwhile.ident is None:
                meanwhile.start()
                # With SQLite who writes comes after the other, and only then looks.
                meanwhile.join(0 if database.dialect == "sqlite" else 60)

        sa.event.listen(database.engine, "before_cursor_execute", overtake)
        found = world.allocate(late)
        meanwhile.join(60)
        assert [one.network_uuid for one in found[late[0]]] == [network.uuid]

    def test_a_project_for_which_none_is_left_is_told(self, world: World) -> None:
        several(world, 1)
        world.allocate(world.boot(project="mine"))

        with pytest.raises(NoAddress, match="No network is left for project other"):
            world.manager.allocate(ADMIN, world.boot(project="other"))

    def test_nobody_can_ask_for_a_network_that_is_not_his(self, world: World) -> None:
        network, _ = several(world, 2)
        uuids = world.boot(project="mine", networks=[{"uuid": network.uuid}])

        with pytest.raises(NotFound):
            world.manager.allocate(ADMIN, uuids)

    def test_an_instance_that_wants_no_network_takes_none(self, world: World) -> None:
        network, _ = several(world, 2)
        world.manager.allocate(ADMIN, world.boot(project="mine", networks="none"))
        assert fresh(world, network).project_id == ""

    def test_a_disassociated_network_is_free_and_gone_from_the_host(self, world: World) -> None:
        several(world, 1)
        uuids = world.boot(project="mine")
        [interface] = world.allocate(uuids)[uuids[0]]
        with pytest.raises(Conflict, match="in use"):
            world.networks.update(ADMIN, interface.network_uuid, {"project_id": ""})
        world.manager.release(ADMIN, uuids)

        world.networks.update(ADMIN, interface.network_uuid, {"project_id": ""})
        world.manager.converge()

        assert world.driver.bridges() == []
        other = world.boot(project="other")
        assert world.allocate(other)[other[0]][0].network_uuid == interface.network_uuid

    def test_a_project_may_have_a_second_network_from_the_operator(self, world: World) -> None:
        several(world, 3)
        world.allocate(world.boot(project="mine"))
        free = next(one for one in world.networks.list(ADMIN) if not one.project_id)
        world.networks.update(ADMIN, free.uuid, {"project_id": "mine"})

        [uuid] = world.boot(project="mine")

        assert len(world.allocate([uuid])[uuid]) == 2

    def test_what_cannot_be_is_refused_and_nothing_is_made(self, world: World) -> None:
        several(world, 1, vlan=200)
        for wanted, error in (
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/24"), vlan=200)), Conflict),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/24"), vlan=4094), 2, 16), InvalidInput),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/24"), vlan=4095)), InvalidInput),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/29")), 3), InvalidInput),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/30"))), InvalidInput),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.5/24"))), InvalidInput),
            (NewNetworks(NewNetwork("x", NewSubnet("10.0.0.0/27")), 2, 16), Conflict),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/24"), bridge_interface="a/b")), InvalidInput),
            (NewNetworks(NewNetwork("x", NewSubnet("10.1.0.0/24")), 0), InvalidInput),
        ):
            with pytest.raises(error):
                world.networks.create_many(ADMIN, wanted)
        assert len(world.networks.list(ADMIN)) == 1

    def test_a_range_is_divided_into_what_is_still_free(self, world: World) -> None:
        several(world, 1, cidr="10.0.0.16/28")
        found = several(world, 2, cidr="10.0.0.0/26")
        assert [one.cidr for one in found] == ["10.0.0.0/28", "10.0.0.32/28"]


def test_without_the_mode_there_are_no_vlans(world: World) -> None:
    with pytest.raises(InvalidInput, match="VlanManager"):
        world.network(vlan=100)


class TestFlat:
    """Only addresses are given out."""

    @pytest.fixture
    def world(self, database: Database) -> Iterator[World]:
        defaults = NetworkDefaults(mode=FlatManager.mode, injected=True)
        with started(database, FlatManager, defaults=defaults) as world:
            yield world

    def test_an_instance_gets_an_address_and_the_host_serves_nothing(self, world: World) -> None:
        world.network()
        [uuid] = world.boot()

        [interface] = world.allocate([uuid])[uuid]
        world.manager.converge()

        assert interface.injected
        assert world.driver.bridges() == []
        assert world.manager.reconciler.differences() == []
        world.manager.release(ADMIN, [uuid])
        assert world.interfaces([uuid]) == {}


class TestMultiHost:
    """Each host serves its own guests."""

    @pytest.fixture
    def world(self, database: Database) -> Iterator[World]:
        defaults = NetworkDefaults(multi_host=True)
        with started(database, FlatDHCPManager, defaults=defaults, peers=True) as world:
            yield world

    @pytest.fixture
    def there(self, world: World) -> Iterator[Host]:
        """The driver of another host."""
        driver = Host()
        settings = NetworkSettings(host=THERE, network_host=HOST, serves_new=False)
        manager = FlatDHCPManager(world.database, driver, settings, NetworkProxy(world.transport))
        server = world.transport.serve(NetworkContract, manager, THERE)
        manager.start()
        yield driver
        manager.stop()
        server.stop()

    def test_each_host_has_its_own_gateway_and_knows_its_own_guests(self, world: World, there: Host) -> None:
        world.network()
        [here], [far] = world.boot(), world.boot(host=THERE)

        near = world.manager.allocate(ADMIN, [here])[here][0]
        other = world.manager.allocate(ADMIN, [far])[far][0]

        assert world.driver.served() == {near.mac: near.address}
        assert there.served() == {other.mac: other.address}
        gateways = world.driver.gateways()["br100"], there.gateways()["br100"]
        assert (near.dhcp_server, other.dhcp_server) == gateways
        assert len({*gateways, near.address, other.address, near.gateway}) == 5
        assert near.router == gateways[0]

    def test_the_last_guest_takes_the_service_of_its_host_along(self, world: World, there: Host) -> None:
        world.network()
        near, far = world.boot(), world.boot(host=THERE)
        world.manager.allocate(ADMIN, near)
        world.manager.allocate(ADMIN, far)
        gateway = there.gateways()["br100"]

        world.manager.release(ADMIN, far)

        assert there.bridges() == []
        assert world.driver.bridges() == ["br100"]
        again = world.boot(host=THERE)
        world.manager.allocate(ADMIN, again)
        assert there.gateways()["br100"] == gateway, "a host keeps its address"

    def test_gateways_are_no_guests_addresses_and_come_back_with_the_network(self, world: World) -> None:
        network = world.network("10.0.0.0/29")
        world.manager.allocate(ADMIN, world.boot())

        world.manager.allocate(ADMIN, world.boot(3))

        with pytest.raises(NoAddress):
            world.manager.allocate(ADMIN, world.boot())
        assert world.networks.address_counts(ADMIN)[network.id].total == 4

    def test_a_network_without_an_address_for_the_gateway_is_told(self, world: World, there: Host) -> None:
        network = world.network("10.0.0.0/29")
        wanted = [f"10.0.0.{number}" for number in range(2, 6)]
        uuids = world.boot(4)
        for uuid, address in zip(uuids, wanted, strict=True):
            world.database.run("test", lambda s, u=uuid, a=address: addresses.attach(s, u, network, a))
        world.manager.converge()

        far = world.boot(host=THERE)
        with pytest.raises(NoAddress):
            world.manager.allocate(ADMIN, far)
        assert there.bridges() == []

    def test_a_floating_address_is_on_the_host_of_its_guest(self, world: World, there: Host) -> None:
        world.network()
        [far] = world.boot(host=THERE)
        world.manager.allocate(ADMIN, world.boot())
        other = world.manager.allocate(ADMIN, [far])[far][0]
        world.floating_ips.create_range(ADMIN, "198.51.100.0/30")
        made = world.floating_ips.allocate(ADMIN, project_id="demo", port_id=other.id)

        assert there.leading() == {made.address: other.address}
        assert world.driver.leading() == {}

    def test_a_host_whose_daemon_is_down_is_not_waited_for(self, world: World) -> None:
        report = ServiceReport("nova-network", THERE, "nova", 1)
        world.database.run("test", lambda session: services.report(session, report))
        [old] = services_of(world)
        world.database.run("test", lambda session: services.update(session, old.uuid, forced_down=True))
        network = world.network()
        far = world.boot(host=THERE)

        with pytest.raises(DriverError, match="nova-network on there is down"):
            world.manager.allocate(ADMIN, far)

        world.manager.refresh(ADMIN, [network.id])
        world.manager.release(ADMIN, far)
        assert world.interfaces(far) == {}


def services_of(world: World) -> list[Service]:
    return world.database.read("test", lambda session: services.listing(session, 60))
