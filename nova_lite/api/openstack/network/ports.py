"""Ports of the network API: the interfaces of instances, and ports that are made ahead of them."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.errors import Forbidden
from nova_lite.core.network import DhcpOption, Port, VirtualInterface, subnet_id_of, subnet_v6_id_of
from nova_lite.db.ports import PORT_FILTERS
from nova_lite.operations.ports import NewPort, PortChanges


def listing(call: Call) -> Reply:
    """List ports; the filters that narrow the most are left to the database."""
    filters = {name: call.request.GET.getall(name) for name in PORT_FILTERS & set(call.request.GET)}
    found = call.cloud.networks.ports(call.context, filters)
    return listed(call, "ports", [_view(call, port) for port in found])


def show(call: Call) -> Reply:
    """Show a port."""
    return shown(call, "port", _view(call, call.cloud.networks.port(call.context, call.params["port_id"])))


def create(call: Call) -> Reply:
    """Make a port that servers may have."""
    wanted = call.body["port"]
    fixed = (wanted.get("fixed_ips") or [{}])[0]
    project_id = wanted.get("project_id") or wanted.get("tenant_id") or ""
    if call.context.scope() not in (None, project_id or call.context.scope()):
        raise Forbidden("Policy doesn't allow a port to be made for another project.")
    made = call.cloud.ports.create(
        call.context,
        NewPort(
            wanted["network_id"],
            subnet_id=fixed.get("subnet_id", ""),
            address=fixed.get("ip_address", ""),
            mac=wanted.get("mac_address", "").lower(),
            name=wanted.get("name", ""),
            description=wanted.get("description", ""),
            project_id=project_id,
        ),
    )
    return shown(call, "port", _view(call, made))


def update(call: Call) -> Reply:
    """Change a port's name, description and DHCP options, and the groups of its server."""
    port_id, wanted = call.params["port_id"], call.body["port"]
    options = wanted.get("extra_dhcp_opts") or ()
    changes = PortChanges(
        name=wanted.get("name"),
        description=wanted.get("description"),
        group_ids=wanted.get("security_groups"),
        options=[
            DhcpOption(one["opt_name"], one["opt_value"]) for one in options if one.get("opt_value") is not None
        ],
        unwanted=[one["opt_name"] for one in options if one.get("opt_value") is None],
    )
    call.cloud.ports.update(call.context, port_id, changes)
    return shown(call, "port", _view(call, call.cloud.networks.port(call.context, port_id)))


def delete(call: Call) -> Reply:
    """Remove a port; a server that has it loses that interface."""
    port = call.cloud.networks.port(call.context, call.params["port_id"])
    if port.is_attached:
        uuid = port.interface.instance_uuid
        call.cloud.interfaces.detach(call.context, uuid, port_id=port.interface.id, forget=True)
    else:
        call.cloud.ports.delete(call.context, port)
    return Reply()


def fixed_ips(interface: VirtualInterface) -> list[Json]:
    """Return the addresses of an interface with their subnets."""
    found = []
    if interface.address:
        found.append({"subnet_id": subnet_id_of(interface.network_uuid), "ip_address": interface.address})
    if interface.address_v6:
        v6 = {"subnet_id": subnet_v6_id_of(interface.network_uuid), "ip_address": interface.address_v6}
        found.append(v6)
    return found


def _view(call: Call, port: Port) -> Json:
    interface = port.interface
    created = clock.iso8601(interface.created_at) if interface.created_at else None
    view: Json = {
        "id": interface.id,
        "name": port.name,
        "network_id": interface.network_uuid,
        "project_id": port.project_id,
        "tenant_id": port.project_id,
        "mac_address": interface.mac,
        "fixed_ips": fixed_ips(interface),
        "device_id": interface.instance_uuid if port.is_attached else "",
        "device_owner": f"compute:{port.availability_zone or 'nova'}" if port.is_attached else "",
        "status": "ACTIVE" if port.active else "DOWN",
        "admin_state_up": True,
        "security_groups": list(port.security_group_ids),
        "port_security_enabled": True,
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [
            {"opt_name": one.name, "opt_value": one.value, "ip_version": 4} for one in port.dhcp_options
        ],
        "binding:vnic_type": "normal",
        "dns_name": port.hostname,
        "dns_assignment": [],
        "qos_policy_id": None,
        "description": port.description,
        "tags": [],
        "created_at": created,
        "updated_at": created,
        "revision_number": port.revision,
    }
    if call.context.is_admin:
        kind = "bridge" if port.is_attached else "unbound"
        view |= {"binding:host_id": port.host, "binding:vif_type": kind, "binding:profile": {}}
    return view
