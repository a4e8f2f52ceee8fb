"""What is done to a server: power verbs, console output, metadata, and the record of it all."""

import urllib.parse

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import change_range, limit_of
from nova_lite.api.openstack.compute.servers import told
from nova_lite.api.openstack.views.servers import host_id
from nova_lite.core import clock
from nova_lite.core.actions import Action, ActionState, StepEvent
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.instance_states import TRANSITIONS, Verb, VmState
from nova_lite.operations.snapshots import SnapshotRequest


def stop(call: Call) -> Reply:
    """Shut a server down."""
    return _act(call, Verb.STOP)


def start(call: Call) -> Reply:
    """Start a server that is shut down."""
    return _act(call, Verb.START)


def reboot(call: Call) -> Reply:
    """Restart a server, softly or hard."""
    hard = call.body["reboot"]["type"].upper() == "HARD"
    return _act(call, Verb.REBOOT_HARD if hard else Verb.REBOOT)


def pause(call: Call) -> Reply:
    """Stop a server's processors."""
    return _act(call, Verb.PAUSE)


def unpause(call: Call) -> Reply:
    """Let a paused server run on."""
    return _act(call, Verb.UNPAUSE)


def suspend(call: Call) -> Reply:
    """Put a server's memory on disk and stop it."""
    return _act(call, Verb.SUSPEND)


def resume(call: Call) -> Reply:
    """Let a suspended server go on."""
    return _act(call, Verb.RESUME)


def rescue(call: Call) -> Reply:
    """Start a server from another disk."""
    wanted = call.body["rescue"] or {}
    image_id = (wanted.get("rescue_image_ref") or "").rsplit("/", 1)[-1]
    password = call.cloud.rescue.begin(
        call.context, call.params["server_id"], image_id, wanted.get("adminPass") or ""
    )
    return Reply(told(call, password) or None)


def unrescue(call: Call) -> Reply:
    """Start a rescued server from its own disk."""
    return _act(call, Verb.UNRESCUE)


def restore(call: Call) -> Reply:
    """Bring back a server that was deleted a short while ago."""
    return _act(call, Verb.RESTORE)


def shelve(call: Call) -> Reply:
    """Put a server on the shelf."""
    call.cloud.shelving.shelve(call.context, call.params["server_id"])
    return Reply()


def shelve_offload(call: Call) -> Reply:
    """Free the host of a shelved server."""
    call.cloud.shelving.offload(call.context, call.params["server_id"])
    return Reply()


def unshelve(call: Call) -> Reply:
    """Start a shelved server; since 2.77 in a zone, since 2.91 on a host or in any zone."""
    wanted = (call.body["unshelve"] or {}) if call.at_least(77) else {}
    call.cloud.shelving.unshelve(
        call.context,
        call.params["server_id"],
        zone=wanted.get("availability_zone") or "",
        host=wanted.get("host", ""),
    )
    return Reply()


def evacuate(call: Call) -> Reply:
    """Make a server anew elsewhere, for its host is dead; the password is told until 2.13, since 2.95 it stays off."""
    wanted = call.body["evacuate"]
    password = call.cloud.evacuation.begin(
        call.context,
        call.params["server_id"],
        host=wanted.get("host") or "",
        admin_password=wanted.get("adminPass") or "",
        stays_off=call.at_least(95),
    )
    return Reply() if call.at_least(14) else Reply(told(call, password) or None)


def lock(call: Call) -> Reply:
    """Keep others than admins from changing a server."""
    reason = (call.body["lock"] or {}).get("locked_reason") if call.at_least(73) else None
    call.cloud.servers.lock(call.context, call.params["server_id"], reason)
    return Reply()


def unlock(call: Call) -> Reply:
    """Let a locked server be changed again."""
    call.cloud.servers.unlock(call.context, call.params["server_id"])
    return Reply()


def reset_state(call: Call) -> Reply:
    """Say that a server is active or in error."""
    state = VmState(call.body["os-resetState"]["state"])
    call.cloud.servers.reset_state(call.context, call.params["server_id"], state)
    return Reply()


def force_delete(call: Call) -> Reply:
    """Delete a server now, for good."""
    call.cloud.servers.force_delete(call.context, call.params["server_id"])
    return Reply()


def create_image(call: Call) -> Reply:
    """Make an image of a server."""
    wanted = call.body["createImage"]
    return _make_image(call, SnapshotRequest(wanted["name"], wanted.get("metadata", {})))


def create_backup(call: Call) -> Reply:
    """Make an image of a server, and delete the oldest of its kind when there are more than wanted."""
    wanted = call.body["createBackup"]
    request = SnapshotRequest(
        wanted["name"], wanted.get("metadata", {}), wanted["backup_type"], int(wanted["rotation"])
    )
    return _make_image(call, request)


