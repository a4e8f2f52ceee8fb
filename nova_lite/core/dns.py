"""Names of the cloud's in the domain name system: domains, and the entries in them."""

import dataclasses
import enum
import re
from collections.abc import Mapping

Zones = Mapping[str, Mapping[str, str]]
"""The address of each name, by domain."""

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")


class DnsScope(enum.StrEnum):
    """Whom a domain is for: the guests of an availability zone, or a project's addresses in the world."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclasses.dataclass(frozen=True, slots=True)
class DnsDomain:
    """A domain that an operator lets be used; a private one may be of one zone, a public one of one project."""

    name: str
    scope: DnsScope
    availability_zone: str = ""
    project_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class DnsEntry:
    """A name in a domain and its IPv4 address (a record of type A)."""

    domain: str
    name: str
    address: str


def is_name(text: str) -> bool:
    """Tell whether a text, in lower case, may be a name or a domain (RFC 1035, section 2.3.1)."""
    return len(text) <= 253 and _DOMAIN.fullmatch(text) is not None


def label_of(display_name: str) -> str:
    """Return the name that a server has by what its user calls it; empty where nothing is left of that."""
    return _NOT_IN_NAMES.sub("-", display_name.lower()).strip("-")[:63].rstrip("-")
