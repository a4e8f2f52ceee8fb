"""What a driver of a name server is.

The domains that it is told of are the cloud's alone: addresses in them that the cloud does not want are removed.
Errors are ``DriverError`` with one sentence; what the operator has to mend before start is ``ConfigurationError``.
"""

import abc
from collections.abc import Mapping
from typing import Any


class DnsDriver(abc.ABC):
    """Keeps names and their addresses where resolvers find them."""

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "DnsDriver":
        """Build the driver from the daemon's flags; touches nothing yet."""

    @abc.abstractmethod
    def start(self) -> None:
        """Check what the flags say; raises ConfigurationError. A server that is away is no mistake of theirs."""

    @abc.abstractmethod
    def entries(self, domain: str) -> Mapping[str, str] | None:
        """Return the addresses by name in a domain, None where there is no such domain; raises DriverError."""

    @abc.abstractmethod
    def create_domain(self, domain: str) -> None:
        """Make a domain; one that is there is left alone. Raises DriverError."""

    @abc.abstractmethod
    def delete_domain(self, domain: str) -> None:
        """Remove a domain with all that is in it; absent ones are not an error. Raises DriverError."""

    @abc.abstractmethod
    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Give names of a domain these addresses, and remove others, for good or not at all; raises DriverError."""
