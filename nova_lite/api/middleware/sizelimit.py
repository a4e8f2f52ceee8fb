"""Refuses request bodies that are larger than any request needs, before they are read."""

from collections.abc import Callable, Iterable
from typing import Any

import webob

from nova_lite.core.errors import InvalidInput, TooLarge

LIMIT = "nova_lite.max_request_body"
"""WSGI environ key of the largest body in bytes, set where the daemon is wired."""

_MESSAGE = "The request body is too large."


class _Limited:
    """A body of unknown length, read up to the limit."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does; raises TooLarge past the limit."""
        data: bytes = self._stream.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(_MESSAGE)
        return data


class SizeLimit:
    """The filter."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333); raises TooLarge or InvalidInput."""
        request = webob.Request(environ)
        limit: int = environ[LIMIT]
        try:
            length = request.content_length
        except ValueError as error:
            raise InvalidInput("The Content-Length header is not a number.") from error
        if length is not None and length > limit:
            raise TooLarge(_MESSAGE)
        if length is None and request.is_body_readable:
            environ["wsgi.input"] = _Limited(environ["wsgi.input"], limit)
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def filter_factory(global_conf: dict[str, str]) -> Callable[[Any], SizeLimit]:
    """Build the filter for a paste pipeline."""
    return SizeLimit
