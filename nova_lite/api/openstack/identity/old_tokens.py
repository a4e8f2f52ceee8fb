"""Logging in as clients did before version 3: the version 2.0 API, and version 1's headers."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity import services
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput, Unauthenticated
from nova_lite.core.identity import (
    DEFAULT_DOMAIN,
    IssuedToken,
    Named,
    PasswordProof,
    Project,
    Proof,
    ScopeKind,
    ScopeRequest,
    TokenInfo,
    TokenProof,
)


def version(call: Call) -> Reply:
    """Describe version 2.0."""
    link = {"rel": "self", "href": call.url("/v2.0/")}
    media = {"base": "application/json", "type": "application/vnd.openstack.identity-v2.0+json"}
    shown: Json = {
        "id": "v2.0",
        "status": "deprecated",
        "updated": "2016-08-04T00:00:00Z",
        "links": [link],
        "media-types": [media],
    }
    return Reply({"version": shown})


def create(call: Call) -> Reply:
    """Log in with version 2.0."""
    auth = call.body["auth"]
    issued = call.cloud.identity.authenticate((_proof(auth),), _scope(auth))
    return Reply({"access": _access(call, issued)})


def tenants(call: Call) -> Reply:
    """List the projects that the caller can log in to."""
    found = call.cloud.identity.list_projects_of_user(call.context, call.context.user_id)
    return Reply({"tenants": [_tenant(project) for project in found], "tenants_links": []})


def log_in_by_headers(call: Call) -> Reply:
    """Log in with version 1: a user and its key in headers, for its project of the same name or its default."""
    headers = call.request.headers
    user, key = headers.get("X-Auth-User", ""), headers.get("X-Auth-Key", "")
    if not user or not key:
        raise Unauthenticated()
    proof = PasswordProof(Named(name=user, domain_id=DEFAULT_DOMAIN), key)
    project = headers.get("X-Auth-Project-Id", "")
    issued = call.cloud.identity.authenticate((proof,), _project(name=project) if project else None)
    if issued.info.scope.kind is ScopeKind.UNSCOPED:
        issued = call.cloud.identity.authenticate((proof,), _project(name=user))
    answer = {"X-Auth-Token": issued.secret}
    for entry in services.catalog(call, issued.info.scope.id):
        if entry["type"] == "compute":
            answer["X-Server-Management-Url"] = entry["endpoints"][0]["url"]
    return Reply(headers=answer)


def _proof(auth: Json) -> Proof:
    if "token" in auth:
        return TokenProof(auth["token"]["id"])
    given = auth.get("passwordCredentials")
    if given is None:
        raise InvalidInput("Expecting to find passwordCredentials or token in auth.")
    if "userId" in given:
        return PasswordProof(Named(id=given["userId"]), given["password"])
    if "username" not in given:
        raise InvalidInput("Expecting to find username or userId in passwordCredentials.")
    return PasswordProof(Named(name=given["username"], domain_id=DEFAULT_DOMAIN), given["password"])


def _scope(auth: Json) -> ScopeRequest | None:
    if auth.get("tenantId"):
        return ScopeRequest(ScopeKind.PROJECT, Named(id=auth["tenantId"]))
    return _project(name=auth["tenantName"]) if auth.get("tenantName") else None


def _project(*, name: str) -> ScopeRequest:
    return ScopeRequest(ScopeKind.PROJECT, Named(name=name, domain_id=DEFAULT_DOMAIN))


def _access(call: Call, issued: IssuedToken) -> Json:
    info: TokenInfo = issued.info
    token: Json = {
        "id": issued.secret,
        "issued_at": clock.iso8601_micro(info.issued_at),
        "expires": clock.iso8601(info.expires_at),
        "audit_ids": list(info.audit_ids),
    }
    catalog: list[Json] = []
    if info.scope.kind is ScopeKind.PROJECT and info.target is not None:
        token["tenant"] = {"id": info.target.id, "name": info.target.name, "enabled": True, "description": ""}
        catalog = [_service(entry) for entry in services.catalog(call, info.scope.id)]
    user = {
        "id": info.user.id,
        "name": info.user.name,
        "username": info.user.name,
        "roles": [{"name": role.name} for role in info.roles],
        "roles_links": [],
    }
    roles = [role.id for role in info.roles]
    metadata = {"is_admin": 0, "roles": roles}
    return {"token": token, "serviceCatalog": catalog, "user": user, "metadata": metadata}


def _service(entry: Json) -> Json:
    """Return a service with its endpoints in version 2.0's form: one for each region, with three URLs."""
    regions: dict[str | None, Json] = {}
    for endpoint in entry["endpoints"]:
        found = regions.setdefault(endpoint["region"], {"id": endpoint["id"], "region": endpoint["region"]})
        found[f"{endpoint['interface']}URL"] = endpoint["url"]
    return {
        "type": entry["type"],
        "name": entry["name"],
        "endpoints": list(regions.values()),
        "endpoints_links": [],
    }


def _tenant(project: Project) -> Json:
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "enabled": project.enabled,
    }
