"""Routers of the network API.

They have no routes besides: the networks of all projects are routed by one table of their host, in which a route of
one project would lead the traffic of the others, and of the host, astray.
"""

import uuid
from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.network import Network, Router, external_network_id


def listing(call: Call) -> Reply:
    """List routers."""
    return listed(call, "routers", [_view(router) for router in call.cloud.routers.list(call.context)])


def show(call: Call) -> Reply:
    """Show a router."""
    return shown(call, "router", _view(call.cloud.routers.get(call.context, call.params["router_id"])))


def create(call: Call) -> Reply:
    """Make a router."""
    changes = _changes(call, call.body["router"])
    made = call.cloud.routers.create(
        call.context,
        changes.get("name", ""),
        up=changes.get("admin_state_up", True),
        pool=changes.get("pool", ""),
    )
    return Reply({"router": _view(made)})


def update(call: Call) -> Reply:
    """Change a router, its gateway included."""
    changes = _changes(call, call.body["router"])
    return shown(call, "router", _view(call.cloud.routers.update(call.context, call.params["router_id"], changes)))


def delete(call: Call) -> Reply:
    """Remove a router that leads to no network."""
    call.cloud.routers.delete(call.context, call.params["router_id"])
    return Reply()


def add_interface(call: Call) -> Reply:
    """Let a router lead to a subnet."""
    return _interface(*call.cloud.routers.attach(call.context, call.params["router_id"], _subnet(call)))


def remove_interface(call: Call) -> Reply:
    """Let a router lead to a subnet no more."""
    return _interface(*call.cloud.routers.detach(call.context, call.params["router_id"], _subnet(call)))


def change_routes(call: Call) -> Reply:
    """Add routes to a router or take them away: there are none, and can be none."""
    router = call.cloud.routers.keep(call.context, call.params["router_id"])
    _refuse_routes(call.body["router"])
    return Reply({"router": _view(router)})


def _refuse_routes(wanted: Json) -> None:
    if wanted.get("routes"):
        raise InvalidInput(
            "Extra routes are not supported: what leaves a network goes by its gateway, as the network's host routes."
        )


def _subnet(call: Call) -> str:
    """Return the subnet that is meant: routers have no ports that could be named instead."""
    if not call.body.get("subnet_id"):
        raise NotFound(f"Port {call.body['port_id'][:64]} could not be found.")
    return str(call.body["subnet_id"])


def _interface(router: Router, network: Network) -> Reply:
    return Reply(
        {
            "id": router.id,
            "network_id": network.uuid,
            "subnet_id": network.subnet_id,
            "subnet_ids": [network.subnet_id],
            "port_id": str(uuid.uuid5(uuid.UUID(router.id), network.uuid)),
            "project_id": router.project_id,
            "tenant_id": router.project_id,
        }
    )


def _changes(call: Call, wanted: Json) -> dict[str, Any]:
    _refuse_routes(wanted)
    changes: dict[str, Any] = {
        name: wanted[name] for name in ("name", "admin_state_up") if name in wanted
    }
    if "external_gateway_info" in wanted:
        changes["pool"] = _pool(call, (wanted["external_gateway_info"] or {}).get("network_id", ""))
    return changes


def _pool(call: Call, network_id: str) -> str:
    """Return the pool that an external network stands for; raises InvalidInput."""
    if not network_id:
        return ""
    for pool in call.cloud.floating_ips.pools(call.context):
        if pool.network_id == network_id:
            return pool.name
    raise InvalidInput(f"Network {network_id[:64]} is not an external network")


def _view(router: Router) -> Json:
    gateway = {"network_id": external_network_id(router.pool), "enable_snat": True, "external_fixed_ips": []}
    return {
        "id": router.id,
        "name": router.name,
        "status": "ACTIVE",
        "admin_state_up": router.admin_state_up,
        "external_gateway_info": gateway if router.pool else None,
        "project_id": router.project_id,
        "tenant_id": router.project_id,
        "routes": [],
        "availability_zone_hints": [],
        "availability_zones": ["nova"],
        "description": "",
        "tags": [],
        "created_at": clock.iso8601(router.created_at),
        "updated_at": clock.iso8601(router.updated_at),
        "revision_number": router.revision,
    }
