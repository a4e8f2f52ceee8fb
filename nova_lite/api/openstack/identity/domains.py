"""Domains."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.bodies import extra_of, text
from nova_lite.api.openstack.identity.paging import listed, page
from nova_lite.core.identity import Changes, Domain

_KNOWN = frozenset({"name", "description", "enabled"})


def create(call: Call) -> Reply:
    """Create a domain."""
    body = call.body["domain"]
    new = Domain(
        id="",
        name=body["name"],
        description=body.get("description") or "",
        enabled=body.get("enabled", True),
        extra=extra_of(body, _KNOWN),
    )
    return Reply({"domain": render(call, call.cloud.identity.create_domain(call.context, new))})


def listing(call: Call) -> Reply:
    """List domains."""
    part = page(call, "name", "enabled")
    found = call.cloud.identity.list_domains(call.context, part)
    return listed(call, "domains", [render(call, domain) for domain in found], part)


def show(call: Call) -> Reply:
    """Show a domain."""
    domain = call.cloud.identity.get_domain(call.context, call.params["domain_id"])
    return Reply({"domain": render(call, domain)})


def update(call: Call) -> Reply:
    """Change a domain."""
    body = call.body["domain"]
    changes = Changes(
        name=body.get("name"),
        description=text(body, "description"),
        enabled=body.get("enabled"),
        extra=extra_of(body, _KNOWN),
    )
    domain = call.cloud.identity.update_domain(call.context, call.params["domain_id"], changes)
    return Reply({"domain": render(call, domain)})


def delete(call: Call) -> Reply:
    """Delete a domain with all in it."""
    call.cloud.identity.delete_domain(call.context, call.params["domain_id"])
    return Reply()


def render(call: Call, domain: Domain) -> Json:
    """Return a domain as clients see it."""
    return {
        "tags": [],
        "options": {},
        **domain.extra,
        "id": domain.id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.enabled,
        "links": {"self": call.url(f"/v3/domains/{domain.id}")},
    }
