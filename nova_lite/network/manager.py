"""nova-network's work in any mode of networking: addresses for instances, and the host that serves them.

An address is claimed in the database first; then the host is made as the database says. Whatever is lost in
between, the next call or the periodic look finds it.
"""

import abc
import datetime
import logging
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, DriverError
from nova_lite.core.network import Network, VirtualInterface
from nova_lite.db import addresses
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import NetworkDriver, NetworkPlan
from nova_lite.network.leases import LeaseListener
from nova_lite.network.reconcile import Reconciler
from nova_lite.network.served import ServedNetworks
from nova_lite.network.settings import NetworkSettings
from nova_lite.rpc.network import NetworkContract

LOG = logging.getLogger(__name__)

_ATTEMPTS = 5


class NetworkManager(NetworkContract, abc.ABC):
    """Base of the modes of networking; a mode says what a network is like on its host."""

    def __init__(self, database: Database, driver: NetworkDriver, settings: NetworkSettings) -> None:
        self._database = database
        self._driver = driver
        self.settings = settings
        self._served = ServedNetworks(database, driver, settings, self.plan)
        self.reconciler = Reconciler(database, driver, self._served)
        self._leases = LeaseListener(database, settings.lease_socket) if settings.lease_socket else None

    @abc.abstractmethod
    def plan(self, network: Network) -> NetworkPlan:
        """Return what a network is like on its host, its DHCP hosts left out."""

    def start(self) -> None:
        """Check the driver and make the host as the database says; raises ConfigurationError, DriverError."""
        self._driver.start()
        if self._leases is not None:
            self._leases.start()
        self.reconciler.release_orphans()
        self._served.start()

    def stop(self) -> None:
        """End the daemon's part; bridges, DHCP servers and rules stay for the guests."""
        if self._leases is not None:
            self._leases.stop()

    def converge(self) -> None:
        """Make everything as it should be: what is done periodically."""
        before = clock.now() - datetime.timedelta(seconds=self.settings.disassociate_seconds)
        mine = self._served.network_ids()
        self._database.run(
            "network.forget_leases", lambda session: addresses.forget_leases(session, mine, before)
        )
        self.reconciler.repair()

    def allocate(
        self, context: RequestContext, instance_uuids: list[str]
    ) -> dict[str, list[VirtualInterface]]:
        """Give instances their interfaces and addresses, and have DHCP know them; asking again is harmless.

        Raises NoAddress, NotFound for a network that the project cannot use, and DriverError.
        """
        found = self._claim(instance_uuids)
        interfaces = [interface for of_instance in found.values() for interface in of_instance]
        self._served.refresh({interface.network_id for interface in interfaces})
        for interface in interfaces:
            LOG.info("instance %s has %s on %s", interface.instance_uuid, interface.address, interface.bridge)
        return found

    def release(self, context: RequestContext, instance_uuids: list[str]) -> None:
        """Take the addresses of instances away, and have DHCP forget them; asking again is harmless."""
        count = self._database.run(
            "network.release", lambda session: addresses.release(session, instance_uuids)
        )
        if count:
            LOG.info("%s addresses of %s are free", count, ", ".join(instance_uuids))
        try:
            self._served.refresh((), gone=instance_uuids)
        except DriverError as error:
            LOG.warning("DHCP still knows %s until the next look: %s", ", ".join(instance_uuids), error)

    def lease_changed(self, context: RequestContext, action: str, mac: str, address: str) -> None:
        """Record what a DHCP server says of a lease: ``del`` at its end, ``add`` or ``old`` where it holds."""
        self._database.run(
            "network.lease", lambda session: addresses.set_leased(session, address, mac, action != "del")
        )

    def _claim(self, instance_uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
        def work(session: Session) -> dict[str, list[VirtualInterface]]:
            return addresses.allocate(session, instance_uuids)

        for _ in range(_ATTEMPTS - 1):
            try:
                return self._database.run("network.allocate", work)
            except Conflict as conflict:
                LOG.debug("addresses of %s are claimed again: %s", instance_uuids, conflict)
        return self._database.run("network.allocate", work)
