"""Private servers for tests and for ``make run-distributed``: each in a folder and on ports of its own."""

from tools.services.broker import Broker
from tools.services.databases import MariaDB, PostgreSQL
from tools.services.directory import Slapd
from tools.services.glance import Glance
from tools.services.keystone import Keystone
from tools.services.libvirtd import Libvirtd
from tools.services.powerdns import PowerDnsServer
from tools.services.process import ServiceError, free_port

__all__ = [
    "Broker", "Glance", "Keystone", "Libvirtd", "MariaDB", "PostgreSQL", "PowerDnsServer", "ServiceError", "Slapd",
    "free_port",
]  # fmt: skip
