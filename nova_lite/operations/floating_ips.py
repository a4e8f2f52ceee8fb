"""Floating addresses: put in pools by operators, taken by projects, and led to their servers."""

import contextlib
import ipaddress
import logging
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, DriverError, InvalidInput, NotFound, OverQuota, Unavailable
from nova_lite.core.network import FloatingIp, FloatingPool, VirtualInterface
from nova_lite.core.quota import UNLIMITED, Limits
from nova_lite.db import (
    dns,
    floating_ips,
    instances,
    networks,
    ports,
    quotas,
    resource_tags,
    revisions,
    virtual_interfaces,
)
from nova_lite.db.engine import Database
from nova_lite.operations.orders import find
from nova_lite.rpc.network import NetworkProxy

Choose = Callable[[Session], VirtualInterface]
"""Finds the interface that an address is to lead to."""

LOG = logging.getLogger(__name__)

_MOST = 65536
"""The largest range that is added at once."""


class FloatingIps:
    """The operations on floating addresses.

    ``default_pool`` and ``default_interface`` are what the flags name where a request says nothing.
    """

    def __init__(
        self,
        database: Database,
        network: NetworkProxy,
        limits: Limits,
        *,
        default_pool: str,
        default_interface: str,
    ) -> None:
        self._database = database
        self._network = network
        self._limits = limits
        self.default_pool = default_pool
        self._default_interface = default_interface

    def create_range(
        self, context: RequestContext, ip_range: str, *, pool: str = "", interface: str = ""
    ) -> Sequence[str]:
        """Add a range to a pool; raises InvalidInput for what is malformed, Conflict for what is there."""
        wanted = _addresses_of(ip_range)
        pool, interface = pool or self.default_pool, interface or self._default_interface

        def work(session: Session) -> None:
            floating_ips.insert(session, wanted, pool, interface)

        def landed(session: Session) -> bool | None:
            found = {one.address for one in floating_ips.listing(session, None, held=False) if one.pool == pool}
            return True if found >= set(wanted) else None

        self._database.run("floating_ip.create", work, landed=landed)
        return wanted

    def delete_range(self, context: RequestContext, ip_range: str) -> int:
        """Remove the addresses of a range; raises InvalidInput, Conflict while somebody has one of them."""
        wanted = _addresses_of(ip_range)
        return self._database.run(
            "floating_ip.delete", lambda session: floating_ips.remove(session, wanted)
        )

    def every(self, context: RequestContext, host: str = "") -> Sequence[FloatingIp]:
        """Return all addresses, those that nobody has too; with ``host`` those that lead to its instances."""

        def work(session: Session) -> Sequence[FloatingIp]:
            found = floating_ips.listing(session, None, held=False)
            if not host:
                return found
            there = {instance.uuid for instance in instances.on_host(session, host)}
            return [one for one in found if one.instance_uuid in there]

        return self._database.read("floating_ip.every", work)

    def pools(self, context: RequestContext) -> Sequence[FloatingPool]:
        """Return the pools."""
        return self._database.read("floating_ip.pools", floating_ips.pools)

    def list(self, context: RequestContext) -> Sequence[FloatingIp]:
        """Return the addresses of the caller's project."""
        return self._database.read(
            "floating_ip.list", lambda session: floating_ips.listing(session, context.project_id)
        )

    def listing(self, context: RequestContext) -> Sequence[FloatingIp]:
        """Return the addresses that the caller may see: an admin those of all projects."""
        return self._database.read(
            "floating_ip.list", lambda session: floating_ips.listing(session, context.scope())
        )

    def get(self, context: RequestContext, id_or_address: str) -> FloatingIp:
        """Return an address; raises NotFound."""
        return self._database.read(
            "floating_ip.get", lambda session: _get(session, context, id_or_address)
        )

    def allocate(
        self,
        context: RequestContext,
        pool: str = "",
        *,
        address: str = "",
        project_id: str = "",
        port_id: str = "",
        fixed_address: str = "",
    ) -> FloatingIp:
        """Give the project an address of a pool, which leads to a port where one is named.

        Raises NotFound for an unknown or empty pool or an unknown port, InvalidInput for a fixed address that the
        port does not have, OverQuota.
        """
        pool, owner = pool or self.default_pool, project_id or context.project_id

        def work(session: Session) -> FloatingIp:
            quotas.lock(session, owner)
            limit = quotas.effective(session, owner, self._limits)["floating_ips"]
            if limit != UNLIMITED and floating_ips.count(session, owner) >= limit:
                raise OverQuota("Maximum number of floating IPs exceeded")
            if pool not in {known.name for known in floating_ips.pools(session)}:
                raise NotFound(f"Floating IP pool {pool[:60]} not found.")
            leads_to = _of_port(session, context, port_id, fixed_address) if port_id else None
            found = floating_ips.allocate(session, pool, owner, address=address)
            if leads_to is None:
                return found
            floating_ips.point(session, found.id, owner, leads_to.id)
            return _get(session, context, found.id)

        made = self._database.run("floating_ip.allocate", work)
        if made.network_id:
            try:
                self._refresh(context, made)
            except DriverError:
                self._database.run(
                    "floating_ip.give_back", lambda session: floating_ips.release(session, made.id, owner)
                )
                raise
        return made

    def release(self, context: RequestContext, id_or_address: str) -> None:
        """Give an address back, wherever it leads; raises NotFound, Conflict for one that came by itself."""

        def work(session: Session) -> FloatingIp:
            found = _to_change(session, context, id_or_address)
            floating_ips.release(session, found.id, found.project_id)
            resource_tags.forget(session, found.id)
            dns.forget_address(session, found.address)
            return found

        self._refresh_quietly(context, self._database.run("floating_ip.release", work))
        with contextlib.suppress(Unavailable):
            self._network.refresh_names(context)

    def associate(
        self, context: RequestContext, id_or_address: str, server_id: str, fixed_address: str = ""
    ) -> FloatingIp:
        """Let an address lead to a server, from wherever it led: to a fixed address of it, or its first.

        Raises NotFound for either, InvalidInput for a fixed address that the server does not have.
        """

        def choose(session: Session) -> VirtualInterface:
            find(session, context, server_id)
            held = virtual_interfaces.of_instances(session, [server_id]).get(server_id, [])
            for interface in sorted(held, key=lambda one: not (one.routed and one.address)):
                if fixed_address in ("", interface.address):
                    return _routed(interface)
            if fixed_address and held:
                raise InvalidInput(f"Specified fixed address {fixed_address} not assigned to instance")
            raise InvalidInput("No fixed IP addresses available to be associated with the floating IP address.")

        return self._lead(context, id_or_address, choose)

    def associate_port(
        self, context: RequestContext, id_or_address: str, port_id: str, fixed_address: str = ""
    ) -> FloatingIp:
        """Let an address lead to an interface; raises NotFound, InvalidInput."""

        return self._lead(
            context, id_or_address, lambda session: _of_port(session, context, port_id, fixed_address)
        )

    def keep(self, context: RequestContext, id_or_address: str) -> FloatingIp:
        """Let an address lead where it leads; raises NotFound, RevisionMismatch."""
        return self._database.run(
            "floating_ip.keep", lambda session: _to_change(session, context, id_or_address)
        )

    def disassociate(self, context: RequestContext, id_or_address: str, server_id: str = "") -> FloatingIp:
        """Let an address lead nowhere; raises NotFound, Conflict when it does not lead to ``server_id``."""

        def work(session: Session) -> FloatingIp:
            found = _to_change(session, context, id_or_address)
            if server_id:
                find(session, context, server_id)
                if found.instance_uuid != server_id:
                    raise Conflict(f"Floating IP {found.address} is not associated with instance {server_id}.")
            floating_ips.point(session, found.id, found.project_id, None)
            return found

        before = self._database.run("floating_ip.disassociate", work)
        self._refresh_quietly(context, before)
        return self.get(context, before.id)

    def _lead(
        self, context: RequestContext, id_or_address: str, choose: Choose
    ) -> FloatingIp:
        def work(session: Session) -> FloatingIp:
            found = _to_change(session, context, id_or_address)
            floating_ips.point(session, found.id, found.project_id, choose(session).id)
            return found

        before = self._database.run("floating_ip.associate", work)
        now = self.get(context, before.id)
        try:
            # The host that it leaves first: two must not carry it at the same time.
            self._refresh(context, before, now)
        except DriverError:
            self._lead_back(context, before, now)
            raise
        return now

    def _lead_back(self, context: RequestContext, before: FloatingIp, now: FloatingIp) -> None:
        """Have an address lead where it led, for the host refused the way; unless it leads elsewhere meanwhile."""

        def work(session: Session) -> None:
            found = floating_ips.get(session, now.id, now.project_id)
            if found is not None and found.vif_id == now.vif_id:
                floating_ips.point(session, now.id, now.project_id, before.vif_id or None)

        self._database.run("floating_ip.lead_back", work)
        self._refresh_quietly(context, now, before)

    def _refresh_quietly(self, context: RequestContext, *where: FloatingIp) -> None:
        """Have the hosts know what is so in any case; one that refuses tries it again by itself."""
        try:
            self._refresh(context, *where)
        except DriverError as error:
            LOG.warning("a host is not as it should be until its next look: %s", error)

    def _refresh(self, context: RequestContext, *where: FloatingIp) -> None:
        """Have the hosts know to which addresses led and lead; one that is away finds it out by itself."""

        def hosts(session: Session) -> dict[str, list[int]]:
            found: dict[str, list[int]] = {}
            known = {one.id: one for one in networks.by_ids(session, [one.network_id for one in where])}
            owners = instances.by_uuids(session, [one.instance_uuid for one in where if one.instance_uuid])
            for one in where:
                network = known.get(one.network_id)
                if network is None:
                    continue
                owner = owners.get(one.instance_uuid)
                # Where each host is its own gateway, that is where the address has to be.
                host = (owner.host or "" if owner is not None else "") if network.multi_host else network.host
                if network.id not in found.setdefault(host, []):
                    found[host].append(network.id)
            return found

        uuids = sorted({one.instance_uuid for one in where if one.instance_uuid})
        for host, mine in self._database.read("floating_ip.hosts", hosts).items():
            try:
                self._network.on(host).refresh(context, mine, uuids)
            except Unavailable as error:
                LOG.warning("nova-network on %s learns of floating addresses later: %s", host or "no host", error)


