"""The first content of a new cloud: schema, projects, users, networks, addresses, and the files to log in with."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from nova_lite import concurrency
from nova_lite.cmd import wiring
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
FLOATING_RANGE = "198.51.100.32/29"
"""Addresses of the world that only this machine reaches: of the second range for documentation (RFC 5737)."""


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
        context = system_context()
        if not cloud.networks.list(context):
            subnet = NewSubnet(free_range() if settings.driver == "libvirt" else "10.0.0.0/24")
            cloud.networks.create(context, NewNetwork("private", subnet))
        if not cloud.floating_ips.every(context):
            cloud.floating_ips.create_range(context, FLOATING_RANGE, interface="lo")


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
    _write_ec2rc(cloud, settings, user, account.id, owner.id)


def _password(file: Path) -> str:
    """Return the password that is kept in a file, made the first time."""
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_urlsafe(12))
    return file.read_text()


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
    _write_exports(settings, "openrc", user, values)


def _write_ec2rc(cloud: Cloud, settings: Settings, user: str, user_id: str, project_id: str) -> None:
    """Write what Amazon's clients read, those of today and those of old."""
    context, identity = system_context(), cloud.identity
    kept = [key for key in identity.list_ec2_credentials(context, user_id) if key.project_id == project_id]
    keys = kept[0] if kept else identity.create_ec2_credential(context, user_id, project_id)
    ec2, s3 = settings.ec2_url, settings.s3_url
    values = {
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL_EC2": ec2,
        "AWS_ENDPOINT_URL_STS": ec2,
        "AWS_ENDPOINT_URL_S3": s3,
        "EC2_ACCESS_KEY": keys.access,
        "EC2_SECRET_KEY": keys.secret,
        "EC2_URL": ec2,
        "S3_URL": s3,
    }
    _write_exports(settings, "ec2rc", user, values)


def _write_exports(settings: Settings, name: str, user: str, values: Mapping[str, str]) -> None:
    file = settings.folder / (name if user == "demo" else f"{name}-{user}")
    file.touch(0o600)
    file.write_text("".join(f"export {name}={value}\n" for name, value in values.items()))
