"""Servers of the compute API: create, list, show, update, delete."""

import datetime
import urllib.parse
from collections.abc import Iterable
from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.status import vm_states_of
from nova_lite.api.openstack.views import servers as view
from nova_lite.core.boot import BootRequest, RequestedNetwork
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.hints import Hints
from nova_lite.core.instance import Instance
from nova_lite.core.metadata import InjectedFile
from nova_lite.core.rebuild import RebuildRequest
from nova_lite.core.tags import TagFilter
from nova_lite.db.instance_pages import SORTABLE, Page
from nova_lite.operations.servers import name_pattern

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})

_FILTERS = {
    "image": "image_id",
    "flavor": "flavor_id",
    "host": "host",
    "node": "node",
    "vm_state": "vm_state",
    "task_state": "task_state",
    "power_state": "power_state",
    "key_name": "key_name",
    "availability_zone": "availability_zone",
    "reservation_id": "reservation_id",
    "hostname": "hostname",
    "user_id": "user_id",
    "description": "description",
    "access_ip_v4": "access_ip_v4",
    "access_ip_v6": "access_ip_v6",
    "launch_index": "launch_index",
}
"""Query parameters that match a column exactly."""

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

_FOR_ADMINS = frozenset({"host", "node", "task_state", "power_state", "user_id", "reservation_id"})
"""Filters that are passed over for anybody but an admin."""

_SORT_NAMES = {"display_name": "display_name", "instance_type_id": "flavor_id", "image_ref": "image_id"}
"""Sort keys whose column has another name."""


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
    page = _page(call)
    found = call.cloud.servers.listing_brief(call.context, page)
    return Reply({"servers": [view.brief(call, row) for row in found]} | _next(call, page, found, ""))


