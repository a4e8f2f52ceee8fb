"""A server of long connections, each in a thread of its own."""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from nova_lite import concurrency

LOG = logging.getLogger(__name__)

_HELLO_SECONDS = 30.0
"""How long a client may take to say what it wants."""

_CHUNK = 65536

Handle = Callable[[socket.socket, Any], object]
"""Talks with one client, whose connection and address it is given."""


class ConnectionServer:
    """Accepts connections on a listening socket, over TLS where there is a certificate, until it is stopped."""

    def __init__(self, listener: socket.socket, handle: Handle, tls: ssl.SSLContext | None = None) -> None:
        self._listener = listener
        self._handle = handle
        self._tls = tls
        self._open: set[socket.socket] = set()
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
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, address = self._listener.accept()
            except OSError:
                # The listener was closed, or a client left before it was greeted.
                continue
            concurrency.spawn(self._serve, connection, address)

    def _serve(self, connection: socket.socket, address: Any) -> None:
        """Serve one client; the wall between it and the others."""
        with self._guard:
            self._open.add(connection)
        try:
            connection.settimeout(_HELLO_SECONDS)
            if self._tls is None:
                self._handle(connection, address)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._handle(secured, address)
        except OSError as error:
            LOG.debug("the connection of %s broke: %s", address[0], error)
        except Exception:
            LOG.exception("a connection of %s stopped unexpectedly", address[0])
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()


def splice(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes between two connections until one of them ends; both are shut down then."""
    one.settimeout(None)
    back = concurrency.spawn(_carry, other, one)
    _carry(one, other)
    back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    except OSError as error:
        LOG.debug("a console's connection broke: %s", error)
    finally:
        for connection in (source, target):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
