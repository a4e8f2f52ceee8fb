"""Lists of servers: which part of them a query string asks for."""

import datetime
import urllib.parse
from collections.abc import Callable
from typing import Any

from nova_lite.api.call import Call, Json
from nova_lite.api.openstack.compute.queries import boolean, change_range, limit_of, moment_of, truth
from nova_lite.api.openstack.status import states_of
from nova_lite.core.errors import Forbidden, InvalidInput
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import VmState
from nova_lite.core.tags import TagFilter
from nova_lite.db.instance_pages import SORTABLE, Page
from nova_lite.operations.servers import name_pattern

_EXACT = {
    "image": "image_id",
    "image_ref": "image_id",
    "flavor": "flavor_id",
    "instance_type_id": "flavor_id",
    "host": "host",
    "vm_state": "vm_state",
    "task_state": "task_state",
    "user_id": "user_id",
}
"""Query parameters that match a column exactly."""

_PATTERNS = {
    "access_ip_v4": "access_ip_v4",
    "access_ip_v6": "access_ip_v6",
    "availability_zone": "availability_zone",
    "description": "description",
    "display_description": "description",
    "display_name": "display_name",
    "hostname": "hostname",
    "kernel_id": "kernel_id",
    "key_name": "key_name",
    "locked_by": "locked_by",
    "name": "display_name",
    "node": "node",
    "ramdisk_id": "ramdisk_id",
    "reservation_id": "reservation_id",
    "root_device_name": "root_device_name",
}
"""Query parameters that are regular expressions, found anywhere in a column."""

_MOMENTS = ("created_at", "launched_at", "terminated_at")

_FOR_USERS: dict[int, frozenset[str]] = {
    1: frozenset({"reservation_id", "name", "status", "image", "flavor", "ip", "uuid"}),
    5: frozenset({"ip6"}),
    83: frozenset(
        {
            "availability_zone", "config_drive", "key_name", "created_at", "launched_at", "terminated_at",
            "power_state", "task_state", "vm_state", "progress", "user_id",
        }
    ),
}  # fmt: skip
"""Filters that are not for admins alone, by the minor version since which; others are passed over."""

_SORT_NAMES = {
    "auto_disk_config": "disk_config", "display_description": "description", "image_ref": "image_id",
    "instance_type_id": "flavor_id",
}  # fmt: skip
"""Sort keys whose column has another name."""

_NOT_SORTED = frozenset(
    {
        "architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted",
        "deleted_at", "disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "internal_id",
        "launched_on", "locked", "memory_mb", "os_type", "progress", "reservation_id", "root_gb",
        "shutdown_terminate", "user_data", "vcpus", "vm_mode",
    }
)  # fmt: skip
"""Sort keys that old clients may send, and that order nothing."""


def page_of(call: Call) -> Page | None:
    """Return the part of the list that is asked for; None for one in which nothing can be."""
    query = call.request.GET
    filters: dict[str, Any] = {column: query[name] for name, column in _EXACT.items() if _given(call, name)}
    if _given(call, "status"):
        found = states_of(query.getall("status"))
        if found is None:
            if call.at_least(38):
                raise InvalidInput("Invalid status value")
            return None
        filters["vm_state"], tasks = found
        if tasks is not None:
            filters["task_state"] = tasks
    filters |= _facts(call)
    since, before = change_range(call)
    deleted = _deleted(call, filters)
    return Page(
        project_id=_project(call),
        filters=filters,
        patterns={
            column: name_pattern(query[name]) for name, column in _PATTERNS.items() if _given(call, name)
        },
        addresses={version: name_pattern(query[name]) for name, version in _VERSIONS if _given(call, name)},
        moments={name: moment for name in _MOMENTS if (moment := _moment(call, name)) is not None},
        deleted=deleted,
        soft_deleted=call.context.is_admin and truth(query.get("soft_deleted", deleted)),
        changes_since=since,
        changes_before=before,
        sort=_sort(call),
        marker=query.get("marker", ""),
        limit=limit_of(call),
        uuids=query.getall("uuid") or None,
        locked=boolean(query["locked"], "locked") if call.at_least(73) and "locked" in query else None,
        tags=_tag_filter(call),
    )


