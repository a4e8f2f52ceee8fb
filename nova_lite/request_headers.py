"""Headers that say where a request ends, read so that a server and the proxies before it cannot differ in it.

What one takes for the body and the other for a next request, a client could use to speak in another's name
(RFC 9112, section 11.2). Such requests are refused.
"""

import re
from collections.abc import Callable
from typing import Any

_LENGTH = re.compile(rb"[0-9]{1,19}")
_ONCE = (b"Content-Length", b"Transfer-Encoding", b"Host")


class _Once(dict[bytes, bytes]):
    """Headers of which some may be there once only."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and name in self:
            raise ValueError(f"The header {name.decode()} is there twice.")
        super().__setitem__(name, value)


def strict(reader: Any) -> Callable[[Any, dict[bytes, bytes]], None]:
    """Return what reads headers as cheroot's ``reader`` does, and raises ValueError for those that are not clear."""

    class Reader(type(reader)):  # type: ignore[misc]
        """Takes no name with blanks around it."""

        def _transform_key(self, name: bytes) -> bytes:
            if name != name.strip():
                raise ValueError("A header's name has blanks around it.")
            made: bytes = super()._transform_key(name)
            return made

    read = Reader()

    def read_all(source: Any, headers: dict[bytes, bytes]) -> None:
        found = _Once()
        read(source, found)
        length = found.get(b"Content-Length")
        if length is not None and not is_length(length):
            raise ValueError("The header Content-Length is not a number.")
        if length is not None and b"Transfer-Encoding" in found:
            raise ValueError("Content-Length and Transfer-Encoding exclude each other.")
        headers.update(found)

    return read_all


def is_length(text: bytes) -> bool:
    """Tell whether a text is a Content-Length: digits and nothing else."""
    return _LENGTH.fullmatch(text) is not None
