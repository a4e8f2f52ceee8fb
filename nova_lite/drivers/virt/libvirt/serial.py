"""The serial ports of guests, by libvirt's streams.

A stream blocks in C, so each direction has a thread of the operating system, which does nothing but carry
bytes: under green threads it must not touch anything that the others use.
"""

import _socket
import contextlib
import os
import socket
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


def open_port(uri: str, uuid: str) -> Join:
    """Open a guest's serial port, over a connection of its own; raises DriverError, NotFound."""
    return _Port(*concurrency.blocking(_open, uri, uuid)).join


def _open(uri: str, uuid: str) -> tuple[Any, Any]:
    try:
        connection = libvirt.open(uri)
        found = lookup(connection, uuid)
        if found is None:
            raise NotFound(f"Guest {uuid} could not be found.")
        stream = connection.newStream(0)
        found.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    except libvirt.libvirtError as error:
        raise DriverError(f"libvirt: {error.get_error_message()}.") from error
    return connection, stream


class _Port:
    """An open port."""

    def __init__(self, connection: Any, stream: Any) -> None:
        # The stream lives as long as its connection does.
        self._connection = connection
        self._stream = stream
        # One for each direction, which closes its own: the number of a closed one is soon another file's.
        self._printed = self._typed = -1

    def join(self, line: socket.socket) -> None:
        """Carry bytes both ways until one side ends; returns at once."""
        self._typed = line.detach()
        os.set_blocking(self._typed, True)
        self._printed = os.dup(self._typed)
        concurrency.native_thread(self._read)
        concurrency.native_thread(self._write)

    def _read(self) -> None:
        """Carry what the guest prints; at its end the line is shut down, which wakes the other thread."""
        with contextlib.suppress(libvirt.libvirtError, OSError):
            while data := self._stream.recv(_CHUNK):
                _write_all(self._printed, data)
        with contextlib.suppress(OSError), contextlib.closing(_socket.socket(fileno=self._printed)) as line:
            line.shutdown(socket.SHUT_RDWR)

    def _write(self) -> None:
        """Carry what is typed; at its end the guest's side is ended too."""
        with contextlib.suppress(libvirt.libvirtError, OSError):
            while data := os.read(self._typed, _CHUNK):
                while data:
                    data = data[self._stream.send(data) :]
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.abort()
        os.close(self._typed)


def _write_all(line: int, data: bytes) -> None:
    while data:
        data = data[os.write(line, data) :]
