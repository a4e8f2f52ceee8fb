"""The first content of a new cloud: schema, projects, users, a network, and the files to log in with."""

import secrets
from pathlib import Path

from nova_lite import concurrency
from nova_lite.cmd import wiring
from nova_lite.cmd.manage import credentials
from nova_lite.cmd.manage.table import Desk
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.errors import Conflict, NotFound
from nova_lite.core.identity import Actor, Changes, NewProject, NewUser, Scope, ScopeKind
from nova_lite.db import migration
from nova_lite.operations.cloud import Cloud
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet
from tools.cloud.settings import Settings, free_range

ACCOUNTS = {"admin": ("admin", "admin"), "demo": ("demo", "member")}
"""The users with their project and role."""


def prepare(settings: Settings) -> None:
    """Make the database and its first content; what is there already stays."""
    concurrency.choose(concurrency.Mode.THREADING)
    conf = load([f"--flagfile={settings.flag_file}"], prog="nova-manage")
    with wiring.desk(conf) as (database, cloud):
        migration.upgrade(database)
        cloud.identity.bootstrap()
        cloud.flavors.bootstrap()
        for user, (project, role) in ACCOUNTS.items():
            _account(cloud, settings, user, project, role)
            _write_ec2rc(Desk(conf, database, cloud), settings, user, project)
        context = system_context()
        if not cloud.networks.list(context):
            subnet = NewSubnet(free_range() if settings.driver == "libvirt" else "10.0.0.0/24")
            cloud.networks.create(context, NewNetwork("private", subnet))


def _account(cloud: Cloud, settings: Settings, user: str, project: str, role: str) -> None:
    context, identity = system_context(), cloud.identity
    password = _password(settings.folder / f"{user}.password")
    try:
        owner = identity.find_project(project)
    except NotFound:
        owner = identity.create_project(context, NewProject(project))
    try:
        account = identity.create_user(context, NewUser(user, password, default_project_id=owner.id))
    except Conflict:
        account = next(found for found in identity.list_users(context) if found.name == user)
        identity.update_user(context, account.id, Changes(password=password))
    identity.grant_role(
        context, Actor(account.id), identity.find_role(role).id, Scope(ScopeKind.PROJECT, owner.id)
    )
    _write_openrc(settings, user, project, password)


def _password(file: Path) -> str:
    """Return the password that is kept in a file, made the first time."""
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_urlsafe(12))
    return file.read_text()


def _write_ec2rc(desk: Desk, settings: Settings, user: str, project: str) -> None:
    """Write what aws, boto3 and S3's clients need to be a user."""
    file = settings.folder / ("ec2rc" if user == "demo" else f"ec2rc-{user}")
    credentials.environment(desk, project, user, str(file))


def _write_openrc(settings: Settings, user: str, project: str, password: str) -> None:
    values = {
        "OS_AUTH_URL": settings.auth_url,
        "OS_USERNAME": user,
        "OS_PASSWORD": password,
        "OS_PROJECT_NAME": project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
    }
    file = settings.folder / ("openrc" if user == "demo" else f"openrc-{user}")
    file.touch(0o600)
    file.write_text("".join(f"export {name}={value}\n" for name, value in values.items()))
