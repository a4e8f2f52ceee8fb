"""The consoles of containers: read all the time, for what nobody reads stops a container that prints.

libvirt keeps no log of them. So each is open as long as its container runs: what it prints goes into a file, and to
who has it open. The threads that do this block in C, and touch nothing of what green threads use.
"""

import _socket
import contextlib
import os
import socket
import time
from pathlib import Path
from typing import Any

from nova_lite import concurrency
from nova_lite.core.errors import DriverError, NotFound
from nova_lite.drivers.virt.abilities import Join
from nova_lite.drivers.virt.libvirt.connection import lookup

try:
    import libvirt
except ImportError:
    libvirt = None

_CHUNK = 16384
_TRIES = 5
_LOOK_AGAIN = 0.25


class ContainerConsoles:
    """The consoles of the containers of the libvirtd at ``uri``."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._consoles: dict[str, _Console] = {}
        self._guard = concurrency.native_lock()
        self._ended: concurrency.Mailbox[_Console] = concurrency.Mailbox()

    def start(self) -> None:
        """Begin to look after consoles that end."""
        concurrency.spawn(self._look_after)

    def follow(self, uuid: str, log: Path) -> None:
        """Write what a container prints to ``log``; raises DriverError for one that is off, NotFound."""
        concurrency.blocking(self._follow, uuid, log)

    def join(self, uuid: str, log: Path) -> Join:
        """Return what gives a connection the console, away from who has it; raises as ``follow``."""
        return concurrency.blocking(self._follow, uuid, log).join

    def _follow(self, uuid: str, log: Path) -> "_Console":
        with self._guard:
            known = self._consoles.get(uuid)
            if known is None or known.over:
                known = _Console(uuid, log, self._ended, *_opened(self._uri, uuid))
                self._consoles[uuid] = known
                known.start()
            return known

    def _look_after(self) -> None:
        while True:
            concurrency.spawn(self._again, self._ended.get())

    def _again(self, ended: "_Console") -> None:
        """Follow a container further that began anew by itself; one that is off has no console."""
        for _ in range(_TRIES):
            time.sleep(_LOOK_AGAIN)
            with contextlib.suppress(DriverError, NotFound, OSError):
                self.follow(ended.uuid, ended.log)
                return
        concurrency.blocking(self._forget, ended)

    def _forget(self, ended: "_Console") -> None:
        with self._guard:
            if self._consoles.get(ended.uuid) is ended:
                del self._consoles[ended.uuid]


def _opened(uri: str, uuid: str) -> tuple[Any, Any]:
    """Open a container's console, over a connection of its own; returns the two."""
    try:
        connection = libvirt.open(uri)
        found = lookup(connection, uuid)
        if found is None:
            raise NotFound(f"Guest {uuid} could not be found.")
        stream = connection.newStream(0)
        found.openConsole(None, stream, 0)
    except libvirt.libvirtError as error:
        raise DriverError(f"libvirt: {error.get_error_message()}.") from error
    return connection, stream


class _Console:
    """An open console; ``over`` when the container has ended."""

    def __init__(
        self, uuid: str, log: Path, ended: "concurrency.Mailbox[_Console]", connection: Any, stream: Any
    ) -> None:
        self.uuid = uuid
        self.log = log
        self.over = False
        self._ended = ended
        # The stream lives as long as its connection does.
        self._connection = connection
        self._stream = stream
        self._file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._guard = concurrency.native_lock()
        self._line: _socket.socket | None = None

    def start(self) -> None:
        """Begin to read."""
        concurrency.native_thread(self._read)

    def join(self, line: socket.socket) -> None:
        """Give the console to a connection, until that ends or another one has it; returns at once."""
        typed = line.detach()
        os.set_blocking(typed, True)
        concurrency.blocking(self._give, _socket.socket(fileno=os.dup(typed)))
        concurrency.native_thread(lambda: self._write(typed))

    def _give(self, line: "_socket.socket | None") -> None:
        with self._guard:
            before, self._line = self._line, None if self.over else line
            if before is not None:
                _end(before)
            if line is not None and self.over:
                _end(line)

    def _read(self) -> None:
        """Carry what the container prints, until it ends."""
        with contextlib.suppress(libvirt.libvirtError, OSError):
            while data := self._stream.recv(_CHUNK):
                os.write(self._file, data)
                with self._guard:
                    if self._line is not None:
                        # Who does not read misses something; the container and its log go on.
                        with contextlib.suppress(OSError):
                            self._line.send(data, socket.MSG_DONTWAIT)
        self.over = True
        self._give(None)
        os.close(self._file)
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.abort()
        self._ended.put(self)

    def _write(self, typed: int) -> None:
        """Carry what is typed, until the connection ends."""
        with contextlib.suppress(libvirt.libvirtError, OSError):
            while data := os.read(typed, _CHUNK):
                while data:
                    data = data[self._stream.send(data) :]
        os.close(typed)


def _end(line: _socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
