"""Reading the body that a WSGI server hands on: by line or by number, with one kind of error for a broken one."""

from typing import Any

from nova_lite.objectstore.errors import S3Error

_PIECE = 1024 * 1024
_LONGEST_LINE = 8192


class Stream:
    """A body as it comes, HTTP's own chunks undone by the server."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._input = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH", "")
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        self._left: int | None = None if chunked else int(length if length.isdigit() else 0)
        self._held = b""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none only at the end; raises S3Error where the client broke off."""
        if self._held:
            found, self._held = self._held[:size], self._held[size:]
            return found
        return self._receive(size)

    def line(self) -> bytes:
        """Return the bytes to the next line's end, which is read but not returned; raises S3Error."""
        while b"\n" not in self._held:
            if len(self._held) > _LONGEST_LINE:
                raise S3Error("InvalidRequest", "A line of the body is too long.")
            more = self._receive(_LONGEST_LINE)
            if not more:
                found, self._held = self._held, b""
                return found.rstrip(b"\r")
            self._held += more
        found, _, self._held = self._held.partition(b"\n")
        return found.rstrip(b"\r")

    def _receive(self, size: int) -> bytes:
        if self._left is not None:
            size = min(size, self._left)
            if size == 0:
                return b""
        try:
            found: bytes = self._input.read(size)
        except TimeoutError as error:
            raise S3Error("RequestTimeout") from error
        except (OSError, ValueError) as error:
            raise S3Error("IncompleteBody") from error
        if self._left is not None:
            self._left -= len(found)
            if not found:
                raise S3Error("IncompleteBody")
        return found
