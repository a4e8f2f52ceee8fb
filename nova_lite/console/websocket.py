"""Consoles in browsers: the pages of noVNC, and WebSockets that lead to a guest's screen or serial port."""

import functools
import http
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockify.websocketproxy import ProxyRequestHandler

from nova_lite.console.entrance import Entrance, token_of
from nova_lite.console.server import ConnectionServer
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound, NovaError

LOG = logging.getLogger(__name__)


class WebSocketProxy(ConnectionServer):
    """Serves WebSockets to consoles, and the files of the folder ``web`` unless that is empty."""

    def __init__(
        self, listener: socket.socket, entrance: Entrance, *, web: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(listener, functools.partial(_Handler, _Site(entrance, web, self.settled)), tls)


class _Site:
    """What the library reads of its server."""

    heartbeat = 30
    """Seconds between two signs of life, without which gateways on the way cut a quiet console."""
    file_only = True

    def __init__(self, entrance: Entrance, web: str, settled: Callable[[socket.socket], None]) -> None:
        self.entrance = entrance
        self.settled = settled
        self.web = web
        self.only_upgrade = not web


class _Handler(ProxyRequestHandler):  # type: ignore[misc]
    """One client's requests."""

    server: _Site
    server_version = "nova"
    sys_version = ""

    def __init__(self, site: _Site, connection: socket.socket, address: Any) -> None:
        super().__init__(connection, address, site)

    def log_message(self, format: str, *words: Any) -> None:
        """Write nothing: the requests' addresses have tokens in them."""

    def translate_path(self, path: str) -> str:
        """Return the file of an address."""
        self.directory = self.server.web
        return str(super().translate_path(path))

    def send_head(self) -> Any:
        """Answer with a file; folders are neither listed nor led to."""
        if Path(self.translate_path(self.path)).is_dir():
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        """Forbid other sites to show the page inside theirs."""
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        super().end_headers()

    def validate_connection(self) -> None:
        """Check nothing: ``handle_upgrade`` has."""

    auth_connection = validate_connection

    def handle_upgrade(self) -> None:
        """Open the console before the WebSocket is agreed upon, so that an error has a status."""
        entrance = self.server.entrance
        try:
            entrance.check_origin(self.headers.get("Origin", ""), self.headers.get("Host", ""))
            with entrance.admitted(token_of(self.path, self.headers)) as (found, target):
                self._target = target
                LOG.info(
                    "%s opened the %s console of instance %s", self._client(), found.type, found.instance_uuid
                )
                try:
                    super().handle_upgrade()
                finally:
                    LOG.info("%s left the console of instance %s", self._client(), found.instance_uuid)
        except NovaError as error:
            LOG.warning("%s was not let in: %s", self._client(), error)
            self.close_connection = True
            self.send_error(status_of(error), explain=str(error))

    def new_websocket_client(self) -> None:
        """Carry bytes to and fro until one side ends."""
        self.server.settled(self.connection)
        self.do_proxy(self._target)

    def _client(self) -> str:
        return str(self.client_address[0])


def status_of(error: NovaError) -> http.HTTPStatus:
    """Return the status that tells a client why it is not let in."""
    for kind, status in (
        (InvalidInput, http.HTTPStatus.BAD_REQUEST),
        (NotFound, http.HTTPStatus.UNAUTHORIZED),
        (Forbidden, http.HTTPStatus.FORBIDDEN),
    ):
        if isinstance(error, kind):
            return status
    return http.HTTPStatus.BAD_GATEWAY
