"""How long one download may take: a watch that cuts a connection which goes on for too long, or too slowly.

Time limits of sockets hold for each piece that comes; a server that sends a byte a minute meets all of them, be it
in its TLS handshake, its headers or the body.
"""

import contextlib
import dataclasses
import socket
import threading
import time

from nova_lite import concurrency


@dataclasses.dataclass(frozen=True, slots=True)
class Patience:
    """The most seconds that a download takes, and the fewest bytes a second over each ``window``; 0 sets no limit."""

    seconds: float = 0.0
    rate: int = 0
    window: float = 30.0


class Watch:
    """Watches one download from its begin until ``end``."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began = time.monotonic()
        self._received = 0
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()
        self._over = threading.Event()
        self.reason = ""
        if patience.seconds or patience.rate:
            concurrency.spawn(self._watch)

    def holds(self, connection: socket.socket) -> None:
        """Take note of a connection, which may become part of a TLS one later."""
        with self._guard:
            self._sockets.append(connection.dup())
        if self.reason:
            self._cut()

    def received(self, size: int) -> None:
        """Take note of bytes that came."""
        self._received += size

    def end(self) -> None:
        """Stop to watch."""
        self._over.set()
        with self._guard:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()

    def _watch(self) -> None:
        patience, seen = self._patience, 0
        end = self._began + patience.seconds if patience.seconds else float("inf")
        while not self.reason:
            left = end - time.monotonic()
            if self._over.wait(max(0.0, min(left, patience.window))):
                return
            if time.monotonic() >= end:
                self.reason = f"it took more than {patience.seconds:g} seconds"
            elif patience.rate and self._received - seen < patience.rate * patience.window:
                self.reason = f"it came at less than {patience.rate} bytes a second"
            seen = self._received
        self._cut()

    def _cut(self) -> None:
        with self._guard:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
