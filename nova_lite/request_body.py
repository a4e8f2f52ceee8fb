"""The body of a request on a thread's connection, as it is needed and never more than that in memory.

It stands in for the readers of the WSGI server for native threads, which send ``100 Continue`` before anybody wants
the body, hold a whole chunk of a chunked one in memory, and read what the application left into one string.
"""

import re
import socket
import time
from collections.abc import Callable
from typing import Any

_PIECE = 64 * 1024
_LONGEST_LINE = 8192
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_PATIENCE = 10.0
"""Seconds for which a body is read that nobody wants, so that its sender hears the answer."""


class RequestBody:
    """A body of known length, or with ``length`` None a chunked one (RFC 9112, section 7.1).

    ``invite`` sends ``100 Continue`` to a client that waits for it; ``connection`` is what the body comes on. One on
    which a body did not end as it should is ``spoilt``: nothing that follows on it is a request.
    """

    def __init__(self, source: Any, length: int | None, invite: Callable[[], None] | None = None) -> None:
        self._source = source
        self._left = length or 0
        self._chunked = length is None
        self._over = length == 0
        self._invite = invite
        self.spoilt = False
        self.connection: socket.socket | None = None

    def read(self, size: int | None = None) -> bytes:
        """Return ``size`` bytes, fewer only at the end, or all; raises OSError where the client broke off."""
        pieces: list[bytes] = []
        left = size if size is not None and size >= 0 else None
        while left is None or left > 0:
            piece = self._piece(_PIECE if left is None else left, self._source.read)
            if not piece:
                break
            pieces.append(piece)
            if left is not None:
                left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readline(self, size: int | None = None) -> bytes:
        """Return the bytes to the end of a line, at most ``size``."""
        line = b""
        while not line.endswith(b"\n") and (size is None or size < 0 or len(line) < size):
            most = _PIECE if size is None or size < 0 else size - len(line)
            piece = self._piece(most, self._source.readline)
            if not piece:
                break
            line += piece
        return line

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Return the lines."""
        return list(iter(self.readline, b""))

    def __iter__(self) -> "RequestBody":
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def close(self) -> None:
        """The connection is closed by its server."""

    def finish(self) -> bool:
        """Read and forget what nobody wanted, for a while; tells whether the connection may be used again."""
        if self._invite is not None and not self._over:
            # The client still waits, and nobody can tell whether it will send the body after all.
            return False
        # Who is refused and goes on sending, a byte now and then, must not keep a thread.
        deadline = time.monotonic() + _PATIENCE
        try:
            while self._piece(_PIECE, self._source.read1):
                if time.monotonic() > deadline:
                    return False
        except OSError:
            return False
        return not self.spoilt

    def _piece(self, size: int, read: Callable[[int], bytes]) -> bytes:
        """Return some of the body, none at its end."""
        if self._over:
            return b""
        if self._invite is not None:
            invite, self._invite = self._invite, None
            invite()
        if self._chunked and self._left == 0:
            self._begin_chunk()
            if self._over:
                return b""
        found = read(min(size, self._left))
        if not found:
            raise self._broken("The request's body ended too early.")
        self._left -= len(found)
        if self._left == 0:
            self._end_chunk()
        return found

    def _begin_chunk(self) -> None:
        size = self._line().split(b";", 1)[0].strip()
        if not _SIZE.fullmatch(size):
            raise self._broken("The request's body is not in chunks.")
        self._left = int(size, 16)
        if self._left == 0:
            while self._line():
                continue
            self._over = True

    def _end_chunk(self) -> None:
        if not self._chunked:
            self._over = True
        elif self._line():
            raise self._broken("A chunk of the request's body is longer than it said.")

    def _line(self) -> bytes:
        found: bytes = self._source.readline(_LONGEST_LINE)
        if not found.endswith(b"\n"):
            raise self._broken("The request's body ended too early.")
        return found.rstrip(b"\r\n")

    def _broken(self, reason: str) -> OSError:
        self.spoilt = self._over = True
        return OSError(reason)


class ChunkSource:
    """What eventlet reads a chunked body from: looks at the lines around the chunks, of which eventlet takes any.

    They are those that are read without a size. From the first that is wrong on all raise OSError.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._in_chunk = self._in_trailers = self._broken = False

    def read(self, size: int = -1) -> bytes:
        """Return some of a chunk."""
        found: bytes = self._source.read(size)
        return found

    def readline(self, size: int = -1) -> bytes:
        """Return a line of a chunk, at most ``size`` of it; without a size, the line that is around one."""
        line: bytes = self._source.readline(size if size >= 0 else _LONGEST_LINE)
        if size < 0 and (self._broken or not self._is_right(line)):
            self._broken = True
            raise OSError("The request's body is not in chunks.")
        return line

    def _is_right(self, line: bytes) -> bool:
        if self._in_trailers:
            return line.endswith(b"\n")
        if self._in_chunk:
            self._in_chunk = False
            return line == b"\r\n"
        found = _SIZE_LINE.fullmatch(line)
        self._in_trailers = found is not None and int(found[1], 16) == 0
        self._in_chunk = found is not None and not self._in_trailers
        return found is not None
