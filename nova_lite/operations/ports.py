"""Ports that are made ahead of servers: an address and a MAC address that a project keeps."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from nova_lite.core.network import Network, Port
from nova_lite.core.quota import UNLIMITED, Limits
from nova_lite.db import addresses, networks, ports, quotas
from nova_lite.db.engine import Database

_ATTEMPTS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class NewPort:
    """What a port is to be like; without ``address`` it has any of the network, without ``mac`` one of its own."""

    network_id: str
    subnet_id: str = ""
    address: str = ""
    mac: str = ""
    name: str = ""
    description: str = ""
    project_id: str = ""


class Ports:
    """The operations on ports that no server has; for others see ``Interfaces``."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def create(self, context: RequestContext, wanted: NewPort) -> Port:
        """Make a port, its address taken.

        Raises NotFound for an unknown network or address, InvalidInput, NoAddress, OverQuota, Conflict for a MAC
        address in use.
        """
        port_id, owner = ids.new_uuid(), wanted.project_id or context.project_id

        def made(session: Session) -> Port | None:
            return next(iter(ports.listing(session, None, {"id": [port_id]})), None)

        def work(session: Session) -> Port | None:
            quotas.lock(session, owner)
            limit = quotas.effective(session, owner, self._limits)["fixed_ips"]
            if limit != UNLIMITED and ports.count(session, owner) >= limit:
                raise OverQuota("Quota exceeded for resources: ['port'].")
            network = _network(session, context, wanted)
            addresses.hold(session, network, port_id, wanted.mac or ids.new_mac(), wanted.address)
            ports.keep(session, port_id, owner, name=wanted.name, description=wanted.description)
            return made(session)

        for left in reversed(range(_ATTEMPTS)):
            try:
                found = self._database.run("port.create", work, landed=made)
                break
            except Conflict:
                # Others took the address that was looked at, or have the MAC address.
                if not left:
                    raise
        if found is None:
            raise Conflict(f"Port {port_id} was removed while it was made.")
        return found

    def delete(self, context: RequestContext, port: Port) -> None:
        """Remove a port that no server has; raises Conflict when one got it meanwhile."""
        if not self._database.run("port.delete", lambda session: ports.delete(session, port.interface.id)):
            raise Conflict(f"Port {port.interface.id} is still in use, or gone.")


def _network(session: Session, context: RequestContext, wanted: NewPort) -> Network:
    network = networks.get(session, wanted.network_id, context.scope())
    if network is None:
        raise NotFound(f"Network {wanted.network_id} could not be found.")
    if not network.cidr:
        raise InvalidInput(f"Network {network.uuid} has no subnet.")
    if wanted.subnet_id not in ("", network.subnet_id):
        raise InvalidInput(f"Network {network.uuid} has no subnet {wanted.subnet_id} that ports take addresses of.")
    return network