def console_output(call: Call) -> Reply:
    """Return what the server printed on its console."""
    length = call.body["os-getConsoleOutput"].get("length")
    lines = None if length is None or int(length) == -1 else int(length)
    if lines is not None and lines < 0:
        raise InvalidInput("length must be at least -1.")
    output = call.cloud.servers.console_output(call.context, call.params["server_id"], lines)
    return Reply({"output": output})


def list_metadata(call: Call) -> Reply:
    """List a server's metadata."""
    return Reply({"metadata": _metadata(call)})


def add_metadata(call: Call) -> Reply:
    """Add metadata items."""
    return Reply({"metadata": _change(call, call.body["metadata"], replace=False)})


def replace_metadata(call: Call) -> Reply:
    """Replace all metadata."""
    return Reply({"metadata": _change(call, call.body["metadata"], replace=True)})


def show_metadata_item(call: Call) -> Reply:
    """Show one metadata item."""
    key = call.params["key"]
    found = _metadata(call)
    if key not in found:
        raise NotFound("Metadata item was not found")
    return Reply({"meta": {key: found[key]}})


def set_metadata_item(call: Call) -> Reply:
    """Set one metadata item."""
    item: Json = call.body["meta"]
    if call.params["key"] not in item:
        raise InvalidInput("Request body and URI mismatch")
    _change(call, item, replace=False)
    return Reply({"meta": item})


def delete_metadata_item(call: Call) -> Reply:
    """Remove one metadata item."""
    call.cloud.server_metadata.delete(call.context, call.params["server_id"], call.params["key"])
    return Reply()


def list_actions(call: Call) -> Reply:
    """List what was done to a server; since 2.58 in pages."""
    found = call.cloud.servers.actions(call.context, call.params["server_id"])
    if not call.at_least(58):
        return Reply({"instanceActions": [_action(call, action) for action in found]})
    since, before = change_range(call)
    wanted = [
        action
        for action in _after_marker(call, found)
        if (since is None or action.updated_at >= since) and (before is None or action.updated_at <= before)
    ]
    page = wanted[: limit_of(call)]
    view: Json = {"instanceActions": [_action(call, action) for action in page]}
    return Reply(view | (_next(call, page[-1]) if len(page) < len(wanted) else {}))


def show_action(call: Call) -> Reply:
    """Show what one request did to a server, step by step."""
    action = call.cloud.servers.action(call.context, call.params["server_id"], call.params["request_id"])
    shown = _action(call, action)
    if call.at_least(51) or call.context.is_admin:
        shown["events"] = [_event(call, action, event) for event in action.events]
    return Reply({"instanceAction": shown})


def _make_image(call: Call, request: SnapshotRequest) -> Reply:
    image_id = call.cloud.snapshots.create(call.context, call.params["server_id"], request)
    if call.at_least(45):
        return Reply({"image_id": image_id})
    return Reply(headers={"Location": call.url(f"/v2.1/images/{image_id}")})


def _after_marker(call: Call, found: list[Action]) -> list[Action]:
    marker = call.query("marker")
    if marker is None:
        return found
    for position, action in enumerate(found):
        if action.request_id == marker:
            return found[position + 1 :]
    raise InvalidInput(f"The marker {marker[:60]} could not be found.")


def _next(call: Call, last: Action) -> Json:
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", last.request_id)])
    href = call.url(f"/v2.1/servers/{last.resource_id}/os-instance-actions?{query}")
    return {"links": [{"rel": "next", "href": href}]}


def _act(call: Call, verb: Verb) -> Reply:
    call.cloud.servers.act(call.context, call.params["server_id"], verb)
    return Reply()


def _metadata(call: Call) -> Json:
    return dict(call.cloud.servers.instance(call.context, call.params["server_id"]).metadata)


def _change(call: Call, items: Json, *, replace: bool) -> Json:
    server_id = call.params["server_id"]
    return dict(call.cloud.server_metadata.set(call.context, server_id, items, replace=replace))


def _action(call: Call, action: Action) -> Json:
    failed = action.state is ActionState.FAILED
    shown: Json = {
        "action": action.parameters.get("title") or TRANSITIONS[Verb(action.verb)].title,
        "instance_uuid": action.resource_id,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": clock.iso8601_naive(action.created_at),
        # Of one that goes on it is what it waits for.
        "message": action.error or ("Error" if failed else None),
    }
    if call.at_least(58):
        shown["updated_at"] = clock.iso8601_naive(action.updated_at)
    return shown


def _event(call: Call, action: Action, event: StepEvent) -> Json:
    finished = event.finished_at
    shown: Json = {
        "event": f"compute_{event.step.replace('-', '_')}",
        "start_time": clock.iso8601_naive(event.started_at),
        "finish_time": None if finished is None else clock.iso8601_naive(finished),
        "result": event.result or None,
    }
    if call.context.is_admin:
        shown["traceback"] = None
    if call.at_least(62):
        shown["hostId"] = host_id(action.project_id, event.host)
        if call.context.is_admin:
            shown["host"] = event.host
    if call.at_least(84):
        shown["details"] = event.details or None
    return shown
