"""Servers of the compute API: create, list, show, update, delete."""

from collections.abc import Iterable
from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.block_devices import wanted_disks
from nova_lite.api.openstack.compute.queries import truth
from nova_lite.api.openstack.compute.server_lists import next_link, page_of
from nova_lite.api.openstack.views import servers as view
from nova_lite.core.boot import BootRequest, RequestedNetwork
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.hints import Hints
from nova_lite.core.instance_options import InstanceOptions
from nova_lite.core.metadata import InjectedFile
from nova_lite.core.rebuild import RebuildRequest

_CHANGEABLE = {
    "name": "display_name",
    "description": "description",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "OS-DCF:diskConfig": "disk_config",
    "hostname": "hostname",
}
"""What users may change of a server, and the column that holds it."""

_REBUILT = _CHANGEABLE | {"user_data": "user_data"}
"""What a rebuild may change."""

def create(call: Call) -> Reply:
    """Boot servers."""
    wanted = call.body["server"]
    booted = call.cloud.servers.boot(call.context, _boot_request(call, wanted))
    if truth(wanted.get("return_reservation_id", False)):
        return Reply({"reservation_id": booted.reservation_id})
    uuid = booted.uuids[0]
    groups = wanted.get("security_groups") or [{"name": "default"}]
    server = {
        "id": uuid,
        "links": view.links(call, uuid),
        "OS-DCF:diskConfig": wanted.get("OS-DCF:diskConfig", "MANUAL"),
        "security_groups": [{"name": group["name"]} for group in groups],
    }
    server |= told(call, booted.admin_password)
    return Reply({"server": server}, headers={"Location": call.url(f"/v2.1/servers/{uuid}")})


def listing(call: Call) -> Reply:
    """List servers by id and name."""
    page = page_of(call)
    found = call.cloud.servers.listing_brief(call.context, page) if page else []
    links = next_link(call, page, found, "") if page else {}
    return Reply({"servers": [view.brief(call, row) for row in found]} | links)


def detail(call: Call) -> Reply:
    """List servers in full."""
    page = page_of(call)
    found = call.cloud.servers.listing(call.context, page) if page else []
    links = next_link(call, page, [server.instance for server in found], "/detail") if page else {}
    return Reply({"servers": [view.listed(call, row) for row in found]} | links)


def show(call: Call) -> Reply:
    """Show a server."""
    return Reply({"server": view.shown(call, call.cloud.servers.get(call.context, call.params["server_id"]))})


def update(call: Call) -> Reply:
    """Change a server's name, description, access addresses, disk config or host name."""
    wanted = call.body["server"]
    changes = {column: wanted[name] for name, column in _CHANGEABLE.items() if name in wanted}
    server = call.cloud.servers.update(call.context, call.params["server_id"], changes)
    return Reply({"server": view.updated(call, server)})


def rebuild(call: Call) -> Reply:
    """Make a server anew from an image."""
    wanted = call.body["rebuild"]
    if truth(wanted.get("preserve_ephemeral", False)):
        raise InvalidInput("The current driver does not support preserving ephemeral partitions.")
    request = RebuildRequest(
        image_id=wanted["imageRef"].rsplit("/", 1)[-1],
        changes={column: wanted[name] for name, column in _REBUILT.items() if name in wanted},
        metadata=wanted.get("metadata"),
        key_name=wanted.get("key_name", ""),
        admin_password=wanted.get("adminPass", ""),
        files=_files(wanted["personality"]) if "personality" in wanted else None,
        options={"trusted_certificates": _trusted(wanted)} if "trusted_image_certificates" in wanted else {},
    )
    server_id = call.params["server_id"]
    password = call.cloud.rebuild.begin(call.context, server_id, request)
    server = view.rebuilt(call, call.cloud.servers.get(call.context, server_id))
    location = call.url(f"/v2.1/servers/{server_id}")
    return Reply({"server": server | told(call, password)}, headers={"Location": location})


def delete(call: Call) -> Reply:
    """Delete a server."""
    call.cloud.servers.delete(call.context, call.params["server_id"])
    return Reply()


def addresses(call: Call) -> Reply:
    """List a server's addresses by network."""
    found = call.cloud.servers.interfaces(call.context, call.params["server_id"])
    return Reply({"addresses": view.addresses(tuple(found))})


