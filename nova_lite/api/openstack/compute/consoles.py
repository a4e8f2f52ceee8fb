"""URLs of servers' consoles, and what the tokens in them stand for."""

from nova_lite.api.call import Call, Handler, Reply
from nova_lite.core.console import ConsoleType
from nova_lite.core.errors import InvalidInput


def opener(action: str) -> Handler:
    """Return the handler of one of the actions that stand for consoles until 2.5."""

    def show(call: Call) -> Reply:
        kind = ConsoleType(call.body[action]["type"])
        url = call.cloud.consoles.open(call.context, call.params["server_id"], kind)
        return Reply({"console": {"type": kind, "url": url}})

    return show


def create(call: Call) -> Reply:
    """Return the URL of a console of the protocol and kind that are asked for."""
    wanted = call.body["remote_console"]
    kind = ConsoleType(wanted["type"])
    url = call.cloud.consoles.open(call.context, call.params["server_id"], kind)
    return Reply({"remote_console": {"protocol": wanted["protocol"], "type": kind, "url": url}})


def authorization(call: Call) -> Reply:
    """Tell what a token lets its bearer see."""
    if not call.at_least(31):
        raise InvalidInput("The console type that the token is for is not told before version 2.31.")
    found = call.cloud.consoles.authorization(call.context, call.params["token"])
    console = {
        "instance_uuid": found.instance_uuid,
        "host": found.address.host,
        "port": found.address.port,
        "internal_access_path": found.address.path or None,
    }
    return Reply({"console": console})
