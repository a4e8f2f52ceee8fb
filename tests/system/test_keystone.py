"""The APIs behind keystonemiddleware, with the real Keystone to say who calls."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cloud import Cloud, running
from tools.client import Client
from tools.services import Keystone

SHIPPED = Path(__file__).parents[2] / "etc" / "nova_lite" / "api-paste.ini"


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


class Clients:
    """The unmodified openstack client of each user, kept running."""

    def __init__(self, keystone: Keystone) -> None:
        self._keystone = keystone
        self._stack = contextlib.ExitStack()
        self._clients: dict[str, Client] = {}

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, user: str, *words: str) -> Any:
        """Run a command that succeeds; returns what it printed."""
        return self.of(user).run(*words)

    def of(self, user: str) -> Client:
        """Return a user's client."""
        if user not in self._clients:
            environment = {
                **os.environ, "OS_AUTH_URL": self._keystone.url, "OS_USERNAME": user, "OS_PASSWORD": "secret",
                "OS_PROJECT_NAME": user, "OS_USER_DOMAIN_ID": "default", "OS_PROJECT_DOMAIN_ID": "default",
                "OS_IDENTITY_API_VERSION": "3",
            }  # fmt: skip
            self._clients[user] = self._stack.enter_context(Client(environment))
        return self._clients[user]


@pytest.fixture
def openstack(keystone: Keystone) -> Iterator[Clients]:
    with Clients(keystone) as clients:
        yield clients


def test_people_of_keystone_boot_servers(cloud: Cloud, openstack: Clients, tmp_path: Path) -> None:
    for kind, api, path in (("compute", "osapi_compute", "/v2.1"), ("image", "image", ""), ("network", "network", "")):
        openstack("admin", "service", "create", "--name", kind, kind)
        openstack("admin", "endpoint", "create", kind, "public", cloud.url(api, path))
    openstack("admin", "project", "create", "demo")
    openstack("admin", "user", "create", "--password", "secret", "demo")
    openstack("admin", "role", "add", "--project", "demo", "--user", "demo", "member")
    (tmp_path / "disk").write_bytes(b"disk" * 1000)
    image = ["--public", "--disk-format", "raw", "--file", str(tmp_path / "disk"), "tiny"]
    openstack("admin", "image", "create", *image)

    made = openstack(
        "demo", "server", "create", "--flavor", "m1.nano", "--image", "tiny", "--network", "private",
        "--wait", "first", "-f", "json",
    )  # fmt: skip

    demo = openstack("admin", "user", "show", "demo", "-f", "json")
    assert (made["status"], made["user_id"]) == ("ACTIVE", demo["id"])
    assert openstack("admin", "server", "list", "-f", "json") == []
    seen = openstack("admin", "server", "list", "--all-projects", "-f", "json")
    assert [server["Name"] for server in seen] == ["first"]
    refused = openstack.of("demo").ask("compute", "service", "list")
    assert "os_compute_api:os-services:list" in refused.complained
    openstack("demo", "server", "delete", "--wait", "first")
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
