"""nova-manage: what users get to log in with, in files, and how it is taken from them again."""

import dataclasses
import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from nova_lite.cmd.manage.table import Command, Desk, Option
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.errors import ConfigurationError, NotFound
from nova_lite.core.identity import ActorKind, AssignmentFilter, Project, ScopeKind, User

_PROJECT = Option("project", "name or id of the project", required=True)
_USER = Option("user", "name or id of the user", required=True)


def zip_file(desk: Desk, project: str, user: str, file: str) -> None:
    """Write a zip file of variables, a new key with its certificate, and the authority's certificate."""
    conf, owner, account = desk.conf, desk.cloud.identity.find_project(project), _find_user(desk, user)
    made = desk.cloud.certificates.create(desk.context, account.id, owner.id)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            *(
                (_rc_name(conf, each.file), variables(desk, owner, account, each, zipped=True))
                for each in _regions(conf)
            ),
            (conf.credential_key_file, made.private_key),
            (conf.credential_cert_file, made.certificate),
            ("cacert.pem", desk.cloud.certificates.root(desk.context, owner.id)),
        ):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    _write(file, buffer.getvalue())


def environment(desk: Desk, project: str, user: str, file: str) -> None:
    """Write the file of variables alone."""
    owner, account = desk.cloud.identity.find_project(project), _find_user(desk, user)
    _write(file, variables(desk, owner, account, _here(desk.conf), zipped=False).encode())


def export(desk: Desk) -> None:
    """Print users, projects, roles and EC2 keys as JSON, as Keystone's import of Essex takes them."""
    identity = desk.cloud.identity
    users, projects = identity.list_users(desk.context), identity.list_projects(desk.context)
    keys = [key for user in users for key in identity.list_ec2_credentials(desk.context, user.id)]
    held = [
        (one.actor.id, one.scope.id, one.role.name)
        for one in identity.list_assignments(desk.context, AssignmentFilter(effective=True))
        if one.kind is ActorKind.USER and one.scope.kind is ScopeKind.PROJECT
    ]
    json.dump(
        {
            "users": [{"id": user.id, "name": user.name, "password": ""} for user in users],
            "tenants": [{"id": one.id, "name": one.name, "description": one.description} for one in projects],
            "user_tenant_list": [
                {"user_id": user_id, "tenant_id": project_id}
                for user_id, project_id in sorted({(user_id, project_id) for user_id, project_id, _ in held})
            ],
            "ec2_credentials": [
                {
                    "access_key": key.access,
                    "secret_key": key.secret,
                    "user_id": key.user_id,
                    "tenant_id": key.project_id,
                }
                for key in keys
            ],
            "roles": sorted(role.name for role in identity.list_roles(desk.context)),
            "role_user_tenant_list": [
                {"user_id": user_id, "tenant_id": project_id, "role": role}
                for user_id, project_id, role in held
            ],
        },
        sys.stdout,
        indent=2,
    )
    print()


def revoke(desk: Desk, user: str, project: str) -> None:
    """Revoke certificates of a user, of those on one project only where one is named."""
    project_id = desk.cloud.identity.find_project(project).id if project else ""
    count = desk.cloud.certificates.revoke(
        desk.context, user_id=_find_user(desk, user).id, project_id=project_id
    )
    print(f"{count} certificates are revoked.")


def revoked(desk: Desk, project: str) -> None:
    """Print the list of revoked certificates of the authority that signs for a project."""
    print(desk.cloud.certificates.crl(desk.context, desk.cloud.identity.find_project(project).id), end="")


@dataclasses.dataclass(frozen=True, slots=True)
class _Region:
    """A region: the word in its file's name, its own name, and the host of its EC2 API."""

    file: str
    name: str
    host: str


def _here(conf: Any) -> _Region:
    return _Region("nova", conf.region_name, conf.ec2_dmz_host)


def _regions(conf: Any) -> list[_Region]:
    """Return the regions of --region_list; without any, this one."""
    pairs = [entry.partition("=") for entry in conf.region_list]
    return [_Region(name, name, host or name) for name, _, host in pairs] or [_here(conf)]


