"""What every daemon has: the database and the bus."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova_lite import plugins
from nova_lite.cmd.daemon import Component, Heartbeat
from nova_lite.conf import documents
from nova_lite.core.errors import ConfigurationError
from nova_lite.core.metadata import MetadataSettings
from nova_lite.core.network import NetworkMode
from nova_lite.db import migration
from nova_lite.db.engine import Database
from nova_lite.db.services import ServiceReport
from nova_lite.rpc.cert import CertContract, CertProxy
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.network import NetworkProxy
from nova_lite.rpc.scheduler import SchedulerProxy
from nova_lite.rpc.transport import Transport, connect

CONTRACT_VERSION = 1
"""What a daemon's row says of the version of its contract."""


@dataclasses.dataclass(frozen=True, slots=True)
class Base:
    """The flags, the database, the bus and the proxies of the other daemons."""

    conf: Any
    database: Database
    transport: Transport
    scheduler: SchedulerProxy
    compute: ComputeProxy
    network: NetworkProxy
    cert: CertContract

    def parts(self) -> list[Component]:
        """Return what is closed last of all."""
        return [Closing(self.close)]

    def close(self) -> None:
        """Let go of the bus and the database."""
        self.transport.close()
        self.database.close()

    def heartbeat(self, binary: str, *, alone: bool = False) -> Component:
        """Return what keeps the row of ``binary`` on this host fresh; see ``Heartbeat``."""
        report = ServiceReport(binary, self.conf.host, self.conf.node_availability_zone, CONTRACT_VERSION)
        return Heartbeat(self.database, report, self.conf.report_interval, alone=alone)


def make_base(conf: Any, *, checked: bool = True) -> Base:
    """Build what every daemon has; raises ConfigurationError, when ``checked`` for an old schema too."""
    database = Database(
        _database_url(conf), retry_seconds=conf.sql_retry_seconds, pool_size=conf.sql_pool_size
    )
    if checked:
        migration.require_latest(database)
    transport = connect(conf)
    return Base(
        conf,
        database,
        transport,
        SchedulerProxy(transport),
        ComputeProxy(transport),
        NetworkProxy(transport),
        CertProxy(transport),
    )


class Closing:
    """A component that only ends."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close

    def start(self) -> None:
        """Nothing begins."""

    def stop(self, drain_seconds: float) -> None:
        """Close."""
        self._close()


def _database_url(conf: Any) -> str:
    """Return the database's URL; makes the folder and the file of an embedded one, which only its owner may read."""
    url = str(conf.sql_connection)
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///").partition("?")[0])
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(0o600)
        except OSError as error:
            raise ConfigurationError(f"cannot use the file {file} of the database: {error.strerror}") from error
    return url


def metadata_settings(conf: Any) -> MetadataSettings:
    """Return what all guests are told; raises ConfigurationError for a bad file of vendor data."""
    vendor_data = documents.read_object(conf, "vendordata_jsonfile_path")
    return MetadataSettings(conf.dhcp_domain, conf.region_name, vendor_data)


def network_mode(conf: Any) -> NetworkMode:
    """Return the mode of networking of the manager that the flag names; another's is FlatDHCP unless it says so."""
    mode: NetworkMode = getattr(plugins.load(conf, "network_manager"), "mode", NetworkMode())
    return mode
