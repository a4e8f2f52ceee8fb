"""Names in the domain name system, kept as the database says.

A name server that is slow or away holds nobody up: names follow by a thread of their own, and the periodic look
mends what was missed. What a server has is asked once; from then on only what changes is told, until that look.
"""

import dataclasses
import logging
import threading

from sqlalchemy.orm import Session

from nova_lite import concurrency
from nova_lite.core.dns import DnsScope, Zones
from nova_lite.core.errors import NovaError
from nova_lite.db import dns
from nova_lite.db.engine import Database
from nova_lite.drivers.dns.base import DnsDriver

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class _Wanted:
    """What the name servers are to tell of instances and of floating addresses, and what they are to forget."""

    instances: Zones
    floating: Zones
    forgotten: tuple[str, ...]


class Names:
    """The names of instances in ``instance_domain`` (empty: none), and those of floating addresses."""

    def __init__(
        self, database: Database, instances: DnsDriver, floating: DnsDriver, *, instance_domain: str
    ) -> None:
        self._database = database
        self._instances = _Server(instances)
        self._floating = _Server(floating)
        self._instance_domain = instance_domain
        self._rung = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Check the drivers and begin to follow; raises ConfigurationError."""
        for server in (self._instances, self._floating):
            server.driver.start()
        self._rung.set()
        self._thread = concurrency.spawn(self._follow)

    def stop(self, drain_seconds: float) -> None:
        """Follow no more."""
        self._stopping = True
        self._rung.set()
        if self._thread is not None:
            self._thread.join(drain_seconds)

    def ring(self) -> None:
        """Have the names looked at; returns at once."""
        self._rung.set()

    def repair(self) -> None:
        """Compare with what the name servers really have; returns at once."""
        self._instances.known = {}
        self._floating.known = {}
        self._rung.set()

    def converge(self) -> None:
        """Make the names as the database says; raises DriverError, and DatabaseUnavailable."""
        wanted = self._database.read("network.names", self._wanted)
        problems = []
        for server, zones in ((self._instances, wanted.instances), (self._floating, wanted.floating)):
            try:
                server.converge(zones)
            except NovaError as error:
                problems.append(error)
        for domain in wanted.forgotten:
            self._forget(domain, problems)
        if problems:
            raise problems[0]

    def _follow(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            if self._stopping:
                return
            try:
                self.converge()
            except NovaError as error:
                LOG.warning("names are not as they should be until the next look: %s", error)
            except Exception:
                LOG.exception("names are not as they should be until the next look")

    def _wanted(self, session: Session) -> _Wanted:
        found = dns.domains(session)
        zones: dict[str, dict[str, str]] = {domain.name: {} for domain in found}
        for entry in dns.every_entry(session):
            zones.setdefault(entry.domain, {})[entry.name] = entry.address
        instances: dict[str, dict[str, str]] = {}
        if self._instance_domain:
            registered = next((one for one in found if one.name == self._instance_domain), None)
            zone = registered.availability_zone if registered is not None else ""
            instances[self._instance_domain] = dns.names_of_instances(session, zone)
        private = {domain.name for domain in found if domain.scope is DnsScope.PRIVATE}
        for name in private - {self._instance_domain}:
            instances[name] = zones[name]
        floating = {name: names for name, names in zones.items() if name not in private}
        forgotten = tuple(domain.name for domain in dns.domains(session, deleted=True))
        return _Wanted(instances, floating, forgotten)

    def _forget(self, domain: str, problems: list[NovaError]) -> None:
        try:
            if domain != self._instance_domain:
                self._instances.delete(domain)
                self._floating.delete(domain)
        except NovaError as error:
            problems.append(error)
            return
        self._database.run("network.forget_domain", lambda session: dns.forget_domain(session, domain))
        LOG.info("domain %s is gone", domain)


class _Server:
    """A name server, and what it has by our knowledge."""

    def __init__(self, driver: DnsDriver) -> None:
        self.driver = driver
        self.known: dict[str, dict[str, str]] = {}

    def converge(self, zones: Zones) -> None:
        """Make domains and names; raises DriverError for the first that the server refuses, after the others."""
        problem: NovaError | None = None
        for domain, wanted in zones.items():
            try:
                self._converge(domain, dict(wanted))
            except NovaError as error:
                self.known.pop(domain, None)
                problem = problem or error
        if problem is not None:
            raise problem

    def delete(self, domain: str) -> None:
        """Remove a domain."""
        self.known.pop(domain, None)
        self.driver.delete_domain(domain)

    def _converge(self, domain: str, wanted: dict[str, str]) -> None:
        known = self.known.get(domain)
        if known is None:
            present = self.driver.entries(domain)
            if present is None:
                self.driver.create_domain(domain)
            known = dict(present or {})
        news = {name: address for name, address in wanted.items() if known.get(name) != address}
        unwanted = frozenset(known.keys() - wanted.keys())
        if news or unwanted:
            self.driver.change(domain, news, unwanted)
            LOG.info("domain %s: %s names set, %s removed", domain, len(news), len(unwanted))
        self.known[domain] = wanted
