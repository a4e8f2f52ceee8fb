"""Hypervisors of the compute API."""

import json
import urllib.parse

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import limit_of, truth
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.hosts import ComputeNode
from nova_lite.db.instance_pages import Page


def listing(call: Call) -> Reply:
    """List hypervisors by id and host name."""
    found, links = _page(call)
    return Reply({"hypervisors": [_brief(call, node) | _servers(call, node) for node in found]} | links)


def detail(call: Call) -> Reply:
    """List hypervisors in full."""
    found, links = _page(call)
    return Reply({"hypervisors": [_view(call, node) | _servers(call, node) for node in found]} | links)


def show(call: Call) -> Reply:
    """Show a hypervisor."""
    node = _find(call)
    shown = _view(call, node) | _servers(call, node)
    if call.at_least(88):
        shown["uptime"] = call.cloud.hosts.uptime(call.context, node) if node.service.up else None
    return Reply({"hypervisor": shown})


def uptime(call: Call) -> Reply:
    """Show since when a hypervisor's host runs and how busy it is (until 2.87)."""
    node = _find(call)
    said = call.cloud.hosts.uptime(call.context, node)
    return Reply({"hypervisor": _brief(call, node) | {"uptime": said} | _servers(call, node)})


def statistics(call: Call) -> Reply:
    """Add all hypervisors up (until 2.87)."""
    found = [node for node in call.cloud.hosts.hypervisors(call.context) if not node.service.disabled]
    names = ("vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used", "running_vms")
    total: Json = {name: sum(getattr(node, name) for node in found) for name in names}
    return Reply({"hypervisor_statistics": total | {
        "count": len(found),
        "current_workload": 0,
        "free_ram_mb": total["memory_mb"] - total["memory_mb_used"],
        "free_disk_gb": total["local_gb"] - total["local_gb_used"],
        "disk_available_least": sum(node.disk_available_least for node in found),
    }})  # fmt: skip


def search(call: Call) -> Reply:
    """List the hypervisors whose host name has a text in it (before 2.53)."""
    return Reply({"hypervisors": [_brief(call, node) for node in _matching(call)]})


def servers(call: Call) -> Reply:
    """List the hypervisors whose host name has a text in it, with their instances (before 2.53)."""
    return Reply({"hypervisors": [_brief(call, node) | _instances(call, node) for node in _matching(call)]})


def _find(call: Call) -> ComputeNode:
    wanted = call.params["hypervisor_id"]
    node = call.cloud.hosts.hypervisor(call.context, wanted)
    if wanted != (node.uuid if call.at_least(53) else str(node.id)):
        raise NotFound(f"Hypervisor {wanted} could not be found.")
    return node


def _matching(call: Call) -> list[ComputeNode]:
    text = call.params["text"]
    found = [node for node in call.cloud.hosts.hypervisors(call.context) if text in node.hypervisor_hostname]
    if not found:
        raise NotFound(f"No hypervisor matching '{text}' could be found.")
    return found


def _page(call: Call) -> tuple[list[ComputeNode], Json]:
    found = call.cloud.hosts.hypervisors(call.context)
    pattern = call.query("hypervisor_hostname_pattern")
    if pattern is not None and call.at_least(53):
        found = [node for node in found if pattern in node.hypervisor_hostname]
        if not found:
            raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
    if not call.at_least(33):
        return found, {}
    marker = call.query("marker")
    if marker is not None:
        ids = [node.uuid if call.at_least(53) else str(node.id) for node in found]
        if marker not in ids:
            raise InvalidInput(f"marker [{marker}] not found")
        found = found[ids.index(marker) + 1 :]
    limit = limit_of(call)
    return found[:limit], _links(call, found, limit)


def _links(call: Call, found: list[ComputeNode], limit: int) -> Json:
    if len(found) <= limit:
        return {}
    last = found[limit - 1]
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", last.uuid if call.at_least(53) else last.id)])
    href = call.url(f"{call.request.path_info}?{query}")
    return {"hypervisors_links": [{"rel": "next", "href": href}]}


def _brief(call: Call, node: ComputeNode) -> Json:
    return {
        "id": node.uuid if call.at_least(53) else node.id,
        "hypervisor_hostname": node.hypervisor_hostname,
        "state": "up" if node.service.up else "down",
        "status": "disabled" if node.service.disabled else "enabled",
    }


def _view(call: Call, node: ComputeNode) -> Json:
    shown = _brief(call, node) | {
        "hypervisor_type": node.hypervisor_type,
        "hypervisor_version": node.hypervisor_version,
        "host_ip": node.host_ip,
        "service": {
            "id": node.service.uuid if call.at_least(53) else node.service.id,
            "host": node.service.host,
            "disabled_reason": node.service.disabled_reason,
        },
    }
    if call.at_least(88):
        return shown
    return shown | {
        "vcpus": node.vcpus,
        "memory_mb": node.memory_mb,
        "local_gb": node.local_gb,
        "vcpus_used": node.vcpus_used,
        "memory_mb_used": node.memory_mb_used,
        "local_gb_used": node.local_gb_used,
        "free_ram_mb": node.memory_mb - node.memory_mb_used,
        "free_disk_gb": node.local_gb - node.local_gb_used,
        "current_workload": 0,
        "running_vms": node.running_vms,
        "disk_available_least": node.disk_available_least,
        "cpu_info": json.loads(node.cpu_info or "{}") if call.at_least(28) else node.cpu_info,
    }


def _servers(call: Call, node: ComputeNode) -> Json:
    """Return the instances of a hypervisor where the caller asks for them (from 2.53)."""
    if not (call.at_least(53) and truth(call.query("with_servers", "false"))):
        return {}
    return _instances(call, node)


def _instances(call: Call, node: ComputeNode) -> Json:
    found = call.cloud.servers.listing_brief(call.context, Page(filters={"host": node.host}))
    if not found:
        return {}
    return {"servers": [{"uuid": row.uuid, "name": row.name} for row in found]}
