"""Networks of the network API."""

from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput
from nova_lite.core.network import FloatingPool, Network
from nova_lite.operations.networks import NewNetwork

_UNSUPPORTED = {"router:external": False, "admin_state_up": True, "vlan_transparent": False}
"""Attributes that can be given only one value."""


def listing(call: Call) -> Reply:
    """List networks, and pools of floating addresses as external ones."""
    found = [_view(call, network) for network in call.cloud.networks.list(call.context)]
    pools = [_external_view(call, pool) for pool in call.cloud.floating_ips.pools(call.context)]
    return listed(call, "networks", [*found, *pools])


def show(call: Call) -> Reply:
    """Show a network."""
    wanted = call.params["network_id"]
    for pool in call.cloud.floating_ips.pools(call.context):
        if pool.network_id == wanted:
            return shown(call, "network", _external_view(call, pool))
    return shown(call, "network", _view(call, call.cloud.networks.get(call.context, wanted)))


def create(call: Call) -> Reply:
    """Make a network, still without addresses."""
    wanted = call.body["network"]
    _check_supported(wanted)
    owner = wanted.get("project_id") or wanted.get("tenant_id") or call.context.project_id
    request = NewNetwork(
        label=wanted.get("name") or "network",
        mtu=wanted.get("mtu") or 0,
        project_id="" if wanted.get("shared") else owner,
    )
    return Reply({"network": _view(call, call.cloud.networks.create(call.context, request))})


def update(call: Call) -> Reply:
    """Change a network."""
    wanted = call.body["network"]
    _check_supported(wanted)
    changes: dict[str, Any] = {}
    if "name" in wanted:
        changes["label"] = wanted["name"]
    if "mtu" in wanted:
        changes["mtu"] = wanted["mtu"]
    if "shared" in wanted:
        changes["project_id"] = "" if wanted["shared"] else call.context.project_id
    network = call.cloud.networks.update(call.context, call.params["network_id"], changes)
    return shown(call, "network", _view(call, network))


def delete(call: Call) -> Reply:
    """Remove a network that no instance is in."""
    call.cloud.networks.delete(call.context, call.params["network_id"])
    return Reply()


def _check_supported(wanted: Json) -> None:
    for name, only in _UNSUPPORTED.items():
        if wanted.get(name, only) is not only:
            raise InvalidInput(f"A network's {name} can only be {only}.")


_ALWAYS: Json = {
    "status": "ACTIVE",
    "admin_state_up": True,
    "port_security_enabled": True,
    "is_default": False,
    "availability_zone_hints": [],
    "availability_zones": ["nova"],
    "ipv4_address_scope": None,
    "ipv6_address_scope": None,
    "qos_policy_id": None,
    "description": "",
    "tags": [],
    "revision_number": 1,
}
"""What all networks have in common."""


def _external_view(call: Call, pool: FloatingPool) -> Json:
    view = _ALWAYS | {
        "id": pool.network_id,
        "name": pool.name,
        "shared": False,
        "subnets": [],
        "router:external": True,
        "project_id": "",
        "tenant_id": "",
        "mtu": 1500,
        "created_at": None,
        "updated_at": None,
    }
    return view | ({"provider:network_type": "flat"} if call.context.is_admin else {})


def _view(call: Call, network: Network) -> Json:
    view: Json = _ALWAYS | {
        "id": network.uuid,
        "name": network.label,
        "shared": not network.project_id,
        "subnets": [
            *([network.subnet_id] if network.cidr else []),
            *([network.subnet_v6_id] if network.cidr_v6 else []),
        ],
        "router:external": False,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "mtu": network.mtu,
        "created_at": clock.iso8601(network.created_at),
        "updated_at": clock.iso8601(network.updated_at),
        "revision_number": network.revision,
    }
    if call.context.is_admin:
        # No physical network: clients take one that has it for the way to the world.
        view["provider:network_type"] = "vlan" if network.vlan is not None else "flat"
        view["provider:segmentation_id"] = network.vlan
    return view
