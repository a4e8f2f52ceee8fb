"""network_data.json: the interfaces of an instance as guests configure them."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite.core import ids
from nova_lite.core.metadata import InstanceMetadata
from nova_lite.core.network import Ipv6Backend, VirtualInterface

_V6_TYPES: Mapping[str, str] = {
    Ipv6Backend.RFC2462: "ipv6_slaac",
    Ipv6Backend.ACCOUNT_IDENTIFIER: "ipv6_dhcpv6-stateful",
}


def document(data: InstanceMetadata) -> dict[str, Any]:
    """Return an instance's links, the networks on them, and the name servers of all."""
    networks = [network for interface in data.interfaces for network in _networks(interface)]
    servers = dict.fromkeys(server for interface in data.interfaces for server in interface.dns)
    return {
        "links": [_link(interface) for interface in data.interfaces],
        "networks": [{"id": f"network{number}", **network} for number, network in enumerate(networks)],
        "services": _services(servers),
    }


def _link(interface: VirtualInterface) -> dict[str, Any]:
    return {
        "id": ids.tap_name(interface.id),
        "vif_id": interface.id,
        "type": "bridge",
        "ethernet_mac_address": interface.mac,
        "mtu": interface.mtu,
    }


def _networks(interface: VirtualInterface) -> list[dict[str, Any]]:
    """Return the network of an interface, and its IPv6 one: guests ask for addresses, or are told of them here."""
    link = {"link": ids.tap_name(interface.id), "network_id": interface.network_uuid}
    if not interface.injected:
        found: list[dict[str, Any]] = [{**link, "type": "ipv4_dhcp"}] if interface.cidr else []
        return [*found, {**link, "type": _V6_TYPES[interface.ipv6_backend]}] if interface.cidr_v6 else found
    found = []
    if interface.cidr:
        v4 = _static(interface.address, interface.cidr, interface.router)
        found.append({**link, "type": "ipv4", **v4, "services": _services(interface.dns)})
    if interface.cidr_v6:
        v6 = _static(interface.address_v6, interface.cidr_v6, interface.router_v6)
        found.append({**link, "type": "ipv6", **v6})
    return found


def _static(address: str, cidr: str, gateway: str) -> dict[str, Any]:
    network = ipaddress.ip_network(cidr)
    everything = ipaddress.ip_network("::/0" if network.version == 6 else "0.0.0.0/0")
    route = {
        "network": str(everything.network_address),
        "netmask": str(everything.netmask),
        "gateway": gateway,
    }
    return {
        "ip_address": address,
        "netmask": str(network.netmask),
        "routes": [route] if gateway else [],
    }


def _services(servers: Iterable[str]) -> list[dict[str, str]]:
    return [{"type": "dns", "address": server} for server in servers]
