"""Groups of users."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity import users
from nova_lite.api.openstack.identity.bodies import extra_of, home_domain, text
from nova_lite.api.openstack.identity.paging import listed, page
from nova_lite.core.identity import Changes, Group

_KNOWN = frozenset({"name", "description", "domain_id"})


def create(call: Call) -> Reply:
    """Create a group, in the caller's domain unless the body says otherwise."""
    body = call.body["group"]
    new = Group(
        id="",
        name=body["name"],
        domain_id=body.get("domain_id") or home_domain(call),
        description=body.get("description") or "",
        extra=extra_of(body, _KNOWN),
    )
    return Reply({"group": _render(call, call.cloud.identity.create_group(call.context, new))})


def listing(call: Call) -> Reply:
    """List groups."""
    part = page(call, "name", "domain_id")
    found = call.cloud.identity.list_groups(call.context, part)
    return listed(call, "groups", [_render(call, group) for group in found], part)


def listing_of_user(call: Call) -> Reply:
    """List the groups that a user is in."""
    found = call.cloud.identity.list_groups_of_user(call.context, call.params["user_id"])
    return listed(call, "groups", [_render(call, group) for group in found])


def show(call: Call) -> Reply:
    """Show a group."""
    group = call.cloud.identity.get_group(call.context, call.params["group_id"])
    return Reply({"group": _render(call, group)})


def update(call: Call) -> Reply:
    """Change a group."""
    body = call.body["group"]
    changes = Changes(
        name=body.get("name"),
        description=text(body, "description"),
        domain_id=body.get("domain_id"),
        extra=extra_of(body, _KNOWN),
    )
    group = call.cloud.identity.update_group(call.context, call.params["group_id"], changes)
    return Reply({"group": _render(call, group)})


def delete(call: Call) -> Reply:
    """Delete a group."""
    call.cloud.identity.delete_group(call.context, call.params["group_id"])
    return Reply()


def list_members(call: Call) -> Reply:
    """List the users in a group."""
    found = call.cloud.identity.list_members(call.context, call.params["group_id"])
    return listed(call, "users", [users.render(call, user) for user in found])


def add_member(call: Call) -> Reply:
    """Put a user into a group."""
    call.cloud.identity.add_member(call.context, call.params["group_id"], call.params["user_id"])
    return Reply()


def check_member(call: Call) -> Reply:
    """Tell, by the status alone, whether a user is in a group."""
    call.cloud.identity.check_member(call.context, call.params["group_id"], call.params["user_id"])
    return Reply()


def remove_member(call: Call) -> Reply:
    """Take a user out of a group."""
    call.cloud.identity.remove_member(call.context, call.params["group_id"], call.params["user_id"])
    return Reply()


def _render(call: Call, group: Group) -> Json:
    return {
        **group.extra,
        "id": group.id,
        "name": group.name,
        "domain_id": group.domain_id,
        "description": group.description,
        "links": {"self": call.url(f"/v3/groups/{group.id}")},
    }
