"""nova-objectstore alone: its daemon's parts in this process, people with keys, and S3's clients."""

import contextlib
import hashlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from nova_lite import concurrency
from nova_lite.cmd import sockets, wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.identity import Actor, NewProject, NewUser, Scope, ScopeKind
from tests.databases import bring_up_to_date
from tests.ec2 import SESSION
from tools.services import free_port

PEOPLE = {"demo": "member", "other": "member", "reader": "reader"}
"""Users, each with a project of its name but the reader, who reads that of demo."""


class _Auth(S3SigV4Auth):  # type: ignore[misc]
    """Signs for the body that the headers tell."""

    def payload(self, request: AWSRequest) -> str:
        return str(request.headers["x-amz-content-sha256"])

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        told = request.headers["x-amz-content-sha256"]
        super()._modify_request_before_signing(request)
        del request.headers["x-amz-content-sha256"]
        request.headers["x-amz-content-sha256"] = told


class S3Site:
    """A running object store."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "rclone.conf").touch()
        self.conf = load(
            [
                f"--state_path={folder}", f"--sql_connection=sqlite:///{folder}/nova.sqlite", "--host=host1",
                "--my_ip=127.0.0.1", "--password_hash_rounds=4", "--s3_listen=127.0.0.1",
                f"--s3_listen_port={self.port}", "--s3_domain=s3.test", "--quota_buckets=-1", *flags,
            ],
            prog="nova-objectstore",
        )  # fmt: skip
        self.keys: dict[str, Ec2Credential] = {}
        self.projects: dict[str, str] = {}
        self._components: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def buckets(self) -> Path:
        return Path(self.conf.buckets_path)

    def prepare(self) -> None:
        """Make the database and the people."""
        with wiring.desk(self.conf) as (database, cloud):
            bring_up_to_date(database)
            cloud.identity.bootstrap()
            context = system_context()
            for name, role in PEOPLE.items():
                owner = "demo" if name == "reader" else name
                if owner not in self.projects:
                    self.projects[owner] = cloud.identity.create_project(context, NewProject(owner)).id
                user = cloud.identity.create_user(context, NewUser(name, f"{name}-secret"))
                scope = Scope(ScopeKind.PROJECT, self.projects[owner])
                role_id = cloud.identity.find_role(role).id
                cloud.identity.grant_role(context, Actor(user.id), role_id, scope)
                self.keys[name] = cloud.identity.create_ec2_credential(context, user.id, scope.id)

    def start(self) -> None:
        sockets._open.pop("s3", None)
        self._components = wiring.objectstore_components(self.conf)
        for component in self._components:
            component.start()

    def stop(self) -> None:
        for component in reversed(self._components):
            component.stop(5.0)
        self._components = []

    def client(self, user: str = "demo", *, url: str = "", **config: Any) -> Any:
        """Return a boto3 client of a user, which does not try again."""
        keys = self.keys[user]
        settings = {"signature_version": "s3v4", "retries": {"max_attempts": 0}} | config
        return SESSION.client(
            "s3", endpoint_url=url or self.url, region_name="us-east-1",
            aws_access_key_id=keys.access, aws_secret_access_key=keys.secret, config=Config(**settings),
        )  # fmt: skip

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        user: str = "demo",
        payload: str = "",
        **headers: str,
    ) -> requests.Response:
        """Send a request signed by version 4; ``payload`` replaces the body's SHA-256. No user signs nothing."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.url + path
        if user:
            digest = payload or hashlib.sha256(body).hexdigest()
            sent = self.signed(method, url, sent | {"x-amz-content-sha256": digest}, user)
        request = requests.Request(method, url, data=body, headers=sent).prepare()
        request.url = url
        with requests.Session() as session:
            return session.send(request, timeout=30)

    def signed(self, method: str, url: str, headers: dict[str, str], user: str = "demo") -> dict[str, str]:
        """Return headers with a signature of version 4 over them."""
        keys = self.keys[user]
        request = AWSRequest(method, url, headers=headers)
        _Auth(Credentials(keys.access, keys.secret), "s3", "us-east-1").add_auth(request)
        return dict(request.headers.items())

    def bucket(self, user: str = "demo", **options: Any) -> str:
        """Make a bucket of a name that nobody has."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client(user).create_bucket(Bucket=name, **options)
        return name

    def run(self, *argv: str, user: str = "demo", check: bool = True, seconds: float = 120) -> str:
        """Run a client's program as a user; return all that it printed."""
        done = concurrency.blocking(
            subprocess.run, argv, env=self.environment(user), capture_output=True, text=True,
            timeout=seconds, check=False, cwd=self.folder,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return str(done.stdout + done.stderr)

    def environment(self, user: str) -> dict[str, str]:
        """Return the environment in which aws and rclone are a user's."""
        keys = self.keys[user]
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "HOME": str(self.folder), "AWS_ACCESS_KEY_ID": keys.access, "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true",
            "RCLONE_CONFIG": str(self.folder / "rclone.conf"),
            "RCLONE_CONFIG_CLOUD_TYPE": "s3", "RCLONE_CONFIG_CLOUD_PROVIDER": "Other",
            "RCLONE_CONFIG_CLOUD_ENDPOINT": self.url, "RCLONE_CONFIG_CLOUD_ACCESS_KEY_ID": keys.access,
            "RCLONE_CONFIG_CLOUD_SECRET_ACCESS_KEY": keys.secret, "RCLONE_CONFIG_CLOUD_FORCE_PATH_STYLE": "true",
        }  # fmt: skip

    def s3cmd(self, *words: str, user: str = "demo", check: bool = True, seconds: float = 120) -> str:
        """Run s3cmd as a user."""
        keys = self.keys[user]
        file = self.folder / f"s3cfg-{user}"
        file.write_text(
            f"[default]\naccess_key = {keys.access}\nsecret_key = {keys.secret}\nhost_base = 127.0.0.1:{self.port}\n"
            f"host_bucket = 127.0.0.1:{self.port}\nuse_https = False\nbucket_location = us-east-1\n"
        )
        return self.run("s3cmd", "-c", str(file), "--no-progress", *words, user=user, check=check, seconds=seconds)

    def blobs(self) -> set[str]:
        """Return the names of all files of bytes."""
        return {file.name for file in (self.buckets / "blobs").rglob("*") if file.is_file()}


def program(name: str) -> str:
    """Return the path of a program of the virtual environment."""
    return str(Path(sys.executable).parent / name)


@contextlib.contextmanager
def running(folder: Path, *flags: str) -> Iterator[S3Site]:
    """Run an object store for a while."""
    site = S3Site(folder, *flags)
    site.prepare()
    site.start()
    try:
        yield site
    finally:
        site.stop()
