"""Tags of servers in the compute API."""

from nova_lite.api.call import Call, Reply


def listing(call: Call) -> Reply:
    """List a server's tags."""
    return Reply({"tags": list(call.cloud.tags.get(call.context, call.params["server_id"]))})


def check(call: Call) -> Reply:
    """Tell whether a server has a tag."""
    call.cloud.tags.check(call.context, call.params["server_id"], call.params["tag"])
    return Reply()


def replace(call: Call) -> Reply:
    """Give a server these tags and no others."""
    tags = call.cloud.tags.replace(call.context, call.params["server_id"], call.body["tags"])
    return Reply({"tags": list(tags)})


def add(call: Call) -> Reply:
    """Add a tag: 201 when the server did not have it."""
    server_id, tag = call.params["server_id"], call.params["tag"]
    if not call.cloud.tags.add(call.context, server_id, tag):
        return Reply(status=204)
    return Reply(status=201, headers={"Location": call.url(f"/v2.1/servers/{server_id}/tags/{tag}")})


def remove(call: Call) -> Reply:
    """Remove a tag."""
    call.cloud.tags.remove(call.context, call.params["server_id"], call.params["tag"])
    return Reply()


def remove_all(call: Call) -> Reply:
    """Remove every tag of a server."""
    call.cloud.tags.replace(call.context, call.params["server_id"], ())
    return Reply()
