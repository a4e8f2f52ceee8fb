"""Hosts of the compute API, as it showed them until 2.42."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import InvalidInput, NotFound, NotSupported
from nova_lite.core.hosts import ComputeNode
from nova_lite.core.instance import Instance
from nova_lite.operations.hosts import INTERNAL_ZONE


def listing(call: Call) -> Reply:
    """List every daemon as a host, or those of a zone."""
    zone = call.query("zone")
    rows = [
        {
            "host_name": service.host,
            "service": service.binary.removeprefix("nova-"),
            "zone": service.availability_zone if service.binary == "nova-compute" else INTERNAL_ZONE,
        }
        for service in call.cloud.hosts.services(call.context)
    ]
    return Reply({"hosts": [row for row in rows if zone in (None, row["zone"])]})


def show(call: Call) -> Reply:
    """Show the room of a compute host, and what each project takes of it."""
    name = call.params["host"]
    node = _node(call, name)
    found = call.cloud.hosts.instances_on(call.context, name)
    projects: dict[str, list[Instance]] = {}
    for instance in found:
        projects.setdefault(instance.project_id, []).append(instance)
    rows = [
        _row(name, "(total)", node.vcpus, node.memory_mb, node.local_gb),
        _row(name, "(used_now)", node.vcpus_used, node.memory_mb_used, node.local_gb_used),
        _sum(name, "(used_max)", found),
        *(_sum(name, project, mine) for project, mine in sorted(projects.items())),
    ]
    return Reply({"host": [{"resource": row} for row in rows]})


def power(call: Call) -> Reply:
    """Start, stop or restart a host: no driver can do that to the host that it runs on."""
    host = call.params["host"]
    if not call.cloud.hosts.services(call.context, host=host):
        raise NotFound(f"Host {host[:64]} could not be found.")
    raise NotSupported("Hosts are not switched on and off through this API.")


def update(call: Call) -> Reply:
    """Let a compute host take instances, or no new ones."""
    name, status = call.params["host"], call.body.get("status", "").lower()
    if call.body.get("maintenance_mode", "disable").lower() == "enable":
        raise InvalidInput("Hosts have no maintenance mode here; set the status to disable.")
    if not status:
        raise InvalidInput("The request names no status.")
    _node(call, name)
    service = call.cloud.hosts.find_service(call.context, name, "nova-compute")
    call.cloud.hosts.update_service(call.context, service.uuid, disabled=status == "disable")
    return Reply({"host": name, "status": f"{status}d"})


def _node(call: Call, name: str) -> ComputeNode:
    for node in call.cloud.hosts.hypervisors(call.context):
        if node.host == name:
            return node
    raise NotFound(f"Compute host {name} could not be found.")


def _sum(host: str, project: str, found: list[Instance]) -> Json:
    flavors = [instance.flavor for instance in found]
    return _row(
        host,
        project,
        sum(flavor.vcpus for flavor in flavors),
        sum(flavor.memory_mb for flavor in flavors),
        sum(flavor.root_gb + flavor.ephemeral_gb for flavor in flavors),
    )


def _row(host: str, project: str, cpu: int, memory_mb: int, disk_gb: int) -> Json:
    return {"host": host, "project": project, "cpu": cpu, "memory_mb": memory_mb, "disk_gb": disk_gb}
