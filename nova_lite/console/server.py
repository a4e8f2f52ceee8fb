"""A server of long connections, each in a thread of its own."""

import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from nova_lite import concurrency

LOG = logging.getLogger(__name__)

T = TypeVar("T")

_HELLO_SECONDS = 30.0
"""How long a client may be silent before it says what it wants, and surely has to say it when others wait."""

_FULL_SECONDS = 0.5
"""How long the server waits when it has no room, before it looks again."""

_CHUNK = 65536

Handle = Callable[[socket.socket, Any], object]
"""Talks with one client, whose connection and address it is given."""


class ConnectionServer:
    """Accepts connections on a listening socket, over TLS where there is a certificate, until it is stopped.

    ``most`` of them are open at once. Who has not ``settled`` has to go when there is no room for others and it has
    been there for ``patience`` seconds.
    """

    def __init__(
        self,
        listener: socket.socket,
        handle: Handle,
        tls: ssl.SSLContext | None = None,
        *,
        most: int = 600,
        patience: float = _HELLO_SECONDS,
    ) -> None:
        self._listener = listener
        self._handle = handle
        self._tls = tls
        self._patience = patience
        self._room = threading.BoundedSemaphore(most)
        self._open: dict[socket.socket, float | None] = {}
        self._guard = threading.Lock()
        self._stopping = False

    def start(self) -> None:
        """Begin to accept; returns at once."""
        concurrency.spawn(self._accept)

    def stop(self, drain_seconds: float) -> None:
        """Accept no more, and cut what is open: people leave a console open for days."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            _cut(self._open)

    def settled(self, connection: socket.socket) -> None:
        """Say that a client has what it came for, and may stay."""
        with self._guard:
            self._open[connection] = None

    def _accept(self) -> None:
        while not self._stopping:
            if not self._room.acquire(timeout=_FULL_SECONDS):
                self._cut_late()
                continue
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                # The listener was closed, a client left before it was greeted, or the process has no file left.
                self._room.release()
                if not self._stopping and not isinstance(error, ConnectionError):
                    LOG.warning("a connection could not be accepted: %s", error)
                    time.sleep(_FULL_SECONDS)
                continue
            concurrency.spawn(self._serve, connection, address)

    def _cut_late(self) -> None:
        before = time.monotonic() - self._patience
        with self._guard:
            _cut([connection for connection, since in self._open.items() if since and since < before])

    def _serve(self, connection: socket.socket, address: Any) -> None:
        """Serve one client; the wall between it and the others."""
        try:
            connection.settimeout(_HELLO_SECONDS)
            if self._tls is not None:
                # The other object is empty from here on.
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            with self._guard:
                self._open[connection] = time.monotonic()
            if self._stopping:
                return
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            self._handle(connection, address)
        except OSError as error:
            LOG.debug("the connection of %s broke: %s", address[0], error)
        except Exception:
            LOG.exception("a connection of %s stopped unexpectedly", address[0])
        finally:
            with self._guard:
                self._open.pop(connection, None)
            connection.close()
            self._room.release()


def _cut(connections: Iterable[socket.socket]) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class _Pipe(Protocol):
    """One end of what is carried."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def shutdown(self, how: int, /) -> None: ...


class _OneAtATime:
    """A TLS connection for two native threads: OpenSSL must not read and write the same one at once."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._guard = threading.Lock()

    def recv(self, size: int, /) -> bytes:
        return self._do(lambda: self._connection.recv(size))

    def sendall(self, data: bytes, /) -> None:
        rest = memoryview(data)
        while rest:
            sent = self._do(lambda rest=rest: self._connection.send(rest))  # type: ignore[misc]
            rest = rest[sent:]

    def shutdown(self, how: int, /) -> None:
        self._connection.shutdown(how)

    def _do(self, work: Callable[[], T]) -> T:
        """Return what ``work`` does as soon as it can be done."""
        while True:
            try:
                with self._guard:
                    return work()
            except ssl.SSLWantReadError:
                wanted = selectors.EVENT_READ
            except ssl.SSLWantWriteError:
                wanted = selectors.EVENT_WRITE
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, wanted)
                selector.select()


def splice(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes between two connections until one of them ends; both are shut down then."""
    one.settimeout(None)
    near: _Pipe = one
    if isinstance(one, ssl.SSLSocket) and concurrency.current() is concurrency.Mode.THREADING:
        near = _OneAtATime(one)
    back = concurrency.spawn(_carry, other, near)
    _carry(near, other)
    back.join()


def _carry(source: _Pipe, target: _Pipe) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    except (OSError, ValueError) as error:
        # A selector takes a connection that was closed meanwhile for a wrong value.
        LOG.debug("a console's connection broke: %s", error)
    finally:
        for connection in (source, target):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
