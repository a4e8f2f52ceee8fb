"""Role assignments: giving, taking, checking and listing the roles of users and groups on a target.

The target of a request is in its path: a project, a domain, or else the system. Below OS-INHERIT it is the
projects below a project or a domain.
"""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity import roles
from nova_lite.api.openstack.identity.paging import listed, truth
from nova_lite.core.errors import InvalidInput
from nova_lite.core.identity import (
    SYSTEM_SCOPE,
    Actor,
    ActorKind,
    Assignment,
    AssignmentFilter,
    Reference,
    Scope,
    ScopeKind,
)


def grant(call: Call) -> Reply:
    """Give a user or a group a role."""
    call.cloud.identity.grant_role(call.context, _actor(call), call.params["role_id"], _target(call))
    return Reply()


def revoke(call: Call) -> Reply:
    """Take a role from a user or a group."""
    call.cloud.identity.revoke_role(call.context, _actor(call), call.params["role_id"], _target(call))
    return Reply()


def check(call: Call) -> Reply:
    """Tell, by the status alone, whether a user or a group was given a role."""
    call.cloud.identity.check_role(call.context, _actor(call), call.params["role_id"], _target(call))
    return Reply()


def listing_of_actor(call: Call) -> Reply:
    """List the roles that a user or a group was given on a target."""
    found = call.cloud.identity.list_granted_roles(call.context, _actor(call), _target(call))
    return listed(call, "roles", [roles.render(call, role) for role in found])


def listing(call: Call) -> Reply:
    """List who has which role on what."""
    names = _flag(call, "include_names")
    inherited_to = call.query("scope.OS-INHERIT:inherited_to")
    wanted = AssignmentFilter(
        user_id=call.query("user.id", "") or "",
        group_id=call.query("group.id", "") or "",
        role_id=call.query("role.id", "") or "",
        scope=_wanted_scope(call),
        effective=_flag(call, "effective"),
        inherited=None if inherited_to is None else inherited_to == "projects",
        subtree=_flag(call, "include_subtree"),
    )
    _check(wanted)
    found = call.cloud.identity.list_assignments(call.context, wanted)
    return listed(call, "role_assignments", [_render(call, entry, names=names) for entry in found])


def _actor(call: Call) -> Actor:
    if "group_id" in call.params:
        return Actor(call.params["group_id"], ActorKind.GROUP)
    return Actor(call.params["user_id"])


def _target(call: Call) -> Scope:
    inherited = call.request.path_info.startswith("/v3/OS-INHERIT/")
    if "project_id" in call.params:
        return Scope(ScopeKind.PROJECT, call.params["project_id"], inherited)
    if "domain_id" in call.params:
        return Scope(ScopeKind.DOMAIN, call.params["domain_id"], inherited)
    return SYSTEM_SCOPE


def _flag(call: Call, name: str) -> bool:
    return name in call.request.GET and truth(call.query(name) or "")


def _wanted_scope(call: Call) -> Scope | None:
    """Return the one target that the query asks for; raises InvalidInput for more than one."""
    asked = [
        Scope(kind, value)
        for kind in (ScopeKind.PROJECT, ScopeKind.DOMAIN)
        if (value := call.query(f"scope.{kind}.id"))
    ]
    if call.query("scope.system"):
        asked.append(SYSTEM_SCOPE)
    if len(asked) > 1:
        raise InvalidInput("Role assignments can be listed for one project, one domain or the system only.")
    return asked[0] if asked else None


def _check(wanted: AssignmentFilter) -> None:
    """Raise InvalidInput for filters that exclude each other."""
    kind = wanted.scope.kind if wanted.scope is not None else None
    if wanted.subtree and kind is not ScopeKind.PROJECT:
        raise InvalidInput("scope.project.id must be specified if include_subtree is also specified")
    if wanted.user_id and wanted.group_id:
        raise InvalidInput("Specify a user or group, not both")
    if wanted.effective and wanted.group_id:
        raise InvalidInput("Combining effective and group filter will always result in an empty list.")
    if wanted.effective and wanted.inherited and kind is ScopeKind.DOMAIN:
        raise InvalidInput("Combining effective, domain and inherited filters will always result in an empty list.")


def _render(call: Call, entry: Assignment, *, names: bool) -> Json:
    scope: Json = {"system": {"all": True}}
    if entry.scope.kind is not ScopeKind.SYSTEM:
        scope = {entry.scope.kind.value: _reference(entry.target, names=names)}
    given = entry.origin or entry.scope
    place = "system" if given.kind is ScopeKind.SYSTEM else f"{given.kind}s/{given.id}"
    path = f"{place}/{entry.kind}s/{entry.actor.id}/roles/{entry.role.id}"
    if given.inherited:
        scope["OS-INHERIT:inherited_to"] = "projects"
        path = f"OS-INHERIT/{path}/inherited_to_projects"
    return {
        "role": _reference(entry.role, names=names),
        entry.kind.value: _reference(entry.actor, names=names),
        "scope": scope,
        "links": {"assignment": call.url(f"/v3/{path}")},
    }


def _reference(reference: Reference, *, names: bool) -> Json:
    if not names:
        return {"id": reference.id}
    shown: Json = {"id": reference.id, "name": reference.name}
    if reference.domain_id:
        shown["domain"] = {"id": reference.domain_id, "name": reference.domain_name}
    return shown
