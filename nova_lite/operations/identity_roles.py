"""Roles, and who has which on what."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, NotFound
from nova_lite.core.identity import (
    ADMIN,
    Actor,
    ActorKind,
    Assignment,
    AssignmentFilter,
    Changes,
    Domain,
    Project,
    Reference,
    Role,
    RoleGraph,
    Scope,
    ScopeKind,
)
from nova_lite.db import domains, groups, projects, role_assignments, roles
from nova_lite.db.identity import NamePage
from nova_lite.operations.identity_base import IdentityBase, columns, require_self
from nova_lite.operations.identity_groups import find_group
from nova_lite.operations.identity_projects import find_domain
from nova_lite.operations.identity_users import find_user


class IdentityRoles(IdentityBase):
    """The operations on roles and on role assignments."""

    def create_role(self, context: RequestContext, role: Role) -> Role:
        """Create a role (the id is made here); raises Conflict for a taken name."""
        created = Role(ids.new_hex(), role.name, role.description, role.extra)

        def work(session: Session) -> Role:
            roles.insert(session, created)
            return created

        return self._change("create_role", work, lambda session: roles.get(session, created.id))

    def get_role(self, context: RequestContext, role_id: str) -> Role:
        """Return a role; raises NotFound."""
        return self._database.read("identity.get_role", lambda session: _find_role(session, role_id))

    def find_role(self, name_or_id: str) -> Role:
        """Return the role with an id, else the one with that name; raises NotFound."""
        role = self._database.read(
            "identity.find_role",
            lambda session: roles.get(session, name_or_id) or roles.find(session, name_or_id),
        )
        if role is None:
            raise NotFound(f"Could not find role: {name_or_id}.")
        return role

    def list_roles(self, context: RequestContext, page: NamePage | None = None) -> list[Role]:
        """Return roles by name; raises InvalidInput for an unknown marker."""
        wanted = page or NamePage()
        return self._database.read("identity.list_roles", lambda session: roles.listing(session, wanted))

    def update_role(self, context: RequestContext, role_id: str, changes: Changes) -> Role:
        """Change a role; raises NotFound, Conflict, and Forbidden for renaming a standard role."""

        def work(session: Session) -> Role:
            role = _find_role(session, role_id)
            if role.immutable and changes.name not in (None, role.name):
                raise Forbidden(f"The role {role.name} cannot be renamed: policy depends on it.")
            values = columns(changes, role.extra, names=("name", "description"))
            if values:
                roles.update(session, role_id, **values)
            return _find_role(session, role_id)

        return self._change("update_role", work)

    def delete_role(self, context: RequestContext, role_id: str) -> None:
        """Delete a role and take it from all who have it; raises NotFound, Forbidden for a standard one."""

        def work(session: Session) -> None:
            role = _find_role(session, role_id)
            if role.immutable:
                raise Forbidden(f"The role {role.name} cannot be deleted: policy depends on it.")
            roles.delete(session, role_id)

        self._change("delete_role", work)

    def role_graph(self, context: RequestContext) -> RoleGraph:
        """Return every role with what it implies."""
        return self._database.read("identity.role_graph", roles.graph)

    def imply_role(self, context: RequestContext, prior_id: str, implied_id: str) -> None:
        """Let a role imply another; raises NotFound, and Forbidden where the other implies it, and for admin."""

        def work(session: Session) -> None:
            _find_role(session, prior_id)
            if _find_role(session, implied_id).name == ADMIN:
                raise Forbidden("The role admin cannot be implied.")
            backwards = {role.id for role in roles.graph(session).expand(frozenset({implied_id}))}
            if prior_id in backwards:
                raise Forbidden(f"The role {implied_id} implies {prior_id} already.")
            roles.imply(session, prior_id, implied_id)

        self._change("imply_role", work)

    def stop_implying(self, context: RequestContext, prior_id: str, implied_id: str) -> None:
        """Let a role no longer imply another; raises NotFound when it does not."""

        def work(session: Session) -> bool:
            return roles.stop_implying(session, prior_id, implied_id)

        if not self._change("stop_implying", work):
            raise NotFound(f"{prior_id} does not imply {implied_id}.")

    def grant_role(self, context: RequestContext, actor: Actor, role_id: str, scope: Scope) -> None:
        """Give a user or a group a role on ``scope``; again is no harm. Raises NotFound for what does not exist."""

        def work(session: Session) -> None:
            _check_grant(session, actor, role_id, scope)
            role_assignments.insert(session, actor, role_id, scope)

        self._change("grant_role", work)

    def revoke_role(self, context: RequestContext, actor: Actor, role_id: str, scope: Scope) -> None:
        """Take a role on ``scope`` from a user or a group; raises NotFound when it does not have it."""

        def work(session: Session) -> bool:
            _check_grant(session, actor, role_id, scope)
            return role_assignments.delete(session, actor, role_id, scope)

        if not self._change("revoke_role", work):
            raise _no_assignment(actor, role_id, scope)

    def check_role(self, context: RequestContext, actor: Actor, role_id: str, scope: Scope) -> None:
        """Raise NotFound unless a user or a group was given a role on ``scope``."""

        def work(session: Session) -> bool:
            _check_grant(session, actor, role_id, scope)
            return role_assignments.has(session, actor, role_id, scope)

        if not self._database.read("identity.check_role", work):
            raise _no_assignment(actor, role_id, scope)

    def list_granted_roles(self, context: RequestContext, actor: Actor, scope: Scope) -> list[Role]:
        """Return the roles that a user or a group was given on ``scope``; raises NotFound."""
        of_user = actor.id if actor.kind is ActorKind.USER else ""
        of_group = actor.id if actor.kind is ActorKind.GROUP else ""
        wanted = AssignmentFilter(of_user, of_group, scope=scope, inherited=scope.inherited)

        def work(session: Session) -> list[Role]:
            _check_actor(session, actor)
            _check_target(session, scope)
            given = role_assignments.listing(session, wanted)
            known = roles.graph(session).roles
            return [known[assignment.role.id] for assignment in given]

        return self._database.read("identity.list_granted_roles", work)

    def list_assignments(self, context: RequestContext, wanted: AssignmentFilter) -> list[Assignment]:
        """Return who has which role on what, by user; raises NotFound for a tree below no project."""

        def work(session: Session) -> list[Assignment]:
            below = _below(session, wanted)
            if not wanted.effective:
                return role_assignments.listing(session, wanted, below)
            broad = dataclasses.replace(wanted, role_id="", user_id="")
            given = _of_users(session, role_assignments.listing(session, broad, below))
            within = None if wanted.scope is None else frozenset({wanted.scope.id, *below})
            return _expand(_of_projects(session, given, within), roles.graph(session))

        expanded = self._database.read("identity.list_assignments", work)
        return [
            entry
            for entry in expanded
            if wanted.role_id in ("", entry.role.id) and wanted.user_id in ("", entry.actor.id)
        ]

    def list_projects_of_user(self, context: RequestContext, user_id: str) -> list[Project]:
        """Return the enabled projects on which a user has a role; raises NotFound, Forbidden."""
        require_self(context, user_id, "identity:list_user_projects")

        def work(session: Session) -> list[Project]:
            find_user(session, user_id)
            mine = role_assignments.targets_of(session, user_id, ScopeKind.PROJECT)
            return [project for project in projects.by_ids(session, mine) if project.enabled]

        return self._database.read("identity.list_projects_of_user", work)

    def list_domains_of_user(self, context: RequestContext, user_id: str) -> list[Domain]:
        """Return the enabled domains on which a user has a role; raises NotFound, Forbidden."""
        require_self(context, user_id, "identity:list_user_domains")

        def work(session: Session) -> list[Domain]:
            find_user(session, user_id)
            mine = role_assignments.targets_of(session, user_id, ScopeKind.DOMAIN)
            return [domain for domain in domains.by_ids(session, mine) if domain.enabled]

        return self._database.read("identity.list_domains_of_user", work)

    def has_system_role(self, context: RequestContext, user_id: str) -> bool:
        """Tell whether a user has any role on the system; raises Forbidden."""
        require_self(context, user_id, "identity:list_user_system")
        return bool(
            self._database.read(
                "identity.has_system_role",
                lambda session: role_assignments.targets_of(session, user_id, ScopeKind.SYSTEM),
            )
        )


def _of_users(session: Session, given: list[Assignment]) -> list[Assignment]:
    """Return the assignments with those of groups told for each of their users."""
    circles = {entry.actor.id for entry in given if entry.kind is ActorKind.GROUP}
    members = groups.members(session, circles)
    names = {domain.id: domain.name for domain in domains.listing(session, NamePage())} if members else {}
    found = []
    for entry in given:
        if entry.kind is ActorKind.USER:
            found.append(entry)
            continue
        for user in members.get(entry.actor.id, ()):
            actor = Reference(user.id, user.name, user.domain_id, names.get(user.domain_id, ""))
            found.append(dataclasses.replace(entry, kind=ActorKind.USER, actor=actor))
    return found


def _below(session: Session, wanted: AssignmentFilter) -> list[str]:
    """Return the ids of the projects below the one whose tree is wanted; raises NotFound."""
    if not wanted.subtree or wanted.scope is None:
        return []
    _check_target(session, wanted.scope)
    return [project.id for project in projects.every_below(session, wanted.scope.id)]


def _of_projects(
    session: Session, given: list[Assignment], within: frozenset[str] | None
) -> list[Assignment]:
    """Return the assignments with those that are inherited told for each project below, of those ``within``."""
    below: dict[str, list[Project]] = {}
    names = {domain.id: domain.name for domain in domains.listing(session, NamePage())} if given else {}
    found = []
    for entry in given:
        if not entry.scope.inherited:
            found.append(entry)
            continue
        if entry.scope.id not in below:
            below[entry.scope.id] = projects.every_below(session, entry.scope.id)
        for project in below[entry.scope.id]:
            here = Scope(ScopeKind.PROJECT, project.id)
            if within is None or project.id in within:
                target = Reference(project.id, project.name, project.domain_id, names.get(project.domain_id, ""))
                found.append(dataclasses.replace(entry, scope=here, target=target, origin=entry.scope))
    return found


def _expand(given: list[Assignment], graph: RoleGraph) -> list[Assignment]:
    """Return the assignments with those that follow from them, each once."""
    expanded: dict[tuple[str, Scope, Scope | None, str], Assignment] = {}
    for assignment in given:
        for role in graph.expand(frozenset({assignment.role.id})):
            key = (assignment.actor.id, assignment.scope, assignment.origin, role.id)
            expanded.setdefault(key, dataclasses.replace(assignment, role=Reference(role.id, role.name)))
    return list(expanded.values())


def _find_role(session: Session, role_id: str) -> Role:
    role = roles.get(session, role_id)
    if role is None:
        raise NotFound(f"Could not find role: {role_id}.")
    return role


def _check_target(session: Session, scope: Scope) -> None:
    if scope.kind is ScopeKind.PROJECT and projects.get(session, scope.id) is None:
        raise NotFound(f"Could not find project: {scope.id}.")
    if scope.kind is ScopeKind.DOMAIN:
        find_domain(session, scope.id)


def _check_actor(session: Session, actor: Actor) -> None:
    if actor.kind is ActorKind.USER:
        find_user(session, actor.id)
    else:
        find_group(session, actor.id)


def _check_grant(session: Session, actor: Actor, role_id: str, scope: Scope) -> None:
    """Raise NotFound for a user, a group, a role or a target that does not exist."""
    _check_actor(session, actor)
    _find_role(session, role_id)
    _check_target(session, scope)


def _no_assignment(actor: Actor, role_id: str, scope: Scope) -> NotFound:
    return NotFound(
        f"Could not find role assignment with role: {role_id}, {actor.kind}: {actor.id}, "
        f"{scope.kind}: {scope.id}."
    )
