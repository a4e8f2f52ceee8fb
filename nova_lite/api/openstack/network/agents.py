"""The daemons that serve networks, as the network API's agents; where they are, and how full networks are."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.errors import NotFound
from nova_lite.core.hosts import Service
from nova_lite.operations.hosts import INTERNAL_ZONE

_BINARY = "nova-network"


def listing(call: Call) -> Reply:
    """List the daemons."""
    return listed(call, "agents", [_view(one) for one in _services(call)])


def show(call: Call) -> Reply:
    """Show a daemon."""
    return shown(call, "agent", _view(_found(call)))


def update(call: Call) -> Reply:
    """Give a daemon no new work, or let it have some again."""
    wanted = call.body["agent"]
    found = _found(call)
    if "admin_state_up" in wanted:
        changes = {"disabled": not wanted["admin_state_up"]}
        found = call.cloud.hosts.update_service(call.context, found.uuid, **changes)
    return Reply({"agent": _view(found)})


def delete(call: Call) -> Reply:
    """Forget a daemon; one that runs comes back."""
    call.cloud.hosts.delete_service(call.context, _found(call).uuid)
    return Reply()


def zones(call: Call) -> Reply:
    """List the availability zones: networks reach into every zone of compute hosts."""
    found = [zone for zone in call.cloud.hosts.zones(call.context) if zone.name != INTERNAL_ZONE]
    rows = [
        {"name": zone.name, "resource": "network", "state": "available" if zone.available else "unavailable"}
        for zone in found
    ]
    return listed(call, "availability_zones", rows)


def providers(call: Call) -> Reply:
    """List who provides services: routers are the network hosts' own."""
    row = {"service_type": "L3_ROUTER_NAT", "name": _BINARY, "default": True}
    return listed(call, "service_providers", [row])


def availabilities(call: Call) -> Reply:
    """List how many addresses networks have, and how many of them are in use."""
    return listed(call, "network_ip_availabilities", _availabilities(call))


def availability(call: Call) -> Reply:
    """Show how many addresses a network has, and how many of them are in use."""
    wanted = call.params["network_id"]
    for row in _availabilities(call):
        if row["network_id"] == wanted:
            return shown(call, "network_ip_availability", row)
    raise NotFound(f"Network {wanted[:64]} could not be found.")


def _availabilities(call: Call) -> list[Json]:
    if call.query("ip_version", "4") != "4":
        return []
    counts = call.cloud.networks.address_counts(call.context)
    rows: list[Json] = []
    for network in call.cloud.networks.list(call.context):
        count = counts.get(network.id)
        room = {"total_ips": count.total if count else 0, "used_ips": count.used if count else 0}
        subnet = {
            "subnet_id": network.subnet_id,
            "subnet_name": network.subnet_name,
            "ip_version": 4,
            "cidr": network.cidr,
        }
        rows.append(
            {
                "id": network.uuid,
                "network_id": network.uuid,
                "network_name": network.label,
                "project_id": network.project_id,
                "tenant_id": network.project_id,
                **room,
                "subnet_ip_availability": [subnet | room] if network.cidr else [],
            }
        )
    return rows


def _services(call: Call) -> list[Service]:
    return list(call.cloud.hosts.services(call.context, binary=_BINARY))


def _found(call: Call) -> Service:
    wanted = call.params["agent_id"]
    for service in _services(call):
        if service.uuid == wanted:
            return service
    raise NotFound(f"Agent {wanted[:64]} could not be found.")


def _view(service: Service) -> Json:
    beaten = clock.iso8601(service.heartbeat_at)
    return {
        "id": service.uuid,
        "agent_type": "nova-network",
        "binary": service.binary,
        "topic": "network",
        "host": service.host,
        "availability_zone": service.availability_zone,
        "alive": service.up,
        "admin_state_up": not service.disabled,
        "description": service.disabled_reason,
        "heartbeat_timestamp": beaten,
        "created_at": beaten,
        "started_at": beaten,
        "configurations": {},
        "resources_synced": None,
    }
