"""nova-manage network and fixed, and what project has of networks."""

import ipaddress

from nova_lite.cmd.manage.table import Command, Desk, Option, show
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.network import Network
from nova_lite.operations.networks import NewNetwork, NewNetworks
from nova_lite.operations.subnets import NewSubnet

_NONE = "none"
_YES, _NO = ("t", "true", "yes", "1"), ("f", "false", "no", "0")


def create_network(
    desk: Desk,
    label: str,
    fixed_range_v4: str,
    num_networks: int,
    network_size: int,
    vlan: int | None,
    vpn: int | None,
    multi_host: str,
    **of_each: str,
) -> None:
    """Make networks of a range, with their addresses."""
    if not fixed_range_v4 and not of_each["fixed_range_v6"]:
        raise InvalidInput("A network needs --fixed_range_v4 or --fixed_range_v6, or both.")
    dns = tuple(of_each[name] for name in ("dns1", "dns2") if of_each[name])
    routed = of_each["gateway"] != _NONE
    subnet = NewSubnet(
        cidr=fixed_range_v4,
        gateway=of_each["gateway"] if routed else "",
        routed=routed,
        dns=dns or None,
        fixed_cidr=of_each["fixed_cidr"],
        cidr_v6=of_each["fixed_range_v6"],
        gateway_v6=of_each["gateway_v6"],
    )
    each = NewNetwork(
        label,
        subnet,
        bridge=of_each["bridge"],
        bridge_interface=of_each["bridge_interface"] or None,
        multi_host=_yes_or_no(multi_host),
        project_id=of_each["project_id"],
        vlan=vlan,
        vpn_port=vpn,
        uuid=of_each["uuid"],
    )
    count = num_networks or desk.conf.num_networks
    request = NewNetworks(each, count, network_size or desk.conf.network_size)
    for network in desk.cloud.networks.create_many(desk.context, request):
        print(network.uuid)


def list_networks(desk: Desk) -> None:
    """List networks."""
    show(
        ["id", "label", "range", "ipv6 range", "gateway", "bridge", "vlan", "dns", "project", "host", "uuid"],
        [
            (
                network.id,
                network.label,
                network.cidr,
                network.cidr_v6,
                network.gateway if network.routed else _NONE,
                network.bridge,
                network.vlan,
                ", ".join(network.dns),
                network.project_id,
                "each its own guests" if network.multi_host else network.host,
                network.uuid,
            )
            for network in desk.cloud.networks.list(desk.context)
        ],
    )


def delete_network(desk: Desk, network: str, fixed_range: str, uuid: str) -> None:
    """Remove a network that no instance uses."""
    found = _find(desk, network or uuid, fixed_range)
    desk.cloud.networks.delete(desk.context, found.uuid, only_free=True)


def modify_network(
    desk: Desk,
    fixed_range: str,
    network: str,
    project: str,
    host: str,
    disassociate_project: bool,
    disassociate_host: bool,
) -> None:
    """Give a network to a project or to a host, or take it away."""
    if (project and disassociate_project) or (host and disassociate_host):
        raise InvalidInput("cannot associate and disassociate at the same time.")
    found = _find(desk, network, fixed_range)
    if project or disassociate_project:
        desk.cloud.networks.update(desk.context, found.uuid, {"project_id": project})
    if host or disassociate_host:
        desk.cloud.networks.set_host(desk.context, found.uuid, host)


def scrub_project(desk: Desk, project: str) -> None:
    """Take its VLANs from a project that has no servers any more, and delete its security groups."""
    project_id = desk.cloud.identity.find_project(project).id
    for network in desk.cloud.networks.list(desk.context):
        if network.project_id == project_id and network.vlan is not None:
            desk.cloud.networks.update(desk.context, network.uuid, {"project_id": ""})
    for group in desk.cloud.security_groups.list(desk.context):
        if group.project_id == project_id:
            desk.cloud.security_groups.delete(desk.context, group.id)


def list_fixed(desk: Desk, host: str) -> None:
    """List fixed addresses."""
    show(
        ["network", "address", "reserved", "leased", "hostname", "host", "instance"],
        [
            (one.cidr, one.address, one.reserved, one.leased, one.hostname, one.host, one.instance_uuid)
            for one in desk.cloud.fixed_ips.list(desk.context, host)
        ],
    )


def reserve_fixed(desk: Desk, address: str) -> None:
    """Keep a fixed address from guests."""
    desk.cloud.fixed_ips.reserve(desk.context, address)