def detail(call: Call) -> Reply:
    """List servers in full."""
    page = _page(call)
    found = call.cloud.servers.listing(call.context, page)
    rows = [server.instance for server in found]
    return Reply({"servers": [view.listed(call, row) for row in found]} | _next(call, page, rows, "/detail"))


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
    request = RebuildRequest(
        image_id=wanted["imageRef"].rsplit("/", 1)[-1],
        changes={column: wanted[name] for name, column in _REBUILT.items() if name in wanted},
        metadata=wanted.get("metadata"),
        key_name=wanted.get("key_name", ""),
        admin_password=wanted.get("adminPass", ""),
        files=_files(wanted["personality"]) if "personality" in wanted else None,
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


def truth(value: Any) -> bool:
    """Read a boolean that may be written as text."""
    return value.lower() in _TRUE if isinstance(value, str) else bool(value)


def boolean(text: str, name: str) -> bool:
    """Read a boolean of the query string; raises InvalidInput for what is none."""
    if text.lower() not in _TRUE | _FALSE:
        raise InvalidInput(f"Invalid value '{text[:40]}' for {name}: it is not a boolean.")
    return text.lower() in _TRUE


def _boot_request(call: Call, wanted: Json) -> BootRequest:
    zone, _, host = wanted.get("availability_zone", "").partition(":")
    least = int(wanted.get("min_count", 1))
    return BootRequest(
        name=wanted["name"].strip(),
        image_id=_image_id(wanted),
        flavor_id=str(wanted["flavorRef"]).rsplit("/", 1)[-1],
        min_count=least,
        max_count=int(wanted.get("max_count", least)),
        description=wanted.get("description"),
        hostname=wanted.get("hostname", ""),
        key_name=wanted.get("key_name", ""),
        user_data=wanted.get("user_data", ""),
        metadata=wanted.get("metadata", {}),
        availability_zone=zone,
        host=wanted.get("host", host),
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
    )


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


def _image_id(wanted: Json) -> str:
    """Return the image to boot, given as a reference or as the only block device."""
    reference: str = wanted.get("imageRef", "").rsplit("/", 1)[-1]
    for disk in wanted.get("block_device_mapping_v2", ()):
        if reference and disk["uuid"] != reference:
            raise InvalidInput("The image and the block device mapping name different images.")
        reference = disk["uuid"]
    if not reference:
        raise InvalidInput("An image is needed: neither imageRef nor block_device_mapping_v2 names one.")
    return reference


def _networks(wanted: Any) -> tuple[RequestedNetwork, ...] | None:
    """Return the requested networks: None for all of the project's, which is also what [] means."""
    if wanted in (None, [], "auto"):
        return None
    if wanted == "none":
        return ()
    return tuple(RequestedNetwork(item["uuid"], item.get("fixed_ip", "")) for item in wanted)


def _page(call: Call) -> Page:
    query = call.request.GET
    admin = call.context.is_admin
    filters: dict[str, Any] = {}
    for name, column in _FILTERS.items():
        if name in query and (admin or name not in _FOR_ADMINS):
            filters[column] = query[name]
    if "status" in query:
        states = [state for status in query.getall("status") for state in vm_states_of(status)]
        filters["vm_state"] = states
    since, before = change_range(call)
    locked = boolean(query["locked"], "locked") if call.at_least(73) and "locked" in query else None
    uuids = query.getall("uuid") or None
    return Page(
        project_id=_project(call),
        filters=filters,
        name=name_pattern(query.get("name", "")),
        deleted=admin and truth(query.get("deleted", "false")),
        changes_since=since,
        changes_before=before,
        sort=_sort(call),
        marker=query.get("marker", ""),
        limit=limit_of(call),
        uuids=uuids,
        locked=locked,
        tags=_tag_filter(call),
    )


def _tag_filter(call: Call) -> TagFilter:
    if not call.at_least(26):
        return TagFilter()
    names = ("tags", "tags-any", "not-tags", "not-tags-any")
    lists = [tuple(tag for tag in (call.query(name) or "").split(",") if tag) for name in names]
    return TagFilter(*lists)


def _project(call: Call) -> str | None:
    """Return the project whose servers are listed; None for all of them."""
    query = call.request.GET
    every = truth(query.get("all_tenants") or "0") if "all_tenants" in query else False
    if "all_tenants" in query and query["all_tenants"] == "":
        every = True
    if every and not call.context.is_admin:
        raise Forbidden("Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.")
    if not every:
        return call.context.project_id
    return query.get("project_id") or query.get("tenant_id")


def told(call: Call, password: str) -> Json:
    """Return a server's password as a member of an answer, nothing where the operator has it kept back."""
    return {"adminPass": password} if call.conf.enable_instance_password else {}


def limit_of(call: Call) -> int:
    """Return how many items the caller wants at most; raises InvalidInput for a bad limit."""
    text = call.query("limit")
    highest: int = call.conf.osapi_max_limit
    if text is None:
        return highest
    if not text.isdigit():
        raise InvalidInput(f"limit must be an integer that is at least 0, not {text[:40]}.")
    return min(int(text) or highest, highest)


def _sort(call: Call) -> tuple[tuple[str, bool], ...]:
    keys = call.request.GET.getall("sort_key") or ["created_at"]
    directions = call.request.GET.getall("sort_dir")
    order = []
    for position, key in enumerate(keys):
        column = _SORT_NAMES.get(key, key)
        if column not in SORTABLE:
            raise InvalidInput(f"The sort key {key[:40]} is not known.")
        direction = directions[position] if position < len(directions) else "desc"
        if direction not in ("asc", "desc"):
            raise InvalidInput(f"The sort direction {direction[:40]} is neither asc nor desc.")
        order.append((column, direction == "desc"))
    return (*order, ("id", order[-1][1]))


def _next(call: Call, page: Page, found: list[Instance], path: str) -> Json:
    """Return the link to the next page where this one is full."""
    if not found or len(found) < page.limit:
        return {}
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", found[-1].uuid)])
    href = call.url(f"/v2.1/servers{path}?{query}")
    return {"servers_links": [{"rel": "next", "href": href}]}


def change_range(call: Call) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return the ends of the time in which what is listed has changed; raises InvalidInput."""
    since = _moment(call, "changes-since")
    before = _moment(call, "changes-before") if call.at_least(66) else None
    if since is not None and before is not None and since > before:
        raise InvalidInput("The value of changes-since must be less than or equal to changes-before.")
    return since, before


def _moment(call: Call, name: str) -> datetime.datetime | None:
    text = call.query(name)
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{name} is not an ISO 8601 date and time.") from error
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
