"""The proxies of consoles: who has a token is joined to the guest, and nobody else."""

import contextlib
import socket
import ssl
import threading
import types
import typing
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.cmd.wiring.base import Base
from nova_lite.cmd.wiring.consoles import proxy_parts
from nova_lite.conf import load
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.errors import ConfigurationError
from nova_lite.drivers.virt.fake import FakeVirtDriver
from tests.cloud import Cloud, running, wait_for
from tests.tls import self_signed
from tests.viewer import Viewer, websocket_url
from tools.services import free_port

GREETING = b"RFB 003.008\n"
PROXIES = ("novnc", "xvpvnc", "serial")


class Screen:
    """A screen that greets, and says again what it is told; it counts who came."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self.visits += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(GREETING)
            while told := connection.recv(4096):
                connection.sendall(told)


SCREEN = Screen()


class ScreenDriver(FakeVirtDriver):
    """Simulated guests that all show the one screen."""

    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        found = super().console(uuid, kind)
        return ConsoleAddress(found.host, SCREEN.port)


def flags(folder: Path, tls: str = "") -> list[str]:
    """Return the flags of a cloud with its proxies; ``tls`` is an s where they speak TLS."""
    web = folder / "pages"
    (web / "app").mkdir(parents=True)
    (web / "vnc_auto.html").write_text("<title>noVNC</title>")
    ports = {name: free_port() for name in PROXIES}
    return [
        f"--compute_driver={__name__}.ScreenDriver", f"--console_proxies={','.join(PROXIES)}",
        *(f"--{name}proxy_port={port}" for name, port in ports.items()),
        *(f"--{name}proxy_host=127.0.0.1" for name in ports), f"--novncproxy_web={web}",
        f"--novncproxy_base_url=http{tls}://127.0.0.1:{ports['novnc']}/vnc_auto.html",
        f"--xvpvncproxy_base_url=http{tls}://127.0.0.1:{ports['xvpvnc']}/console",
        f"--serialproxy_base_url=ws{tls}://127.0.0.1:{ports['serial']}/",
        "--serial_console_enabled", f"--serial_console_port={free_port()}",
        "--console_allowed_origins=portal.example",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def module_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("consoles")
    with running(folder, f"sqlite:///{folder}/nova.sqlite", *flags(folder)) as cloud:
        yield cloud


@pytest.fixture
def cloud(module_cloud: Cloud) -> Iterator[Cloud]:
    yield module_cloud
    module_cloud.delete_all()
    assert module_cloud.leaks() == []


def url_of(cloud: Cloud, server_id: str, kind: str) -> str:
    protocol = "serial" if kind == "serial" else "vnc"
    body = {"remote_console": {"protocol": protocol, "type": kind}}
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/remote-consoles", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["remote_console"]["url"])


def status(url: str, **headers: str) -> int:
    """Return the status with which the proxy answers who wants to upgrade."""
    wanted = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "binary", **headers,
    }  # fmt: skip
    host, _, port = urllib.parse.urlsplit(url).netloc.partition(":")
    path = url.split(f":{port}", 1)[1]
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{k}: {v}" for k, v in wanted.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(64).split()[1])


def test_a_page_leads_to_the_screen_of_its_guest(cloud: Cloud) -> None:
    url = url_of(cloud, cloud.boot(), "novnc")
    with urllib.request.urlopen(url, timeout=10) as page:
        assert b"noVNC" in page.read()
        assert page.headers["X-Frame-Options"] == "SAMEORIGIN"

    viewer = Viewer(websocket_url(url), f"http://{urllib.parse.urlsplit(url).netloc}")
    assert viewer.read(len(GREETING)) == GREETING
    data = bytes(range(256)) * 1000
    viewer.write(data)
    assert viewer.read(len(data)) == data
    viewer.close()


def test_a_serial_port_is_typed_at(cloud: Cloud) -> None:
    server_id = cloud.boot()
    viewer = Viewer(url_of(cloud, server_id, "serial"))
    viewer.read(10)
    viewer.write(b"root\n")

    def typed() -> bool:
        return "root" in cloud.ask(
            "POST", f"/v2.1/servers/{server_id}/action", {"os-getConsoleOutput": {}}
        ).json()["output"]  # fmt: skip

    assert wait_for(typed)
    viewer.close()


def test_the_java_viewer_has_the_connection_for_itself(cloud: Cloud) -> None:
    parts = urllib.parse.urlsplit(url_of(cloud, cloud.boot(), "xvpvnc"))
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n\r\n".encode())
        answer = connection.makefile("rb")
        assert b" 200 " in answer.readline()
        assert answer.readline() == b"\r\n"
        assert answer.read(len(GREETING)) == GREETING
        connection.sendall(b"key pressed\n")
        assert answer.readline() == b"key pressed\n"


@pytest.mark.parametrize("kind", ["novnc", "serial"])
def test_nobody_without_the_right_token_reaches_a_guest(cloud: Cloud, kind: str) -> None:
    server_id = cloud.boot()
    url = websocket_url(url_of(cloud, server_id, kind))
    other = websocket_url(url_of(cloud, server_id, "serial" if kind == "novnc" else "novnc")).partition("?")[2]
    before = SCREEN.visits
    bare = url.partition("?")[0]

    assert status(bare) == 400
    assert status(f"{bare}?token=guess") == 401
    assert status(f"{bare}?{other}") == 401
    assert status(url, Origin="http://elsewhere.example") == 403
    assert status(url, Origin="https://127.0.0.1") == 403
    assert SCREEN.visits == before
    assert status(url, Origin="http://portal.example") == 101
    assert status(bare, Cookie=f"token={url.rpartition('=')[2]}") == 101
    cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
    cloud.settle()
    assert status(url) == 401


def test_the_java_viewers_proxy_asks_for_a_token_too(cloud: Cloud) -> None:
    bare = url_of(cloud, cloud.boot(), "xvpvnc").partition("?")[0]
    for query, expected in (("", 400), ("?token=guess", 401)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(bare + query, timeout=10)
        assert caught.value.code == expected


@pytest.mark.parametrize("path", ["/", "/app/", "/../nova.sqlite", "/%2e%2e/nova.sqlite", "//portal.example/%2f.."])
def test_only_the_pages_are_shown(cloud: Cloud, path: str) -> None:
    parts = urllib.parse.urlsplit(cloud.conf.novncproxy_base_url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = connection.makefile("rb").read()
    assert answer.split()[1] == b"404"
    assert b"Location" not in answer


def test_a_guest_that_is_off_is_not_reached(cloud: Cloud) -> None:
    server_id = cloud.boot()
    urls = [websocket_url(url_of(cloud, server_id, kind)) for kind in ("novnc", "serial")]
    cloud.act(server_id, {"os-stop": None})
    assert [status(url) for url in urls] == [502, 502]


def test_a_token_lets_in_once_where_the_operator_says_so(tmp_path: Path) -> None:
    more = [*flags(tmp_path), "--console_token_single_use"]
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *more) as cloud:
        url = websocket_url(url_of(cloud, cloud.boot(), "novnc"))
        assert [status(url), status(url)] == [101, 401]


def test_consoles_are_reached_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path / "certificate.pem", "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    more = [*flags(tmp_path, "s"), f"--console_ssl_cert_file={certificate.file}"]
    data = bytes(range(256)) * 1000
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *more) as cloud:
        server_id = cloud.boot()
        url = url_of(cloud, server_id, "novnc")
        with urllib.request.urlopen(url, timeout=10) as page:
            assert b"noVNC" in page.read()
        viewer = Viewer(websocket_url(url), f"https://{urllib.parse.urlsplit(url).netloc}")
        assert viewer.read(len(GREETING)) == GREETING
        viewer.write(data)
        assert viewer.read(len(data)) == data
        viewer.close()

        parts = urllib.parse.urlsplit(url_of(cloud, server_id, "xvpvnc"))
        plain = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
        with ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) as connection:
            connection.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n\r\n".encode())
            answer = connection.makefile("rb")
            assert b" 200 " in answer.readline()
            assert answer.readline() == b"\r\n"
            assert answer.read(len(GREETING)) == GREETING
            for _ in range(50):
                connection.sendall(data[:8192])
                assert answer.read(8192) == data[:8192]


@pytest.mark.parametrize(
    ("name", "flag", "complaint"),
    [
        ("telnet", "--console_proxies=telnet", "there are novnc"),
        ("novnc", "--novncproxy_web=/nowhere", "is no folder"),
        ("serial", "--console_ssl_cert_file=/nowhere", "certificate /nowhere"),
    ],
)
def test_a_proxy_that_cannot_run_says_why(name: str, flag: str, complaint: str) -> None:
    ports = [f"--{proxy}proxy_port={free_port()}" for proxy in PROXIES]
    base = types.SimpleNamespace(conf=load([flag, *ports], prog="nova-all"), database=None, compute=None)
    with pytest.raises(ConfigurationError, match=complaint):
        proxy_parts(typing.cast(Base, base), name)
