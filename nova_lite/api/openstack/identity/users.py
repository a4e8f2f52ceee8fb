"""Users."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.bodies import extra_of, home_domain, text
from nova_lite.api.openstack.identity.paging import listed, page
from nova_lite.api.openstack.identity.tokens import expiry
from nova_lite.core.identity import Changes, NewUser, User

_KNOWN = frozenset(
    {"name", "password", "description", "enabled", "domain_id", "default_project_id", "password_expires_at"}
)


def create(call: Call) -> Reply:
    """Create a user, in the caller's domain unless the body says otherwise."""
    body = call.body["user"]
    new = NewUser(
        name=body["name"],
        password=body.get("password") or "",
        domain_id=body.get("domain_id") or home_domain(call),
        default_project_id=body.get("default_project_id") or "",
        description=body.get("description") or "",
        enabled=body.get("enabled", True),
        extra=extra_of(body, _KNOWN),
    )
    return Reply({"user": render(call, call.cloud.identity.create_user(call.context, new))})


def listing(call: Call) -> Reply:
    """List users."""
    part = page(call, "name", "domain_id", "enabled")
    found = call.cloud.identity.list_users(call.context, part)
    return listed(call, "users", [render(call, user) for user in found], part)


def show(call: Call) -> Reply:
    """Show a user."""
    user = call.cloud.identity.get_user(call.context, call.params["user_id"])
    return Reply({"user": render(call, user)})


def update(call: Call) -> Reply:
    """Change a user."""
    body = call.body["user"]
    changes = Changes(
        name=body.get("name"),
        description=text(body, "description"),
        enabled=body.get("enabled"),
        domain_id=body.get("domain_id"),
        default_project_id=text(body, "default_project_id"),
        password=body.get("password"),
        extra=extra_of(body, _KNOWN),
    )
    user = call.cloud.identity.update_user(call.context, call.params["user_id"], changes)
    return Reply({"user": render(call, user)})


def change_password(call: Call) -> Reply:
    """Change a password with the old one."""
    body = call.body["user"]
    call.cloud.identity.change_password(call.params["user_id"], body["original_password"], body["password"])
    return Reply()


def delete(call: Call) -> Reply:
    """Delete a user."""
    call.cloud.identity.delete_user(call.context, call.params["user_id"])
    return Reply()


def render(call: Call, user: User) -> Json:
    """Return a user as clients see it."""
    shown: Json = {
        "options": {},
        **user.extra,
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "description": user.description,
        "enabled": user.enabled,
        "password_expires_at": expiry(call, user.password_set_at),
        "links": {"self": call.url(f"/v3/users/{user.id}")},
    }
    if user.default_project_id:
        shown["default_project_id"] = user.default_project_id
    return shown
