"""Fixed addresses for operators: to look at, and to keep from guests."""

import ipaddress
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.network import FixedIp
from nova_lite.db import fixed_ips
from nova_lite.db.engine import Database


class FixedIps:
    """The operations on fixed addresses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, context: RequestContext, host: str = "") -> Sequence[FixedIp]:
        """Return all addresses, or those of the instances on a host."""
        return self._database.read("fixed_ip.list", lambda session: fixed_ips.listing(session, host=host or None))

    def get(self, context: RequestContext, address: str) -> FixedIp:
        """Return an address; raises NotFound."""
        return self._database.read("fixed_ip.get", lambda session: _find(session, address))

    def reserve(self, context: RequestContext, address: str) -> None:
        """Keep an address from guests; one that has it keeps it. Raises NotFound."""

        def work(session: Session) -> None:
            _find(session, address)
            fixed_ips.set_reserved(session, address, True)

        self._database.run("fixed_ip.reserve", work)

    def unreserve(self, context: RequestContext, address: str) -> None:
        """Let guests have an address; raises NotFound, InvalidInput for one that the network itself needs."""

        def work(session: Session) -> None:
            found = _find(session, address)
            cidr = ipaddress.ip_network(found.cidr)
            if address in (found.gateway, str(cidr.network_address), str(cidr.broadcast_address)):
                raise InvalidInput(f"The address {address} is needed by the network {cidr} itself.")
            fixed_ips.set_reserved(session, address, False)

        self._database.run("fixed_ip.unreserve", work)


def _find(session: Session, address: str) -> FixedIp:
    for found in fixed_ips.listing(session, address):
        return found
    raise NotFound(f"Fixed IP {address[:60]} could not be found.")
