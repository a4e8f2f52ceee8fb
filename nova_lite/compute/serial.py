"""The serial ports of this host's guests, for the proxy: joined to who knows the path of a port.

A path is made when the proxy asks where a port is. It is a secret, works once, and only for a moment.
"""

import contextlib
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable

from nova_lite import concurrency
from nova_lite.core.console import ConsoleAddress
from nova_lite.core.errors import NotSupported, NovaError
from nova_lite.drivers.virt.abilities import Join, SerialConsole
from nova_lite.drivers.virt.base import VirtDriver

LOG = logging.getLogger(__name__)

_PATH_SECONDS = 60.0
_HELLO_SECONDS = 10.0
_MOST_HELLO = 4096
_MOST_GREETED = 100
_BREATH = 0.5
"""Seconds to wait after a connection could not be accepted, as when this process has no file left."""


class SerialPorts:
    """Gives paths of serial ports out; ``host`` and ``port`` are where the proxy reaches them, 0 for nowhere."""

    def __init__(self, driver: VirtDriver, host: str, port: int) -> None:
        self._driver = driver
        self._host = host
        self._port = port
        self._paths: dict[str, tuple[str, float]] = {}
        self._guard = threading.Lock()

    def address(self, uuid: str) -> ConsoleAddress:
        """Return where the serial port of a guest is for the next moment; raises NotSupported."""
        if not self._port or not isinstance(self._driver, SerialConsole):
            raise NotSupported("guests of this host have no serial console.")
        path, now = f"/{secrets.token_urlsafe(24)}", time.monotonic()
        with self._guard:
            self._paths = {one: kept for one, kept in self._paths.items() if kept[1] > now}
            self._paths[path] = (uuid, now + _PATH_SECONDS)
        return ConsoleAddress(self._host, self._port, path)

    def open(self, path: str) -> Join | None:
        """Open the port of a path, which is used up by it; None for a path that leads nowhere.

        Raises NotFound, DriverError.
        """
        with self._guard:
            uuid, until = self._paths.pop(path, ("", 0.0))
        if not uuid or until < time.monotonic() or not isinstance(self._driver, SerialConsole):
            return None
        return self._driver.open_serial(uuid)


class SerialDoor:
    """Takes the proxy's connections on ``listen()``: each says ``CONNECT path HTTP/1.1``, and is a port's then.

    It has ``hello_seconds`` to say so, and ``most`` may be about to at once; the others wait.
    """

    def __init__(
        self,
        ports: SerialPorts,
        listen: Callable[[], socket.socket],
        *,
        most: int = _MOST_GREETED,
        hello_seconds: float = _HELLO_SECONDS,
    ) -> None:
        self._ports = ports
        self._listen = listen
        self._room = threading.BoundedSemaphore(most)
        self._hello_seconds = hello_seconds
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Begin to accept; raises ConfigurationError."""
        self._listener = self._listen()
        concurrency.spawn(self._accept, self._listener)

    def stop(self, drain_seconds: float) -> None:
        """Accept no more; what was joined to a port stays so while this process lives."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            self._room.acquire()
            try:
                connection, _ = listener.accept()
            except OSError as error:
                # The listener was closed, a client left before it was greeted, or the process has no file left.
                self._room.release()
                if self._listener is listener and not isinstance(error, ConnectionError):
                    LOG.warning("a connection to a serial console could not be accepted: %s", error)
                    time.sleep(_BREATH)
                continue
            concurrency.spawn(self._greet, connection)

    def _greet(self, connection: socket.socket) -> None:
        """Join one connection to a port; the wall between it and the others."""
        try:
            connection.settimeout(self._hello_seconds)
            join = self._ports.open(_path_of(connection, time.monotonic() + self._hello_seconds))
            connection.sendall(f"HTTP/1.1 {'404 Not Found' if join is None else '200 OK'}\r\n\r\n".encode())
            connection.settimeout(None)
            if join is not None:
                join(connection)
                return
        except (OSError, NovaError) as error:
            LOG.warning("a serial console could not be opened: %s", error)
        finally:
            self._room.release()
        connection.close()


def _path_of(connection: socket.socket, until: float) -> str:
    """Read a request and return its path, empty for what is none and for one that is not whole by ``until``."""
    hello = b""
    while not hello.endswith(b"\r\n\r\n"):
        # What follows the empty line is the guest's already.
        byte = connection.recv(1)
        if not byte or len(hello) > _MOST_HELLO or time.monotonic() > until:
            return ""
        hello += byte
    words = hello.split(b"\r\n", 1)[0].split()
    return words[1].decode("latin-1") if len(words) == 3 and words[0] == b"CONNECT" else ""
