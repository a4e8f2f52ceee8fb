"""What identity needs from the start: the default domain, the standard roles, the daemons' own user."""

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.identity import (
    ADMIN,
    DEFAULT_DOMAIN,
    SERVICE,
    SERVICE_PROJECT,
    SERVICE_USER,
    STANDARD_IMPLICATIONS,
    STANDARD_ROLES,
    Actor,
    Domain,
    Project,
    Role,
    Scope,
    ScopeKind,
    User,
)
from nova_lite.db import domains, projects, role_assignments, roles, users


def ensure(session: Session) -> None:
    """Add what is missing; what is there stays as it is. Raises Conflict when another does it just now."""
    if domains.get(session, DEFAULT_DOMAIN) is None:
        domains.insert(session, Domain(DEFAULT_DOMAIN, "Default", "The default domain"))
    role_ids = {name: _ensure_role(session, name) for name in STANDARD_ROLES}
    for prior, implied in STANDARD_IMPLICATIONS:
        roles.imply(session, role_ids[prior], role_ids[implied])
    project = projects.find(session, DEFAULT_DOMAIN, SERVICE_PROJECT)
    if project is None:
        project = Project(ids.new_hex(), SERVICE_PROJECT, parent_id=DEFAULT_DOMAIN)
        projects.insert(session, project)
    user = users.find(session, DEFAULT_DOMAIN, SERVICE_USER)
    if user is None:
        user = User(ids.new_hex(), SERVICE_USER, default_project_id=project.id)
        users.insert(session, user, password_hash="")
    for name in (ADMIN, SERVICE):
        role_assignments.insert(session, Actor(user.id), role_ids[name], Scope(ScopeKind.PROJECT, project.id))


def _ensure_role(session: Session, name: str) -> str:
    role = roles.find(session, name)
    if role is None:
        role = Role(ids.new_hex(), name)
        roles.insert(session, role)
    return role.id