def _get(session: Session, context: RequestContext, id_or_address: str) -> FloatingIp:
    found = floating_ips.get(session, id_or_address, context.scope())
    if found is None:
        raise NotFound(f"Floating IP not found for {id_or_address[:60]}.")
    return found


def _of_port(
    session: Session, context: RequestContext, port_id: str, fixed_address: str
) -> VirtualInterface:
    for port in ports.listing(session, context.scope(), {"id": [port_id]}):
        if not port.is_attached:
            raise InvalidInput(f"Port {port_id} has no server yet that a floating IP could lead to.")
        if fixed_address not in ("", port.interface.address):
            raise InvalidInput(f"Port {port_id} does not have the fixed address {fixed_address}.")
        return _routed(port.interface)
    raise NotFound(f"Port {port_id} could not be found.")


def _routed(interface: VirtualInterface) -> VirtualInterface:
    """Return an interface that the world can reach; raises InvalidInput for one in a network that leads nowhere."""
    if not interface.address:
        raise InvalidInput("No fixed IP addresses available to be associated with the floating IP address.")
    if not interface.routed:
        raise InvalidInput(f"Network {interface.network_uuid} has no gateway by which a floating IP could lead there.")
    return interface


def _to_change(session: Session, context: RequestContext, id_or_address: str) -> FloatingIp:
    """Return an address that is about to be changed; raises NotFound, RevisionMismatch, Conflict for no one's own."""
    found = _get(session, context, id_or_address)
    revisions.require(session, "floatingips", found.id, context.seen_revision)
    if found.auto_assigned:
        raise Conflict(f"Floating IP {found.address} was assigned with its instance, and goes with it.")
    return found


def _addresses_of(ip_range: str) -> list[str]:
    """Return the addresses of a CIDR or a single address; those of a network that hosts may have."""
    try:
        network = ipaddress.ip_network(ip_range, strict=False)
    except ValueError as error:
        raise InvalidInput(f"{ip_range[:60]} is no address and no CIDR.") from error
    if network.version != 4:
        raise InvalidInput("Floating addresses are IPv4.")
    if network.num_addresses > _MOST:
        raise InvalidInput(f"The range {ip_range} has more than {_MOST} addresses.")
    return [str(address) for address in network.hosts()]
