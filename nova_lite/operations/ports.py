"""Ports: made ahead of servers, an address and a MAC address that a project keeps; and changed, a server's or not."""

import dataclasses
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from nova_lite.core.network import DhcpOption, Network, Port
from nova_lite.core.quota import UNLIMITED, Limits
from nova_lite.db import addresses, networks, ports, quotas, revisions
from nova_lite.db.engine import Database
from nova_lite.operations import dhcp_options
from nova_lite.operations.memberships import Changed, Memberships, replace_groups
from nova_lite.rpc.network import NetworkProxy

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


@dataclasses.dataclass(frozen=True, slots=True)
class PortChanges:
    """What is to be changed of a port; None leaves something as it is.

    ``group_ids`` are the groups of its server, ``options`` DHCP options to add or replace, ``unwanted`` the names of
    those that go.
    """

    name: str | None = None
    description: str | None = None
    group_ids: Sequence[str] | None = None
    options: Sequence[DhcpOption] = ()
    unwanted: Sequence[str] = ()


class Ports:
    """The operations on ports; for servers' getting and losing them see ``Interfaces``."""

    def __init__(
        self, database: Database, limits: Limits, memberships: Memberships, network: NetworkProxy
    ) -> None:
        self._database = database
        self._limits = limits
        self._memberships = memberships
        self._network = network

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
            addresses.hold(session, network, port_id, wanted.mac or ids.new_mac(), wanted.address, owner)
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

    def update(self, context: RequestContext, port_id: str, changes: PortChanges) -> None:
        """Change a port, all or nothing, and tell who has to follow; raises NotFound, InvalidInput."""

        def work(session: Session) -> tuple[Port, Changed | None]:
            revisions.lock(session, "ports", port_id)
            port = _find(session, context, port_id)
            revisions.require(session, "ports", port_id, context.seen_revision)
            joined = None
            if changes.group_ids is not None:
                if not port.is_attached:
                    raise InvalidInput(
                        f"Port {port_id} has the security groups of its server, and no server yet."
                    )
                joined = replace_groups(session, context, port.interface.instance_uuid, changes.group_ids)
            if changes.options or changes.unwanted:
                options = dhcp_options.changed(port, changes.options, changes.unwanted)
                ports.set_dhcp_options(session, port_id, options)
            named = {"name": changes.name, "description": changes.description}
            if values := {name: value for name, value in named.items() if value is not None}:
                ports.describe(session, port_id, **values)
            return port, joined

        port, joined = self._database.run("port.update", work)
        if joined is not None:
            self._memberships.tell(context, joined)
        if changes.options or changes.unwanted:
            self._network.refresh(context, [port.interface.network_id])

    def delete(self, context: RequestContext, port: Port) -> None:
        """Remove a port that no server has; raises Conflict when one got it meanwhile."""

        def work(session: Session) -> bool:
            revisions.require(session, "ports", port.interface.id, context.seen_revision)
            return ports.delete(session, port.interface.id)

        if not self._database.run("port.delete", work):
            raise Conflict(f"Port {port.interface.id} is still in use, or gone.")


def _find(session: Session, context: RequestContext, port_id: str) -> Port:
    for port in ports.listing(session, context.scope(), {"id": [port_id]}):
        return port
    raise NotFound(f"Port {port_id} could not be found.")


def _network(session: Session, context: RequestContext, wanted: NewPort) -> Network:
    network = networks.get(session, wanted.network_id, context.scope())
    if network is None:
        raise NotFound(f"Network {wanted.network_id} could not be found.")
    if not network.has_subnet:
        raise InvalidInput(f"Network {network.uuid} has no subnet.")
    if wanted.subnet_id not in ("", network.subnet_id if network.cidr else network.subnet_v6_id):
        raise InvalidInput(f"Network {network.uuid} has no subnet {wanted.subnet_id} that ports take addresses of.")
    return network
