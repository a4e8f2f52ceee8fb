"""Floating addresses of the network API; each pool is an external network."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.network import FloatingIp, FloatingPool, external_network_id


def listing(call: Call) -> Reply:
    """List floating addresses."""
    found = call.cloud.floating_ips.listing(call.context)
    return listed(call, "floatingips", [_view(call, one) for one in found])


def show(call: Call) -> Reply:
    """Show a floating address; its id is meant, not the address."""
    return shown(call, "floatingip", _view(call, _found(call)))


def create(call: Call) -> Reply:
    """Take an address out of a pool, and let it lead to a port."""
    wanted = call.body["floatingip"]
    pool = _pool(call, wanted["floating_network_id"])
    owner = wanted.get("project_id") or wanted.get("tenant_id") or ""
    if owner and owner != call.context.project_id and not call.context.is_admin:
        raise InvalidInput("Only an admin may take an address for another project.")
    made = call.cloud.floating_ips.allocate(
        call.context,
        pool.name,
        address=wanted.get("floating_ip_address") or "",
        project_id=owner,
        port_id=wanted.get("port_id") or "",
        fixed_address=wanted.get("fixed_ip_address") or "",
    )
    return Reply({"floatingip": _view(call, made)})


def update(call: Call) -> Reply:
    """Let an address lead to another port, or to none."""
    found, wanted = _found(call), call.body["floatingip"]
    if "port_id" not in wanted:
        if wanted.get("fixed_ip_address"):
            raise InvalidInput("A fixed_ip_address needs its port_id.")
        found = call.cloud.floating_ips.keep(call.context, found.id)
    elif wanted["port_id"] is None:
        found = call.cloud.floating_ips.disassociate(call.context, found.id)
    else:
        fixed = wanted.get("fixed_ip_address") or ""
        found = call.cloud.floating_ips.associate_port(call.context, found.id, wanted["port_id"], fixed)
    return shown(call, "floatingip", _view(call, found))


def delete(call: Call) -> Reply:
    """Give an address back."""
    call.cloud.floating_ips.release(call.context, _found(call).id)
    return Reply()


def _found(call: Call) -> FloatingIp:
    wanted = call.params["floatingip_id"]
    found = call.cloud.floating_ips.get(call.context, wanted)
    if found.id != wanted:
        raise NotFound(f"Floating IP {wanted} could not be found")
    return found


def _pool(call: Call, network_id: str) -> FloatingPool:
    for pool in call.cloud.floating_ips.pools(call.context):
        if pool.network_id == network_id:
            return pool
    # A network of guests is there, and has no addresses of the world.
    call.cloud.networks.get(call.context, network_id)
    raise InvalidInput(f"Network {network_id} is not a valid external network")


def _view(call: Call, one: FloatingIp) -> Json:
    return {
        "id": one.id,
        "floating_ip_address": one.address,
        "floating_network_id": external_network_id(one.pool),
        "fixed_ip_address": one.fixed_address or None,
        "port_id": one.vif_id or None,
        "router_id": None,
        "status": "ACTIVE" if one.vif_id else "DOWN",
        "project_id": one.project_id,
        "tenant_id": one.project_id,
        "port_details": None,
        "port_forwardings": [],
        "qos_policy_id": None,
        "dns_domain": "",
        "dns_name": "",
        "description": "",
        "tags": [],
        "created_at": clock.iso8601(one.created_at),
        "updated_at": clock.iso8601(one.updated_at),
        "revision_number": one.revision,
    }
