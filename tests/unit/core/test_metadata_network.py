"""network_data.json for networks of all kinds."""

import dataclasses
import datetime
from typing import Any

import pytest

from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.instance_states import PowerState, VmState
from nova_lite.core.metadata import InstanceMetadata, MetadataSettings
from nova_lite.core.metadata_network import document
from nova_lite.core.network import VirtualInterface

NOW = datetime.datetime(2026, 1, 1)
INSTANCE = Instance(
    1, "uuid", "project", "user", "vm", "vm", Flavor("1", "tiny", 64, 1, 1), "image", VmState.ACTIVE, None,
    PowerState.RUNNING, NOW, NOW,
)  # fmt: skip
PLAIN = VirtualInterface(
    "0a1b2c3d-1111-4111-8111-111111111111", "fa:16:3e:00:00:01", "uuid", 1, "net", "private", "10.0.0.3",
    cidr="10.0.0.0/24", gateway="10.0.0.1", dns1="192.0.2.53", mtu=1450,
)  # fmt: skip
V6 = {"cidr_v6": "fd00:0:0:1::/64", "gateway_v6": "fd00:0:0:1::1"}
LINK = {"link": "tap0a1b2c3d-11", "network_id": "net"}


def told(**more: Any) -> dict[str, Any]:
    interface = dataclasses.replace(PLAIN, **more)
    return document(InstanceMetadata(INSTANCE, "10.0.0.3", MetadataSettings(), interfaces=(interface,)))


def test_a_link_is_known_by_its_mac() -> None:
    [link] = told()["links"]
    assert (link["id"], link["ethernet_mac_address"], link["mtu"]) == ("tap0a1b2c3d-11", PLAIN.mac, 1450)
    assert told()["services"] == [{"type": "dns", "address": "192.0.2.53"}]


@pytest.mark.parametrize(("v6", "kinds"), [({}, ["ipv4_dhcp"]), (V6, ["ipv4_dhcp", "ipv6_slaac"])])
def test_guests_ask_for_addresses_where_they_can(v6: dict[str, str], kinds: list[str]) -> None:
    found = told(**v6)["networks"]
    assert found == [{"id": f"network{number}", **LINK, "type": kind} for number, kind in enumerate(kinds)]


def test_guests_are_told_of_addresses_where_nobody_gives_any() -> None:
    v4, v6 = told(injected=True, **V6)["networks"]
    route = {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"}
    assert v4 == {
        "id": "network0", **LINK, "type": "ipv4", "ip_address": "10.0.0.3", "netmask": "255.255.255.0",
        "routes": [route], "services": [{"type": "dns", "address": "192.0.2.53"}],
    }  # fmt: skip
    assert (v6["type"], v6["ip_address"]) == ("ipv6", "fd00::1:f816:3eff:fe00:1")
    assert v6["routes"] == [{"network": "::", "netmask": "::", "gateway": "fd00:0:0:1::1"}]


def test_each_hosts_own_gateway_is_the_way_out_where_each_has_one() -> None:
    found = told(injected=True, multi_host=True, dhcp_server="10.0.0.7")["networks"]
    assert found[0]["routes"][0]["gateway"] == "10.0.0.7"
