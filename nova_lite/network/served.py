"""What this host serves: the plans that its driver was given, renewed from the database when asked.

However many callers ask at once, the database is read and the DHCP servers are told once for all of them:
who comes while others are at it waits for the next turn, and that one does everybody's work.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.errors import DriverError, NoAddress
from nova_lite.core.network import FloatingIp, HeldAddress, Network
from nova_lite.db import floating_ips, leases, network_hosts, networks
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import (
    DhcpHost,
    Difference,
    FloatingAddress,
    NetworkDriver,
    NetworkPlan,
    NotServed,
)
from nova_lite.network.settings import NetworkSettings

LOG = logging.getLogger(__name__)

Planner = Callable[[Network], NetworkPlan | None]


@dataclasses.dataclass(slots=True)
class _Asked:
    """What callers want of the next turn."""

    turn: int = 0
    network_ids: set[int] = dataclasses.field(default_factory=set)
    gone: set[str] = dataclasses.field(default_factory=set)
    floating: bool = False
    only: set[str] = dataclasses.field(default_factory=set)
    everybody: bool = False

    def add(self, other: "_Asked") -> None:
        """Want what another one wants, too."""
        self.network_ids |= other.network_ids
        self.gone |= other.gone
        self.floating |= other.floating
        self.only |= other.only
        self.everybody |= other.everybody


class ServedNetworks:
    """The networks of one host; ``plan`` says what a network is like on it, without its DHCP hosts."""

    def __init__(
        self, database: Database, driver: NetworkDriver, settings: NetworkSettings, plan: Planner
    ) -> None:
        self._database = database
        self._driver = driver
        self._settings = settings
        self._plan = plan
        self._plans: dict[int, NetworkPlan] = {}
        self._holders: dict[int, set[str]] = {}
        self._known: dict[int, _Found] = {}
        self._mine = _Mine()
        self._refused: Mapping[int, DriverError] = {}
        self._asked = _Asked()
        self._done = 0
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    def refresh(
        self,
        network_ids: Iterable[int],
        gone: Iterable[str] = (),
        *,
        floating: bool = False,
        only: Iterable[str] | None = None,
    ) -> None:
        """Have networks as the database says that their guests are now; raises DriverError.

        Networks that still serve an instance of ``gone`` are meant too. ``floating`` says that addresses of the
        world may lead elsewhere now; they are looked up besides where some lead to the networks. With ``only``
        nothing has changed but what these instances have; and ``gone``, of which nothing is left.
        """
        wanted = _Asked(
            network_ids=set(network_ids), gone=set(gone), floating=floating, only=set(only or ()),
            everybody=only is None,
        )  # fmt: skip
        with self._guard:
            self._asked.turn += 1
            self._asked.add(wanted)
            mine = self._asked.turn
        with self._turn:
            if self._done >= mine:
                return
            with self._guard:
                asked, self._asked = self._asked, _Asked(self._asked.turn)
            try:
                self._renew(asked)
            except BaseException:
                with self._guard:
                    self._asked.add(asked)
                raise
            self._done = asked.turn

    def start(self) -> None:
        """Make the whole host as the database says; raises DriverError where not a single network can be so."""
        with self._turn:
            self._converge(repeat=True)
            if self._refused and not self._plans:
                raise NotServed(self._refused)

    def mend(self) -> tuple[Difference, ...]:
        """Make the host as the database says, look whether it is, and mend what differs.

        Returns what differed from what the driver had been told; raises DriverError.
        """
        with self._turn:
            self._converge()
            # Where a network was refused just now, the whole host was made anew just now.
            found = () if self._refused else self._driver.differences(tuple(self._plans.values()))
            if found:
                self._converge(repeat=True)
            if self._refused:
                raise NotServed(self._refused)
            return found

    def wanted(self) -> tuple[NetworkPlan, ...]:
        """Return the plans of this host as the database has them now."""

        def work(session: Session) -> tuple[NetworkPlan, ...]:
            mine = self._look(session, claim=False)
            found = self._found(session, list(mine.plans))
            return tuple(found.on(plan) for plan in mine.plans.values())

        return self._database.read("network.plans", work)

    def network_ids(self) -> list[int]:
        """Return the networks that are served now."""
        return list(self._plans)

    def has(self, network_ids: Collection[int]) -> bool:
        """Tell whether networks are all served here now."""
        return self._plans.keys() >= set(network_ids)

    def count_held(self, instance_uuids: Collection[str]) -> int:
        """Return how many addresses instances are known to hold in networks that no other host serves."""
        uuids = set(instance_uuids)
        # A look at the whole may begin these anew meanwhile.
        holders, multi_host = list(self._holders.items()), self._mine.multi_host
        return sum(len(theirs & uuids) for network_id, theirs in holders if network_id not in multi_host)

    def _renew(self, asked: _Asked) -> None:
        gone = {network_id for network_id, holders in self._holders.items() if holders & asked.gone}
        wanted = (asked.network_ids | gone) - self._mine.idle
        if not self._plans.keys() >= wanted or self._mine.multi_host & wanted:
            # The last guest of this host may have left a network, or the first one come.
            self._converge()
        elif not (asked.everybody or asked.floating or asked.only):
            # Of those that are gone nothing is left: what is known of the others needs no look.
            found = self._known_of_others(wanted, asked.gone)
            for network_id in wanted:
                self._set_guests(found.on(self._plans[network_id]), found)
        elif wanted:
            only = None if asked.everybody else asked.only | asked.gone
            self._renew_guests(wanted, floating=asked.floating, only=only)
        for network_id in sorted(asked.network_ids):
            if network_id in self._mine.full:
                raise self._mine.full[network_id]
            if network_id in self._refused:
                raise self._refused[network_id]

    def _renew_guests(
        self, network_ids: Collection[int], *, floating: bool, only: Collection[str] | None
    ) -> None:
        lead = floating or any(self._plans[network_id].floating for network_id in network_ids)
        found = self._database.read(
            "network.held",
            lambda session: self._found(session, list(network_ids), floating=lead, only=only),
        )
        for network_id in network_ids:
            refused = self._set_guests(found.on(self._plans[network_id]), found)
            if refused is not None and floating:
                raise refused

    def _set_guests(self, plan: NetworkPlan, found: "_Found") -> DriverError | None:
        """Have the driver know what guests of one network have, as far as it is new.

        Returns why a floating address cannot lead where it should: that is no business of a guest that only
        wants to be served, and the next look at the whole tries it again.
        """
        before, refused = self._plans[plan.network_id], None
        if plan.hosts != before.hosts:
            self._driver.set_hosts(plan)
        if plan.floating != before.floating:
            try:
                self._driver.set_floating(plan)
            except DriverError as error:
                LOG.warning("the floating addresses of %s are not all in force: %s", plan.bridge, error)
                refused = error
        if plan != before:
            self._remember(plan, found)
        return refused

    def _converge(self, *, repeat: bool = False) -> None:
        def work(session: Session) -> tuple[_Mine, _Found]:
            if self._settings.serves_new:
                networks.claim_for_host(session, self._settings.host)
            mine = self._look(session, claim=True)
            return mine, self._found(session, list(mine.plans))

        self._mine, found = self._database.run("network.converge", work)
        for error in self._mine.full.values():
            LOG.warning("%s", error)
        plans = {network_id: found.on(plan) for network_id, plan in self._mine.plans.items()}
        self._refused = {}
        if repeat or _frames(plans) != _frames(self._plans):
            self._apply(plans)
            served = [plan for plan in plans.values() if plan.network_id not in self._refused]
            self._plans, self._holders, self._known = {}, {}, {}
            for plan in served:
                self._remember(plan, found)
            LOG.info("serving networks: %s", ", ".join(plan.bridge for plan in served) or "none")
            return
        for plan in plans.values():
            self._set_guests(plan, found)

    def _apply(self, plans: Mapping[int, NetworkPlan]) -> None:
        """Have the driver make the host so; the networks of which it cannot are tried again with each look."""
        try:
            self._driver.apply(tuple(plans.values()))
        except NotServed as error:
            self._refused = error.refused
            for network_id, reason in self._refused.items():
                LOG.error("network %s is not served: %s", plans[network_id].uuid, reason)

    def _look(self, session: Session, *, claim: bool) -> "_Mine":
        """Return what this host is to serve; only with ``claim`` does it get addresses that it lacks."""
        mine = _Mine()
        host = self._settings.host
        for network in network_hosts.served_by(session, host):
            if network.multi_host:
                mine.multi_host.add(network.id)
            plan = self._plan(network)
            if plan is None:
                mine.idle.add(network.id)
            elif not network.multi_host:
                mine.plans[network.id] = plan
            else:
                try:
                    gateway = network_hosts.gateway(session, network, host, claim=claim)
                except NoAddress as error:
                    mine.full[network.id] = error
                else:
                    mine.plans[network.id] = dataclasses.replace(plan, gateway=gateway)
        return mine

    def _found(
        self,
        session: Session,
        network_ids: Sequence[int],
        *,
        floating: bool = True,
        only: Collection[str] | None = None,
    ) -> "_Found":
        """Return what guests have in networks, without ``floating`` only their fixed addresses.

        What others than ``only`` have is taken as it is known.
        """
        host, firsts = self._settings.host, self._settings.single_gateway
        leading = floating_ips.leading_to(session, network_ids, host, only) if floating else []
        found = leases.held(session, network_ids, host, firsts=firsts, only=only)
        lead, held = list(map(_Lead.of, leading)), list(map(_Held.of, found))
        if only is not None:
            known = self._known_of_others(network_ids, only)
            held += known.held
            lead += known.floating
        return _Found(held, lead)

    def _known_of_others(self, network_ids: Collection[int], uuids: Collection[str]) -> "_Found":
        """Return what all but some instances are known to have in networks."""
        known = [self._known[network_id] for network_id in network_ids if network_id in self._known]
        return _Found(
            [one for of in known for one in of.held if one.instance_uuid not in uuids],
            [one for of in known for one in of.floating if one.instance_uuid not in uuids],
        )

    def _remember(self, plan: NetworkPlan, found: "_Found") -> None:
        self._plans[plan.network_id] = plan
        mine = found.of_network(plan.network_id)
        self._known[plan.network_id] = mine
        self._holders[plan.network_id] = {address.instance_uuid for address in mine.held}


@dataclasses.dataclass(frozen=True, slots=True)
class _Mine:
    """The networks of this host: those to serve, still without guests, and those where nothing is to be done.

    ``full`` ones have no address left by which this host could be the gateway.
    """

    plans: dict[int, NetworkPlan] = dataclasses.field(default_factory=dict)
    idle: set[int] = dataclasses.field(default_factory=set)
    multi_host: set[int] = dataclasses.field(default_factory=set)
    full: dict[int, NoAddress] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class _Held:
    """An address that an instance has in a network, as the driver is told of it.

    It is made once, for as long as it holds: what is the same is seen at a glance.
    """

    instance_uuid: str
    network_id: int
    host: DhcpHost

    @classmethod
    def of(cls, held: HeldAddress) -> "_Held":
        host = DhcpHost(held.mac, held.address, held.hostname, held.options, held.first, held.address_v6)
        return cls(held.instance_uuid, held.network_id, host)


@dataclasses.dataclass(frozen=True, slots=True)
class _Lead:
    """A floating address that leads to an instance in a network, as the driver is told of it."""

    instance_uuid: str
    network_id: int
    floating: FloatingAddress

    @classmethod
    def of(cls, one: FloatingIp) -> "_Lead":
        return cls(one.instance_uuid, one.network_id, FloatingAddress(one.address, one.fixed_address, one.interface))


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """What the database says that guests of some networks have."""

    held: Sequence[_Held]
    floating: Sequence[_Lead]

    def on(self, plan: NetworkPlan) -> NetworkPlan:
        """Return a plan with the guests of its network."""
        hosts = [one.host for one in self.held if one.network_id == plan.network_id]
        floating = [one.floating for one in self.floating if one.network_id == plan.network_id]
        return dataclasses.replace(
            plan,
            hosts=tuple(sorted(hosts, key=lambda one: (one.address, one.mac))),
            floating=tuple(sorted(floating, key=lambda one: one.address)),
        )

    def of_network(self, network_id: int) -> "_Found":
        """Return what guests have in one network."""
        return _Found(
            [one for one in self.held if one.network_id == network_id],
            [one for one in self.floating if one.network_id == network_id],
        )


def _frames(plans: dict[int, NetworkPlan]) -> dict[int, NetworkPlan]:
    """The plans without their guests: what only a whole ``apply`` can change."""
    return {network_id: dataclasses.replace(plan, hosts=(), floating=()) for network_id, plan in plans.items()}