def variables(desk: Desk, project: Project, user: User, region: _Region, *, zipped: bool) -> str:
    """Return the file of variables for a region; certificates are where the zip file is unpacked."""
    conf, keys = desk.conf, _keys(desk, project, user)
    ec2_url = f"http://{region.host}:{conf.ec2_listen_port}/services/Cloud"
    values = {
        "EC2_ACCESS_KEY": f"{keys.access}:{project.name}",
        "EC2_SECRET_KEY": keys.secret,
        "EC2_URL": ec2_url,
        "S3_URL": f"http://{conf.s3_dmz}:{conf.s3_listen_port}",
        "EC2_USER_ID": "42",
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_ENDPOINT_URL_EC2": ec2_url,
        "AWS_ENDPOINT_URL_STS": ec2_url,
        "AWS_ENDPOINT_URL_S3": f"http://{conf.s3_dmz}:{conf.s3_listen_port}",
        "AWS_DEFAULT_REGION": region.name,
        "NOVA_API_KEY": keys.access,
        "NOVA_USERNAME": user.name,
        "NOVA_PROJECT_ID": project.name,
        "NOVA_URL": f"http://{region.host}:{conf.osapi_compute_listen_port}/v1.1/",
        "NOVA_VERSION": "1.1",
    }
    lines = [f"export {name}={_quoted(value)}\n" for name, value in values.items()]
    if zipped:
        lines.insert(0, 'NOVARC=$(readlink -f "${BASH_SOURCE:-${0}}" 2>/dev/null || pwd)\n')
        lines.insert(1, "NOVA_KEY_DIR=${NOVARC%/*}\n")
        lines += [
            f"export EC2_PRIVATE_KEY=${{NOVA_KEY_DIR}}/{conf.credential_key_file}\n",
            f"export EC2_CERT=${{NOVA_KEY_DIR}}/{conf.credential_cert_file}\n",
            "export NOVA_CERT=${NOVA_KEY_DIR}/cacert.pem\n",
            "export EUCALYPTUS_CERT=${NOVA_CERT}\n",
            'alias ec2-bundle-image="ec2-bundle-image --cert ${EC2_CERT} --privatekey ${EC2_PRIVATE_KEY} '
            '--user 42 --ec2cert ${NOVA_CERT}"\n',
            'alias ec2-upload-bundle="ec2-upload-bundle -a ${EC2_ACCESS_KEY} -s ${EC2_SECRET_KEY} '
            '--url ${S3_URL} --ec2cert ${NOVA_CERT}"\n',
        ]
    return "".join(lines)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def _keys(desk: Desk, project: Project, user: User) -> Ec2Credential:
    """Return the user's keys on a project, made where there are none; raises Forbidden without a role there."""
    identity = desk.cloud.identity
    for keys in identity.list_ec2_credentials(desk.context, user.id):
        if keys.project_id == project.id:
            return keys
    return identity.create_ec2_credential(desk.context, user.id, project.id)


def _rc_name(conf: Any, region: str) -> str:
    return str(conf.credential_rc_file).replace("%s", region)


def _write(file: str, content: bytes) -> None:
    """Write what nobody else may read, to standard output where the name is a dash."""
    if file == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(Path(file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            os.fchmod(target.fileno(), 0o600)
            target.write(content)
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror}") from error


def _find_user(desk: Desk, name_or_id: str) -> User:
    for user in desk.cloud.identity.list_users(desk.context):
        if name_or_id in (user.id, user.name):
            return user
    raise NotFound(f"User {name_or_id} could not be found.")


COMMANDS = (
    Command(
        "project", "zipfile", zip_file, "write a zip file of a user's credentials",
        (_PROJECT, _USER, Option("file", "file to write, - for standard output", default="nova.zip")),
    ),
    Command(
        "project", "environment", environment, "write a file of variables with a user's credentials",
        (_PROJECT, _USER, Option("file", "file to write, - for standard output", default="novarc")),
    ),
    Command("export", "auth", export, "print users, projects, roles and EC2 keys as JSON"),
    Command(
        "user", "revoke", revoke, "revoke a user's certificates",
        (_USER, Option("project", "only those on this project", default="")),
    ),
    Command("project", "crl", revoked, "print the list of revoked certificates", (_PROJECT,)),
)  # fmt: skip
