"""Floating addresses in the compute API: nova-network's own face of them."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.network import FloatingIp


def pools(call: Call) -> Reply:
    """List the pools."""
    found = call.cloud.floating_ips.pools(call.context)
    return Reply({"floating_ip_pools": [{"name": pool.name} for pool in found]})


def listing(call: Call) -> Reply:
    """List the project's addresses."""
    found = call.cloud.floating_ips.list(call.context)
    return Reply({"floating_ips": [_view(one) for one in found]})


def show(call: Call) -> Reply:
    """Show an address."""
    return Reply({"floating_ip": _view(call.cloud.floating_ips.get(call.context, call.params["floating_id"]))})


def create(call: Call) -> Reply:
    """Take an address out of a pool."""
    pool = (call.body or {}).get("pool") or ""
    return Reply({"floating_ip": _view(call.cloud.floating_ips.allocate(call.context, pool))})


def delete(call: Call) -> Reply:
    """Give an address back, wherever it leads."""
    call.cloud.floating_ips.release(call.context, call.params["floating_id"])
    return Reply()


def add_to_server(call: Call) -> Reply:
    """Let an address lead to a server."""
    wanted = call.body["addFloatingIp"]
    call.cloud.floating_ips.associate(
        call.context, wanted["address"], call.params["server_id"], wanted.get("fixed_address") or ""
    )
    return Reply()


def remove_from_server(call: Call) -> Reply:
    """Let an address lead to a server no more."""
    address = call.body["removeFloatingIp"]["address"]
    call.cloud.floating_ips.disassociate(call.context, address, call.params["server_id"])
    return Reply()


def every(call: Call) -> Reply:
    """List all addresses of all pools."""
    found = call.cloud.floating_ips.every(call.context)
    return Reply({"floating_ip_info": [_bulk_view(one) for one in found]})


def create_range(call: Call) -> Reply:
    """Add a range to a pool."""
    wanted = call.body["floating_ips_bulk_create"]
    pool, interface = wanted.get("pool") or "", wanted.get("interface") or ""
    call.cloud.floating_ips.create_range(call.context, wanted["ip_range"], pool=pool, interface=interface)
    shown = {"ip_range": wanted["ip_range"], "pool": pool or call.cloud.floating_ips.default_pool}
    return Reply({"floating_ips_bulk_create": shown | ({"interface": interface} if interface else {})})


def delete_range(call: Call) -> Reply:
    """Remove the addresses of a range that nobody has."""
    call.cloud.floating_ips.delete_range(call.context, call.body["ip_range"])
    return Reply({"floating_ips_bulk_delete": call.body["ip_range"]})


def _view(one: FloatingIp) -> Json:
    return {
        "id": one.id,
        "ip": one.address,
        "pool": one.pool,
        "fixed_ip": one.fixed_address or None,
        "instance_id": one.instance_uuid or None,
    }


def _bulk_view(one: FloatingIp) -> Json:
    return {
        "address": one.address,
        "pool": one.pool,
        "interface": one.interface,
        "project_id": one.project_id or None,
        "instance_uuid": one.instance_uuid or None,
        "fixed_ip": one.fixed_address or None,
    }
