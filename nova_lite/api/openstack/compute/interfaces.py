"""A server's network interfaces."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.ports import fixed_ips
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.network import VirtualInterface


def listing(call: Call) -> Reply:
    """List a server's network interfaces."""
    found = call.cloud.servers.interfaces(call.context, call.params["server_id"])
    return Reply({"interfaceAttachments": [_view(call, interface) for interface in found]})


def show(call: Call) -> Reply:
    """Show one of a server's network interfaces."""
    port_id = call.params["port_id"]
    for interface in call.cloud.servers.interfaces(call.context, call.params["server_id"]):
        if interface.id == port_id:
            return Reply({"interfaceAttachment": _view(call, interface)})
    raise NotFound(f"Instance {call.params['server_id']} does not have a port with id {port_id}")


def attach(call: Call) -> Reply:
    """Plug an interface in, in a network."""
    wanted = (call.body.get("interfaceAttachment") or {}) if call.body else {}
    server_id, tag = call.params["server_id"], wanted.get("tag", "")
    if wanted.get("port_id"):
        if wanted.get("net_id") or wanted.get("fixed_ips"):
            raise InvalidInput("A port has its network and address: no others can be chosen.")
        made = call.cloud.interfaces.attach_port(call.context, server_id, wanted["port_id"], tag)
        return Reply({"interfaceAttachment": _view(call, made)})
    fixed = wanted.get("fixed_ips") or [{}]
    if fixed != [{}] and not wanted.get("net_id"):
        raise InvalidInput("Must input network_id when request IP address")
    made = call.cloud.interfaces.attach(
        call.context,
        server_id,
        wanted.get("net_id") or "",
        fixed[0].get("ip_address", ""),
        tag,
    )
    return Reply({"interfaceAttachment": _view(call, made)})


def detach(call: Call) -> Reply:
    """Unplug an interface."""
    call.cloud.interfaces.detach(call.context, call.params["server_id"], port_id=call.params["port_id"])
    return Reply()


def add_fixed_ip(call: Call) -> Reply:
    """Give a server an address in one more network."""
    network_id = str(call.body["addFixedIp"]["networkId"])
    call.cloud.interfaces.attach(call.context, call.params["server_id"], network_id)
    return Reply()


def remove_fixed_ip(call: Call) -> Reply:
    """Take an address from a server, and the interface that has it."""
    address = call.body["removeFixedIp"]["address"]
    try:
        call.cloud.interfaces.detach(call.context, call.params["server_id"], address=address)
    except NotFound as error:
        # The server is there, unless finding it says otherwise.
        call.cloud.servers.instance(call.context, call.params["server_id"])
        raise InvalidInput(str(error)) from error
    return Reply()


def _view(call: Call, interface: VirtualInterface) -> Json:
    view: Json = {
        "port_state": "ACTIVE",
        "port_id": interface.id,
        "net_id": interface.network_uuid,
        "mac_addr": interface.mac,
        "fixed_ips": fixed_ips(interface),
    }
    return view | {"tag": interface.tag or None} if call.at_least(70) else view
