"""The URLs of consoles, and the tokens in them."""

import urllib.parse
from pathlib import Path

import pytest

from tests.cloud import Cloud, running
from tools.services import free_port

with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def opened(cloud: Cloud, server_id: str, protocol: str = "vnc", kind: str = "novnc", **options: str) -> str:
    body = {"remote_console": {"protocol": protocol, "type": kind}}
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/remote-consoles", body, **options)
    assert answer.status_code == 200, answer.text
    shown = answer.json()["remote_console"]
    assert (shown["protocol"], shown["type"]) == (protocol, kind)
    return str(shown["url"])


def token_of(url: str) -> str:
    path = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["path"][0]
    return path.removeprefix("?token=")


@with_sqlite
def test_a_console_opens_for_who_has_its_token(cloud: Cloud) -> None:
    server_id = cloud.boot()

    url = opened(cloud, server_id)
    other = opened(cloud, server_id)

    assert url.startswith("http://127.0.0.1:6080/vnc_auto.html?path=")
    assert token_of(url) != token_of(other)
    path = f"/v2.1/os-console-auth-tokens/{token_of(url)}"
    assert cloud.ask("GET", path, user="admin").json() == {
        "console": {
            "instance_uuid": server_id, "host": "127.0.0.1", "port": 5900, "internal_access_path": None,
        }
    }  # fmt: skip
    shown = cloud.openstack("console", "connection", "show", token_of(url), "-f", "json", user="admin")
    assert (shown["instance_uuid"], shown["host"], shown["port"]) == (server_id, "127.0.0.1", 5900)
    assert cloud.ask("GET", path).status_code == 403
    assert cloud.ask("GET", f"{path}x", user="admin").status_code == 404


@with_sqlite
def test_old_versions_ask_by_an_action(cloud: Cloud) -> None:
    server_id = cloud.boot()

    answer = cloud.act(server_id, {"os-getVNCConsole": {"type": "novnc"}}, version="2.5")

    assert answer.json()["console"]["type"] == "novnc"
    assert token_of(answer.json()["console"]["url"])
    assert cloud.act(server_id, {"os-getVNCConsole": {"type": "novnc"}}).status_code == 400
    assert cloud.act(server_id, {"os-getVNCConsole": {"type": "serial"}}, version="2.5").status_code == 400


@with_sqlite
def test_what_there_is_no_console_of_is_refused(cloud: Cloud) -> None:
    server_id = cloud.boot()
    path = f"/v2.1/servers/{server_id}/remote-consoles"

    for protocol, kind in (("rdp", "rdp-html5"), ("spice", "spice-html5"), ("vnc", "serial"), ("vnc", "x")):
        body = {"remote_console": {"protocol": protocol, "type": kind}}
        assert cloud.ask("POST", path, body).status_code == 400
    body = {"remote_console": {"protocol": "mks", "type": "webmks"}}
    assert "webmks" in cloud.ask("POST", path, body, version="2.8").json()["badRequest"]["message"]
    assert cloud.ask("POST", path, body, user="other").status_code == 404
    cloud.act(server_id, {"os-stop": None})
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    assert cloud.ask("POST", path, body).status_code == 409


def test_a_token_ends_and_other_proxies_may_be_named(tmp_path: Path) -> None:
    flags = (
        "--console_token_ttl=1", "--serialproxy_base_url=ws://host:6083/?a=b", "--serial_console_enabled",
        "--serial_console_listen=127.0.0.1", f"--serial_console_port={free_port()}",
    )  # fmt: skip
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        server_id = cloud.boot()

        url = opened(cloud, server_id, "serial", "serial")

        assert url.startswith("ws://host:6083/?a=b&token=")
        path = f"/v2.1/os-console-auth-tokens/{url.rpartition('=')[2]}"
        while (answer := cloud.ask("GET", path, user="admin")).status_code == 200:
            pass
        assert answer.status_code == 404


def test_links_begin_as_the_operator_says(tmp_path: Path) -> None:
    flags = ("--osapi_compute_link_prefix=https://cloud.example/compute/", "--osapi_max_limit=1")
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        for name in ("a", "b"):
            cloud.boot(name)
        page = cloud.ask("GET", "/v2.1/servers?limit=5").json()

    assert len(page["servers"]) == 1
    assert page["servers_links"][0]["href"].startswith("https://cloud.example/compute/v2.1/servers?limit=5&")