def network_addresses(call: Call) -> Reply:
    """List a server's addresses in one network."""
    label = call.params["label"]
    found = view.addresses(
        tuple(call.cloud.servers.interfaces(call.context, call.params["server_id"])), with_mac=False
    )
    if label not in found:
        raise NotFound(f"Network {label} is not found for the instance.")
    return Reply({label: found[label]})


def _boot_request(call: Call, wanted: Json) -> BootRequest:
    zone, _, host = wanted.get("availability_zone", "").partition(":")
    least = int(wanted.get("min_count", 1))
    disks = wanted_disks(wanted)
    return BootRequest(
        name=wanted["name"].strip(),
        image_id=disks.image_id,
        local_disks=disks.local,
        flavor_id=str(wanted["flavorRef"]).rsplit("/", 1)[-1],
        min_count=least,
        max_count=int(wanted.get("max_count", least)),
        description=wanted.get("description"),
        hostname=wanted.get("hostname", ""),
        key_name=wanted.get("key_name", ""),
        user_data=wanted.get("user_data", ""),
        metadata=wanted.get("metadata", {}),
        availability_zone=zone,
        host=_destination(call, wanted) or host,
        is_forced=bool(host),
        networks=_networks(wanted.get("networks")),
        security_groups=tuple(group["name"] for group in wanted.get("security_groups", ())),
        config_drive=truth(wanted.get("config_drive", False)),
        files=_files(wanted.get("personality", ())),
        admin_password=wanted.get("adminPass", ""),
        access_ip_v4=wanted.get("accessIPv4", ""),
        access_ip_v6=wanted.get("accessIPv6", ""),
        disk_config=wanted.get("OS-DCF:diskConfig", "MANUAL"),
        tags=tuple(dict.fromkeys(wanted.get("tags", ()))),
        hints=_hints(call.body),
        options=InstanceOptions(trusted_certificates=_trusted(wanted)),
    )


def _trusted(wanted: Json) -> tuple[str, ...]:
    return tuple(wanted.get("trusted_image_certificates") or ())


def _files(wanted: Iterable[Json]) -> tuple[InjectedFile, ...]:
    return tuple(InjectedFile(file["path"], file["contents"]) for file in wanted)


def _hints(body: Json) -> Hints:
    """Return the scheduler hints; those that no filter reads are left out."""
    wanted = body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {}
    return Hints(
        group=wanted.get("group", ""),
        same_host=_several(wanted.get("same_host", ())),
        different_host=_several(wanted.get("different_host", ())),
        query=wanted.get("query"),
        build_near_host_ip=wanted.get("build_near_host_ip", ""),
        cidr=wanted.get("cidr", "/24"),
    )


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _destination(call: Call, wanted: Json) -> str:
    """Return the host that an admin wants the server on, named by itself or by its hypervisor (since 2.74)."""
    host: str = wanted.get("host", "")
    node = wanted.get("hypervisor_hostname")
    if not host and node is None:
        return ""
    if not call.context.is_admin:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:servers:create:requested_destination to be performed."
        )
    for hypervisor in call.cloud.hosts.hypervisors(call.context):
        if node in (None, hypervisor.hypervisor_hostname) and host in ("", hypervisor.host):
            return hypervisor.host
    raise InvalidInput(f"Compute host {node or host} could not be found.")


def _networks(wanted: Any) -> tuple[RequestedNetwork, ...] | None:
    """Return the requested networks: None for all of the project's, which is also what [] means."""
    if wanted in (None, [], "auto"):
        return None
    if wanted == "none":
        return ()
    return tuple(_network(item) for item in wanted)


def _network(item: Json) -> RequestedNetwork:
    if item.get("port"):
        if item.get("fixed_ip"):
            raise InvalidInput(f"Port {item['port']} has its address: no other can be chosen.")
        return RequestedNetwork(item.get("uuid", ""), tag=item.get("tag", ""), port=item["port"])
    if "uuid" not in item:
        raise InvalidInput("Bad network format: missing 'uuid'")
    return RequestedNetwork(item["uuid"], item.get("fixed_ip", ""), item.get("tag", ""))


def told(call: Call, password: str) -> Json:
    """Return a server's password as a member of an answer, nothing where the operator has it kept back."""
    return {"adminPass": password} if call.conf.enable_instance_password else {}
