"""Ports that are made ahead of servers, on all databases."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from nova_lite.db.ports import count
from tests.cloud import Cloud


class Ports:
    """Asks for ports as a user."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def ask(self, method: str, path: str = "", body: Any = None, user: str = "demo") -> requests.Response:
        return self.cloud.ask(method, f"/v2.0/ports{path}", body, api="network", user=user)

    def private(self) -> str:
        found = self.cloud.ask("GET", "/v2.0/networks?name=private", api="network").json()["networks"]
        return str(found[0]["id"])

    def create(self, user: str = "demo", **wanted: Any) -> requests.Response:
        return self.ask("POST", "", {"port": {"network_id": self.private()} | wanted}, user)

    def make(self, **wanted: Any) -> dict[str, Any]:
        answer = self.create(**wanted)
        assert answer.status_code == 201, answer.text
        port: dict[str, Any] = answer.json()["port"]
        return port

    def is_free_again(self, port: Any) -> bool:
        """Tell whether a port is as it was made, but for how often it was changed since."""
        shown = self.show(port)
        since = shown["revision_number"] > port["revision_number"]
        return since and shown | {"revision_number": port["revision_number"]} == port

    def show(self, port: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/{port['id']}").json()["port"]
        return found

    def order(self, *wanted: dict[str, Any], **more: Any) -> requests.Response:
        server = {"name": "vm", "imageRef": self.cloud.image(), "flavorRef": "6"}
        body = {"server": server | {"networks": list(wanted)} | more}
        return self.cloud.ask("POST", "/v2.1/servers", body)


@pytest.fixture
def ports(cloud: Cloud) -> Iterator[Ports]:
    found = Ports(cloud)
    yield found
    cloud.delete_all()
    for port in found.ask("GET").json()["ports"]:
        assert found.ask("DELETE", f"/{port['id']}").status_code == 204
    assert cloud.leaks() == []


def test_a_port_is_made_and_removed(cloud: Cloud, ports: Ports) -> None:
    made = ports.make(name="p1", mac_address="FA:16:3E:00:00:07")

    assert ports.show(made) == made
    assert (made["name"], made["mac_address"]) == ("p1", "fa:16:3e:00:00:07")
    assert (made["status"], made["device_id"], made["device_owner"]) == ("DOWN", "", "")
    assert cloud.leaks() == []
    address = made["fixed_ips"][0]["ip_address"]
    taken = ports.create(fixed_ips=[{"ip_address": address}])
    assert taken.status_code in (400, 409), taken.text
    assert ports.create(mac_address=made["mac_address"]).status_code == 409
    assert ports.create(network_id="00000000-0000-0000-0000-000000000001").status_code == 404
    assert ports.create(fixed_ips=[{"ip_address": "198.51.100.1"}]).status_code in (400, 404)
    assert ports.ask("GET", f"/{made['id']}", user="other").status_code == 404
    assert ports.ask("DELETE", f"/{made['id']}", user="other").status_code == 404
    assert ports.ask("DELETE", f"/{made['id']}").status_code == 204
    assert ports.ask("DELETE", f"/{made['id']}").status_code == 404
    again = ports.make(fixed_ips=[{"ip_address": address}])
    assert again["fixed_ips"][0]["ip_address"] == address


def test_a_server_has_a_port_that_outlives_it(cloud: Cloud, ports: Ports) -> None:
    made = ports.make()
    address = made["fixed_ips"][0]["ip_address"]
    for _ in range(2):
        server_id = cloud.boot(networks=[{"port": made["id"]}])
        (interface,) = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-interface").json()["interfaceAttachments"]
        assert (interface["port_id"], interface["mac_addr"]) == (made["id"], made["mac_address"])
        assert interface["fixed_ips"][0]["ip_address"] == address
        shown = ports.show(made)
        assert (shown["device_id"], shown["status"]) == (server_id, "ACTIVE")
        assert ports.order({"port": made["id"]}).status_code == 409
        cloud.delete_all()
        assert ports.is_free_again(made)
        assert cloud.leaks() == []


def test_a_server_that_does_not_come_up_gives_its_port_back(cloud: Cloud, ports: Ports) -> None:
    made = ports.make()
    image_id = cloud.image()
    (kept,) = [path for path in cloud.folder.rglob(image_id) if path.is_file()]
    good = kept.read_bytes()
    for cached in cloud.folder.rglob("_base/*"):
        cached.unlink()
    kept.write_bytes(b"damaged")
    try:
        damaged = cloud.boot(networks=[{"port": made["id"]}])
    finally:
        kept.write_bytes(good)
    assert cloud.show(damaged)["status"] == "ERROR"
    cloud.delete_all()
    assert ports.is_free_again(made)

    (service,) = cloud.ask("GET", "/v2.1/os-services?binary=nova-compute", user="admin").json()["services"]
    path = f"/v2.1/os-services/{service['id']}"
    assert cloud.ask("PUT", path, {"status": "disabled"}, user="admin").status_code == 200
    try:
        nowhere = cloud.boot(networks=[{"port": made["id"]}])
        assert cloud.show(nowhere)["status"] == "ERROR"
        cloud.delete_all()
        assert ports.is_free_again(made)
        assert cloud.leaks() == []
    finally:
        assert cloud.ask("PUT", path, {"status": "enabled"}, user="admin").status_code == 200


def test_a_port_comes_to_a_server_and_leaves_it(cloud: Cloud, ports: Ports) -> None:
    made, server_id = ports.make(), cloud.boot(networks="none")
    path = f"/v2.1/servers/{server_id}/os-interface"

    attached = cloud.ask("POST", path, {"interfaceAttachment": {"port_id": made["id"]}})
    cloud.settle()
    assert attached.status_code == 200, attached.text
    assert attached.json()["interfaceAttachment"]["mac_addr"] == made["mac_address"]
    assert ports.show(made)["device_id"] == server_id
    assert cloud.ask("POST", path, {"interfaceAttachment": {"port_id": made["id"]}}).status_code == 409
    assert cloud.ask("DELETE", f"{path}/{made['id']}").status_code == 202
    cloud.settle()
    assert ports.is_free_again(made)

    cloud.ask("POST", path, {"interfaceAttachment": {"port_id": made["id"]}})
    cloud.settle()
    assert ports.ask("DELETE", f"/{made['id']}").status_code == 204
    cloud.settle()
    assert ports.ask("GET", f"/{made['id']}").status_code == 404
    assert cloud.show(server_id)["addresses"] == {}
    assert cloud.leaks() == []


def test_what_no_server_can_have_is_refused(cloud: Cloud, ports: Ports) -> None:
    one, two = ports.make(), ports.make()
    nobody = "00000000-0000-0000-0000-000000000001"

    assert ports.order({"port": one["id"]}, {"port": two["id"]}).status_code == 400
    assert ports.order({"port": one["id"], "fixed_ip": "10.0.0.9"}).status_code == 400
    assert ports.order({"port": nobody}).status_code == 400
    assert ports.order({"port": one["id"]}, min_count=2).status_code == 400
    server_id = cloud.boot()
    path = f"/v2.1/servers/{server_id}/os-interface"
    assert cloud.ask("POST", path, {"interfaceAttachment": {"port_id": one["id"]}}).status_code == 400
    assert cloud.ask("POST", path, {"interfaceAttachment": {"port_id": nobody}}).status_code == 404
    groups = {"port": {"security_groups": []}}
    assert ports.ask("PUT", f"/{one['id']}", groups).status_code == 400
    assert [ports.show(port)["device_id"] for port in (one, two)] == ["", ""]


def test_ports_count_against_the_quota(cloud: Cloud, ports: Ports) -> None:
    made = ports.make()
    path = f"/v2.0/quotas/{made['project_id']}"
    there = cloud.database.read("count", lambda session: count(session, made["project_id"]))
    assert cloud.ask("PUT", path, {"quota": {"port": there + 1}}, api="network", user="admin").status_code == 200
    try:
        ports.make()
        refused = ports.create()
        assert refused.status_code == 409, refused.text
    finally:
        cloud.ask("DELETE", path, api="network", user="admin")
