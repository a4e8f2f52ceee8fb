"""Networks: made and removed by operators, listed by those who may use them; and the ports of instances."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.network import AddressCount, Ipv6Backend, Network, Port
from nova_lite.db import group_members, network_hosts, networks, ports, revisions, routers
from nova_lite.db.engine import Database
from nova_lite.operations import new_networks
from nova_lite.operations.new_networks import V4_NEEDED, NetworkDefaults, NewNetwork
from nova_lite.operations.subnets import NewSubnet, check_dns, check_prefix

__all__ = ["NetworkDefaults", "Networks", "NewNetwork", "NewNetworks"]

_SUBNET_COLUMNS = (
    "cidr", "gateway", "dhcp_start", "dhcp_end", "dns1", "dns2", "subnet_name", "vpn_private_address",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class NewNetworks:
    """Networks to make of a range: ``count`` of ``size`` addresses (0: as large as may be), alike as ``each`` is.

    The range is that of the subnet of ``each``, and so is the IPv6 range, which gives each a /64 prefix.
    """

    each: NewNetwork
    count: int = 1
    size: int = 0


class Networks:
    """The operations on networks."""

    def __init__(self, database: Database, defaults: NetworkDefaults | None = None) -> None:
        self._database = database
        self._defaults = defaults or NetworkDefaults()

    def create(self, context: RequestContext, request: NewNetwork) -> Network:
        """Make a network, with its addresses when a subnet is given; the network hosts serve it by themselves.

        Raises InvalidInput for what is malformed, Conflict for a range or bridge that is taken.
        """
        return self.create_many(context, NewNetworks(request))[0]

    def create_many(self, context: RequestContext, request: NewNetworks) -> Sequence[Network]:
        """Make several networks of one range; all or none. Raises as ``create``."""
        each = request.each
        new_networks.check(each)
        if request.count < 1:
            raise InvalidInput("The number of networks must be at least 1.")
        if each.uuid and request.count > 1:
            raise InvalidInput("Several networks cannot have the same uuid.")
        uuids = [each.uuid.lower() or ids.new_uuid() for _ in range(request.count)]

        def work(session: Session) -> Sequence[Network]:
            others = networks.listing(session)
            made = []
            for uuid, wanted in zip(uuids, _divided(request, others), strict=True):
                new_networks.check(wanted)
                row = new_networks.row(others, uuid, wanted, self._defaults)
                network = networks.insert(session, row)
                if wanted.subnet is not None:
                    network = new_networks.fill(session, others, network, wanted.subnet, self._defaults)
                others.append(network)
                made.append(network)
            return made

        def landed(session: Session) -> Sequence[Network] | None:
            found = [networks.get(session, uuid) for uuid in uuids]
            return [network for network in found if network is not None] or None

        return self._database.run("network.create", work, landed=landed)

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
        """Change the label, the mtu or whose it is (project_id).

        Raises NotFound, InvalidInput, and Conflict where instances of another project are in a VLAN.
        """
        if "mtu" in changes and changes["mtu"] not in new_networks.MTU:
            raise new_networks.bad_mtu()
        values = {name: value for name, value in changes.items() if name != "project_id"}

        def work(session: Session) -> Network:
            network = _find(session, context, uuid)
            revisions.require(session, "networks", uuid, context.seen_revision)
            if "project_id" in changes:
                networks.set_project(session, network, changes["project_id"])
            if values:
                networks.update(session, network.uuid, **values)
            return _find(session, context, uuid)

        return self._database.run("network.update", work)

    def set_host(self, context: RequestContext, uuid: str, host: str) -> None:
        """Have a host serve a network; an empty one: whichever takes it, and multi_host ones give theirs back.

        Raises NotFound, InvalidInput for a network that each compute host serves.
        """

        def work(session: Session) -> None:
            network = _find(session, context, uuid)
            if network.multi_host and host:
                raise InvalidInput(f"Network {uuid} is served by each compute host for its own guests.")
            if network.multi_host:
                network_hosts.forget_gateways(session, network)
            networks.update(session, network.uuid, host=host)

        self._database.run("network.set_host", work)

    def delete(self, context: RequestContext, uuid: str, *, only_free: bool = False) -> None:
        """Remove a network; raises NotFound, Conflict while instances hold addresses of it.

        With ``only_free`` also while it is a project's and has a VLAN.
        """

        def work(session: Session) -> bool:
            network = _find(session, context, uuid)
            revisions.require(session, "networks", uuid, context.seen_revision)
            if only_free and network.vlan is not None and network.project_id:
                raise Conflict(f"Network {uuid} has to be disassociated from its project first.")
            networks.delete(session, network)
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
            others = [other for other in networks.listing(session) if other.id != network.id]
            return new_networks.fill(session, others, network, subnet, self._defaults)

        def landed(session: Session) -> Network | None:
            network = networks.get(session, uuid)
            return network if network is not None and network.cidr else None

        return self._database.run("network.add_subnet", work, landed=landed)

    def add_subnet_v6(
        self, context: RequestContext, uuid: str, subnet: NewSubnet, backend: Ipv6Backend | None = None
    ) -> Network:
        """Give a network an IPv6 prefix, beside its IPv4 range if it has one; raises NotFound, InvalidInput, Conflict.

        It leads where the range does.
        """
        check_prefix(subnet.cidr_v6, subnet.gateway_v6)

        def work(session: Session) -> Network:
            network = _find(session, context, uuid)
            if network.cidr_v6:
                raise Conflict(f"Network {uuid} has an IPv6 subnet already; only one is supported.")
            if network.cidr and network.routed and not subnet.routed:
                raise InvalidInput("An IPv6 subnet has a gateway where the network's IPv4 subnet has one.")
            others = [other for other in networks.listing(session) if other.id != network.id]
            new_networks.fill_v6(session, others, network, subnet)
            if backend is not None:
                networks.update(session, uuid, ipv6_backend=backend.value)
            return _find(session, context, uuid)

        return self._database.run("network.add_subnet_v6", work)

    def update_subnet(self, context: RequestContext, subnet_id: str, changes: Mapping[str, Any]) -> Network:
        """Change the name and name servers (subnet_name, dns); raises NotFound, InvalidInput."""
        values = dict(changes)
        if "dns" in values:
            values["dns1"], values["dns2"] = (*check_dns(values.pop("dns")), "", "")[:2]

        def work(session: Session) -> Network:
            network = _with_subnet(session, context, subnet_id)
            revisions.require(session, "networks", network.uuid, context.seen_revision)
            if values and subnet_id == network.subnet_v6_id:
                raise InvalidInput("An IPv6 subnet cannot be changed.")
            if values:
                networks.update(session, network.uuid, **values)
            return _find(session, context, network.uuid)

        return self._database.run("network.update_subnet", work)

    def remove_subnet(self, context: RequestContext, subnet_id: str) -> None:
        """Take a network's range away; raises NotFound, Conflict while instances hold addresses of it."""

        def work(session: Session) -> None:
            network = _with_subnet(session, context, subnet_id)
            revisions.require(session, "networks", network.uuid, context.seen_revision)
            if subnet_id == network.subnet_v6_id:
                networks.require_unused(session, network)
                if not network.cidr:
                    networks.remove_addresses(session, network)
                networks.update(session, network.uuid, cidr_v6="", gateway_v6="")
                return
            if network.cidr_v6 and network.multi_host:
                raise Conflict(f"{V4_NEEDED}: its IPv6 subnet has to go first.")
            networks.remove_addresses(session, network)
            # Whether it has a gateway is what a subnet that stays says.
            routed = network.routed or not network.cidr_v6
            networks.update(session, network.uuid, routed=routed, **dict.fromkeys(_SUBNET_COLUMNS, ""))

        self._database.run("network.remove_subnet", work)

    def get_by_subnet(self, context: RequestContext, subnet_id: str) -> Network:
        """Return the network whose subnet has this id; raises NotFound."""
        return self._database.read("network.get", lambda session: _with_subnet(session, context, subnet_id))

    def address_counts(self, context: RequestContext) -> Mapping[int, AddressCount]:
        """Count the addresses of networks that guests may have and those that they hold."""
        return self._database.read("network.counts", networks.address_counts)

    def ports(self, context: RequestContext, filters: Mapping[str, Sequence[str]]) -> Sequence[Port]:
        """Return the interfaces of instances with their groups; for ``filters`` see ``db.ports.listing``."""

        def work(session: Session) -> Sequence[Port]:
            found = ports.listing(session, context.scope(), filters)
            uuids = list({port.interface.instance_uuid for port in found})
            groups = group_members.ids_of_instances(session, uuids) if uuids else {}
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


