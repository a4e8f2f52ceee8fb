"""Names of floating addresses in the compute API: domains, and the entries in them."""

import ipaddress
import urllib.parse

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.dns import DnsDomain, DnsEntry, DnsScope
from nova_lite.core.errors import InvalidInput, NotFound


def domains(call: Call) -> Reply:
    """List the domains that may be used."""
    found = call.cloud.dns.domains(call.context)
    return Reply({"domain_entries": [_domain_view(domain) for domain in found]})


def create_domain(call: Call) -> Reply:
    """Let a domain be used, by the instances of a zone or by a project."""
    wanted = call.body["domain_entry"]
    scope = DnsScope(wanted["scope"])
    project, zone = wanted.get("project") or "", wanted.get("availability_zone") or ""
    if (scope is DnsScope.PRIVATE and project) or (scope is DnsScope.PUBLIC and zone):
        raise InvalidInput("A private domain may be of an availability_zone, a public one of a project.")
    domain = DnsDomain(_name(call, "domain"), scope, zone, project)
    return Reply({"domain_entry": _domain_view(call.cloud.dns.create_domain(call.context, domain))})


def delete_domain(call: Call) -> Reply:
    """Remove a domain with its entries."""
    call.cloud.dns.delete_domain(call.context, _name(call, "domain"))
    return Reply()


def entries(call: Call) -> Reply:
    """List the entries of a domain, or those of an address."""
    address = call.query("ip") or ""
    found = call.cloud.dns.entries(call.context, _name(call, "domain"), address=address)
    return Reply({"dns_entries": [_entry_view(entry) for entry in found]})


def show_entry(call: Call) -> Reply:
    """Show the entry of a name, or list those of an address."""
    domain, name = _name(call, "domain"), _name(call, "name")
    if _is_address(name):
        found = call.cloud.dns.entries(call.context, domain, address=name)
        body: Json = {"dns_entries": [_entry_view(entry) for entry in found]}
    else:
        found = call.cloud.dns.entries(call.context, domain, name=name)
        body = {"dns_entry": _entry_view(found[0])} if found else {}
    if not found:
        raise NotFound(f"There is no entry {name} in {domain}.")
    return Reply(body)


def set_entry(call: Call) -> Reply:
    """Give a name an address, or another one."""
    entry = DnsEntry(_name(call, "domain"), _name(call, "name"), call.body["dns_entry"]["ip"])
    return Reply({"dns_entry": _entry_view(call.cloud.dns.set_entry(call.context, entry))})


def delete_entry(call: Call) -> Reply:
    """Remove a name."""
    call.cloud.dns.delete_entry(call.context, _name(call, "domain"), _name(call, "name"))
    return Reply()


def _name(call: Call, variable: str) -> str:
    """Return a name of the path; old clients escape its dots twice."""
    return urllib.parse.unquote(call.params[variable]).lower().rstrip(".")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _domain_view(domain: DnsDomain) -> Json:
    return {
        "domain": domain.name,
        "scope": domain.scope.value,
        "project": domain.project_id or None,
        "availability_zone": domain.availability_zone or None,
    }


def _entry_view(entry: DnsEntry) -> Json:
    return {"domain": entry.domain, "name": entry.name, "ip": entry.address, "type": "A", "id": None}
