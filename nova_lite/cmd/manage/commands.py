"""The table of all nova-manage commands."""

from nova_lite.cmd.manage import accounts, cloud, credentials, doctor, firewall, networks, resources
from nova_lite.cmd.manage.table import Command

COMMANDS: tuple[Command, ...] = (
    *cloud.COMMANDS,
    *accounts.COMMANDS,
    *credentials.COMMANDS,
    *networks.COMMANDS,
    *resources.COMMANDS,
    *firewall.COMMANDS,
    *doctor.COMMANDS,
)
