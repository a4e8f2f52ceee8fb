"""nova-manage db, config, service, host, vm and version: the cloud as a whole."""

from nova_lite import __version__
from nova_lite.cmd.manage.table import Command, Desk, Option, show
from nova_lite.conf.flags import secrets
from nova_lite.conf.sample import sample
from nova_lite.core.errors import NotFound
from nova_lite.core.hosts import Service
from nova_lite.db import migration
from nova_lite.db.instance_pages import Page


def sync(desk: Desk, revision: str) -> None:
    """Bring the database to a revision and put in what every cloud starts with."""
    migration.upgrade(desk.database, revision)
    if revision == "head":
        desk.cloud.identity.bootstrap()
        desk.cloud.flavors.bootstrap()


def db_version(desk: Desk) -> None:
    """Print the database's revision."""
    print(migration.current(desk.database) or "empty")


def config_list(desk: Desk) -> None:
    """Print every flag with its value."""
    hidden = secrets(desk.conf)
    for name in sorted(desk.conf):
        print(f"{name} = {'***' if name in hidden else desk.conf[name]}")


def config_sample(desk: Desk) -> None:
    """Print a flag file with every flag, its help and its default."""
    print(sample(desk.conf))


def list_services(desk: Desk) -> None:
    """List the daemons, with a smiley for those that are up and XXX for those that are not."""
    show(
        ["binary", "host", "zone", "status", "state", "updated at"],
        [
            (
                service.binary,
                service.host,
                service.availability_zone,
                "disabled" if service.disabled else "enabled",
                ":-)" if service.up else "XXX",
                service.heartbeat_at.replace(microsecond=0),
            )
            for service in desk.cloud.hosts.services(desk.context)
        ],
    )


def enable(desk: Desk, host: str, service: str) -> None:
    """Let a daemon take part."""
    desk.cloud.hosts.update_service(desk.context, _find(desk, host, service).uuid, disabled=False)


def disable(desk: Desk, host: str, service: str) -> None:
    """Give a daemon no new work."""
    desk.cloud.hosts.update_service(desk.context, _find(desk, host, service).uuid, disabled=True)


def list_hosts(desk: Desk) -> None:
    """List the compute hosts with what is used of them."""
    show(
        ["host", "zone", "vcpus", "memory_mb", "local_gb", "instances"],
        [
            (
                node.host,
                node.service.availability_zone,
                f"{node.vcpus_used}/{node.vcpus}",
                f"{node.memory_mb_used}/{node.memory_mb}",
                f"{node.local_gb_used}/{node.local_gb}",
                node.running_vms,
            )
            for node in desk.cloud.hosts.hypervisors(desk.context)
        ],
    )


def list_instances(desk: Desk, host: str) -> None:
    """List instances, of one host or of all."""
    page = Page(filters={"host": host} if host else {})
    show(
        ["instance", "uuid", "host", "flavor", "state", "task", "project"],
        [
            (row.name, row.uuid, row.host, row.flavor.name, row.vm_state, row.task_state, row.project_id)
            for row in desk.cloud.servers.listing_brief(desk.context, page)
        ],
    )


def version(desk: Desk) -> None:
    """Print the version."""
    print(__version__)


def _find(desk: Desk, host: str, binary: str) -> Service:
    for service in desk.cloud.hosts.services(desk.context):
        if (service.host, service.binary) == (host, binary):
            return service
    raise NotFound(f"There is no {binary} on host {host}.")


_HOST = Option("host", "name of the host", required=True)
_SERVICE = Option("service", "name of the daemon, such as nova-compute", required=True)

COMMANDS = (
    Command(
        "db", "sync", sync, "bring the database to a revision, the newest one unless told otherwise",
        (Option("revision", "the revision", default="head"),), needs_tables=False,
    ),
    Command("db", "version", db_version, "print the database's revision", needs_tables=False),
    Command("config", "list", config_list, "print every flag with its value", needs_tables=False),
    Command(
        "config", "sample", config_sample, "print a flag file with every flag and its help", needs_tables=False
    ),
    Command("service", "list", list_services, "list the daemons and whether they are up"),
    Command("service", "enable", enable, "let a daemon take part", (_HOST, _SERVICE)),
    Command("service", "disable", disable, "give a daemon no new work", (_HOST, _SERVICE)),
    Command("host", "list", list_hosts, "list the compute hosts and what is used of them"),
    Command(
        "vm", "list", list_instances, "list instances", (Option("host", "only those of this host", default=""),)
    ),
    Command("version", "list", version, "print the version", needs_tables=False),
)  # fmt: skip
