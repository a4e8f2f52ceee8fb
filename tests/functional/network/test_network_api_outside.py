"""What leads outside over the network API: floating addresses and routers."""

from typing import Any

import pytest

from nova_lite.core.ids import new_uuid
from tests.functional.network.callers import ADMIN, DEMO, OTHER, READER, Ask
from tests.functional.network.world import World


class TestFloatingAddresses:
    @pytest.fixture
    def port(self, world: World) -> str:
        """The id of a port of an instance, with addresses of the world to be had."""
        world.network()
        world.floating_ips.create_range(ADMIN, "192.0.2.8/30")
        [uuid] = world.boot()
        return world.allocate([uuid])[uuid][0].id

    def test_a_pool_is_an_external_network(self, port: str, ask: Ask) -> None:
        [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=True").json["networks"]

        assert (pool["name"], pool["subnets"]) == ("nova", [])
        assert ask(DEMO, "GET", f"/v2.0/networks/{pool['id']}").json["network"] == pool
        [inner] = ask(DEMO, "GET", "/v2.0/networks?router:external=False").json["networks"]
        assert inner.keys() == pool.keys()

    def test_an_address_is_taken_led_somewhere_and_given_back(
        self, world: World, port: str, ask: Ask
    ) -> None:
        [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=true").json["networks"]
        body = {"floatingip": {"floating_network_id": pool["id"]}}
        made = ask(DEMO, "POST", "/v2.0/floatingips", body)
        assert made.status_int == 201
        taken = made.json["floatingip"]
        assert (taken["status"], taken["port_id"], taken["project_id"]) == ("DOWN", None, "demo")
        path = f"/v2.0/floatingips/{taken['id']}"

        led = ask(DEMO, "PUT", path, {"floatingip": {"port_id": port}}).json["floatingip"]
        assert (led["status"], led["port_id"]) == ("ACTIVE", port)
        assert world.driver.leading() == {taken["floating_ip_address"]: led["fixed_ip_address"]}
        assert ask(DEMO, "GET", f"/v2.0/floatingips?port_id={port}").json["floatingips"] == [led]
        assert ask(OTHER, "GET", "/v2.0/floatingips").json == {"floatingips": []}
        for method, sent in (("GET", None), ("PUT", {"floatingip": {"port_id": None}}), ("DELETE", None)):
            assert ask(OTHER, method, path, sent).status_int == 404
        assert ask(READER, "DELETE", path).status_int == 403

        away = ask(DEMO, "PUT", path, {"floatingip": {"port_id": None}}).json["floatingip"]
        assert (away["status"], world.driver.leading()) == ("DOWN", {})
        assert ask(DEMO, "DELETE", path).status_int == 204
        assert ask(DEMO, "GET", path).status_int == 404

    def test_what_cannot_be_is_refused_and_leaves_nothing(self, port: str, ask: Ask) -> None:
        [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=true").json["networks"]
        [inner] = ask(DEMO, "GET", "/v2.0/networks?router:external=False").json["networks"]

        def take(**wanted: Any) -> int:
            body = {"floatingip": {"floating_network_id": pool["id"]} | wanted}
            return ask(DEMO, "POST", "/v2.0/floatingips", body).status_int

        assert take(floating_network_id=inner["id"]) == 400
        assert take(floating_network_id=new_uuid()) == 404
        assert take(port_id=new_uuid()) == 404
        assert take(port_id=port, fixed_ip_address="10.0.0.250") == 400
        assert take(floating_ip_address="192.0.2.200") == 404
        assert take(floating_ip_address="not an address") == 400
        assert take(project_id="other") == 400
        assert ask(DEMO, "GET", "/v2.0/floatingips").json == {"floatingips": []}
        assert take(port_id=port) == 201


def test_a_router_is_kept_with_its_gateway_and_subnets(world: World, ask: Ask) -> None:
    network = world.network()
    world.floating_ips.create_range(ADMIN, "192.0.2.8/30")
    [pool] = ask(DEMO, "GET", "/v2.0/networks?router:external=true").json["networks"]
    made = ask(DEMO, "POST", "/v2.0/routers", {"router": {"name": "r", "admin_state_up": True}})
    assert (made.status_int, made.json["router"]["external_gateway_info"]) == (201, None)
    path = f"/v2.0/routers/{made.json['router']['id']}"

    gateway = {"router": {"external_gateway_info": {"network_id": pool["id"]}}}
    told = ask(DEMO, "PUT", path, gateway).json["router"]["external_gateway_info"]
    assert told["network_id"] == pool["id"]
    inner = {"router": {"external_gateway_info": {"network_id": network.uuid}}}
    assert ask(DEMO, "PUT", path, inner).status_int == 400
    cleared = ask(DEMO, "PUT", path, {"router": {"external_gateway_info": None, "name": "r2"}}).json["router"]
    assert (cleared["name"], cleared["external_gateway_info"]) == ("r2", None)

    routes = {"router": {"routes": [{"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}]}}
    for way in ("", "/add_extraroutes", "/remove_extraroutes"):
        refused = ask(DEMO, "PUT", path + way, routes)
        assert (refused.status_int, "not supported" in refused.json["NeutronError"]["message"]) == (400, True)
    assert ask(DEMO, "PUT", path, {"router": {"routes": []}}).json["router"]["routes"] == []

    subnet = {"subnet_id": network.subnet_id}
    added = ask(DEMO, "PUT", f"{path}/add_router_interface", subnet)
    assert (added.status_int, added.json["subnet_id"]) == (200, network.subnet_id)
    assert ask(DEMO, "PUT", f"{path}/add_router_interface", subnet).status_int == 400
    assert ask(DEMO, "PUT", f"{path}/add_router_interface", {"subnet_id": new_uuid()}).status_int == 404
    assert ask(DEMO, "PUT", f"{path}/add_router_interface", {"port_id": new_uuid()}).status_int == 404
    assert ask(DEMO, "DELETE", path).status_int == 409
    assert ask(OTHER, "GET", path).status_int == 404
    assert ask(OTHER, "GET", "/v2.0/routers").json == {"routers": []}
    assert [one["id"] for one in ask(DEMO, "GET", "/v2.0/routers?name=r2").json["routers"]] == [cleared["id"]]
    assert ask(DEMO, "PUT", f"{path}/remove_router_interface", subnet).status_int == 200
    assert ask(DEMO, "PUT", f"{path}/remove_router_interface", subnet).status_int == 404
    assert ask(DEMO, "DELETE", path).status_int == 204
    assert ask(DEMO, "GET", path).status_int == 404
