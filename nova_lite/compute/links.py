"""The bridges that guests of a compute host are in: made before a guest starts, gone when none is in them.

On a host that also serves a network, nova-network needs the same bridge; the driver keeps the two apart.
"""

import logging
import threading
from collections.abc import Collection, Iterable, Sequence

from nova_lite.core.errors import DriverError
from nova_lite.core.network import HostInterfaces, Network, NetworkMode, VirtualInterface
from nova_lite.db import network_hosts, virtual_interfaces
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import Difference, LinkPlan, NetworkDriver

LOG = logging.getLogger(__name__)


class HostLinks:
    """The bridges of one host; ``interfaces`` are the host's own that lead to the other hosts."""

    def __init__(
        self,
        host: str,
        database: Database,
        driver: NetworkDriver,
        *,
        mode: NetworkMode,
        interfaces: HostInterfaces,
    ) -> None:
        self._host = host
        self._database = database
        self._driver = driver
        self._mode = mode
        self._interfaces = interfaces
        # What is read for a change must not have become old when the change is made.
        self._turn = threading.Lock()
        self._guests: dict[str, set[str]] = {}
        self._leaving: set[str] = set()

    def ready(self, interfaces: Iterable[VirtualInterface]) -> None:
        """Have the bridges of a guest's interfaces; raises DriverError."""
        found = list(interfaces)
        plans = {interface.bridge: self._plan(interface) for interface in found}
        if plans:
            with self._turn:
                self._driver.add_links(tuple(plans.values()))
                for interface in found:
                    self._guests.setdefault(interface.bridge, set()).add(interface.instance_uuid)
                    self._leaving.discard(interface.instance_uuid)

    def tidy(self, leaving: str = "") -> None:
        """Remove the bridges that no guest here needs any more, as that of the instance ``leaving`` does not.

        It counts as leaving until it is ``settled``: of two that leave at once neither keeps a bridge for the other.
        """
        if self._mode.bridges and not self._are_shared(leaving):
            with self._turn:
                self._set(self.wanted(self._leaving))

    def settled(self, instance_uuid: str) -> None:
        """Take an instance for what the database says of it again: what was done about it is over."""
        with self._turn:
            self._leaving.discard(instance_uuid)

    def _are_shared(self, leaving: str) -> bool:
        """Note that an instance leaves; tell whether others that came since the start need all its bridges."""
        with self._turn:
            if not leaving:
                # One interface of an instance is gone: which ones are left is not known here.
                self._guests.clear()
            else:
                self._leaving.add(leaving)
            theirs = [guests for guests in self._guests.values() if leaving in guests]
            for guests in theirs:
                guests.discard(leaving)
            return bool(theirs) and all(theirs)

    def mend(self) -> None:
        """Make the bridges that guests here need, and no others; what cannot be done now, the next repair does."""
        with self._turn:
            self._set(self.wanted())

    def _set(self, links: tuple[LinkPlan, ...]) -> None:
        try:
            self._driver.set_links(links)
        except DriverError as error:
            LOG.warning("the bridges of this host are not as they should be until the next look: %s", error)

    def keep(self, instance_uuids: Sequence[str]) -> tuple[Difference, ...]:
        """Have the bridges of instances that no action is about; returns which were not so, raises DriverError.

        What actions make of others meanwhile stays.
        """
        found = self._database.read(
            "compute.interfaces", lambda session: virtual_interfaces.of_instances(session, instance_uuids)
        )
        interfaces = [interface for of_one in found.values() for interface in of_one]
        theirs = {interface.bridge for interface in interfaces}
        broken = tuple(one for one in self.differences() if one.name in theirs)
        self.ready(interfaces)
        return broken

    def wanted(self, leaving: Collection[str] = ()) -> tuple[LinkPlan, ...]:
        """Return the bridges of the networks in which guests are, or are about to be."""
        found = self._database.read(
            "compute.networks", lambda session: network_hosts.needed_by_guests(session, self._host, leaving)
        )
        return tuple({network.bridge: self._plan(network) for network in found}.values())

    def differences(self) -> tuple[Difference, ...]:
        """Compare the host with what is wanted."""
        return self._driver.link_differences(self.wanted())

    def _plan(self, of: VirtualInterface | Network) -> LinkPlan:
        return LinkPlan(
            bridge=of.bridge,
            interface=self._interfaces.of(of.bridge, of.vlan, of.bridge_interface),
            vlan=of.vlan,
            mtu=of.mtu,
            made=self._mode.bridges,
        )
