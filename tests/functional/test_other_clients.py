"""openstacksdk and novaclient, unmodified, against the whole cloud."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud, running
from tools.client import NOVA, Client

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What clients send does not depend on the database."""


def test_a_program_of_openstacksdk(cloud: Cloud) -> None:
    cloud.image()
    printed = cloud.run(sys.executable, "-W", "ignore", "-m", "tests.functional.sdk_program")
    assert [json.loads(line) for line in printed.splitlines()] == [
        {"servers": []},
        {"made": "ACTIVE"},
        {"rule": [80, "tcp"]},
        {"groups": ["default", "web"]},
        {"gone": True},
        {"metadata": {"colour": "red"}, "tags": ["blue"]},
        {"image": ["copy", "active"], "deleted": True},
        {"rebuilt": "ACTIVE"},
        {"verb": "pause", "status": "PAUSED"},
        {"verb": "unpause", "status": "ACTIVE"},
        {"verb": "suspend", "status": "SUSPENDED"},
        {"verb": "resume", "status": "ACTIVE"},
        {"actions": ["create", "createImage", "pause", "rebuild", "resume", "suspend", "unpause"]},
        {"interfaces": 1},
        {"zones": ["nova"]},
        {"limit": 10},
        {"deleted": True},
    ]


def test_the_nova_program(cloud: Cloud) -> None:
    cloud.image()
    with Client(cloud.environment("demo"), shell=NOVA) as client:
        _go_through_a_life(cloud, client.run)


def _go_through_a_life(cloud: Cloud, nova: Callable[..., Any]) -> None:
    booted = nova("boot", "--flavor", "m1.nano", "--image", "tiny", "--nic", "auto", "--poll", "old")
    assert "100% complete" in booted
    for verb, status in (
        ("stop", "SHUTOFF"), ("start", "ACTIVE"), ("pause", "PAUSED"), ("unpause", "ACTIVE"), ("rescue", "RESCUE"),
        ("unrescue", "ACTIVE"), ("lock", "ACTIVE"), ("unlock", "ACTIVE"),
    ):  # fmt: skip
        nova(verb, "old")
        cloud.settle()
        assert cloud.ask("GET", "/v2.1/servers/detail").json()["servers"][0]["status"] == status
    nova("server-tag-add", "old", "blue")
    assert "blue" in nova("server-tag-list", "old")
    assert "default" in nova("list-secgroup", "old")
    assert "simulated guest started" in nova("console-log", "old")
    assert "createImage" not in nova("instance-action-list", "old")
    assert "private=10.0." in nova("list")
    nova("delete", "old")


FLOATING = """
import openstack
from tools.impatience import hurry
hurry()
cloud = openstack.connect()
made = cloud.create_server("sdk", image="tiny", flavor="m1.nano", wait=True, auto_ip=True)
print(*(one["addr"] for one in made.addresses["private"] if one["OS-EXT-IPS:type"] == "floating"))
assert cloud.delete_server("sdk", wait=True, delete_ips=True)
print(len(cloud.list_floating_ips()))
"""


@pytest.mark.parametrize("apis", ["identity,osapi_compute,image,network", "identity,osapi_compute,image"])
def test_openstacksdk_gives_a_server_an_address_of_the_world(
    database_url: str, tmp_path: Path, apis: str
) -> None:
    del database_url
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", f"--enabled_apis={apis}") as cloud:
        cloud.image()
        bulk = {"floating_ips_bulk_create": {"ip_range": "192.0.2.5"}}
        assert cloud.ask("POST", "/v2.1/os-floating-ips-bulk", bulk, user="admin", version="2.1").ok
        printed = cloud.run(sys.executable, "-W", "ignore", "-c", FLOATING)
        assert printed.split() == ["192.0.2.5", "0"]
        assert cloud.leaks() == []
