"""Interfaces and addresses of servers that come and go, on all databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud, running
from tests.functional.watched_firewall import FLAG, WatchedFirewall


@pytest.fixture
def second(cloud: Cloud) -> Iterator[str]:
    """A network besides the one that there is; its id."""
    network = cloud.ask(
        "POST", "/v2.0/networks", {"network": {"name": "second", "shared": True}}, api="network", user="admin"
    )
    assert network.status_code == 201, network.text
    network_id = network.json()["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.77.0.0/24"}
    assert (
        cloud.ask("POST", "/v2.0/subnets", {"subnet": subnet}, api="network", user="admin").status_code == 201
    )
    yield network_id
    cloud.delete_all()
    assert cloud.ask("DELETE", f"/v2.0/networks/{network_id}", api="network", user="admin").status_code == 204


def interfaces(cloud: Cloud, server_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.ask("GET", f"/v2.1/servers/{server_id}/os-interface").json()[
        "interfaceAttachments"
    ]
    return found


def networks_of(cloud: Cloud, server_id: str) -> list[str]:
    return sorted(cloud.show(server_id)["addresses"])


def attach(cloud: Cloud, server_id: str, **wanted: Any) -> Any:
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/os-interface", {"interfaceAttachment": wanted})
    cloud.settle()
    return answer


def private(cloud: Cloud) -> str:
    found = cloud.ask("GET", "/v2.0/networks?name=private", api="network").json()["networks"]
    return str(found[0]["id"])


def test_an_interface_is_attached_and_detached(cloud: Cloud, second: str) -> None:
    server_id = cloud.boot(networks=[{"uuid": private(cloud)}])
    made = attach(cloud, server_id, net_id=second, fixed_ips=[{"ip_address": "10.77.0.50"}])
    assert made.status_code == 200, made.text
    port = made.json()["interfaceAttachment"]
    assert (port["net_id"], port["fixed_ips"][0]["ip_address"]) == (second, "10.77.0.50")
    assert networks_of(cloud, server_id) == ["private", "second"]
    assert port["port_id"] in [one["port_id"] for one in interfaces(cloud, server_id)]
    answer = cloud.ask("GET", f"/v2.1/servers/{server_id}/diagnostics", user="admin").json()
    assert port["mac_addr"] in [nic["mac_address"] for nic in answer["nic_details"]]

    path = f"/v2.1/servers/{server_id}/os-interface/{port['port_id']}"
    assert cloud.ask("DELETE", path).status_code == 202
    cloud.settle()
    assert networks_of(cloud, server_id) == ["private"]
    assert cloud.ask("DELETE", path).status_code == 404


def test_what_was_detached_stays_away_when_the_server_is_resized(cloud: Cloud) -> None:
    server_id = cloud.boot()
    (port,) = interfaces(cloud, server_id)
    cloud.ask("DELETE", f"/v2.1/servers/{server_id}/os-interface/{port['port_id']}")
    cloud.settle()
    assert cloud.act(server_id, {"reboot": {"type": "HARD"}}).status_code == 202
    assert cloud.act(server_id, {"shelve": None}).status_code == 202
    assert cloud.act(server_id, {"unshelve": None}).status_code == 202

    assert cloud.show(server_id)["status"] == "ACTIVE"
    assert networks_of(cloud, server_id) == []


def test_fixed_addresses_are_added_and_removed(cloud: Cloud, second: str) -> None:
    server_id = cloud.boot(networks=[{"uuid": private(cloud)}])
    assert cloud.act(server_id, {"addFixedIp": {"networkId": "second"}}).status_code == 202
    (added,) = cloud.show(server_id)["addresses"]["second"]
    assert cloud.act(server_id, {"addFixedIp": {"networkId": second}}).status_code == 400

    assert cloud.act(server_id, {"removeFixedIp": {"address": added["addr"]}}).status_code == 202
    assert networks_of(cloud, server_id) == ["private"]
    assert cloud.act(server_id, {"removeFixedIp": {"address": added["addr"]}}).status_code == 400


def test_the_first_network_that_the_server_is_not_in_is_chosen(cloud: Cloud, second: str) -> None:
    server_id = cloud.boot(networks="none")
    assert cloud.ask("POST", f"/v2.1/servers/{server_id}/os-interface", {}).status_code == 200
    cloud.settle()
    assert attach(cloud, server_id).status_code == 200
    assert networks_of(cloud, server_id) == ["private", "second"]
    assert attach(cloud, server_id).status_code == 400


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"net_id": "nowhere"}, 400), ({"port_id": "17a2ff08-b3d1-43e6-9a1d-9d5d9cff6d4a"}, 404),
        ({"fixed_ips": [{"ip_address": "10.0.0.9"}]}, 400), ({"net_id": "private", "tag": "a,b"}, 400),
        ({"net_id": "private", "fixed_ips": [{"ip_address": "10.200.0.1"}]}, 404), ({"net": "x"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_attached_changes_nothing(cloud: Cloud, wanted: Any, status: int) -> None:
    server_id = cloud.boot(networks="none")

    assert attach(cloud, server_id, **wanted).status_code == status
    assert interfaces(cloud, server_id) == []
    assert cloud.show(server_id)["OS-EXT-STS:task_state"] is None


def test_an_address_that_is_given_back_is_in_no_group(tmp_path: Path) -> None:
    WatchedFirewall.of.clear()
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", FLAG) as cloud:
        stays, goes = cloud.boot("stays"), cloud.boot("goes")
        (interface,) = interfaces(cloud, goes)
        address = interface["fixed_ips"][0]["ip_address"]
        kept = interfaces(cloud, stays)[0]["fixed_ips"][0]["ip_address"]
        firewall = WatchedFirewall.of[cloud.conf.host]
        assert firewall.members() == {kept, address}

        cloud.ask("DELETE", f"/v2.1/servers/{goes}/os-interface/{interface['port_id']}")
        cloud.settle()

        assert firewall.members() == {kept}
