"""What this host serves: the plans that its driver was given, renewed from the database when asked.

However many callers ask at once, the database is read and the DHCP servers are told once for all of them:
who comes while others are at it waits for the next turn, and that one does everybody's work.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.errors import DriverError
from nova_lite.core.network import FloatingIp, HeldAddress, Network
from nova_lite.db import addresses, floating_ips, networks
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import DhcpHost, Difference, FloatingAddress, NetworkDriver, NetworkPlan
from nova_lite.network.settings import NetworkSettings

LOG = logging.getLogger(__name__)

Planner = Callable[[Network], NetworkPlan]


@dataclasses.dataclass(slots=True)
class _Asked:
    """What callers want of the next turn."""

    turn: int = 0
    network_ids: set[int] = dataclasses.field(default_factory=set)
    gone: set[str] = dataclasses.field(default_factory=set)
    floating: bool = False


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
        self._asked = _Asked()
        self._done = 0
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    def refresh(
        self, network_ids: Iterable[int], gone: Iterable[str] = (), *, floating: bool = False
    ) -> None:
        """Have networks as the database says that their guests are now; raises DriverError.

        Networks that still serve an instance of ``gone`` are meant too. ``floating`` says that addresses of the
        world may lead elsewhere now; they are looked up besides where some lead to the networks.
        """
        with self._guard:
            self._asked.turn += 1
            self._asked.network_ids.update(network_ids)
            self._asked.gone.update(gone)
            self._asked.floating |= floating
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
                    self._asked.network_ids |= asked.network_ids
                    self._asked.gone |= asked.gone
                    self._asked.floating |= asked.floating
                raise
            self._done = asked.turn

    def start(self) -> None:
        """Make the whole host as the database says; raises DriverError."""
        with self._turn:
            self._converge(repeat=True)

    def mend(self) -> tuple[Difference, ...]:
        """Make the host as the database says, look whether it is, and mend what differs.

        Returns what differed from what the driver had been told; raises DriverError.
        """
        with self._turn:
            self._converge()
            plans = tuple(self._plans.values())
            found = self._driver.differences(plans)
            if found:
                self._driver.apply(plans)
            return found

    def wanted(self) -> tuple[NetworkPlan, ...]:
        """Return the plans of this host as the database has them now."""

        def work(session: Session) -> tuple[NetworkPlan, ...]:
            mine = networks.on_host(session, self._settings.host)
            found = _Found.of(session, [network.id for network in mine])
            return tuple(found.on(self._plan(network)) for network in mine)

        return self._database.read("network.plans", work)

    def network_ids(self) -> list[int]:
        """Return the networks that are served now."""
        return list(self._plans)

    def _renew(self, asked: _Asked) -> None:
        gone = {network_id for network_id, holders in self._holders.items() if holders & asked.gone}
        wanted = asked.network_ids | gone
        if not wanted <= self._plans.keys():
            self._converge()
        elif wanted:
            self._renew_guests(wanted, floating=asked.floating)

    def _renew_guests(self, network_ids: Collection[int], *, floating: bool) -> None:
        lead = floating or any(self._plans[network_id].floating for network_id in network_ids)
        found = self._database.read(
            "network.held", lambda session: _Found.of(session, list(network_ids), floating=lead)
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
        def work(session: Session) -> tuple[list[Network], _Found]:
            if self._settings.serves_new:
                networks.claim_for_host(session, self._settings.host)
            mine = networks.on_host(session, self._settings.host)
            return mine, _Found.of(session, [network.id for network in mine])

        mine, found = self._database.run("network.converge", work)
        plans = {network.id: found.on(self._plan(network)) for network in mine}
        if repeat or _frames(plans) != _frames(self._plans):
            self._driver.apply(tuple(plans.values()))
            self._plans, self._holders = {}, {}
            for plan in plans.values():
                self._remember(plan, found)
            LOG.info("serving networks: %s", ", ".join(plan.bridge for plan in plans.values()) or "none")
            return
        for plan in plans.values():
            self._set_guests(plan, found)

    def _remember(self, plan: NetworkPlan, found: "_Found") -> None:
        self._plans[plan.network_id] = plan
        self._holders[plan.network_id] = {
            address.instance_uuid for address in found.held if address.network_id == plan.network_id
        }


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """What the database says that guests of some networks have."""

    held: Sequence[HeldAddress]
    floating: Sequence[FloatingIp]

    @classmethod
    def of(cls, session: Session, network_ids: Sequence[int], *, floating: bool = True) -> "_Found":
        """Look it up, without ``floating`` only the fixed addresses."""
        lead = floating_ips.leading_to(session, network_ids) if floating else ()
        return cls(addresses.held(session, network_ids), lead)

    def on(self, plan: NetworkPlan) -> NetworkPlan:
        """Return a plan with the guests of its network."""
        hosts = tuple(
            DhcpHost(address.mac, address.address, address.hostname)
            for address in self.held
            if address.network_id == plan.network_id
        )
        floating = tuple(
            FloatingAddress(one.address, one.fixed_address, one.interface)
            for one in self.floating
            if one.network_id == plan.network_id
        )
        return dataclasses.replace(plan, hosts=hosts, floating=floating)


def _frames(plans: dict[int, NetworkPlan]) -> dict[int, NetworkPlan]:
    """The plans without their guests: what only a whole ``apply`` can change."""
    return {network_id: dataclasses.replace(plan, hosts=(), floating=()) for network_id, plan in plans.items()}
