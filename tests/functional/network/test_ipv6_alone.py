"""Networks that have an IPv6 prefix and no IPv4 range."""

import dataclasses
from typing import Any

import pytest

from nova_lite.core import ids, injected_network, metadata_network
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.metadata import InstanceMetadata, MetadataSettings
from nova_lite.core.network import Ipv6Backend
from nova_lite.db import addresses, group_members, instance_metadata, instances, ports, security_groups
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet
from tests.cloud import Cloud
from tests.functional.network.callers import ADMIN, DEMO, Ask
from tests.functional.network.world import World

PREFIX = "fd00:66::/64"
PROXIED: dict[str, Any] = {"version": "2.1", "user": "admin"}
USER: dict[str, Any] = {"api": "network"}


def alone(world: World, **values: Any) -> Any:
    return world.networks.create(ADMIN, NewNetwork("six", NewSubnet("", cidr_v6=PREFIX), **values))


def metadata(world: World, uuid: str) -> InstanceMetadata:
    def read(session: Any) -> InstanceMetadata:
        instance = instances.get(session, uuid)
        assert instance is not None
        return instance_metadata.of(session, instance, MetadataSettings("novalocal", None))

    return world.database.read("test", read)


def test_a_guest_forms_its_address_and_everybody_knows_it(world: World, ask: Ask) -> None:
    network = alone(world)
    [uuid] = world.boot()
    for _ in range(2):
        [interface] = world.manager.allocate(ADMIN, [uuid])[uuid]
    assert (interface.address, interface.address_v6.startswith("fd00:66::f816:3eff:fe")) == ("", True)
    assert world.interfaces([uuid])[uuid] == [dataclasses.replace(interface, created_at=interface.created_at)]

    [plan] = world.driver._plans.values()
    assert (plan.cidr, plan.cidr_v6, [host.mac for host in plan.hosts]) == ("", PREFIX, [interface.mac])
    group = world.database.read("test", lambda s: security_groups.ensure_default(s, "demo"))
    [members] = world.database.read("test", lambda s: group_members.filter_groups(s, [group]))
    assert members.addresses == (interface.address_v6,)
    data = metadata(world, uuid)
    assert [one["type"] for one in metadata_network.document(data)["networks"]] == ["ipv6_slaac"]
    injected = dataclasses.replace(interface, injected=True)
    assert "inet static" not in injected_network.content([injected])
    assert f"address {interface.address_v6}" in injected_network.content([injected])
    assert "eth1 inet6 auto" in injected_network.content([injected, interface])

    [port] = ask(DEMO, "GET", "/v2.0/ports").json["ports"]
    [subnet] = ask(DEMO, "GET", "/v2.0/subnets").json["subnets"]
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": interface.address_v6}]
    assert (subnet["cidr"], subnet["ip_version"], subnet["gateway_ip"]) == (PREFIX, 6, "fd00:66::1")
    world.floating_ips.create_range(ADMIN, "192.0.2.0/30")
    taken = world.floating_ips.allocate(DEMO)
    with pytest.raises(InvalidInput, match="No fixed IP"):
        world.floating_ips.associate(DEMO, taken.id, uuid)

    with pytest.raises(Conflict, match="in use"):
        world.networks.add_subnet(ADMIN, network.uuid, NewSubnet("10.6.0.0/24"))
    world.manager.release(ADMIN, [uuid])
    assert world.driver.served() == {}
    both = world.networks.add_subnet(ADMIN, network.uuid, NewSubnet("10.6.0.0/24"))
    assert (both.cidr, both.cidr_v6) == ("10.6.0.0/24", PREFIX)
    assert world.networks.address_counts(ADMIN)[network.id].total == 253


def test_the_address_of_a_port_of_another_project_is_known_to_the_filters(world: World) -> None:
    network = world.networks.create(ADMIN, NewNetwork("six"))
    world.networks.add_subnet_v6(
        ADMIN, network.uuid, NewSubnet("", cidr_v6=PREFIX), Ipv6Backend.ACCOUNT_IDENTIFIER
    )
    port_id, network = ids.new_uuid(), world.networks.get(ADMIN, network.uuid)

    def keep(session: Any) -> None:
        addresses.hold(session, network, port_id, ids.new_mac(), owner_id="other")
        ports.keep(session, port_id, "other", name="", description="")

    world.database.run("test", keep)
    [uuid] = world.boot(networks=[{"uuid": network.uuid, "port": port_id}])
    [interface] = world.allocate([uuid])[uuid]

    group = world.database.read("test", lambda s: security_groups.ensure_default(s, "demo"))
    [members] = world.database.read("test", lambda s: group_members.filter_groups(s, [group]))
    assert (interface.owner_id, members.addresses) == ("other", (interface.address_v6,))


def test_an_address_that_is_not_of_the_mac_is_nobodys(world: World) -> None:
    network = alone(world)
    [uuid] = world.boot(networks=[{"uuid": network.uuid, "fixed_ip": "fd00:66::5"}])
    with pytest.raises(NotFound, match="fd00:66::5"):
        world.manager.allocate(ADMIN, [uuid])
    assert world.interfaces([uuid]) == {}


def test_what_cannot_be_is_refused(world: World) -> None:
    for wanted in (NewSubnet(""), NewSubnet("", cidr_v6="fd00::/80"), NewSubnet("", gateway_v6="fd00::1")):
        with pytest.raises(InvalidInput):
            world.networks.create(ADMIN, NewNetwork("six", wanted))
    with pytest.raises(InvalidInput, match="needs an IPv4 range"):
        alone(world, multi_host=True)
    alone(world)
    with pytest.raises(Conflict, match="prefixes left"):
        alone(world)


