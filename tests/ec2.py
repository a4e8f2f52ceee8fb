"""Unmodified EC2 clients of a cloud in this process."""

import json
import os
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from nova_lite import concurrency
from nova_lite.cmd import wiring
from nova_lite.core.context import system_context
from nova_lite.core.credentials import Ec2Credential
from tests.cloud import Cloud

REGION = "RegionOne"
QUICK = {"Delay": 1, "MaxAttempts": 40}
"""How waiters of boto3 wait here."""
SESSION = boto3.session.Session()
"""The session of every client, for it reads what there is of actions only once."""


class Ec2:
    """A cloud's EC2 API as a user sees it who has an access key."""

    def __init__(self, cloud: Cloud, user: str = "demo") -> None:
        self.cloud = cloud
        self.keys = credential(cloud, user)
        self.url = cloud.url("ec2", "/services/Cloud")

    def client(self, service: str = "ec2", *, secret: str = "", project: str = "", **config: Any) -> Any:
        """Return boto3's client; one that tries once only, unless told otherwise."""
        return SESSION.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.keys.access + (f":{project}" if project else ""),
            aws_secret_access_key=secret or self.keys.secret,
            config=botocore.config.Config(**({"retries": {"max_attempts": 0}} | config)),
        )

    def aws(self, *words: str, check: bool = True) -> Any:
        """Run the aws program and return its JSON output."""
        done = concurrency.blocking(
            subprocess.run,
            [str(Path(sys.executable).parent / "aws"), "--endpoint-url", self.url, "ec2", *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout) if check and done.stdout.strip() else done.stdout + done.stderr

    def ask(self, action: str, params: Mapping[str, str] | None = None, *, method: str = "POST", secret: str = "",
            access: str = "", signer: type = botocore.auth.SigV4Auth, service: str = "ec2",
            sign: bool = True) -> requests.Response:  # fmt: skip
        """Send any parameters for an action, signed by botocore."""
        data = {"Action": action, "Version": "2016-11-15", **(params or {})}
        keys = botocore.credentials.Credentials(access or self.keys.access, secret or self.keys.secret)
        if issubclass(signer, botocore.auth.SigV2Auth):
            request = botocore.awsrequest.AWSRequest(method, self.url, data=data, params={})
            auth = signer(keys)
        else:
            body = urllib.parse.urlencode(data)
            form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
            url = f"{self.url}?{body}" if method == "GET" else self.url
            request = botocore.awsrequest.AWSRequest(
                method, url, data=b"" if method == "GET" else body.encode(), headers=form if method == "POST" else {}
            )
            auth = signer(keys, service, REGION)
        if sign:
            auth.add_auth(request)
        ready = request.prepare()
        return requests.request(ready.method, ready.url, data=ready.body, headers=dict(ready.headers), timeout=20)

    def environment(self) -> dict[str, str]:
        """Return the environment in which the aws program is the user's."""
        return {
            **os.environ,
            "AWS_ACCESS_KEY_ID": self.keys.access,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_DEFAULT_OUTPUT": "json",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_PAGER": "",
        }


def code_of(answer: requests.Response) -> str:
    """Return the code of an error, empty for none; fails for an answer that is no XML of ours."""
    assert answer.headers["Content-Type"].startswith("text/xml"), answer.text[:200]
    root = ElementTree.fromstring(answer.content)
    if not root.tag.endswith("Response"):
        raise AssertionError(answer.text[:200])
    found = [each.text or "" for each in root.iter() if each.tag.rpartition("}")[2] == "Code"]
    return found[0] if found and answer.status_code >= 400 else ""


def credential(cloud: Cloud, user: str) -> Ec2Credential:
    """Make an access key of a user on the project of the same name."""
    with wiring.desk(cloud.conf) as (_, operations):
        context = system_context()
        identity = operations.identity
        owner = next(each for each in identity.list_users(context) if each.name == user)
        return identity.create_ec2_credential(context, owner.id, identity.find_project(user).id)


def image_of(client: Any, cloud: Cloud) -> str:
    """Return the id of an image that instances boot from."""
    cloud.image()
    (image,) = client.describe_images(Filters=[{"Name": "name", "Values": ["tiny"]}])["Images"]
    return str(image["ImageId"])


def refusal_of(refused: Any) -> str:
    """Return the code of an error of boto3."""
    return str(refused.value.response["Error"]["Code"])


def public_key(kind: str = "rsa") -> str:
    """Return a new public key as OpenSSH has it."""
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    return key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    ).decode()


def refused(code: str, call: Any, **arguments: Any) -> None:
    """Check with which code something is refused."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert refusal_of(error) == code, str(error.value)


def run(client: Any, cloud: Cloud, **arguments: Any) -> str:
    """Run an instance and wait until it is settled."""
    wanted = {"ImageId": image_of(client, cloud), "MinCount": 1, "MaxCount": 1, "InstanceType": "m1.nano"} | arguments
    started = client.run_instances(**wanted)["Instances"][0]["InstanceId"]
    cloud.settle()
    return str(started)
