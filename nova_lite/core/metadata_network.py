"""network_data.json: the interfaces of an instance as guests configure them."""

from typing import Any

from nova_lite.core import ids
from nova_lite.core.metadata import InstanceMetadata
from nova_lite.core.network import Network, VirtualInterface


def document(data: InstanceMetadata) -> dict[str, Any]:
    """Return an instance's links, the networks on them, and the name servers of all."""
    links = [_link(interface) for interface in data.interfaces]
    networks: list[dict[str, Any]] = []
    services: dict[str, dict[str, str]] = {}
    for interface in data.interfaces:
        network = data.networks[interface.network_id]
        networks.append({"id": f"network{len(networks)}", **_network(interface, network)})
        services |= {address: {"type": "dns", "address": address} for address in network.dns}
    return {"links": links, "networks": networks, "services": list(services.values())}


def _link(interface: VirtualInterface) -> dict[str, Any]:
    return {
        "id": ids.tap_name(interface.id),
        "vif_id": interface.id,
        "type": "bridge",
        "ethernet_mac_address": interface.mac,
        "mtu": interface.mtu,
    }


def _network(interface: VirtualInterface, network: Network) -> dict[str, Any]:
    return {
        "link": ids.tap_name(interface.id),
        "network_id": interface.network_uuid,
        "type": "ipv4_dhcp",
    }
