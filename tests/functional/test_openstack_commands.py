"""Every command of the unmodified openstack client for which there is something, in both catalogs.

One catalog has a network service, the other has none: then the client asks compute instead.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.conf.api import PORTS
from tests.cloud import Cloud, running
from tests.functional.openstack_commands import (
    COMPUTE,
    IDENTITY,
    IMAGES,
    NETWORK,
    ONCE,
    PROXIED_GROUPS,
    parsed,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"

RULES = [{"service": "compute", "method": "GET", "path": "/v2.1/servers"}]


@pytest.fixture(params=["with a network service", "without"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    apis = [api for api in PORTS if request.param != "without" or api != "network"]
    flags = ("--vnc_enabled", f"--enabled_apis={','.join(apis)}")
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        cloud.image()
        yield cloud


def test_every_command_succeeds(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"disk" * 1000)
    (tmp_path / "key.pub").write_text(KEY)
    (tmp_path / "rules.json").write_text(json.dumps(RULES))
    waiting = {"name": "waiting", "disk_format": "raw", "container_format": "bare"}
    assert cloud.ask("POST", "/v2/images", waiting, api="image").status_code == 201
    group = {"security_group": {"name": "through-compute", "description": ""}}
    assert cloud.ask("POST", "/v2.1/os-security-groups", group, version="2.1").status_code == 200
    bulk = {"floating_ips_bulk_create": {"ip_range": "192.0.2.0/27"}}
    assert cloud.ask("POST", "/v2.1/os-floating-ips-bulk", bulk, user="admin", version="2.1").ok
    has_network = "network" in cloud.conf.enabled_apis
    words: dict[str, Any] = {
        "folder": tmp_path, "network": "--network private", "group": "through-compute", "md5": "0" * 32,
    }  # fmt: skip
    failed = []

    commands = IDENTITY + IMAGES + COMPUTE + (ONCE + NETWORK if has_network else PROXIED_GROUPS)
    for user, command, keep in parsed(commands):
        argv = command.format(**words).split()
        answer = cloud.client(user).ask(*argv, *(["-f", "json"] if keep else []))
        cloud.settle()
        if answer.status:
            failed.append((command, answer.complained))
        elif keep:
            words[keep] = answer.found

    assert failed == [], "\n".join(f"{command}: {why[-300:]}" for command, why in failed)
    assert cloud.leaks() == []
