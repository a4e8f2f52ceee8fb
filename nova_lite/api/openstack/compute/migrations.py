"""Resizing, migrating and what became of it, in the compute API."""

import urllib.parse

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import boolean, change_range, limit_of
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput
from nova_lite.core.server_migration import ServerMigration

_FILTERS = {
    "status": "status",
    "migration_type": "kind",
    "instance_uuid": "instance_uuid",
    "source_compute": "source_host",
    "user_id": "user_id",
    "project_id": "project_id",
}
"""Query parameters that match a column exactly."""


def resize(call: Call) -> Reply:
    """Give a server another size."""
    flavor_id = str(call.body["resize"]["flavorRef"]).rsplit("/", 1)[-1]
    call.cloud.resize.resize(call.context, call.params["server_id"], flavor_id)
    return Reply()


def migrate(call: Call) -> Reply:
    """Bring a server to another host."""
    host = (call.body["migrate"] or {}).get("host") or "" if call.at_least(56) else ""
    call.cloud.resize.migrate(call.context, call.params["server_id"], host)
    return Reply()


def confirm(call: Call) -> Reply:
    """Keep a server as it is after its resize."""
    call.cloud.resize.confirm(call.context, call.params["server_id"])
    return Reply()


def revert(call: Call) -> Reply:
    """Bring a server back to what it was before its resize."""
    call.cloud.resize.revert(call.context, call.params["server_id"])
    return Reply()


def listing(call: Call) -> Reply:
    """List migrations; since 2.59 in pages."""
    filters = {column: call.query(name) or "" for name, column in _FILTERS.items() if call.query(name)}
    found = call.cloud.resize.listing(call.context, filters)
    host = call.query("host")
    if host:
        found = [one for one in found if host in (one.source_host, one.dest_host)]
    if not call.at_least(59):
        return Reply({"migrations": [_view(call, one) for one in found]})
    since, before = change_range(call)
    found = [
        one
        for one in _after_marker(call, found)
        if (since is None or one.updated_at >= since) and (before is None or one.updated_at <= before)
    ]
    page = found[: limit_of(call)]
    view: Json = {"migrations": [_view(call, one) for one in page]}
    return Reply(view | (_next(call, page[-1]) if len(page) < len(found) else {}))


def live_migrate(call: Call) -> Reply:
    """Bring a running server to another host; room there is always looked at, ``force`` or not."""
    wanted = call.body["os-migrateLive"]
    block, over_commit = wanted["block_migration"], wanted.get("disk_over_commit")
    call.cloud.live_migrations.begin(
        call.context,
        call.params["server_id"],
        host=wanted["host"] or "",
        block=None if block == "auto" else boolean(str(block), "block_migration"),
        over_commit=None if over_commit is None else boolean(str(over_commit), "disk_over_commit"),
    )
    return Reply()


def of_server(call: Call) -> Reply:
    """List the live migrations of a server that go on; one that is cold is not among them."""
    found = call.cloud.live_migrations.of_server(call.context, call.params["server_id"])
    return Reply({"migrations": [_live_view(call, one, uuid_since=62) for one in found]})


def show_of_server(call: Call) -> Reply:
    """Show a live migration that goes on."""
    found = call.cloud.live_migrations.get(
        call.context, call.params["server_id"], call.params["migration_id"]
    )
    return Reply({"migration": _live_view(call, found, uuid_since=59)})


def force_complete(call: Call) -> Reply:
    """Let a server stand still, so that its migration completes."""
    call.cloud.live_migrations.force_complete(
        call.context, call.params["server_id"], call.params["migration_id"]
    )
    return Reply()


def abort(call: Call) -> Reply:
    """Call a live migration off; since 2.65 one that has not begun to move the guest, too."""
    call.cloud.live_migrations.abort(
        call.context, call.params["server_id"], call.params["migration_id"], early=call.at_least(65)
    )
    return Reply()


def _after_marker(call: Call, found: list[ServerMigration]) -> list[ServerMigration]:
    marker = call.query("marker")
    if marker is None:
        return found
    for position, one in enumerate(found):
        if one.uuid == marker:
            return found[position + 1 :]
    raise InvalidInput(f"Marker {marker[:60]} is not found.")


def _next(call: Call, last: ServerMigration) -> Json:
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", last.uuid)])
    return {"migrations_links": [{"rel": "next", "href": call.url(f"/v2.1/os-migrations?{query}")}]}


def _view(call: Call, one: ServerMigration) -> Json:
    view: Json = {
        "id": one.id,
        "instance_uuid": one.instance_uuid,
        "status": one.status,
        "source_compute": one.source_host,
        "source_node": one.source_node,
        "dest_compute": one.dest_host or None,
        "dest_node": one.dest_node or None,
        "dest_host": None,
        "old_instance_type_id": _number(one.old_flavor.id),
        "new_instance_type_id": _number(one.new_flavor.id),
        "created_at": clock.iso8601_naive(one.created_at),
        "updated_at": clock.iso8601_naive(one.updated_at),
    }
    if call.at_least(23):
        view["migration_type"] = one.kind
    if call.at_least(59):
        view["uuid"] = one.uuid
    if call.at_least(80):
        view |= {"project_id": one.project_id, "user_id": one.user_id}
    return view


def _live_view(call: Call, one: ServerMigration, *, uuid_since: int) -> Json:
    """Describe a live migration; clients that are strict know its uuid in lists only since 2.62, alone since 2.59."""
    now = one.progress
    view: Json = {
        "id": one.id,
        "server_uuid": one.instance_uuid,
        "status": one.status,
        "source_compute": one.source_host,
        "source_node": one.source_node,
        "dest_compute": one.dest_host or None,
        "dest_node": one.dest_node or None,
        "dest_host": None,
        "memory_total_bytes": now.memory_total,
        "memory_processed_bytes": now.memory_processed,
        "memory_remaining_bytes": now.memory_remaining,
        "disk_total_bytes": now.disk_total,
        "disk_processed_bytes": now.disk_processed,
        "disk_remaining_bytes": now.disk_remaining,
        "created_at": clock.iso8601_naive(one.created_at),
        "updated_at": clock.iso8601_naive(one.updated_at),
    }
    if call.at_least(uuid_since):
        view["uuid"] = one.uuid
    if call.at_least(80):
        view |= {"project_id": one.project_id, "user_id": one.user_id}
    return view


def _number(flavor_id: str) -> int:
    """Return a flavor's id where it is a number; these fields have no room for other ids."""
    return int(flavor_id) if flavor_id.isdecimal() and len(flavor_id) < 10 else 0
