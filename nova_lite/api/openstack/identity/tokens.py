"""Tokens: logging in, looking at a token, ending it; and what the caller may log in to."""

import datetime

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity import domains, projects, proofs, services
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core import clock
from nova_lite.core.errors import Forbidden, NotFound
from nova_lite.core.identity import IssuedToken, Reference, ScopeKind, TokenInfo

_SUBJECT = "X-Subject-Token"
_KNOWS_RULES = "OpenStack-Identity-Access-Rules"


def create(call: Call) -> Reply:
    """Log in."""
    auth = call.body["auth"]
    return issued(call, call.cloud.identity.authenticate(proofs.proofs(auth["identity"]), proofs.scope(auth)))


def issued(call: Call, token: IssuedToken) -> Reply:
    """Hand a new token out."""
    return Reply(_body(call, token.info), headers={_SUBJECT: token.secret})


def show(call: Call) -> Reply:
    """Tell what a token says."""
    secret = _subject(call)
    info = call.cloud.identity.inspect(call.context, secret)
    if info.access_rules is not None and not call.request.headers.get(_KNOWS_RULES):
        # Whoever asks would let the token do everything: it does not say that it keeps to such rules.
        raise NotFound("Could not find token: it is bound by access rules.")
    return Reply(_body(call, info), headers={_SUBJECT: secret})


def revoke(call: Call) -> Reply:
    """End a token."""
    call.cloud.identity.revoke(call.context, _subject(call))
    return Reply()


def catalog(call: Call) -> Reply:
    """Return the catalog as the caller's token has it."""
    context = call.context
    if not (context.project_id or context.domain_id or context.system_scope):
        raise Forbidden("The token has no scope, so there is no catalog for it.")
    entries = services.catalog(call, context.project_id)
    return Reply({"catalog": entries, "links": {"self": call.url("/v3/auth/catalog")}})


def list_projects(call: Call) -> Reply:
    """List the projects to which the caller can scope a token."""
    found = call.cloud.identity.list_projects_of_user(call.context, call.context.user_id)
    return listed(call, "projects", [projects.render(call, project) for project in found])


def list_domains(call: Call) -> Reply:
    """List the domains to which the caller can scope a token."""
    found = call.cloud.identity.list_domains_of_user(call.context, call.context.user_id)
    return listed(call, "domains", [domains.render(call, domain) for domain in found])


def list_systems(call: Call) -> Reply:
    """Tell whether the caller can scope a token to the system."""
    yes = call.cloud.identity.has_system_role(call.context, call.context.user_id)
    return listed(call, "system", [{"all": True}] if yes else [])


def _subject(call: Call) -> str:
    """Return the token that the request is about; raises NotFound when it names none."""
    secret: str = call.request.headers.get(_SUBJECT, "")
    if not secret:
        raise NotFound("Could not find token.")
    return secret


def _body(call: Call, info: TokenInfo) -> Json:
    token: Json = {
        "methods": list(info.methods),
        "user": {**_reference(info.user), "password_expires_at": expiry(call, info.password_set_at)},
        "audit_ids": list(info.audit_ids),
        "expires_at": clock.iso8601_micro(info.expires_at),
        "issued_at": clock.iso8601_micro(info.issued_at),
    }
    if info.scope.kind is ScopeKind.PROJECT and info.target is not None:
        token["project"] = _reference(info.target)
        token["is_domain"] = False
    elif info.scope.kind is ScopeKind.DOMAIN and info.target is not None:
        token["domain"] = {"id": info.target.id, "name": info.target.name}
    elif info.scope.kind is ScopeKind.SYSTEM:
        token["system"] = {"all": True}
    if info.scope.kind is not ScopeKind.UNSCOPED:
        token["roles"] = [{"id": role.id, "name": role.name} for role in info.roles]
        if "nocatalog" not in call.request.GET:
            project_id = info.scope.id if info.scope.kind is ScopeKind.PROJECT else ""
            token["catalog"] = services.catalog(call, project_id)
    if info.application_credential is not None:
        token["application_credential"] = _credential(info.application_credential, info)
    return {"token": token}


def _credential(credential: Reference, info: TokenInfo) -> Json:
    shown: Json = {"id": credential.id, "name": credential.name, "restricted": info.restricted}
    if info.access_rules:
        shown["access_rules"] = [rule.document() for rule in info.access_rules]
    return shown


def expiry(call: Call, set_at: datetime.datetime | None) -> str | None:
    """Return until when a password can be used, as clients see it."""
    until = call.cloud.identity.password_expires_at(set_at)
    return None if until is None else clock.iso8601_micro(until)


def _reference(reference: Reference) -> Json:
    return {
        "id": reference.id,
        "name": reference.name,
        "domain": {"id": reference.domain_id, "name": reference.domain_name},
    }
