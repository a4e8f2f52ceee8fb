"""No name server."""

from collections.abc import Mapping
from typing import Any

from nova_lite.drivers.dns.base import DnsDriver


class NoDns(DnsDriver):
    """Tells nobody of names."""

    @classmethod
    def from_flags(cls, conf: Any) -> "NoDns":
        """Build the driver."""
        return cls()

    def start(self) -> None:
        """Nothing is needed."""

    def entries(self, domain: str) -> Mapping[str, str] | None:
        """Return that there is no domain."""
        return None

    def create_domain(self, domain: str) -> None:
        """Do nothing."""

    def delete_domain(self, domain: str) -> None:
        """Do nothing."""

    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Do nothing."""
