"""Unmodified EC2 clients of a cloud in this process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import botocore.config

from nova_lite import concurrency
from nova_lite.cmd import wiring
from nova_lite.core.context import system_context
from nova_lite.core.credentials import Ec2Credential
from tests.cloud import Cloud

REGION = "RegionOne"


class Ec2:
    """A cloud's EC2 API as a user sees it who has an access key."""

    def __init__(self, cloud: Cloud, user: str = "demo") -> None:
        self.cloud = cloud
        self.keys = credential(cloud, user)
        self.url = cloud.url("ec2", "/services/Cloud")

    def client(self, service: str = "ec2", *, secret: str = "", project: str = "", **config: Any) -> Any:
        """Return boto3's client; one that tries once only, unless told otherwise."""
        return boto3.session.Session().client(
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


def credential(cloud: Cloud, user: str) -> Ec2Credential:
    """Make an access key of a user on the project of the same name."""
    with wiring.desk(cloud.conf) as (_, operations):
        context = system_context()
        identity = operations.identity
        owner = next(each for each in identity.list_users(context) if each.name == user)
        return identity.create_ec2_credential(context, owner.id, identity.find_project(user).id)
