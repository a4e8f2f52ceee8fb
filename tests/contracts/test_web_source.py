"""Web servers from which an image never comes to its end."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from nova_lite.core.errors import InvalidInput
from nova_lite.drivers.image.patience import Patience
from nova_lite.drivers.image.web import WebSource

HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 100000000\r\n\r\n"
LOOPBACK = ["127.0.0.0/8"]


@contextlib.contextmanager
def dripping(start: bytes, drop: bytes) -> Iterator[str]:
    """Serve one connection: what a server says at once, then a drop again and again until the client is gone."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.sendall(start)
                for _ in itertools.count():
                    connection.sendall(drop)
                    time.sleep(0.02)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/disk"
    thread.join(10)
    assert not thread.is_alive(), "the connection was not cut"


@pytest.mark.parametrize(
    ("start", "drop"), [(HEAD, b"X-Drop: 1\r\n"), (HEAD + b"\r\n", b"x"), (HEAD + LENGTH, b"x")],
    ids=["headers", "body without end", "body of a length"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("patience", "reason"),
    [
        (Patience(seconds=0.3), "took more than 0.3 seconds"),
        (Patience(rate=10**6, window=0.3), "less than 1000000 bytes a second"),
    ],
)
def test_a_server_that_drips_is_left(start: bytes, drop: bytes, patience: Patience, reason: str) -> None:
    with dripping(start, drop) as uri, pytest.raises(InvalidInput, match=reason):
        list(WebSource(LOOPBACK, patience=patience).read(uri))


def test_a_server_that_never_ends_its_handshake_is_left() -> None:
    source = WebSource(LOOPBACK, patience=Patience(seconds=0.3))
    # A record of TLS that says it has 16384 bytes.
    with dripping(b"\x16\x03\x03\x40\x00", b"\x02") as uri, pytest.raises(InvalidInput, match="took more than"):
        list(source.read(uri.replace("http:", "https:")))


def test_a_server_that_is_fast_enough_is_heard_to_the_end() -> None:
    body = bytes(3_000_000)
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    source = WebSource(LOOPBACK, patience=Patience(seconds=60, rate=1, window=30))
    chunks = list(source.read(f"http://127.0.0.1:{server.getsockname()[1]}/disk"))
    thread.join()
    assert b"".join(chunks) == body


@pytest.mark.parametrize(
    "address",
    [
        "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]",
        "[2002:a9fe:a9fe::1]", "[fec0::1]", "[fd00:ec2::254]", "[ff02::1]", "100.64.0.1", "0.0.0.0", "2130706433",
        "127.1", "0x7f000001", "localhost",
    ],
)  # fmt: skip
def test_what_leads_home_in_another_spelling_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="is not a public one"):
        list(WebSource().read(f"http://{address}/disk"))


def test_an_address_of_the_world_may_stand_for_one_of_version_4() -> None:
    WebSource().check("http://[64:ff9b::8.8.8.8]/disk")
    WebSource(["169.254.0.0/16"]).check("http://[64:ff9b::169.254.169.254]/disk")
    WebSource(["::1/128"]).check("http://[::1]/disk")


@pytest.mark.parametrize("place", ["http://[bad/", "http://a:99999/", "gopher://127.0.0.1/"])
def test_a_redirection_to_nowhere_is_told(place: str) -> None:
    redirection = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    with dripping(redirection, b"x") as uri, pytest.raises(InvalidInput):
        list(WebSource(LOOPBACK).read(uri))