def test_a_server_in_a_network_of_ipv6_alone(cloud: Cloud) -> None:
    body = {"network": {"label": "six", "cidr_v6": PREFIX}}
    network = cloud.ask("POST", "/v2.1/os-networks", body, **PROXIED).json()["network"]
    assert (network["cidr"], network["cidr_v6"], network["gateway_v6"]) == (None, PREFIX, "fd00:66::1")
    try:
        server_id = cloud.boot(networks=[{"uuid": network["id"]}], config_drive=True)
        [shown] = cloud.show(server_id)["addresses"]["six"]
        assert (shown["version"], shown["addr"].startswith("fd00:66::f816:3eff:fe")) == (6, True)
        found = cloud.ask("GET", "/v2.1/servers?ip6=fd00:66", version="2.5").json()["servers"]
        assert [one["id"] for one in found] == [server_id]
        attached = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-interface").json()["interfaceAttachments"]
        assert [one["ip_address"] for one in attached[0]["fixed_ips"]] == [shown["addr"]]

        wanted = {"port": {"network_id": network["id"], "mac_address": "fa:16:3e:00:00:07"}}
        port = cloud.ask("POST", "/v2.0/ports", wanted, **USER).json()["port"]
        assert [one["ip_address"] for one in port["fixed_ips"]] == ["fd00:66::f816:3eff:fe00:7"]
        assert cloud.ask("POST", "/v2.0/ports", wanted, **USER).status_code == 409
        for answer in (204, 404):
            assert cloud.ask("DELETE", f"/v2.0/ports/{port['id']}", **USER).status_code == answer
        port = cloud.ask("POST", "/v2.0/ports", wanted, **USER).json()["port"]
        [again] = cloud.show(cloud.boot(networks=[{"port": port["id"]}]))["addresses"]["six"]
        assert again["addr"] == port["fixed_ips"][0]["ip_address"]

        body = {"network": {"label": "later", "cidr": "10.66.0.0/24"}}
        later = cloud.ask("POST", "/v2.1/os-networks", body, **PROXIED).json()["network"]
        path, wanted = f"/v2.1/servers/{server_id}/os-interface", {"interfaceAttachment": {"net_id": later["id"]}}
        taken = cloud.ask("POST", path, wanted).json()["interfaceAttachment"]["port_id"]
        cloud.settle()
        assert sorted(cloud.show(server_id)["addresses"]) == ["later", "six"]
        assert cloud.ask("DELETE", f"{path}/{taken}").status_code == 202
        cloud.settle()
        assert sorted(cloud.show(server_id)["addresses"]) == ["six"]
        assert cloud.act(server_id, {"removeFixedIp": {"address": shown["addr"]}}, version="2.1").status_code == 202
        cloud.settle()
        assert cloud.show(server_id)["addresses"] == {}
        assert cloud.ask("DELETE", f"/v2.1/os-networks/{later['id']}", **PROXIED).status_code == 202
    finally:
        cloud.delete_all()
        for port in cloud.ask("GET", f"/v2.0/ports?network_id={network['id']}", **USER).json()["ports"]:
            cloud.ask("DELETE", f"/v2.0/ports/{port['id']}", **USER)
        assert cloud.ask("DELETE", f"/v2.1/os-networks/{network['id']}", **PROXIED).status_code == 202
    assert cloud.leaks() == []


def test_a_network_loses_one_subnet_and_keeps_the_other(world: World) -> None:
    both = world.networks.create(ADMIN, NewNetwork("both", NewSubnet("10.6.0.0/24", cidr_v6=PREFIX, routed=False)))
    world.networks.remove_subnet(ADMIN, both.subnet_id)
    six = world.networks.get(ADMIN, both.uuid)
    assert (six.cidr, six.cidr_v6, six.routed) == ("", PREFIX, False)
    [uuid] = world.boot(networks=[{"uuid": both.uuid}])
    [interface] = world.manager.allocate(ADMIN, [uuid])[uuid]
    assert (interface.address, interface.address_v6.startswith("fd00:66::")) == ("", True)
    world.manager.release(ADMIN, [uuid])

    with pytest.raises(InvalidInput, match="both have a gateway, or neither"):
        world.networks.add_subnet(ADMIN, both.uuid, NewSubnet("10.6.0.0/24"))
    assert world.networks.add_subnet(ADMIN, both.uuid, NewSubnet("10.6.0.0/24", routed=False)).cidr_v6 == PREFIX
    world.networks.remove_subnet(ADMIN, six.subnet_v6_id)
    assert world.networks.get(ADMIN, both.uuid).cidr == "10.6.0.0/24"
    with pytest.raises(InvalidInput, match="both have a gateway, or neither"):
        world.networks.add_subnet_v6(ADMIN, both.uuid, NewSubnet("", cidr_v6=PREFIX), Ipv6Backend.RFC2462)


def test_the_ipv4_range_of_a_network_that_many_hosts_serve_stays_while_it_has_an_ipv6_one(world: World) -> None:
    wanted = NewNetwork("both", NewSubnet("10.6.0.0/24", cidr_v6=PREFIX), multi_host=True)
    both = world.networks.create(ADMIN, wanted)
    with pytest.raises(Conflict, match="needs an IPv4 range"):
        world.networks.remove_subnet(ADMIN, both.subnet_id)
    world.networks.remove_subnet(ADMIN, both.subnet_v6_id)
    world.networks.remove_subnet(ADMIN, both.subnet_id)
    assert world.networks.get(ADMIN, both.uuid).cidr == ""
