"""Comparing the database with the bridges, DHCP servers and rules of this host, and mending what differs."""

import logging
from typing import TYPE_CHECKING

from nova_lite.db import addresses
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import Difference, NetworkDriver

if TYPE_CHECKING:
    from nova_lite.network.served import ServedNetworks

LOG = logging.getLogger(__name__)


class Reconciler:
    """Finds and mends differences between the database and one network host."""

    def __init__(self, database: Database, driver: NetworkDriver, served: "ServedNetworks") -> None:
        self._database = database
        self._driver = driver
        self._served = served

    def differences(self) -> list[Difference]:
        """Return what differs; nothing is changed."""
        wanted = self._served.wanted()
        return [*map(_orphan, self._orphans()), *self._driver.differences(wanted)]

    def repair(self) -> list[Difference]:
        """Mend what differs and return it; raises DriverError."""
        found = [*map(_orphan, self.release_orphans()), *self._served.mend()]
        for difference in found:
            LOG.warning("mended %s %s: %s", difference.kind, difference.name, difference.sentence)
        return found

    def release_orphans(self) -> list[str]:
        """Take the addresses back that instances that are gone still hold; returns those instances."""
        lost = self._orphans()
        if lost:
            self._database.run("network.release", lambda session: addresses.release(session, lost))
        return lost

    def _orphans(self) -> list[str]:
        return self._database.read("network.orphans", addresses.orphans)


def _orphan(instance_uuid: str) -> Difference:
    return Difference("address", instance_uuid, "an instance that is gone still holds addresses")
