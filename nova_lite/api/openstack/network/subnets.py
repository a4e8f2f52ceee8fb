"""Subnets of the network API: the address range of a network, which has one at most."""

import ipaddress
from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput
from nova_lite.core.network import Ipv6Backend, Network
from nova_lite.operations.subnets import NewSubnet


def listing(call: Call) -> Reply:
    """List subnets."""
    found = call.cloud.networks.list(call.context)
    views = [view for network in found for view in _views(network)]
    return listed(call, "subnets", views)


def show(call: Call) -> Reply:
    """Show a subnet."""
    wanted = call.params["subnet_id"]
    network = call.cloud.networks.get_by_subnet(call.context, wanted)
    return shown(call, "subnet", _view_v6(network) if wanted == network.subnet_v6_id else _view_v4(network))


def create(call: Call) -> Reply:
    """Give a network its range."""
    wanted = call.body["subnet"]
    if int(wanted.get("ip_version", 4)) == 6:
        return _create_v6(call, wanted)
    pools = wanted.get("allocation_pools") or [{}]
    if len(pools) > 1:
        raise InvalidInput("A subnet can have only one allocation pool.")
    subnet = NewSubnet(
        cidr=wanted["cidr"],
        name=wanted.get("name") or "",
        gateway=wanted.get("gateway_ip") or "",
        dhcp_start=pools[0].get("start", ""),
        dhcp_end=pools[0].get("end", ""),
        dns=tuple(wanted["dns_nameservers"]) if wanted.get("dns_nameservers") else None,
        routed=wanted.get("gateway_ip", "") is not None,
    )
    network = call.cloud.networks.add_subnet(call.context, wanted["network_id"], subnet)
    return Reply({"subnet": _view_v4(network)})


def update(call: Call) -> Reply:
    """Change a subnet's name or name servers."""
    wanted = call.body["subnet"]
    changes: dict[str, Any] = {}
    if "name" in wanted:
        changes["subnet_name"] = wanted["name"]
    if "dns_nameservers" in wanted:
        changes["dns"] = tuple(wanted["dns_nameservers"])
    network = call.cloud.networks.update_subnet(call.context, call.params["subnet_id"], changes)
    return shown(call, "subnet", _view_v4(network))


def delete(call: Call) -> Reply:
    """Take a network's range away."""
    call.cloud.networks.remove_subnet(call.context, call.params["subnet_id"])
    return Reply()


def _create_v6(call: Call, wanted: Json) -> Reply:
    """Give a network its IPv6 prefix, of which guests form their addresses."""
    if wanted.get("allocation_pools"):
        raise InvalidInput("Guests form their IPv6 addresses themselves: there is no allocation pool.")
    if wanted.get("dns_nameservers"):
        raise InvalidInput("Guests hear of the network's own name server in IPv6.")
    subnet = NewSubnet(
        cidr="",
        name=wanted.get("name") or "",
        cidr_v6=wanted["cidr"],
        gateway_v6=wanted.get("gateway_ip") or "",
        routed=wanted.get("gateway_ip", "") is not None,
    )
    network = call.cloud.networks.add_subnet_v6(call.context, wanted["network_id"], subnet, _backend(wanted))
    return Reply({"subnet": _view_v6(network)})


def _backend(wanted: Json) -> Ipv6Backend | None:
    """Return how guests are to come to their addresses, None for as the flags say; raises InvalidInput."""
    modes = {mode for name in ("ipv6_address_mode", "ipv6_ra_mode") if (mode := wanted.get(name))}
    if len(modes) > 1:
        raise InvalidInput("ipv6_ra_mode and ipv6_address_mode have to be the same.")
    return next((backend for backend, mode in _MODES.items() if mode in modes), None)


_MODES = {Ipv6Backend.RFC2462: "slaac", Ipv6Backend.ACCOUNT_IDENTIFIER: "dhcpv6-stateful"}


def _views(network: Network) -> list[Json]:
    found = [_view_v4(network)] if network.cidr else []
    return [*found, _view_v6(network)] if network.cidr_v6 else found


def _view_v6(network: Network) -> Json:
    mode = _MODES[Ipv6Backend(network.ipv6_backend)]
    return _view(network) | {
        "id": network.subnet_v6_id,
        "ip_version": 6,
        "cidr": network.cidr_v6,
        "gateway_ip": network.gateway_v6 if network.routed else None,
        "allocation_pools": [],
        "dns_nameservers": [],
        "ipv6_address_mode": mode,
        "ipv6_ra_mode": mode,
    }


def _view_v4(network: Network) -> Json:
    last = str(ipaddress.IPv4Network(network.cidr)[-2])
    return _view(network) | {
        "id": network.subnet_id,
        "ip_version": 4,
        "cidr": network.cidr,
        "gateway_ip": network.gateway if network.routed else None,
        "allocation_pools": [{"start": network.dhcp_start, "end": network.dhcp_end or last}],
        "dns_nameservers": list(network.dns),
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
    }


def _view(network: Network) -> Json:
    """Return what subnets of both versions of IP have in common."""
    return {
        "name": network.subnet_name,
        "network_id": network.uuid,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "host_routes": [],
        "enable_dhcp": True,
        "segment_id": None,
        "service_types": [],
        "subnetpool_id": None,
        "description": "",
        "tags": [],
        "created_at": clock.iso8601(network.created_at),
        "updated_at": clock.iso8601(network.updated_at),
        "revision_number": network.revision,
    }
