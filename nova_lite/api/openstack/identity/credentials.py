"""Application credentials and EC2 credentials."""

import datetime

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core import clock
from nova_lite.core.access_rules import AccessRule
from nova_lite.core.credentials import ApplicationCredential, Ec2Credential
from nova_lite.core.errors import InvalidInput
from nova_lite.core.identity import Named
from nova_lite.operations.identity_credentials import NewApplicationCredential


def create_application_credential(call: Call) -> Reply:
    """Make an application credential; null and an empty list mean what is absent means."""
    body = call.body["application_credential"]
    new = NewApplicationCredential(
        name=body["name"],
        secret=body.get("secret") or "",
        description=body.get("description") or "",
        roles=tuple(
            Named(id=role.get("id", ""), name=role.get("name", "")) for role in body.get("roles") or ()
        ),
        expires_at=_moment(body.get("expires_at")),
        unrestricted=bool(body.get("unrestricted")),
        access_rules=tuple(_rule(rule) for rule in body["access_rules"]) if body.get("access_rules") else None,
    )
    made = call.cloud.identity.create_application_credential(call.context, call.params["user_id"], new)
    return Reply({"application_credential": _application(call, made.credential) | {"secret": made.secret}})


def list_application_credentials(call: Call) -> Reply:
    """List a user's application credentials."""
    found = call.cloud.identity.list_application_credentials(
        call.context, call.params["user_id"], call.query("name")
    )
    return listed(call, "application_credentials", [_application(call, credential) for credential in found])


def show_application_credential(call: Call) -> Reply:
    """Show an application credential."""
    found = call.cloud.identity.get_application_credential(
        call.context, call.params["user_id"], call.params["credential_id"]
    )
    return Reply({"application_credential": _application(call, found)})


def delete_application_credential(call: Call) -> Reply:
    """Remove an application credential."""
    call.cloud.identity.delete_application_credential(
        call.context, call.params["user_id"], call.params["credential_id"]
    )
    return Reply()


def create_ec2_credential(call: Call) -> Reply:
    """Make an access key and its secret key."""
    made = call.cloud.identity.create_ec2_credential(
        call.context, call.params["user_id"], call.body["tenant_id"]
    )
    return Reply({"credential": _ec2(call, made)})


def list_ec2_credentials(call: Call) -> Reply:
    """List a user's keys."""
    found = call.cloud.identity.list_ec2_credentials(call.context, call.params["user_id"])
    return listed(call, "credentials", [_ec2(call, credential) for credential in found])


def show_ec2_credential(call: Call) -> Reply:
    """Show a user's keys."""
    found = call.cloud.identity.get_ec2_credential(
        call.context, call.params["user_id"], call.params["access"]
    )
    return Reply({"credential": _ec2(call, found)})


def delete_ec2_credential(call: Call) -> Reply:
    """Remove a user's keys."""
    call.cloud.identity.delete_ec2_credential(call.context, call.params["user_id"], call.params["access"])
    return Reply()


def _moment(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("expires_at is not an ISO 8601 date and time.") from error
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _rule(document: Json) -> AccessRule:
    return AccessRule(*(document.get(name, "") for name in ("id", "service", "method", "path")))


def _application(call: Call, credential: ApplicationCredential) -> Json:
    known = call.cloud.identity.role_graph(call.context).roles
    path = f"/v3/users/{credential.user_id}/application_credentials/{credential.id}"
    return {
        "id": credential.id,
        "name": credential.name,
        "description": credential.description or None,
        "project_id": credential.project_id,
        "user_id": credential.user_id,
        "roles": [
            {"id": role_id, "name": known[role_id].name, "domain_id": None}
            for role_id in credential.role_ids
            if role_id in known
        ],
        "expires_at": None if credential.expires_at is None else clock.iso8601_micro(credential.expires_at),
        "unrestricted": credential.unrestricted,
        "access_rules": [rule.document() for rule in credential.access_rules or ()],
        "system": None,
        "links": {"self": call.url(path)},
    }


def _ec2(call: Call, credential: Ec2Credential) -> Json:
    path = f"/v3/users/{credential.user_id}/credentials/OS-EC2/{credential.access}"
    return {
        "access": credential.access,
        "secret": credential.secret,
        "user_id": credential.user_id,
        "tenant_id": credential.project_id,
        "trust_id": None,
        "links": {"self": call.url(path)},
    }
