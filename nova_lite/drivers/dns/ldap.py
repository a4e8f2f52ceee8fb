"""Names in an LDAP directory, in the form that name servers with an LDAP backend read (PowerDNS, for one).

A domain is an entry ``dc=<domain>`` below ``ldap_dns_base_dn`` with the record that begins its zone, a name an entry
``dc=<name>`` below that; both are of Debian's cosine schema (RFC 4524) and of RFC 2247.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.dns.base import DnsDriver

_CLASSES = ["domainRelatedObject", "dNSDomain", "domain", "dcObject", "top"]
_SECONDS = 10
_ABSENT = 32
_PRESENT = 68


class LdapDns(DnsDriver):
    """Keeps names in a directory; a connection is made for each piece of work."""

    def __init__(self, url: str, user: str, password: str, base_dn: str, soa: "Soa") -> None:
        self._server = (url, user, password)
        self._base_dn = base_dn
        self._soa = soa

    @classmethod
    def from_flags(cls, conf: Any) -> "LdapDns":
        """Build the driver from the daemon's flags; raises ConfigurationError."""
        if not conf.ldap_dns_servers:
            raise ConfigurationError("The flag --ldap_dns_servers needs at least one name server.")
        return cls(
            conf.ldap_dns_url, conf.ldap_dns_user, conf.ldap_dns_password, conf.ldap_dns_base_dn, Soa(conf)
        )

    def start(self) -> None:
        """Check the URL and the names of entries; raises ConfigurationError."""
        try:
            ldap3.Server(self._server[0], connect_timeout=_SECONDS)
            for name in (self._server[1], self._base_dn):
                ldap3.utils.dn.parse_dn(name)
        except LDAPException as error:
            raise ConfigurationError(f"The flags ldap_dns_… do not fit: {error}.") from error

    def entries(self, domain: str) -> Mapping[str, str] | None:
        """Return the entries below a domain's."""
        with self._connected() as connection:
            query = f"(associatedDomain={escape_filter_chars(domain)})"
            if not self._found(connection, self._base_dn, query, ldap3.LEVEL):
                return None
            found = self._found(connection, self._dn(domain), "(aRecord=*)", ldap3.LEVEL)
            return {_first(entry["dc"]): _first(entry["aRecord"]) for entry in found}

    def create_domain(self, domain: str) -> None:
        """Add a domain's entry."""
        attributes = {"sOARecord": self._soa.record(), "associatedDomain": domain, "dc": domain}
        with self._connected() as connection:
            connection.add(self._dn(domain), _CLASSES, attributes)
            _check(connection, allowed=_PRESENT)

    def delete_domain(self, domain: str) -> None:
        """Remove a domain's entry with those below it."""
        with self._connected() as connection:
            for name in self.entries(domain) or {}:
                connection.delete(self._dn(name, domain))
                _check(connection, allowed=_ABSENT)
            connection.delete(self._dn(domain))
            _check(connection, allowed=_ABSENT)

    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Add, change and remove entries below a domain's."""
        with self._connected() as connection:
            for name in sorted(unwanted):
                connection.delete(self._dn(name, domain))
                _check(connection, allowed=_ABSENT)
            for name, address in sorted(wanted.items()):
                attributes = {"aRecord": address, "associatedDomain": f"{name}.{domain}", "dc": name}
                connection.add(self._dn(name, domain), _CLASSES, attributes)
                if connection.result["result"] == _PRESENT:
                    changes = {"aRecord": [(ldap3.MODIFY_REPLACE, [address])]}
                    connection.modify(self._dn(name, domain), changes)
                _check(connection)
            # Whoever copies the zone looks at its number for news.
            changes = {"sOARecord": [(ldap3.MODIFY_REPLACE, [self._soa.record()])]}
            connection.modify(self._dn(domain), changes)
            _check(connection)

    @contextmanager
    def _connected(self) -> Iterator[ldap3.Connection]:
        url, user, password = self._server
        try:
            server = ldap3.Server(url, connect_timeout=_SECONDS)
            with ldap3.Connection(server, user, password, receive_timeout=_SECONDS) as connection:
                if not connection.bound:
                    raise DriverError(f"the directory {url} does not let {user} in.")
                yield connection
        except LDAPException as error:
            raise DriverError(f"cannot speak to the directory {url}: {error}.") from error

    def _found(
        self, connection: ldap3.Connection, base: str, query: str, scope: str
    ) -> list[Mapping[str, Any]]:
        paged = connection.extend.standard.paged_search(
            base, query, scope, attributes=["dc", "aRecord"], paged_size=500, generator=True
        )
        return [entry["attributes"] for entry in paged if entry["type"] == "searchResEntry"]

    def _dn(self, *names: str) -> str:
        return ",".join([*(f"dc={escape_rdn(name)}" for name in names), self._base_dn])


class Soa:
    """The record that begins a zone (RFC 1035, section 3.3.13), as the flags say."""

    def __init__(self, conf: Any) -> None:
        self._before = f"{conf.ldap_dns_servers[0]} {conf.ldap_dns_soa_hostmaster}"
        self._after = (
            f"{conf.ldap_dns_soa_refresh} {conf.ldap_dns_soa_retry} {conf.ldap_dns_soa_expiry}"
            f" {conf.ldap_dns_soa_minimum}"
        )

    def record(self) -> str:
        """Return the record with a number that grows."""
        return f"{self._before} {int(time.time())} {self._after}"


def _check(connection: ldap3.Connection, *, allowed: int = 0) -> None:
    result = connection.result
    if result["result"] not in (0, allowed):
        raise DriverError(f"the directory refuses: {result['description']} {result['message']}".strip() + ".")


def _first(value: Any) -> str:
    """Return the value of an attribute, which is a list where the schema lets it have several."""
    return str(value[0] if isinstance(value, list) else value)
