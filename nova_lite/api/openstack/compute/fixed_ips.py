"""Fixed addresses in the compute API, for operators."""

from nova_lite.api.call import Call, Json, Reply


def show(call: Call) -> Reply:
    """Show an address with the server that holds it."""
    found = call.cloud.fixed_ips.get(call.context, call.params["address"])
    view: Json = {
        "address": found.address,
        "cidr": found.cidr,
        "hostname": found.hostname or None,
        "host": found.host or None,
    }
    if call.at_least(4):
        view["reserved"] = found.reserved
    return Reply({"fixed_ip": view})


def reserve(call: Call) -> Reply:
    """Keep an address from guests."""
    call.cloud.fixed_ips.reserve(call.context, call.params["address"])
    return Reply()


def unreserve(call: Call) -> Reply:
    """Let guests have an address."""
    call.cloud.fixed_ips.unreserve(call.context, call.params["address"])
    return Reply()