def unreserve_fixed(desk: Desk, address: str) -> None:
    """Let guests have a fixed address."""
    desk.cloud.fixed_ips.unreserve(desk.context, address)


def _find(desk: Desk, name_or_id: str, fixed_range: str) -> Network:
    """Return the network of this label or uuid, or of this range; raises NotFound, InvalidInput, Conflict."""
    if name_or_id:
        return desk.cloud.networks.find(desk.context, name_or_id)
    if not fixed_range:
        raise InvalidInput("cannot tell which network is meant: name it, its uuid or its --fixed_range.")
    try:
        wanted = str(ipaddress.ip_network(fixed_range))
    except ValueError as error:
        raise InvalidInput(f"{fixed_range[:60]!r} is not a valid CIDR: {error}") from error
    found = [
        network
        for network in desk.cloud.networks.list(desk.context)
        if wanted in (network.cidr, network.cidr_v6)
    ]
    if len(found) > 1:
        raise Conflict(f"There are several networks of the range {wanted}.")
    if not found:
        raise NotFound(f"There is no network of the range {wanted}.")
    return found[0]


def _yes_or_no(text: str) -> bool | None:
    """Return what T or F stands for, None for nothing; raises InvalidInput."""
    if text.lower() in (*_YES, *_NO):
        return text.lower() in _YES
    if text:
        raise InvalidInput(f"{text[:20]!r} is neither T nor F.")
    return None


_ADDRESS = Option("address", "the address", required=True)
_RANGE = Option("fixed_range", "the network's range, IPv4 or IPv6, in the place of its name", default="")

COMMANDS = (
    Command(
        "network", "create", create_network, "make networks of a range and print their uuids",
        (
            Option("label", "name of the network; several get _0, _1 …", required=True),
            Option("fixed_range_v4", "addresses of the networks as a CIDR; none for IPv6 alone", default=""),
            Option("num_networks", "networks into which the range is divided", default=0, kind=int),
            Option("network_size", "addresses of each; as many as may be unless given", default=0, kind=int),
            Option("vlan", "number of the first VLAN; the first free one unless given", kind=int),
            Option("vpn", "public port of the first project's VPN; a free one unless given", kind=int),
            Option("fixed_range_v6", "IPv6 range; each network gets a /64 prefix of it", default=""),
            Option("gateway", "address of the gateway, or none; the first of the range unless given", default=""),
            Option("gateway_v6", "IPv6 address of the gateway; the first of the prefix unless given", default=""),
            Option("bridge", "bridge on the hosts; that of the flag unless given", default=""),
            Option("bridge_interface", "interface of the hosts to put in the bridge", default=""),
            Option("multi_host", "T: each compute host serves its own guests; F: one host all", default=""),
            Option("dns1", "name server that guests are told of", default=""),
            Option("dns2", "another one", default=""),
            Option("fixed_cidr", "the part of the range that guests get addresses of", default=""),
            Option("project_id", "project that the network is for; everybody unless given", default=""),
            Option("uuid", "uuid of the one network; a random one unless given", default=""),
        ),
    ),
    Command("network", "list", list_networks, "list networks"),
    Command(
        "network", "delete", delete_network, "remove a network that no instance and no project uses",
        (
            Option("network", "uuid or label of the network", default=""),
            _RANGE,
            Option("uuid", "uuid of the network", default=""),
        ),
    ),
    Command(
        "network", "modify", modify_network, "give a network to a project or host, or take it away",
        (
            Option("network", "uuid or label of the network", default=""),
            _RANGE,
            Option("project", "project that gets it", default=""),
            Option("host", "host that serves it", default=""),
            Option("disassociate_project", "take it from its project", switch=True),
            Option("disassociate_host", "let any network host serve it", switch=True),
        ),
    ),
    Command(
        "project", "scrub", scrub_project, "take its VLANs from a project and delete its security groups",
        (Option("project", "name or id of the project", required=True),),
    ),
    Command(
        "fixed", "list", list_fixed, "list fixed addresses",
        (Option("host", "compute host; those of its instances only", default=""),),
    ),
    Command("fixed", "reserve", reserve_fixed, "keep a fixed address from guests", (_ADDRESS,)),
    Command("fixed", "unreserve", unreserve_fixed, "let guests have a fixed address", (_ADDRESS,)),
)  # fmt: skip
