"""Ports of the network API: the interfaces of instances."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.network import DhcpOption, Port, VirtualInterface, subnet_id_of, subnet_v6_id_of
from nova_lite.db.addresses import PORT_FILTERS


def listing(call: Call) -> Reply:
    """List ports; the filters that narrow the most are left to the database."""
    filters = {name: call.request.GET.getall(name) for name in PORT_FILTERS & set(call.request.GET)}
    found = call.cloud.networks.ports(call.context, filters)
    return listed(call, "ports", [_view(call, port) for port in found])


def show(call: Call) -> Reply:
    """Show a port."""
    return shown(call, "port", _view(call, call.cloud.networks.port(call.context, call.params["port_id"])))


def update(call: Call) -> Reply:
    """Change a port's name, description and DHCP options, and the groups of its server."""
    port_id, wanted = call.params["port_id"], call.body["port"]
    port = call.cloud.networks.port(call.context, port_id)
    if "security_groups" in wanted:
        server_id = port.interface.instance_uuid
        call.cloud.memberships.replace(call.context, server_id, wanted["security_groups"])
    options = wanted.get("extra_dhcp_opts") or ()
    if options:
        call.cloud.dhcp_options.change(
            call.context,
            port_id,
            [DhcpOption(one["opt_name"], one["opt_value"]) for one in options if one.get("opt_value") is not None],
            [one["opt_name"] for one in options if one.get("opt_value") is None],
        )
    named = {name: wanted[name] for name in ("name", "description") if name in wanted}
    call.cloud.networks.describe_port(call.context, port_id, named)
    return shown(call, "port", _view(call, call.cloud.networks.port(call.context, port_id)))


def delete(call: Call) -> Reply:
    """Have the port's server lose that interface."""
    port = call.cloud.networks.port(call.context, call.params["port_id"])
    call.cloud.interfaces.detach(call.context, port.interface.instance_uuid, port_id=port.interface.id)
    return Reply()


def fixed_ips(interface: VirtualInterface) -> list[Json]:
    """Return the addresses of an interface with their subnets."""
    found = [{"subnet_id": subnet_id_of(interface.network_uuid), "ip_address": interface.address}]
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
        "device_id": interface.instance_uuid,
        "device_owner": f"compute:{port.availability_zone or 'nova'}",
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
        "revision_number": 1,
    }
    if call.context.is_admin:
        view |= {"binding:host_id": port.host, "binding:vif_type": "bridge", "binding:profile": {}}
    return view
