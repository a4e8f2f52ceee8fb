"""Images while the daemon that brings them is killed: nothing is lost, and nothing left over."""

import datetime
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cloud import wait_for
from tools.deployment import Client, Deployment, flags_for

BYTES = bytes(range(256)) * 20_000


class Web(http.server.ThreadingHTTPServer):
    """A web server that has a disk, of which it sends but the half the first time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Disk)
        self.asked = 0
        self.goes_on = threading.Event()


class _Disk(http.server.BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.server.asked += 1
        first = self.server.asked == 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(BYTES)))
        self.end_headers()
        self.wfile.write(BYTES[: len(BYTES) // 2])
        if first:
            self.server.goes_on.wait(60)
            return
        self.wfile.write(BYTES[len(BYTES) // 2 :])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.goes_on.set()
        server.shutdown()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    flags = flags_for(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", "local://")
    flags |= {"import_allowed_networks": "127.0.0.0/8", "import_allowed_ports": "", "periodic_interval": 1}
    deployment = Deployment(tmp_path, flags, ("nova-all",))
    deployment.start()
    yield deployment
    deployment.stop()


def new_image(client: Client) -> str:
    body = {"name": "disk", "disk_format": "raw", "container_format": "bare"}
    answer = client.session.post(client.url("image", "/v2/images"), json=body, timeout=20)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def begin_upload(client: Client, image_id: str) -> socket.socket:
    """Send the half of an image's bytes."""
    port = int(client.url("image", "").rpartition(":")[2])
    lines = [
        f"PUT /v2/images/{image_id}/file HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(BYTES)}",
        "Content-Type: application/octet-stream", f"X-Auth-Token: {client.session.headers['X-Auth-Token']!s}",
    ]  # fmt: skip
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + BYTES[: len(BYTES) // 2])
    return connection


def status(client: Client, image_id: str) -> str:
    return str(client.session.get(client.url("image", f"/v2/images/{image_id}"), timeout=20).json()["status"])


def let_claims_run_out(folder: Path) -> None:
    """Say of every import that its worker has not been heard of for too long."""
    past = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(seconds=1)
    engine = sa.create_engine(f"sqlite:///{folder}/nova.sqlite")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE image_tasks SET claimed_until = :past"), {"past": str(past)})
    engine.dispose()


def test_a_daemon_killed_in_the_middle_of_images_leaves_nothing_and_goes_on(
    deployment: Deployment, web: Web, tmp_path: Path
) -> None:
    # given an image that is being imported, and one that is being uploaded
    client = deployment.client()
    imported, uploaded = new_image(client), new_image(client)
    wish = {"method": {"name": "web-download", "uri": f"http://127.0.0.1:{web.server_port}/disk"}}
    url = client.url("image", f"/v2/images/{imported}/import")
    assert client.session.post(url, json=wish, timeout=20).status_code == 202
    with begin_upload(client, uploaded):
        assert wait_for(lambda: (status(client, imported), status(client, uploaded)) == ("importing", "saving"))
        assert wait_for(lambda: web.asked)

        # when the daemon is killed and comes back
        deployment.daemons[0].kill()
    assert [file for file in (tmp_path / "images").iterdir()] == []
    deployment.daemons[0].start()
    let_claims_run_out(tmp_path)

    # then the import is done anew, and there is nothing else
    again = deployment.client()
    assert wait_for(lambda: status(again, imported) == "active")
    got = again.session.get(again.url("image", f"/v2/images/{imported}/file"), timeout=20)
    assert got.content == BYTES
    assert [file.name for file in (tmp_path / "images").iterdir()] == [imported]