def _divided(request: NewNetworks, others: Sequence[Network]) -> Sequence[NewNetwork]:
    """Return each of the networks that are to be made of a range."""
    each, count = request.each, request.count
    if each.subnet is None:
        return [each] * count
    if not (each.subnet.cidr or each.subnet.cidr_v6):
        raise InvalidInput("A subnet needs a range of IPv4 or of IPv6 addresses.")
    ranges = [""] * count
    if each.subnet.cidr:
        ranges = list(new_networks.divide(each.subnet.cidr, count, request.size, others))
    v6 = each.subnet.cidr_v6
    prefixes = new_networks.prefixes_v6(v6, count, others) if v6 else [""] * count
    if count > 1 and (each.subnet.gateway or each.bridge):
        raise InvalidInput("Several networks cannot have the same gateway or bridge.")
    subnet = each.subnet
    return [
        dataclasses.replace(
            each,
            label=each.label if count == 1 else f"{each.label}_{number}",
            subnet=dataclasses.replace(subnet, cidr=cidr, cidr_v6=prefix),
            vlan=each.vlan + number if each.vlan is not None else None,
            vpn_port=each.vpn_port + number if each.vpn_port is not None else None,
        )
        for number, (cidr, prefix) in enumerate(zip(ranges, prefixes, strict=True))
    ]


def _find(session: Session, context: RequestContext, uuid: str) -> Network:
    found = networks.get(session, uuid, context.scope())
    if found is None:
        raise NotFound(f"Network {uuid} could not be found.")
    return found


def _with_subnet(session: Session, context: RequestContext, subnet_id: str) -> Network:
    for network in networks.listing(session, context.scope()):
        if network.cidr and network.subnet_id == subnet_id:
            return network
        if network.cidr_v6 and network.subnet_v6_id == subnet_id:
            return network
    raise NotFound(f"Subnet {subnet_id} could not be found.")
