"""The server of long connections: it keeps room, and cuts what is open when it stops."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.cert.authority import Authority, parse_subject
from nova_lite.console.server import ConnectionServer


@contextlib.contextmanager
def serving(handle: Callable[[ConnectionServer, socket.socket], None], **options: Any) -> Iterator[ConnectionServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = ConnectionServer(listener, lambda connection, _: handle(server, connection), **options)
    server.address = listener.getsockname()  # type: ignore[attr-defined]
    server.start()
    try:
        yield server
    finally:
        server.stop(0)


def visit(server: Any) -> socket.socket:
    return socket.create_connection(server.address, timeout=10)


def echo(server: ConnectionServer, connection: socket.socket) -> None:
    if connection.recv(1) == b"s":
        server.settled(connection)
        connection.sendall(b"s")
    connection.recv(1)


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server and its client need for TLS."""
    authority = Authority(tmp_path)
    authority.make(parse_subject("/CN=cloud"))
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(tmp_path / "cacert.pem", tmp_path / "private" / "cakey.pem")
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    return server, client


def test_a_stop_cuts_who_speaks_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    came, gone = threading.Event(), threading.Event()

    def wait(_: ConnectionServer, connection: socket.socket) -> None:
        connection.settimeout(None)
        came.set()
        with contextlib.suppress(OSError):
            connection.recv(1)
        gone.set()

    with serving(wait, tls=contexts[0]) as server, contexts[1].wrap_socket(visit(server)):
        assert came.wait(10)
        server.stop(0)
        assert gone.wait(10)


def test_who_says_nothing_makes_room_for_others_and_who_settled_stays() -> None:
    with serving(echo, most=2, patience=0.1) as server, visit(server) as settled, visit(server) as idle:
        settled.sendall(b"s")
        assert settled.recv(1) == b"s"
        with visit(server) as other:
            other.sendall(b"s")
            assert other.recv(1) == b"s"
            assert idle.recv(1) == b""
            settled.setblocking(False)
            with pytest.raises(BlockingIOError):
                settled.recv(1)
