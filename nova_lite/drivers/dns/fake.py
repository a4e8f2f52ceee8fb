"""A simulated name server: names in memory."""

from collections.abc import Mapping
from typing import Any

from nova_lite.core.errors import DriverError
from nova_lite.drivers.dns.base import DnsDriver


class FakeDns(DnsDriver):
    """Keeps names in memory; ``away`` makes it fail as a server does that cannot be reached."""

    def __init__(self) -> None:
        self._zones: dict[str, dict[str, str]] = {}
        self.away = False

    @classmethod
    def from_flags(cls, conf: Any) -> "FakeDns":
        """Build the driver."""
        return cls()

    def start(self) -> None:
        """Nothing is needed."""

    def entries(self, domain: str) -> Mapping[str, str] | None:
        """Return the names of a domain."""
        self._answer()
        return dict(self._zones[domain]) if domain in self._zones else None

    def create_domain(self, domain: str) -> None:
        """Make a domain."""
        self._answer()
        self._zones.setdefault(domain, {})

    def delete_domain(self, domain: str) -> None:
        """Forget a domain."""
        self._answer()
        self._zones.pop(domain, None)

    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Change names."""
        self._answer()
        if domain not in self._zones:
            raise DriverError(f"there is no domain {domain}.")
        for name in unwanted:
            self._zones[domain].pop(name, None)
        self._zones[domain].update(wanted)

    def _answer(self) -> None:
        if self.away:
            raise DriverError("the name server does not answer.")
