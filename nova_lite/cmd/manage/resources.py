"""nova-manage floating and flavor."""

from nova_lite.cmd.manage.table import Command, Desk, Option, show
from nova_lite.core.errors import InvalidInput
from nova_lite.core.instance import Flavor

_MOST = 2**31 - 1


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
    if max(memory, cpu, root_gb, ephemeral_gb, swap) > _MOST:
        raise InvalidInput(f"cannot add a flavor with more than {_MOST} of anything.")
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


COMMANDS = (
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
