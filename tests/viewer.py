"""A client that looks at a console through a WebSocket, as the page of noVNC does."""

import contextlib
import time
import urllib.parse

from websockify.websocket import WebSocket, WebSocketWantReadError


def websocket_url(url: str) -> str:
    """Return where the page of a console's address opens its WebSocket."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.parse_qs(parts.query).get("path")
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}/{path[0] if path else '?' + parts.query}"


class _Client(WebSocket):  # type: ignore[misc]
    """A WebSocket that neither leaves the query of its address out nor waits for what it was sent already."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query
        self._early = False

    def connect(self, uri: str, origin: str | None = None, protocols: tuple[str, ...] = ()) -> None:
        super().connect(uri, origin, protocols)
        # The first words of the other side may have come with its agreement.
        self._early = bool(self._recv_buffer)

    def _recv(self) -> bool:
        if self._early:
            self._early = False
            return True
        return bool(super()._recv())

    def send_request(self, type: str, path: str) -> None:
        super().send_request(type, f"{path}?{self._query}")


class Viewer:
    """An open console."""

    def __init__(self, url: str, origin: str | None = None) -> None:
        self._socket = _Client(urllib.parse.urlsplit(url).query)
        while True:
            # The answer may come in pieces.
            with contextlib.suppress(WebSocketWantReadError):
                self._socket.connect(url, origin, ("binary",))
                break
        self._socket.socket.settimeout(10)

    def read(self, length: int) -> bytes:
        """Return so many bytes, or fewer when no more come."""
        seen = b""
        deadline = time.monotonic() + 30
        while len(seen) < length and time.monotonic() < deadline:
            with contextlib.suppress(WebSocketWantReadError, TimeoutError):
                chunk = self._socket.recvmsg()
                if chunk is None:
                    break
                seen += chunk
        return seen

    def write(self, data: bytes) -> None:
        """Type."""
        self._socket.sendmsg(data)

    def close(self) -> None:
        """Leave."""
        self._socket.close()
