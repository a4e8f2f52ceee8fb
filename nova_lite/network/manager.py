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
from nova_lite.core.errors import Conflict, DriverError, NotFound
from nova_lite.core.network import Network, VirtualInterface
from nova_lite.db import addresses, floating_ips, instances
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

        def work(session: Session) -> None:
            addresses.forget_leases(session, mine, before)
            floating_ips.release_automatic(session)

        self._database.run("network.forget", work)
        self.reconciler.repair()

    def allocate(
        self, context: RequestContext, instance_uuids: list[str]
    ) -> dict[str, list[VirtualInterface]]:
        """Give instances their interfaces and addresses, and have DHCP know them; asking again is harmless.

        Raises NoAddress, NotFound for a network that the project cannot use, and DriverError.
        """
        found = self._claim(instance_uuids)
        interfaces = [interface for of_instance in found.values() for interface in of_instance]
        assigned = self._assign_floating(found) if self.settings.auto_assign_pool else False
        self._served.refresh({interface.network_id for interface in interfaces}, floating=assigned)
        for interface in interfaces:
            LOG.info("instance %s has %s on %s", interface.instance_uuid, interface.address, interface.bridge)
        return found

    def release(self, context: RequestContext, instance_uuids: list[str]) -> None:
        """Take the addresses of instances away, and have DHCP forget them; asking again is harmless."""

        def work(session: Session) -> int:
            freed = addresses.release(session, instance_uuids)
            if self.settings.auto_assign_pool:
                floating_ips.release_automatic(session)
            return freed

        count = self._database.run("network.release", work)
        if count:
            LOG.info("%s addresses of %s are free", count, ", ".join(instance_uuids))
        try:
            self._served.refresh((), gone=instance_uuids)
        except DriverError as error:
            LOG.warning("DHCP still knows %s until the next look: %s", ", ".join(instance_uuids), error)

    def refresh(self, context: RequestContext, network_ids: list[int]) -> None:
        """Have this host know who holds addresses of networks now, and which floating ones lead there.

        Raises DriverError for what the host refuses; the next look tries it again.
        """
        self._served.refresh(network_ids, floating=True)

    def lease_changed(self, context: RequestContext, action: str, mac: str, address: str) -> None:
        """Record what a DHCP server says of a lease: ``del`` at its end, ``add`` or ``old`` where it holds."""
        self._database.run(
            "network.lease", lambda session: addresses.set_leased(session, address, mac, action != "del")
        )

    def _assign_floating(self, found: dict[str, list[VirtualInterface]]) -> bool:
        """Give a floating address to each instance that has a fixed one and none of these; False for none to give.

        An instance for which there is none left goes on without.
        """

        def work(session: Session) -> int:
            count = 0
            owners = instances.by_uuids(session, list(found))
            for uuid, interfaces in found.items():
                if uuid not in owners or not interfaces or any(one.floating for one in interfaces):
                    continue
                project_id = owners[uuid].project_id
                pool = self.settings.auto_assign_pool
                given = floating_ips.allocate(session, pool, project_id, auto_assigned=True)
                floating_ips.point(session, given.id, project_id, interfaces[0].id)
                count += 1
            return count

        try:
            return bool(self._database.run("network.assign_floating", work))
        except NotFound as error:
            LOG.warning("no floating address for %s: %s", ", ".join(found), error)
            return False

    def _claim(self, instance_uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
        def work(session: Session) -> dict[str, list[VirtualInterface]]:
            return addresses.allocate(session, instance_uuids)

        for _ in range(_ATTEMPTS - 1):
            try:
                return self._database.run("network.allocate", work)
            except Conflict as conflict:
                LOG.debug("addresses of %s are claimed again: %s", instance_uuids, conflict)
        return self._database.run("network.allocate", work)
