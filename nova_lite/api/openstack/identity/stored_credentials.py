"""Secrets of any kind that users have identity keep, and the access rules of application credentials."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core.access_rules import AccessRule
from nova_lite.core.credentials import StoredCredential


def create(call: Call) -> Reply:
    """Keep a secret of the caller, or as an admin of anybody."""
    body = call.body["credential"]
    wanted = StoredCredential(
        id="",
        user_id=body.get("user_id") or call.context.user_id,
        project_id=body.get("project_id") or "",
        type=body["type"],
        blob=body["blob"],
    )
    return Reply({"credential": _view(call, call.cloud.identity.create_credential(call.context, wanted))})


def listing(call: Call) -> Reply:
    """List secrets."""
    found = call.cloud.identity.list_credentials(call.context, call.query("user_id"), call.query("type"))
    return listed(call, "credentials", [_view(call, one) for one in found])


def show(call: Call) -> Reply:
    """Show a secret."""
    found = call.cloud.identity.get_credential(call.context, call.params["credential_id"])
    return Reply({"credential": _view(call, found)})


def update(call: Call) -> Reply:
    """Change a secret."""
    body = call.body["credential"]
    names = ("user_id", "project_id", "type", "blob")
    changes = {name: body[name] or "" for name in names if name in body}
    changed = call.cloud.identity.update_credential(call.context, call.params["credential_id"], changes)
    return Reply({"credential": _view(call, changed)})


def delete(call: Call) -> Reply:
    """Forget a secret."""
    call.cloud.identity.delete_credential(call.context, call.params["credential_id"])
    return Reply()


def list_access_rules(call: Call) -> Reply:
    """List a user's access rules."""
    user_id = call.params["user_id"]
    found = call.cloud.identity.list_access_rules(call.context, user_id)
    return listed(call, "access_rules", [_rule(call, user_id, rule) for rule in found])


def show_access_rule(call: Call) -> Reply:
    """Show an access rule."""
    user_id = call.params["user_id"]
    found = call.cloud.identity.get_access_rule(call.context, user_id, call.params["rule_id"])
    return Reply({"access_rule": _rule(call, user_id, found)})


def delete_access_rule(call: Call) -> Reply:
    """Remove an access rule."""
    call.cloud.identity.delete_access_rule(call.context, call.params["user_id"], call.params["rule_id"])
    return Reply()


def _view(call: Call, credential: StoredCredential) -> Json:
    return {
        "id": credential.id,
        "user_id": credential.user_id,
        "project_id": credential.project_id or None,
        "type": credential.type,
        "blob": credential.blob,
        "links": {"self": call.url(f"/v3/credentials/{credential.id}")},
    }


def _rule(call: Call, user_id: str, rule: AccessRule) -> Json:
    return rule.document() | {"links": {"self": call.url(f"/v3/users/{user_id}/access_rules/{rule.id}")}}
