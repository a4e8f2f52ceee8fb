"""Networks: made and removed by operators, listed by those who may use them; and the ports of instances."""

import dataclasses
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.network import AddressCount, Network, Port
from nova_lite.db import addresses, networks, routers, security_groups
from nova_lite.db.engine import Database
from nova_lite.operations.subnets import NewSubnet, check_dns, check_subnet

_BRIDGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_MTU = range(576, 9217)
_SUBNET_COLUMNS = ("cidr", "gateway", "dhcp_start", "dhcp_end", "dns1", "dns2", "subnet_name")


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkDefaults:
    """What a new network gets where the request says nothing."""

    bridge: str = "br100"
    bridge_interface: str = ""
    dns: tuple[str, ...] = ("8.8.4.4",)
    mtu: int = 1500


@dataclasses.dataclass(frozen=True, slots=True)
class NewNetwork:
    """A network to make; without ``subnet`` it has no addresses yet. ``project_id`` empty: for everybody.

    An empty ``bridge`` is named after the default one. ``mtu`` 0 is the default one.
    """

    label: str
    subnet: NewSubnet | None = None
    bridge: str = ""
    bridge_interface: str | None = None
    mtu: int = 0
    multi_host: bool = False
    project_id: str = ""


class Networks:
    """The operations on networks."""

    def __init__(self, database: Database, defaults: NetworkDefaults | None = None) -> None:
        self._database = database
        self._defaults = defaults or NetworkDefaults()

    def create(self, context: RequestContext, request: NewNetwork) -> Network:
        """Make a network, with its addresses when a subnet is given; the network hosts serve it by themselves.

        Raises InvalidInput for what is malformed, Conflict for a range or bridge that is taken.
        """
        self._check(request)
        uuid = ids.new_uuid()

        def work(session: Session) -> Network:
            network = networks.insert(session, self._new(session, uuid, request))
            return network if request.subnet is None else self._fill(session, network, request.subnet)

        return self._database.run("network.create", work, landed=lambda session: networks.get(session, uuid))

    def get(self, context: RequestContext, uuid: str) -> Network:
        """Return a network that the caller may use; raises NotFound."""
        return self._database.read("network.get", lambda session: _find(session, context, uuid))

    def find(self, context: RequestContext, name_or_id: str) -> Network:
        """Return a network by its uuid or its name; raises NotFound, Conflict when several have the name."""

        def work(session: Session) -> Network:
            found = networks.get(session, name_or_id, context.scope())
            if found is not None:
                return found
            labelled = networks.labelled(session, name_or_id, context.scope())
            if len(labelled) > 1:
                raise Conflict(f"There are several networks named {name_or_id}; use the id.")
            return labelled[0] if labelled else _find(session, context, name_or_id)

        return self._database.read("network.find", work)

    def list(self, context: RequestContext) -> Sequence[Network]:
        """Return the networks that the caller may use."""
        return self._database.read("network.list", lambda session: networks.listing(session, context.scope()))

    def update(self, context: RequestContext, uuid: str, changes: Mapping[str, Any]) -> Network:
        """Change the label, the mtu or whose it is (project_id); raises NotFound, InvalidInput."""
        if "mtu" in changes and changes["mtu"] not in _MTU:
            raise _bad_mtu()

        def work(session: Session) -> Network:
            network = _find(session, context, uuid)
            if changes:
                networks.update(session, network.uuid, **changes)
            return _find(session, context, uuid)

        return self._database.run("network.update", work)

    def delete(self, context: RequestContext, uuid: str) -> None:
        """Remove a network; raises NotFound, Conflict while instances hold addresses of it."""

        def work(session: Session) -> bool:
            networks.delete(session, _find(session, context, uuid))
            routers.forget_network(session, uuid)
            return True

        def landed(session: Session) -> bool | None:
            return True if networks.get(session, uuid) is None else None

        self._database.run("network.delete", work, landed=landed)

    def add_subnet(self, context: RequestContext, uuid: str, subnet: NewSubnet) -> Network:
        """Give a network its range of addresses; raises NotFound, InvalidInput, Conflict."""

        def work(session: Session) -> Network:
            network = _find(session, context, uuid)
            if network.cidr:
                raise Conflict(f"Network {uuid} has a subnet already; only one is supported.")
            return self._fill(session, network, subnet)

        def landed(session: Session) -> Network | None:
            network = networks.get(session, uuid)
            return network if network is not None and network.cidr else None

        return self._database.run("network.add_subnet", work, landed=landed)

    def update_subnet(self, context: RequestContext, subnet_id: str, changes: Mapping[str, Any]) -> Network:
        """Change the name and name servers (subnet_name, dns); raises NotFound, InvalidInput."""
        values = dict(changes)
        if "dns" in values:
            values["dns1"], values["dns2"] = (*check_dns(values.pop("dns")), "", "")[:2]

        def work(session: Session) -> Network:
            network = _with_subnet(session, context, subnet_id)
            if values:
                networks.update(session, network.uuid, **values)
            return _find(session, context, network.uuid)

        return self._database.run("network.update_subnet", work)

    def remove_subnet(self, context: RequestContext, subnet_id: str) -> None:
        """Take a network's range away; raises NotFound, Conflict while instances hold addresses of it."""

        def work(session: Session) -> None:
            network = _with_subnet(session, context, subnet_id)
            networks.remove_addresses(session, network)
            networks.update(session, network.uuid, **dict.fromkeys(_SUBNET_COLUMNS, ""))

        self._database.run("network.remove_subnet", work)

    def get_by_subnet(self, context: RequestContext, subnet_id: str) -> Network:
        """Return the network whose subnet has this id; raises NotFound."""
        return self._database.read("network.get", lambda session: _with_subnet(session, context, subnet_id))

    def address_counts(self, context: RequestContext) -> Mapping[int, AddressCount]:
        """Count the addresses of networks that guests may have and those that they hold."""
        return self._database.read("network.counts", networks.address_counts)

    def ports(self, context: RequestContext, filters: Mapping[str, Sequence[str]]) -> Sequence[Port]:
        """Return the interfaces of instances with their groups; for ``filters`` see ``db.addresses.ports``."""

        def work(session: Session) -> Sequence[Port]:
            found = addresses.ports(session, context.scope(), filters)
            uuids = list({port.interface.instance_uuid for port in found})
            groups = security_groups.ids_of_instances(session, uuids) if uuids else {}
            return [
                dataclasses.replace(
                    port, security_group_ids=tuple(groups.get(port.interface.instance_uuid, ()))
                )
                for port in found
            ]

        return self._database.read("network.ports", work)

    def port(self, context: RequestContext, port_id: str) -> Port:
        """Return one interface; raises NotFound."""
        for port in self.ports(context, {"id": [port_id]}):
            return port
        raise NotFound(f"Port {port_id} could not be found.")

    def describe_port(self, context: RequestContext, port_id: str, values: Mapping[str, str]) -> None:
        """Change what users call an interface of theirs (name, description); raises NotFound."""
        self.port(context, port_id)
        if values:
            self._database.run(
                "network.describe_port", lambda session: addresses.describe_port(session, port_id, **values)
            )

    def _check(self, request: NewNetwork) -> None:
        if not 1 <= len(request.label) <= 255:
            raise InvalidInput("A network's name needs 1 to 255 characters.")
        if request.mtu and request.mtu not in _MTU:
            raise _bad_mtu()
        for name in (request.bridge, request.bridge_interface or ""):
            if name and _BRIDGE.fullmatch(name) is None:
                raise InvalidInput(
                    f"{name!r} cannot name a bridge or interface: it needs 1 to 15 letters, digits, '_', '-', '.'."
                )

    def _new(self, session: Session, uuid: str, request: NewNetwork) -> Network:
        """Return the row of a new network, still without addresses; raises Conflict for a bridge in use."""
        used = {network.bridge for network in networks.listing(session)}
        if request.bridge in used:
            raise Conflict(f"The bridge {request.bridge} belongs to another network.")
        first = not used
        interface = request.bridge_interface
        now = clock.now()
        return Network(
            id=0,
            uuid=uuid,
            label=request.label,
            cidr="",
            gateway="",
            bridge=request.bridge or _free_bridge(self._defaults.bridge, used),
            # An interface can be in one bridge only, so only the first network gets the default one.
            bridge_interface=(self._defaults.bridge_interface if first else "")
            if interface is None
            else interface,
            mtu=request.mtu or self._defaults.mtu,
            multi_host=request.multi_host,
            project_id=request.project_id,
            created_at=now,
            updated_at=now,
        )

    def _fill(self, session: Session, network: Network, wanted: NewSubnet) -> Network:
        """Write a network's subnet and make its addresses."""
        subnet = check_subnet(wanted, self._defaults.dns)
        for other in networks.listing(session):
            if other.cidr and ipaddress.ip_network(other.cidr).overlaps(ipaddress.ip_network(subnet.cidr)):
                raise Conflict(
                    f"The range {subnet.cidr} overlaps with {other.cidr} of network {other.label}."
                )
        dns1, dns2 = (*subnet.dns, "", "")[:2]
        values: dict[str, Any] = {
            "cidr": subnet.cidr,
            "gateway": subnet.gateway,
            "dhcp_start": subnet.dhcp_start,
            "dhcp_end": subnet.dhcp_end,
            "dns1": dns1,
            "dns2": dns2,
            "subnet_name": subnet.name,
        }
        networks.update(session, network.uuid, **values)
        filled = dataclasses.replace(network, updated_at=clock.now(), **values)
        networks.add_addresses(session, filled, subnet.reserved)
        return filled


def _find(session: Session, context: RequestContext, uuid: str) -> Network:
    found = networks.get(session, uuid, context.scope())
    if found is None:
        raise NotFound(f"Network {uuid} could not be found.")
    return found


def _with_subnet(session: Session, context: RequestContext, subnet_id: str) -> Network:
    for network in networks.listing(session, context.scope()):
        if network.cidr and network.subnet_id == subnet_id:
            return network
    raise NotFound(f"Subnet {subnet_id} could not be found.")


def _free_bridge(name: str, used: set[str]) -> str:
    """Return ``name``, or the first name after it, by its number, that no network has."""
    stem = name.rstrip("0123456789")
    number = int(name[len(stem) :] or 0)
    while name in used:
        number += 1
        name = f"{stem}{number}"
    return name


def _bad_mtu() -> InvalidInput:
    return InvalidInput(f"The MTU must be from {_MTU.start} to {_MTU.stop - 1}.")
