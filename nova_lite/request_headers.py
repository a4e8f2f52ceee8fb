"""Headers that say where a request ends, read so that a server and the proxies before it cannot differ in it.

What one takes for the body and the other for a next request, a client could use to speak in another's name
(RFC 9112, section 11.2). Such requests are refused.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

_LENGTH = re.compile(rb"[0-9]{1,19}")
_LINE = re.compile(rb"(?:[!-9;-~]+:[\t -~\x80-\xff]*)?\r?\n")
"""A header, or the end of all: a name without blanks, and no line that goes on in the next, nor ends in between."""
_ONCE = (b"Content-Length", b"Transfer-Encoding", b"Host")


class ClearLines:
    """The lines of headers as a source has them; raises ValueError at one that others could read otherwise."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def readline(self, *size: int) -> bytes:
        """Return the next line, as files do."""
        line: bytes = self._source.readline(*size)
        if line and not _LINE.fullmatch(line):
            raise ValueError("A header is not a name, a colon and a value.")
        return line


class _Once(dict[bytes, bytes]):
    """Headers of which some may be there once only."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and name in self:
            raise ValueError(f"The header {name.decode()} is there twice.")
        super().__setitem__(name, value)


def strict(read: Callable[[Any, dict[bytes, bytes]], object]) -> Callable[[Any, dict[bytes, bytes]], None]:
    """Return what reads headers as cheroot's reader does, and raises ValueError for those that are not clear."""

    def read_all(source: Any, headers: dict[bytes, bytes]) -> None:
        found = _Once()
        read(ClearLines(source), found)
        check_end(*([found[name]] if name in found else [] for name in _ONCE[:2]))
        headers.update(found)

    return read_all


def check_end(lengths: Sequence[bytes], encodings: Sequence[bytes]) -> None:
    """Raise ValueError unless these Content-Lengths and Transfer-Encodings say in one way where a body ends."""
    if len(lengths) + len(encodings) > 1:
        raise ValueError("Content-Length and Transfer-Encoding exclude each other, and are there once.")
    if not all(_LENGTH.fullmatch(length) for length in lengths):
        raise ValueError("The header Content-Length is not a number.")
    if not all(encoding.lower() == b"chunked" for encoding in encodings):
        raise ValueError("There is no Transfer-Encoding but chunked.")