def next_link(call: Call, page: Page, found: list[Instance], path: str) -> Json:
    """Return the link to the next page where this one is full."""
    if not found or len(found) < page.limit:
        return {}
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", found[-1].uuid)])
    href = call.url(f"/v2.1/servers{path}?{query}")
    return {"servers_links": [{"rel": "next", "href": href}]}


_VERSIONS = (("ip", 4), ("ip6", 6))


def _given(call: Call, name: str) -> bool:
    """Tell whether a filter is asked for by somebody who may."""
    if name not in call.request.GET:
        return False
    return call.context.is_admin or any(
        name in names for since, names in _FOR_USERS.items() if call.at_least(since)
    )


def _facts(call: Call) -> dict[str, Any]:
    """Return the filters whose text stands for something else; raises InvalidInput."""
    query = call.request.GET
    readers: dict[str, tuple[str, Callable[[str, str], Any]]] = {
        "config_drive": ("config_drive", boolean),
        "auto_disk_config": ("disk_config", lambda text, name: "AUTO" if boolean(text, name) else "MANUAL"),
        "power_state": ("power_state", _number),
        "launch_index": ("launch_index", _number),
        "progress": ("vm_state", _of_progress),
    }
    return {column: read(query[name], name) for name, (column, read) in readers.items() if _given(call, name)}


def _number(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput(f"Invalid value '{text[:40]}' for {name}: it is not a number.")
    return int(text)


def _of_progress(text: str, name: str) -> list[VmState]:
    """Return the states in which a server shows this progress: what is active is done, all else has not begun."""
    progress = _number(text, name)
    if progress == 100:
        return [VmState.ACTIVE]
    return [state for state in VmState if state is not VmState.ACTIVE] if progress == 0 else []


def _moment(call: Call, name: str) -> datetime.datetime | None:
    return moment_of(call, name) if _given(call, name) else None


def _deleted(call: Call, filters: dict[str, Any]) -> bool:
    """Tell whether deleted servers are wanted; raises Forbidden where a user says so by their status."""
    admin = call.context.is_admin
    if filters.get("vm_state") == [VmState.DELETED]:
        if not admin:
            raise Forbidden("Only administrators may list deleted instances")
        return True
    return admin and truth(call.request.GET.get("deleted", "false"))


def _tag_filter(call: Call) -> TagFilter:
    if not call.at_least(26):
        return TagFilter()
    names = ("tags", "tags-any", "not-tags", "not-tags-any")
    lists = [tuple(tag for tag in (call.query(name) or "").split(",") if tag) for name in names]
    return TagFilter(*lists)


def _project(call: Call) -> str | None:
    """Return the project whose servers are listed; None for all of them.

    For an admin the name of another project implies all of them, unless the query says otherwise.
    """
    query = call.request.GET
    named = query.get("tenant_id") or query.get("project_id")
    if "all_tenants" in query:
        every = boolean(query["all_tenants"] or "1", "all_tenants")
    else:
        every = call.context.is_admin and bool(named)
    if every and not call.context.is_admin:
        raise Forbidden("Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.")
    return named if every else call.context.project_id


def _sort(call: Call) -> tuple[tuple[str, bool], ...]:
    keys = call.request.GET.getall("sort_key")
    directions = call.request.GET.getall("sort_dir")
    order: list[tuple[str, bool]] = []
    for position, key in enumerate(keys):
        direction = directions[position] if position < len(directions) else "desc"
        if direction not in ("asc", "desc"):
            raise InvalidInput(f"The sort direction {direction[:40]} is neither asc nor desc.")
        if key in _NOT_SORTED:
            continue
        column = _SORT_NAMES.get(key, key)
        if column not in SORTABLE:
            raise InvalidInput(f"The sort key {key[:40]} is not known.")
        if column in ("host", "node") and not call.context.is_admin:
            raise Forbidden(f"Only administrators can sort servers by {key}.")
        order.append((column, direction == "desc"))
    order = order or [("created_at", True)]
    return (*order, ("id", order[-1][1]))
