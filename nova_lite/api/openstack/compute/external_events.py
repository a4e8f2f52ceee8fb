"""Events that other services tell of servers."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import NotFound
from nova_lite.operations.events import EventName, ExternalEvent, Told


def create(call: Call) -> Reply:
    """Take events in: 200 when all were done, 207 when some were, 404 when none was."""
    events = [
        ExternalEvent(event["server_uuid"], EventName(event["name"]), event.get("tag", ""))
        for event in call.body["events"]
    ]
    told = call.cloud.events.take(call.context, events)
    codes = {one.code for one in told}
    if 200 not in codes:
        raise NotFound("No instances found for any event")
    return Reply({"events": [_view(one) for one in told]}, status=200 if codes == {200} else 207)


def _view(one: Told) -> Json:
    view: Json = {
        "name": one.event.name,
        "server_uuid": one.event.server_id,
        "status": "completed" if one.code == 200 else "failed",
        "code": one.code,
    }
    return view | ({"tag": one.event.tag} if one.event.tag else {})
