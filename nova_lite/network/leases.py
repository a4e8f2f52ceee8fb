"""Hearing of leases from dnsmasq's script, by datagrams on a socket of this host.

The script runs for every lease of every guest, so it must be cheap: it only sends a line and ends. A line
that is lost does no harm, as the end of a lease is also known from the clock.
"""

import contextlib
import logging
import os
import socket
import threading

from sqlalchemy.orm import Session

from nova_lite import concurrency
from nova_lite.core.errors import DatabaseUnavailable
from nova_lite.db import leases
from nova_lite.db.engine import Database

LOG = logging.getLogger(__name__)

_LONGEST_LINE = 512
_MOST_AT_ONCE = 200


class LeaseListener:
    """Writes what the script reports into the database, many leases a transaction."""

    def __init__(self, database: Database, path: str) -> None:
        self._database = database
        self._path = path
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; where the socket cannot be made, the script goes the long way by itself."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            listener.bind(self._path)
            os.chmod(self._path, 0o600)
        except OSError as error:
            listener.close()
            LOG.warning("cannot listen for leases on %s: %s", self._path, error)
            return
        self._socket = listener
        self._thread = concurrency.spawn(self._listen, listener)

    def stop(self) -> None:
        """Stop listening; the script then waits for nobody."""
        if self._socket is None or self._thread is None:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", self._path)
        self._thread.join(5)
        self._socket.close()
        self._socket = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _listen(self, listener: socket.socket) -> None:
        while True:
            lines = _waiting(listener)
            reports = [line.decode(errors="replace").split() for line in lines]
            self._record([report for report in reports if len(report) == 3])
            if b"" in lines:
                return

    def _record(self, reports: list[list[str]]) -> None:
        def work(session: Session) -> None:
            for action, mac, address in reports:
                leases.set_leased(session, address, mac, action != "del")

        if not reports:
            return
        try:
            self._database.run("network.leases", work)
        except DatabaseUnavailable as error:
            LOG.warning("%s reports of leases are lost: %s", len(reports), error)


def _waiting(listener: socket.socket) -> list[bytes]:
    """Return the lines that have come, at least one."""
    lines = [listener.recv(_LONGEST_LINE)]
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while len(lines) < _MOST_AT_ONCE:
            lines.append(listener.recv(_LONGEST_LINE))
    listener.setblocking(True)
    return lines
