"""The volumes of servers, as long as there is no volume service: none, and none can be had."""

from typing import NoReturn

from nova_lite.api.call import Call, Reply
from nova_lite.core.errors import InvalidInput, NotFound


def listing(call: Call) -> Reply:
    """List a server's volumes."""
    call.cloud.servers.instance(call.context, call.params["server_id"])
    return Reply({"volumeAttachments": []})


def show(call: Call) -> Reply:
    """Show a volume of a server."""
    _refuse(call, call.params["volume_id"])


def attach(call: Call) -> Reply:
    """Give a server a volume."""
    _refuse(call, call.body["volumeAttachment"]["volumeId"])


def swap(call: Call) -> Reply:
    """Give a server another volume in place of one that it has."""
    _refuse(call, call.params["volume_id"])


def detach(call: Call) -> Reply:
    """Take a volume from a server."""
    _refuse(call, call.params["volume_id"])


def create_snapshot(call: Call) -> Reply:
    """Make, for a volume service, a snapshot of a volume that is a file on the server's host."""
    raise InvalidInput(f"Volume {call.body['snapshot']['volume_id']} is attached to no server.")


def delete_snapshot(call: Call) -> Reply:
    """Remove, for a volume service, such a snapshot."""
    raise InvalidInput(f"Snapshot {call.params['snapshot_id']} is of no volume that is attached to a server.")


def _refuse(call: Call, volume_id: str) -> NoReturn:
    call.cloud.servers.instance(call.context, call.params["server_id"])
    raise NotFound(f"Volume {volume_id[:64]} could not be found.")
