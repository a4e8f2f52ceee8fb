"""The table of all nova-manage commands."""

from nova_lite.cmd.manage import accounts, cloud, doctor, resources
from nova_lite.cmd.manage.table import Command

COMMANDS: tuple[Command, ...] = (
    *cloud.COMMANDS,
    *accounts.COMMANDS,
    *resources.COMMANDS,
    *doctor.COMMANDS,
)
