"""Domains and names that operators and users keep: those of floating addresses, above all."""

import contextlib
import ipaddress
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.dns import DnsDomain, DnsEntry, DnsScope, is_name
from nova_lite.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from nova_lite.db import dns, floating_ips
from nova_lite.db.engine import Database
from nova_lite.rpc.network import NetworkProxy

_ATTEMPTS = 3


class Dns:
    """The operations on names; nova-network tells the name servers, ``instance_domain`` is what it fills by itself."""

    def __init__(self, database: Database, network: NetworkProxy, *, instance_domain: str) -> None:
        self._database = database
        self._network = network
        self._instance_domain = instance_domain

    def domains(self, context: RequestContext) -> Sequence[DnsDomain]:
        """Return the domains that the caller's project may use."""
        return self._database.read("dns.domains", lambda session: _visible(session, context))

    def create_domain(self, context: RequestContext, domain: DnsDomain) -> DnsDomain:
        """Let a domain be used; raises InvalidInput for a bad name, Conflict for one that is there."""
        if not is_name(domain.name):
            raise InvalidInput(f"'{domain.name}' is no domain name.")
        self._database.run("dns.create_domain", lambda session: dns.insert_domain(session, domain))
        self._ring(context)
        return domain

    def delete_domain(self, context: RequestContext, name: str) -> None:
        """Remove a domain with the names in it; raises NotFound."""

        def work(session: Session) -> None:
            if not dns.delete_domain(session, name):
                raise NotFound(f"Domain {name} could not be found.")

        self._database.run("dns.delete_domain", work)
        self._ring(context)

    def entries(
        self, context: RequestContext, domain: str, *, name: str = "", address: str = ""
    ) -> Sequence[DnsEntry]:
        """Return the names in a domain, or those of a name or an address; raises NotFound without the domain."""

        def work(session: Session) -> Sequence[DnsEntry]:
            _domain(session, context, domain)
            return dns.entries(session, domain, name=name, address=address)

        return self._database.read("dns.entries", work)

    def set_entry(self, context: RequestContext, entry: DnsEntry) -> DnsEntry:
        """Give a name an address, whether it had one or not.

        Raises InvalidInput, NotFound without the domain or for an address that the caller's project has not, and
        Forbidden for what is not the caller's to name.
        """
        self._check(entry)

        def work(session: Session) -> None:
            _require_free(session, context, entry.domain, entry.name)
            if not context.is_admin and floating_ips.get(session, entry.address, context.project_id) is None:
                raise NotFound(f"Floating IP {entry.address} could not be found.")
            dns.set_entry(session, entry)

        for attempt in range(_ATTEMPTS):
            with contextlib.suppress(Conflict) if attempt < _ATTEMPTS - 1 else contextlib.nullcontext():
                self._database.run("dns.set_entry", work)
                break
        self._ring(context)
        return entry

    def delete_entry(self, context: RequestContext, domain: str, name: str) -> None:
        """Remove a name; raises NotFound, and Forbidden for what is not the caller's to name."""

        def work(session: Session) -> None:
            _require_free(session, context, domain, name)
            if not dns.delete_entry(session, domain, name):
                raise NotFound(f"There is no name {name} in {domain}.")

        self._database.run("dns.delete_entry", work)
        self._ring(context)

    def _check(self, entry: DnsEntry) -> None:
        if entry.domain == self._instance_domain:
            raise InvalidInput(f"The names in {entry.domain} are those of instances.")
        if not is_name(entry.name) or len(f"{entry.name}.{entry.domain}") > 253:
            raise InvalidInput(f"'{entry.name}' is no name for {entry.domain}.")
        try:
            ipaddress.IPv4Address(entry.address)
        except ValueError as error:
            raise InvalidInput(f"'{entry.address}' is no IPv4 address.") from error

    def _ring(self, context: RequestContext) -> None:
        """Have nova-network look; one that is away does it when it is back."""
        with contextlib.suppress(Unavailable):
            self._network.refresh_names(context)


def _visible(session: Session, context: RequestContext) -> list[DnsDomain]:
    return [
        domain
        for domain in dns.domains(session)
        if context.is_admin or domain.project_id in ("", context.project_id)
    ]


def _domain(session: Session, context: RequestContext, name: str) -> DnsDomain:
    found = next((one for one in _visible(session, context) if one.name == name), None)
    if found is None:
        raise NotFound(f"Domain {name} could not be found.")
    return found


def _require_free(session: Session, context: RequestContext, domain: str, name: str) -> None:
    """Raise NotFound without the domain, Forbidden for a private one or a name of another project's address."""
    found = _domain(session, context, domain)
    if context.is_admin:
        return
    if found.scope is DnsScope.PRIVATE:
        raise Forbidden(f"Only operators may change names in {domain}, which is private.")
    for entry in dns.entries(session, domain, name=name):
        if floating_ips.get(session, entry.address, context.project_id) is None:
            raise Forbidden(f"The name {name} in {domain} is another project's.")
