"""Servers as the compute API shows them, exact for each microversion."""

import hashlib
from typing import Any

from nova_lite.api.call import Call, Json
from nova_lite.api.openstack.status import WITH_FAULT, WITH_PROGRESS, status_of
from nova_lite.core import clock
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.network import VirtualInterface
from nova_lite.operations.servers import ServerDetails


def links(call: Call, uuid: str) -> list[Json]:
    """Return the links of a server: itself, and itself without version."""
    return [
        {"rel": "self", "href": call.url(f"/v2.1/servers/{uuid}")},
        {"rel": "bookmark", "href": call.url(f"/servers/{uuid}")},
    ]


def brief(call: Call, instance: Instance) -> Json:
    """Return a server of a list without details."""
    return {"id": instance.uuid, "name": instance.display_name, "links": links(call, instance.uuid)}


def shown(call: Call, server: ServerDetails) -> Json:
    """Return a server as ``GET /servers/{id}`` shows it."""
    view = listed(call, server)
    if call.at_least(71):
        view["server_groups"] = [server.server_group] if server.server_group else []
    return view


def listed(call: Call, server: ServerDetails) -> Json:
    """Return a server as a detailed list shows it."""
    view = _core(call, server, with_mac=True)
    view |= _extended(call, server)
    return view


def updated(call: Call, server: ServerDetails) -> Json:
    """Return a server as ``PUT`` answers; before 2.75 it has fewer fields than a show."""
    if call.at_least(75):
        return shown(call, server)
    view = _core(call, server, with_mac=False)
    if call.at_least(71):
        view["server_groups"] = [server.server_group] if server.server_group else []
    return view


def rebuilt(call: Call, server: ServerDetails) -> Json:
    """Return a server as a rebuild answers."""
    view = updated(call, server)
    if call.at_least(54):
        view["key_name"] = server.instance.key_name
    if call.at_least(57):
        view.pop("OS-EXT-SRV-ATTR:user_data", None)
        view["user_data"] = server.instance.user_data
    return view


def addresses(interfaces: tuple[VirtualInterface, ...], *, with_mac: bool = True) -> Json:
    """Return the addresses of a server by the label of their network."""
    found: dict[str, list[Json]] = {}
    for interface in interfaces:
        entry: Json = {"version": 4, "addr": interface.address}
        if with_mac:
            entry |= {"OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": interface.mac}
        listed = found.setdefault(interface.network_label, [])
        if interface.address:
            listed.append(entry)
        if interface.address_v6:
            listed.append(entry | {"version": 6, "addr": interface.address_v6})
        for floating in interface.floating:
            more = {"OS-EXT-IPS:type": "floating"} if with_mac else {}
            listed.append(entry | {"version": 4, "addr": floating} | more)
    return found


def host_id(project_id: str, host: str | None) -> str:
    """Return a name for a host that differs by project, so that it tells nothing but "the same host"."""
    return hashlib.sha224((project_id + host).encode()).hexdigest() if host else ""


def _core(call: Call, server: ServerDetails, *, with_mac: bool) -> Json:
    """The fields that every full view of a server has."""
    instance = server.instance
    status = status_of(instance.vm_state, instance.task_state)
    view: Json = {
        "id": instance.uuid,
        "name": instance.display_name,
        "status": status,
        "tenant_id": instance.project_id,
        "user_id": instance.user_id,
        "metadata": dict(instance.metadata),
        "hostId": host_id(instance.project_id, instance.host),
        "image": _image(call, instance),
        "flavor": _flavor(call, instance.flavor),
        "created": clock.iso8601(instance.created_at),
        "updated": clock.iso8601(instance.updated_at),
        "addresses": addresses(server.interfaces, with_mac=with_mac),
        "accessIPv4": instance.access_ip_v4,
        "accessIPv6": instance.access_ip_v6,
        "links": links(call, instance.uuid),
        "OS-DCF:diskConfig": instance.disk_config,
    }
    if status in WITH_PROGRESS:
        view["progress"] = 100 if status == "ACTIVE" else 0
    if status in WITH_FAULT and instance.fault is not None:
        view["fault"] = _fault(call, instance)
    since: tuple[tuple[int, str, Any], ...] = (
        (9, "locked", bool(instance.locked_by)),
        (19, "description", instance.description),
        (26, "tags", list(instance.tags)),
        (63, "trusted_image_certificates", list(instance.options.trusted_certificates) or None),
        (73, "locked_reason", instance.locked_reason),
    )
    return view | {name: value for minor, name, value in since if call.at_least(minor)}


