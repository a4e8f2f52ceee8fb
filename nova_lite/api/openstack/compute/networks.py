"""Networks in the compute API: nova-network's own face of them."""

import ipaddress

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core import clock
from nova_lite.core.network import Network
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet


def listing(call: Call) -> Reply:
    """List the networks that the caller may use."""
    return Reply({"networks": [_view(call, network) for network in call.cloud.networks.list(call.context)]})


def show(call: Call) -> Reply:
    """Show a network."""
    network = call.cloud.networks.get(call.context, call.params["network_id"])
    return Reply({"network": _view(call, network)})


def create(call: Call) -> Reply:
    """Make a network with its addresses."""
    wanted = {name: value for name, value in call.body["network"].items() if value is not None}
    servers = tuple(wanted[name] for name in ("dns1", "dns2") if name in wanted)
    subnet = NewSubnet(
        wanted.get("cidr", ""),
        gateway=wanted.get("gateway", ""),
        dhcp_start=wanted.get("allowed_start", ""),
        dhcp_end=wanted.get("allowed_end", ""),
        dns=servers or None,
        cidr_v6=wanted.get("cidr_v6", ""),
        gateway_v6=wanted.get("gateway_v6", ""),
    )
    network = NewNetwork(
        wanted["label"],
        subnet,
        bridge=wanted.get("bridge", ""),
        bridge_interface=wanted.get("bridge_interface"),
        mtu=wanted.get("mtu", 0),
        multi_host=wanted.get("multi_host"),
        vlan=wanted.get("vlan"),
        vpn_port=wanted.get("vpn_start"),
        project_id=wanted.get("project_id", ""),
    )
    return Reply({"network": _view(call, call.cloud.networks.create(call.context, network))})


def delete(call: Call) -> Reply:
    """Remove a network that no server uses."""
    call.cloud.networks.delete(call.context, call.params["network_id"], only_free=True)
    return Reply()


def add(call: Call) -> Reply:
    """Give a network to the caller's project."""
    call.cloud.networks.update(call.context, call.body["id"], {"project_id": call.context.project_id})
    return Reply()


def disassociate(call: Call) -> Reply:
    """Take a network from the project that has it: it is everybody's then, or with a VLAN nobody's."""
    call.cloud.networks.update(call.context, call.params["network_id"], {"project_id": ""})
    return Reply()


def disassociate_host(call: Call) -> Reply:
    """Let any network host serve a network."""
    call.cloud.networks.set_host(call.context, call.params["network_id"], "")
    return Reply()


def associate_host(call: Call) -> Reply:
    """Have a host serve a network."""
    call.cloud.networks.set_host(call.context, call.params["network_id"], call.body["associate_host"])
    return Reply()


def tenant_listing(call: Call) -> Reply:
    """List the networks that the caller may use, in few words."""
    return Reply({"networks": [_brief(network) for network in call.cloud.networks.list(call.context)]})


def tenant_show(call: Call) -> Reply:
    """Show a network in few words."""
    return Reply({"network": _brief(call.cloud.networks.get(call.context, call.params["network_id"]))})


def tenant_create(call: Call) -> Reply:
    """Make a network for the caller's project."""
    wanted = call.body["network"]
    network = NewNetwork(wanted["label"], NewSubnet(wanted["cidr"]), project_id=call.context.project_id)
    return Reply({"network": _brief(call.cloud.networks.create(call.context, network))})


def virtual_interfaces(call: Call) -> Reply:
    """List a server's network interfaces by MAC address."""
    found = call.cloud.servers.interfaces(call.context, call.params["server_id"])
    listed: list[Json] = [{"id": interface.id, "mac_address": interface.mac} for interface in found]
    if call.at_least(12):
        listed = [
            view | {"net_id": interface.network_uuid} for view, interface in zip(listed, found, strict=True)
        ]
    return Reply({"virtual_interfaces": listed})


def _brief(network: Network) -> Json:
    return {"id": network.uuid, "label": network.label, "cidr": network.cidr or None}


def _view(call: Call, network: Network) -> Json:
    """Return a network as users see it; its place on the hosts is for admins."""
    cidr = ipaddress.ip_network(network.cidr) if network.cidr else None
    view: Json = _brief(network) | {
        "netmask": str(cidr.netmask) if cidr else None,
        "broadcast": str(cidr.broadcast_address) if cidr else None,
        "gateway": network.gateway if network.gateway and network.routed else None,
        "dns1": network.dns1 or None,
        "dns2": network.dns2 or None,
        "cidr_v6": network.cidr_v6 or None,
        "netmask_v6": network.cidr_v6.partition("/")[2] or None,
        "gateway_v6": network.gateway_v6 if network.gateway_v6 and network.routed else None,
    }
    if not call.context.is_admin:
        return view
    return view | {
        "project_id": network.project_id or None,
        "bridge": network.bridge,
        "bridge_interface": network.bridge_interface or None,
        "vlan": network.vlan,
        "host": network.host or None,
        "dhcp_start": network.dhcp_start or None,
        "multi_host": network.multi_host,
        "injected": network.injected,
        "mtu": network.mtu,
        "created_at": clock.iso8601_naive(network.created_at),
        "updated_at": clock.iso8601_naive(network.updated_at),
        "deleted": False,
        "deleted_at": None,
        "priority": None,
        "rxtx_base": None,
        "vpn_public_address": network.vpn_public_address or None,
        "vpn_public_port": network.vpn_public_port,
        "vpn_private_address": network.vpn_private_address or None,
        "dhcp_server": network.gateway or None,
        "enable_dhcp": True,
        "share_address": False,
    }
