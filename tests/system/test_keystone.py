"""The APIs behind keystonemiddleware, with the real Keystone to say who calls."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from nova_lite import concurrency
from tests.cloud import Cloud, running
from tools.services import Keystone

SHIPPED = Path(__file__).parents[2] / "etc" / "nova_lite" / "api-paste.ini"
OPENSTACK = str(Path(sys.executable).parent / "openstack")


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    with Keystone(tmp_path_factory.mktemp("keystone")) as keystone:
        yield keystone


@pytest.fixture
def cloud(keystone: Keystone, tmp_path: Path) -> Iterator[Cloud]:
    """A cloud whose pipelines ask Keystone who calls; it is Keystone's admin that asks."""
    text = SHIPPED.read_text().replace(" authtoken ", " keystone_authtoken keystone_context ")
    text = text.replace("http://127.0.0.1:5000/v3", keystone.url).replace("username = nova", "username = admin")
    paste = tmp_path / "api-paste.ini"
    paste.write_text(text.replace("project_name = service", "project_name = admin"))
    flags = (f"--api_paste_config={paste}", "--enabled_apis=osapi_compute,image,network,metadata")
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        yield cloud


def openstack(keystone: Keystone, user: str, *words: str, check: bool = True) -> Any:
    """Run the unmodified openstack client; returns the JSON that it printed, or what it complained of."""
    environment = {
        **os.environ, "OS_AUTH_URL": keystone.url, "OS_USERNAME": user, "OS_PASSWORD": "secret",
        "OS_PROJECT_NAME": user, "OS_USER_DOMAIN_ID": "default", "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
    }  # fmt: skip
    done = concurrency.blocking(
        subprocess.run, [OPENSTACK, *words], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stderr


def test_people_of_keystone_boot_servers(cloud: Cloud, keystone: Keystone, tmp_path: Path) -> None:
    for kind, api, path in (("compute", "osapi_compute", "/v2.1"), ("image", "image", ""), ("network", "network", "")):
        openstack(keystone, "admin", "service", "create", "--name", kind, kind)
        openstack(keystone, "admin", "endpoint", "create", kind, "public", cloud.url(api, path))
    openstack(keystone, "admin", "project", "create", "demo")
    openstack(keystone, "admin", "user", "create", "--password", "secret", "demo")
    openstack(keystone, "admin", "role", "add", "--project", "demo", "--user", "demo", "member")
    (tmp_path / "disk").write_bytes(b"disk" * 1000)
    image = ["--public", "--disk-format", "raw", "--file", str(tmp_path / "disk"), "tiny"]
    openstack(keystone, "admin", "image", "create", *image)

    made = openstack(
        keystone, "demo", "server", "create", "--flavor", "m1.nano", "--image", "tiny", "--network", "private",
        "--wait", "first", "-f", "json",
    )  # fmt: skip

    demo = openstack(keystone, "admin", "user", "show", "demo", "-f", "json")
    assert (made["status"], made["user_id"]) == ("ACTIVE", demo["id"])
    assert openstack(keystone, "admin", "server", "list", "-f", "json") == []
    seen = openstack(keystone, "admin", "server", "list", "--all-projects", "-f", "json")
    assert [server["Name"] for server in seen] == ["first"]
    refused = openstack(keystone, "demo", "compute", "service", "list", check=False)
    assert "os_compute_api:os-services:list" in refused
    openstack(keystone, "demo", "server", "delete", "--wait", "first")
    cloud.settle()
    assert cloud.leaks() == []


def test_nobody_comes_in_without_a_token_of_keystone(cloud: Cloud) -> None:
    assert requests.get(cloud.url("osapi_compute", "/v2.1"), timeout=10).status_code == 200
    for headers in (
        {"X-Auth-Token": "gAAAAABnonsense"},
        {"X-Auth-Token": "", "X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-Project-Id": "demo"},
    ):
        answer = requests.get(cloud.url("osapi_compute", "/v2.1/servers"), headers=headers, timeout=10)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Keystone")