def _extended(call: Call, server: ServerDetails) -> Json:
    """The fields that shows and lists add."""
    instance = server.instance
    view: Json = {
        "OS-EXT-AZ:availability_zone": instance.availability_zone or "",
        "config_drive": "True" if instance.config_drive else "",
        "key_name": instance.key_name,
        "OS-SRV-USG:launched_at": _moment(instance.launched_at),
        "OS-SRV-USG:terminated_at": _moment(instance.terminated_at),
        "OS-EXT-STS:task_state": instance.task_state,
        "OS-EXT-STS:vm_state": instance.vm_state,
        "OS-EXT-STS:power_state": int(instance.power_state),
        "os-extended-volumes:volumes_attached": [],
    }
    if server.security_groups:
        view["security_groups"] = [{"name": name} for name in server.security_groups]
    if call.at_least(90):
        view["OS-EXT-SRV-ATTR:hostname"] = instance.hostname
    if call.at_least(96):
        view["pinned_availability_zone"] = instance.pinned_zone
    return view | (_for_admin(call, server) if call.context.is_admin else {})


def _for_admin(call: Call, server: ServerDetails) -> Json:
    instance = server.instance
    view: Json = {
        "OS-EXT-SRV-ATTR:host": instance.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": instance.node,
        "OS-EXT-SRV-ATTR:instance_name": instance.name,
    }
    if call.at_least(3):
        view |= {
            "OS-EXT-SRV-ATTR:hostname": instance.hostname,
            "OS-EXT-SRV-ATTR:kernel_id": instance.kernel_id,
            "OS-EXT-SRV-ATTR:launch_index": instance.launch_index,
            "OS-EXT-SRV-ATTR:ramdisk_id": instance.ramdisk_id,
            "OS-EXT-SRV-ATTR:reservation_id": instance.reservation_id,
            "OS-EXT-SRV-ATTR:root_device_name": instance.root_device_name,
            "OS-EXT-SRV-ATTR:user_data": instance.user_data,
        }
    if call.at_least(16):
        view["host_status"] = server.host_status
    return view


def _image(call: Call, instance: Instance) -> Any:
    if not instance.image_id:
        return ""
    bookmark = {"rel": "bookmark", "href": call.url(f"/images/{instance.image_id}")}
    return {"id": instance.image_id, "links": [bookmark]}


def _flavor(call: Call, flavor: Flavor) -> Json:
    if not call.at_least(47):
        bookmark = {"rel": "bookmark", "href": call.url(f"/flavors/{flavor.id}")}
        return {"id": flavor.id, "links": [bookmark]}
    return {
        "original_name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.memory_mb,
        "disk": flavor.root_gb,
        "ephemeral": flavor.ephemeral_gb,
        "swap": flavor.swap_mb,
        "extra_specs": dict(flavor.extra_specs),
    }


def _fault(call: Call, instance: Instance) -> Json:
    fault = instance.fault
    if fault is None:
        return {}
    view: Json = {
        "code": fault.code,
        "created": clock.iso8601(fault.created_at),
        "message": fault.message[:255],
    }
    if call.context.is_admin and fault.details:
        view["details"] = fault.details
    return view


def _moment(moment: Any) -> str | None:
    return None if moment is None else clock.iso8601_naive(moment)
