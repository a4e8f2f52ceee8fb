"""Screens for the Java viewer of VNC: after one HTTP request the connection is the screen's own."""

import functools
import http
import logging
import socket
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from nova_lite.console.entrance import Entrance, token_of
from nova_lite.console.server import ConnectionServer, splice
from nova_lite.console.websocket import status_of
from nova_lite.core.errors import NovaError

LOG = logging.getLogger(__name__)


class XvpVncProxy(ConnectionServer):
    """Joins who asks with a token to the screen of its guest."""

    def __init__(
        self, listener: socket.socket, entrance: Entrance, *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(listener, functools.partial(_Handler, entrance, self.settled), tls)


class _Handler(BaseHTTPRequestHandler):
    """One client's request."""

    server_version = "nova"
    sys_version = ""

    def __init__(
        self,
        entrance: Entrance,
        settled: Callable[[socket.socket], None],
        connection: socket.socket,
        address: Any,
    ) -> None:
        self._entrance = entrance
        self._settled = settled
        super().__init__(connection, address, None)  # type: ignore[arg-type]

    def log_message(self, format: str, *words: Any) -> None:
        """Write nothing: the requests' addresses have tokens in them."""

    def do_GET(self) -> None:
        """Open the console, and carry bytes to and fro until one side ends."""
        self.close_connection = True
        try:
            with self._entrance.admitted(token_of(self.path, dict(self.headers))) as (found, target):
                LOG.info("%s opened the screen of instance %s", self.client_address[0], found.instance_uuid)
                self.send_response_only(http.HTTPStatus.OK)
                self.end_headers()
                self.wfile.flush()
                self._settled(self.connection)
                splice(self.connection, target)
        except NovaError as error:
            LOG.warning("%s was not let in: %s", self.client_address[0], error)
            self.send_error(status_of(error), explain=str(error))

    do_CONNECT = do_GET
    do_POST = do_GET
