"""nova-manage project, user and role."""

from nova_lite.cmd.manage.table import Command, Desk, Option, show
from nova_lite.core.errors import NotFound
from nova_lite.core.identity import Actor, Changes, NewProject, NewUser, Scope, ScopeKind, User

_PROJECT = Option("project", "name or id of the project", required=True)
_USER = Option("user", "name or id of the user", required=True)
_ROLE = Option("role", "name of the role", required=True)


def create_project(desk: Desk, name: str, description: str) -> None:
    """Create a project."""
    project = desk.cloud.identity.create_project(desk.context, NewProject(name, description=description))
    print(project.id)


def list_projects(desk: Desk) -> None:
    """List projects."""
    found = desk.cloud.identity.list_projects(desk.context)
    show(["id", "name", "enabled"], [(project.id, project.name, project.enabled) for project in found])


def delete_project(desk: Desk, project: str) -> None:
    """Delete a project."""
    identity = desk.cloud.identity
    identity.delete_project(desk.context, identity.find_project(project).id)


def create_user(desk: Desk, name: str, password: str) -> None:
    """Create a user."""
    print(desk.cloud.identity.create_user(desk.context, NewUser(name, password)).id)


def list_users(desk: Desk) -> None:
    """List users."""
    found = desk.cloud.identity.list_users(desk.context)
    show(["id", "name", "enabled"], [(user.id, user.name, user.enabled) for user in found])


def set_password(desk: Desk, user: str, password: str) -> None:
    """Give a user a new password."""
    changes = Changes(password=password)
    desk.cloud.identity.update_user(desk.context, _find_user(desk, user).id, changes)


def delete_user(desk: Desk, user: str) -> None:
    """Delete a user."""
    desk.cloud.identity.delete_user(desk.context, _find_user(desk, user).id)


def add_role(desk: Desk, user: str, project: str, role: str) -> None:
    """Give a user a role on a project."""
    identity = desk.cloud.identity
    scope = Scope(ScopeKind.PROJECT, identity.find_project(project).id)
    identity.grant_role(desk.context, Actor(_find_user(desk, user).id), identity.find_role(role).id, scope)


def remove_role(desk: Desk, user: str, project: str, role: str) -> None:
    """Take a role on a project from a user."""
    identity = desk.cloud.identity
    scope = Scope(ScopeKind.PROJECT, identity.find_project(project).id)
    identity.revoke_role(desk.context, Actor(_find_user(desk, user).id), identity.find_role(role).id, scope)


def list_roles(desk: Desk) -> None:
    """List roles."""
    found = desk.cloud.identity.list_roles(desk.context)
    show(["id", "name"], [(role.id, role.name) for role in found])


def _find_user(desk: Desk, name_or_id: str) -> User:
    for user in desk.cloud.identity.list_users(desk.context):
        if name_or_id in (user.id, user.name):
            return user
    raise NotFound(f"User {name_or_id} could not be found.")


COMMANDS = (
    Command(
        "project", "create", create_project, "create a project and print its id",
        (Option("name", "name of the project", required=True), Option("description", "what it is for", default="")),
    ),
    Command("project", "list", list_projects, "list projects"),
    Command("project", "delete", delete_project, "delete a project", (_PROJECT,)),
    Command(
        "user", "create", create_user, "create a user and print its id",
        (
            Option("name", "name of the user", required=True),
            Option("password", "password of the user", required=True),
        ),
    ),
    Command("user", "list", list_users, "list users"),
    Command(
        "user", "password", set_password, "give a user a new password",
        (_USER, Option("password", "the new password", required=True)),
    ),
    Command("user", "delete", delete_user, "delete a user", (_USER,)),
    Command("role", "add", add_role, "give a user a role on a project", (_USER, _PROJECT, _ROLE)),
    Command("role", "remove", remove_role, "take a role from a user", (_USER, _PROJECT, _ROLE)),
    Command("role", "list", list_roles, "list roles"),
)  # fmt: skip
