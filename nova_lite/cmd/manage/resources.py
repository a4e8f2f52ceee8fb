"""nova-manage network, fixed, floating and flavor."""

from nova_lite.cmd.manage.table import Command, Desk, Option, show
from nova_lite.core.errors import InvalidInput
from nova_lite.core.instance import Flavor
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet


def create_network(
    desk: Desk,
    label: str,
    fixed_range_v4: str,
    gateway: str,
    bridge: str,
    bridge_interface: str,
    dns1: str,
    dns2: str,
    project_id: str,
) -> None:
    """Make a network with its addresses."""
    subnet = NewSubnet(
        cidr=fixed_range_v4, gateway=gateway, dns=tuple(server for server in (dns1, dns2) if server) or None
    )
    request = NewNetwork(
        label,
        subnet,
        bridge=bridge,
        bridge_interface=bridge_interface or None,
        project_id=project_id,
    )
    print(desk.cloud.networks.create(desk.context, request).uuid)


def list_networks(desk: Desk) -> None:
    """List networks."""
    show(
        ["id", "label", "range", "gateway", "bridge", "dns", "project", "host", "uuid"],
        [
            (
                network.id,
                network.label,
                network.cidr,
                network.gateway,
                network.bridge,
                ", ".join(network.dns),
                network.project_id,
                network.host,
                network.uuid,
            )
            for network in desk.cloud.networks.list(desk.context)
        ],
    )


def delete_network(desk: Desk, network: str) -> None:
    """Remove a network that no instance uses."""
    networks = desk.cloud.networks
    networks.delete(desk.context, networks.find(desk.context, network).uuid)


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


def create_floating(desk: Desk, ip_range: str, pool: str, interface: str) -> None:
    """Add addresses to a pool."""
    added = desk.cloud.floating_ips.create_range(desk.context, ip_range, pool=pool, interface=interface)
    print(f"{len(added)} addresses were added.")


def delete_floating(desk: Desk, ip_range: str) -> None:
    """Remove addresses that nobody has."""
    print(f"{desk.cloud.floating_ips.delete_range(desk.context, ip_range)} addresses were removed.")


def list_floating(desk: Desk, host: str) -> None:
    """List all floating addresses, or those that lead to instances of one host."""
    show(
        ["address", "pool", "interface", "project", "instance", "fixed address"],
        [
            (one.address, one.pool, one.interface, one.project_id, one.instance_uuid, one.fixed_address)
            for one in desk.cloud.floating_ips.every(desk.context, host)
        ],
    )


def create_flavor(
    desk: Desk, name: str, memory: int, cpu: int, root_gb: int, ephemeral_gb: int, swap: int, flavor: str
) -> None:
    """Add a flavor."""
    if min(memory, cpu) < 1 or min(root_gb, ephemeral_gb, swap) < 0:
        raise InvalidInput("cannot add a flavor of no memory, of no processor or of negative size.")
    new = Flavor(flavor, name, memory, cpu, root_gb, ephemeral_gb, swap)
    print(desk.cloud.flavors.create(desk.context, new).id)


def list_flavors(desk: Desk) -> None:
    """List flavors."""
    show(
        ["id", "name", "memory_mb", "vcpus", "root_gb", "ephemeral_gb", "swap_mb", "public"],
        [
            (
                flavor.id,
                flavor.name,
                flavor.memory_mb,
                flavor.vcpus,
                flavor.root_gb,
                flavor.ephemeral_gb,
                flavor.swap_mb,
                flavor.is_public,
            )
            for flavor in desk.cloud.flavors.listing(desk.context)
        ],
    )


def delete_flavor(desk: Desk, flavor: str) -> None:
    """Remove a flavor."""
    desk.cloud.flavors.delete(desk.context, flavor)


_ADDRESS = Option("address", "the address", required=True)

COMMANDS = (
    Command(
        "network", "create", create_network, "make a network with its addresses and print its uuid",
        (
            Option("label", "name of the network", required=True),
            Option("fixed_range_v4", "addresses of the network as a CIDR", required=True),
            Option("gateway", "address of the gateway; the first of the range unless given", default=""),
            Option("bridge", "bridge on the network host; that of the flag unless given", default=""),
            Option("bridge_interface", "interface of the network host to put in the bridge", default=""),
            Option("dns1", "name server that guests are told of", default=""),
            Option("dns2", "another one", default=""),
            Option("project_id", "project that the network is for; everybody unless given", default=""),
        ),
    ),
    Command("network", "list", list_networks, "list networks"),
    Command(
        "network", "delete", delete_network, "remove a network that no instance uses",
        (Option("network", "uuid or label of the network", required=True),),
    ),
    Command(
        "fixed", "list", list_fixed, "list fixed addresses",
        (Option("host", "compute host; those of its instances only", default=""),),
    ),
    Command("fixed", "reserve", reserve_fixed, "keep a fixed address from guests", (_ADDRESS,)),
    Command("fixed", "unreserve", unreserve_fixed, "let guests have a fixed address", (_ADDRESS,)),
    Command(
        "floating", "create", create_floating, "add floating addresses to a pool",
        (
            Option("ip_range", "a CIDR or an address", required=True),
            Option("pool", "name of the pool; that of the flag unless given", default=""),
            Option("interface", "interface of the network host that carries them", default=""),
        ),
    ),
    Command(
        "floating", "delete", delete_floating, "remove floating addresses that nobody has",
        (Option("ip_range", "a CIDR or an address", required=True),),
    ),
    Command(
        "floating", "list", list_floating, "list all floating addresses",
        (Option("host", "compute host; only those that lead to its instances", default=""),),
    ),
    Command(
        "flavor", "create", create_flavor, "add a flavor and print its id",
        (
            Option("name", "name of the flavor", required=True),
            Option("memory", "memory in MiB", required=True, kind=int),
            Option("cpu", "virtual processors", required=True, kind=int),
            Option("root_gb", "root disk in GiB; 0 is as large as the image", required=True, kind=int),
            Option("ephemeral_gb", "ephemeral disk in GiB", default=0, kind=int),
            Option("swap", "swap in MiB", default=0, kind=int),
            Option("flavor", "id of the flavor; a random one unless given", default=""),
        ),
    ),
    Command("flavor", "list", list_flavors, "list flavors"),
    Command(
        "flavor", "delete", delete_flavor, "remove a flavor",
        (Option("flavor", "id of the flavor", required=True),),
    ),
)  # fmt: skip
