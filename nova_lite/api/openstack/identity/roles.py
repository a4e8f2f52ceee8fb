"""Roles."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.bodies import extra_of, text
from nova_lite.api.openstack.identity.paging import listed, page
from nova_lite.core.identity import Changes, Role

_KNOWN = frozenset({"name", "description", "domain_id"})


def create(call: Call) -> Reply:
    """Create a role."""
    body = call.body["role"]
    new = Role(
        id="",
        name=body["name"],
        description=body.get("description") or "",
        extra=extra_of(body, _KNOWN),
    )
    return Reply({"role": render(call, call.cloud.identity.create_role(call.context, new))})


def listing(call: Call) -> Reply:
    """List roles; none belongs to a domain."""
    part = page(call, "name")
    found = [] if call.query("domain_id") else call.cloud.identity.list_roles(call.context, part)
    return listed(call, "roles", [render(call, role) for role in found], part)


def show(call: Call) -> Reply:
    """Show a role."""
    role = call.cloud.identity.get_role(call.context, call.params["role_id"])
    return Reply({"role": render(call, role)})


def update(call: Call) -> Reply:
    """Change a role."""
    body = call.body["role"]
    changes = Changes(
        name=body.get("name"), description=text(body, "description"), extra=extra_of(body, _KNOWN)
    )
    role = call.cloud.identity.update_role(call.context, call.params["role_id"], changes)
    return Reply({"role": render(call, role)})


def delete(call: Call) -> Reply:
    """Delete a role."""
    call.cloud.identity.delete_role(call.context, call.params["role_id"])
    return Reply()


def render(call: Call, role: Role) -> Json:
    """Return a role as clients see it."""
    options = {**role.extra.get("options", {}), **({"immutable": True} if role.immutable else {})}
    return {
        **role.extra,
        "options": options,
        "id": role.id,
        "name": role.name,
        "domain_id": None,
        "description": role.description,
        "links": {"self": call.url(f"/v3/roles/{role.id}")},
    }
