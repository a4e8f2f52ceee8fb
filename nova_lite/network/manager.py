"""nova-network's work in any mode of networking: addresses for instances, and the host that serves them.

An address is claimed in the database first; then the host is made as the database says. Whatever is lost in
between, the next call or the periodic look finds it.
"""

import datetime
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, DriverError, NoAddress, NotFound, Unavailable
from nova_lite.core.network import Ipv6Backend, Network, NetworkMode, VirtualInterface
from nova_lite.db import (
    addresses,
    floating_ips,
    instances,
    leases,
    network_hosts,
    services,
    virtual_interfaces,
)
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import NetworkDriver, NetworkPlan
from nova_lite.network.leases import LeaseListener
from nova_lite.network.reconcile import Reconciler
from nova_lite.network.served import ServedNetworks
from nova_lite.network.settings import NetworkSettings
from nova_lite.rpc.network import NetworkContract, NetworkProxy

LOG = logging.getLogger(__name__)


class NetworkManager(NetworkContract):
    """Base of the modes of networking; a mode says what a network is like on its host.

    ``peers`` speaks to the other network hosts; without it this is the only one. ``names_changed`` is called
    when names in the domain name system may be others; it returns at once.
    """

    mode: ClassVar[NetworkMode]

    def __init__(
        self,
        database: Database,
        driver: NetworkDriver,
        settings: NetworkSettings,
        peers: NetworkProxy | None = None,
    ) -> None:
        self._database = database
        self._driver = driver
        self.settings = settings
        self._peers = peers
        self.names_changed: Callable[[], None] = _nobody
        self._served = ServedNetworks(database, driver, settings, self.plan)
        self.reconciler = Reconciler(database, driver, self._served)
        self._leases = LeaseListener(database, settings.lease_socket) if settings.lease_socket else None

    def plan(self, network: Network) -> NetworkPlan | None:
        """Return what a network is like on its host, its DHCP hosts left out; None for one that is not served."""
        settings = self.settings
        return NetworkPlan(
            network_id=network.id,
            uuid=network.uuid,
            cidr=network.cidr,
            gateway=network.gateway,
            bridge=network.bridge,
            dhcp_start=network.dhcp_start,
            dns=network.dns,
            bridge_interface=settings.interface_of(network),
            mtu=network.mtu,
            domain=settings.domain,
            lease_seconds=settings.lease_seconds,
            snat_source=settings.snat_source,
            untranslated=settings.untranslated,
            metadata_host=settings.metadata_host,
            metadata_port=settings.metadata_port,
            vlan=network.vlan,
            cidr_v6=network.cidr_v6,
            gateway_v6=network.gateway_v6,
            routed=network.routed,
            tells_v6=bool(network.cidr_v6) and network.ipv6_backend != Ipv6Backend.RFC2462,
        )

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
            leases.forget(session, mine, before)
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
        for host, mine in self._serving(interfaces).items():
            if self._is_here(host):
                self._served.refresh(mine, floating=assigned, only=list(found))
            elif self._peers is not None:
                self._peers.on(self._alive(host or self.settings.network_host)).renew(context, list(mine))
        if any(interface.multi_host for interface in interfaces):
            # Only now do their hosts have the addresses by which they are the gateways.
            found |= self._database.read(
                "network.interfaces", lambda session: virtual_interfaces.of_instances(session, list(found))
            )
        self.names_changed()
        for interface in interfaces:
            LOG.info("instance %s has %s on %s", interface.instance_uuid, interface.address, interface.bridge)
        return found

    def release(self, context: RequestContext, instance_uuids: list[str]) -> None:
        """Take the addresses of instances away, and have DHCP forget them; asking again is harmless."""

        here = self._served.count_held(instance_uuids)

        def work(session: Session) -> tuple[int, dict[str, list[int]]]:
            freed = addresses.free_addresses(session, instance_uuids)
            hosts = {}
            if self._peers is not None and freed != here:
                # The interfaces tell where, while there are any.
                hosts = network_hosts.hosts_of_instances(session, instance_uuids)
            addresses.drop_interfaces(session, instance_uuids, freed)
            if self.settings.auto_assign_pool:
                floating_ips.release_automatic(session)
            return freed, hosts

        count, hosts = self._database.run("network.release", work)
        self.names_changed()
        if count:
            LOG.info("%s addresses of %s are free", count, ", ".join(instance_uuids))
        try:
            self._served.refresh((), gone=instance_uuids, only=())
        except DriverError as error:
            LOG.warning("DHCP still knows %s until the next look: %s", ", ".join(instance_uuids), error)
        self._renew_elsewhere(context, hosts)

    def refresh(
        self, context: RequestContext, network_ids: list[int], instance_uuids: list[str] | None = None
    ) -> None:
        """Have the hosts of networks know who holds addresses now, and which floating ones lead there.

        Raises DriverError for what a host refuses; the next look tries it again.
        """
        hosts = self._database.read(
            "network.hosts", lambda session: network_hosts.hosts_of(session, network_ids)
        )
        mine = hosts.get(self.settings.host, [])
        if mine:
            self._served.refresh(mine, floating=True, only=instance_uuids)
        self._renew_elsewhere(context, hosts)

    def renew(self, context: RequestContext, network_ids: list[int]) -> None:
        """Do the same on this host only; raises NoAddress where it cannot serve its guests, DriverError."""
        self._served.refresh(network_ids, floating=True)

    def refresh_names(self, context: RequestContext) -> None:
        """Have who keeps names look at them."""
        self.names_changed()

    def lease_changed(self, context: RequestContext, action: str, mac: str, address: str) -> None:
        """Record what a DHCP server says of a lease: ``del`` at its end, ``add`` or ``old`` where it holds."""
        self._database.run(
            "network.lease", lambda session: leases.set_leased(session, address, mac, action != "del")
        )

    def _serving(self, interfaces: Sequence[VirtualInterface]) -> dict[str, list[int]]:
        """Return which host has to know of interfaces, with their networks; usually it is this one."""
        wanted = {interface.network_id for interface in interfaces}
        several = any(interface.multi_host for interface in interfaces)
        if not several and (self._peers is None or self._served.has(wanted)):
            return {self.settings.host: sorted(wanted)}
        uuids = list({interface.instance_uuid for interface in interfaces})
        hosts = self._database.read(
            "network.hosts", lambda session: network_hosts.hosts_of_instances(session, uuids)
        )
        return {host: sorted(wanted.intersection(ids)) for host, ids in hosts.items()}

    def _is_here(self, host: str) -> bool:
        """Tell whether a host that serves networks, the network host unless it is named, is this one."""
        return self._peers is None or (host or self.settings.network_host) == self.settings.host

    def _renew_elsewhere(self, context: RequestContext, hosts: Mapping[str, list[int]]) -> None:
        """Have the other hosts know of a change; who is away finds it out by itself."""
        others = {host: ids for host, ids in hosts.items() if host not in ("", self.settings.host)}
        if self._peers is None or not others:
            return
        down = self._down()
        for host, network_ids in others.items():
            if host in down:
                continue
            try:
                self._peers.on(host).renew(context, network_ids)
            except (Unavailable, DriverError, NoAddress) as error:
                LOG.warning("nova-network on %s learns later who holds addresses: %s", host, error)

    def _alive(self, host: str) -> str:
        """Return the host; raises DriverError when its nova-network is down."""
        if host in self._down():
            raise DriverError(f"nova-network on {host} is down: it has to serve networks of the instance.")
        return host

    def _down(self) -> set[str]:
        """Return the hosts whose nova-network does not report itself any more: to wait for them is in vain."""
        found = self._database.read(
            "network.services",
            lambda session: services.listing(session, self.settings.down_after, binary="nova-network"),
        )
        return {service.host for service in found if not service.up}

    def _assign_floating(self, found: dict[str, list[VirtualInterface]]) -> bool:
        """Give a floating address to each instance that has a fixed one and none of these; False for none given.

        An instance for which there is none left goes on without.
        """

        def work(session: Session) -> int:
            count = 0
            owners = instances.by_uuids(session, list(found))
            for uuid, interfaces in found.items():
                routed = [one for one in interfaces if one.routed and one.address]
                if uuid not in owners or not routed or any(one.floating for one in interfaces):
                    continue
                project_id = owners[uuid].project_id
                pool = self.settings.auto_assign_pool
                count += floating_ips.assign(session, pool, project_id, routed[0].id)
            return count

        try:
            return bool(self._database.run("network.assign_floating", work))
        except NotFound as error:
            LOG.warning("no floating address for %s: %s", ", ".join(found), error)
            return False

    def _claim(self, instance_uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
        def work(session: Session) -> dict[str, list[VirtualInterface]]:
            return addresses.allocate(session, instance_uuids, vlans=self.mode.vlans)

        for _ in range(self.settings.attempts - 1):
            try:
                return self._database.run("network.allocate", work)
            except Conflict as conflict:
                LOG.debug("addresses of %s are claimed again: %s", instance_uuids, conflict)
        return self._database.run("network.allocate", work)


def _nobody() -> None:
    """Nobody keeps names."""
