"""The server of WSGI applications, green or with native threads as its process chose.

Both ways keep the same promises: connections that live on, bodies that are read as they are needed, one clear
end of each request, and a stop that lets what is under way end. Loaded is only the way that was chosen.
"""

import contextlib
import importlib
import io
import logging
import socket
import threading
from typing import Any, Protocol

from nova_lite import concurrency, request_headers
from nova_lite.core.errors import ConfigurationError, SlowRequest
from nova_lite.request_body import ChunkSource, RequestBody
from nova_lite.request_pace import Pace, PacedReads

LOG = logging.getLogger(__name__)

_MOST_HEADER_BYTES = 64 * 1024  # eventlet.wsgi's own limit; cheroot has none
_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port`` (0: any free port).

    Raises ConfigurationError with the reason when it cannot: the port is taken, the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it: a reply's head and body must not wait for each other's ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return sock


class _Engine(Protocol):
    def serve(self) -> None: ...

    def stop(self, drain_seconds: float) -> None: ...


class WsgiServer:
    """Serves one WSGI application on a listening socket, with keep-alive.

    At most ``workers`` requests are served at once; the others wait. Idle connections are closed after
    ``idle_seconds``, and those whose client sends slower than ``pace``. The socket is closed by ``stop``.
    """

    def __init__(
        self,
        app: Any,
        sock: socket.socket,
        *,
        workers: int = 64,
        idle_seconds: float = 75.0,
        pace: Pace = Pace(),  # noqa: B008 - it is a value
    ) -> None:
        self.port: int = sock.getsockname()[1]
        engine = _GreenEngine if concurrency.current() is concurrency.Mode.EVENTLET else _ThreadEngine
        self._engine: _Engine = engine(app, sock, workers, idle_seconds, pace)

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._engine.serve()

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no new request, let those under way end for ``drain_seconds``, then cut them."""
        self._engine.stop(drain_seconds)


class _GreenEngine:
    """eventlet.wsgi: a green thread a connection."""

    def __init__(
        self, app: Any, sock: socket.socket, workers: int, idle_seconds: float, pace: Pace
    ) -> None:
        eventlet = importlib.import_module("eventlet")
        self._wsgi = importlib.import_module("eventlet.wsgi")
        self._eventlet = eventlet
        # A connection holds its green thread while idle, so connections are bounded, not requests.
        self._connections = eventlet.GreenPool(max(1024, workers))
        self._arguments = (sock, _gated(app, workers))
        self._idle_seconds = idle_seconds
        self._pace = pace
        self._acceptor: Any = None

    def serve(self) -> None:
        self._acceptor = self._eventlet.spawn(
            self._wsgi.server,
            *self._arguments,
            log=logging.getLogger("nova_lite.wsgi"),
            log_output=False,
            custom_pool=self._connections,
            protocol=_with_clear_ends(self._wsgi.HttpProtocol, self._pace),
            keepalive=self._idle_seconds,
            socket_timeout=self._idle_seconds,
            capitalize_response_headers=False,
            debug=False,
        )

    def stop(self, drain_seconds: float) -> None:
        if self._acceptor is None:
            return
        self._acceptor.kill()
        with self._eventlet.Timeout(drain_seconds, False):
            self._connections.waitall()
        for connection in list(self._connections.coroutines_running):
            connection.kill()
        self._arguments[0].close()


def _with_clear_ends(base: Any, pace: Pace) -> Any:
    """Return eventlet's class of connections, which ends one when a request's end is not clear, or never comes."""

    class Protocol(base):  # type: ignore[misc]
        """Takes headers that are clear, one length that is a number, and chunks that are as long as they say."""

        rfile: Any

        def setup(self) -> None:
            super().setup()
            self._paced = PacedReads(self.rfile.detach(), self.connection, pace)
            self.rfile = io.BufferedReader(self._paced)

        def _read_request_line(self) -> bytes:
            self._paced.begin(rests=True)
            found: bytes = super()._read_request_line()
            return found

        def parse_request(self) -> bool:
            self.rfile = request_headers.ClearLines(self.rfile)
            try:
                is_read: bool = super().parse_request()
                if is_read:
                    request_headers.check_end(self._all("content-length"), self._all("transfer-encoding"))
                return is_read
            except ValueError:
                return self._refuse(b"400 Bad Request")
            except SlowRequest:
                return self._refuse(b"408 Request Timeout")

        def _refuse(self, status: bytes) -> bool:
            self.close_connection = 1
            self.wfile.write(b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status)
            return False

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()
            body = environ["eventlet.input"]
            if body.chunked_input:
                body.rfile = ChunkSource(body.rfile)
            return environ

        def _all(self, name: str) -> list[bytes]:
            return [value.strip().encode("latin-1") for value in self.headers.get_all(name, [])]

    return Protocol


def connection_of(environ: dict[str, Any]) -> socket.socket | None:
    """Return the connection on which a request came to a ``WsgiServer``, or None where it came otherwise."""
    body = environ.get("wsgi.input")
    get_socket = getattr(body, "get_socket", None)
    found: socket.socket | None = get_socket() if get_socket else getattr(body, "connection", None)
    return found


def _gated(app: Any, workers: int) -> Any:
    gate = threading.BoundedSemaphore(workers)

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True
        with gate:
            return app(environ, start_response)

    return call


def _with_bodies_as_needed(base: Any) -> Any:
    """Return cheroot's class of requests with another reader of bodies, see ``RequestBody``."""

    class Request(base):  # type: ignore[misc]
        """Invites a body when somebody reads it, and forgets the rest of one that nobody read."""

        waits = False

        def parse_request(self) -> None:
            self.conn.paced.begin()
            try:
                super().parse_request()
            except SlowRequest:
                self.simple_response("408 Request Timeout")

        def read_request_headers(self) -> Any:
            read = request_headers.strict(base.header_reader)

            def read_all(source: Any, headers: dict[bytes, bytes]) -> None:
                read(source, headers)
                self.waits = headers.pop(b"Expect", b"").lower() == b"100-continue"

            self.header_reader = read_all
            return super().read_request_headers()

        def respond(self) -> None:
            length = None if self.chunked_read else int(self.inheaders.get(b"Content-Length", 0))
            self.rfile = RequestBody(self.conn.rfile, length, self._invite if self.waits else None)
            self.rfile.connection = self.conn.socket
            self.server.gateway(self).respond()
            if self.ready:
                self.ensure_headers_sent()
            if self.chunked_write:
                self.conn.wfile.write(b"0\r\n\r\n")
            if not self.rfile.finish():
                self.close_connection = True

        def send_headers(self) -> None:
            # Who still waits to send its body will not be asked any more, so nothing can follow.
            self.close_connection = self.close_connection or self.waits
            super().send_headers()

        def _invite(self) -> None:
            self.waits = False
            self.conn.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    return Request


class _ThreadEngine:
    """cheroot: a pool of native threads; idle connections wait in one selector."""

    def __init__(
        self, app: Any, sock: socket.socket, workers: int, idle_seconds: float, pace: Pace
    ) -> None:
        wsgi = importlib.import_module("cheroot.wsgi")
        connections = importlib.import_module("cheroot.server")
        files = importlib.import_module("cheroot.makefile")

        class Reader(files.StreamReader):  # type: ignore[misc, name-defined]
            """Reads from what it is given, and not from the connection itself."""

            def __init__(self, raw: io.RawIOBase, size: int) -> None:
                super(files.StreamReader, self).__init__(raw, size)
                self.bytes_read = 0

        class Connection(connections.HTTPConnection):  # type: ignore[misc, name-defined]
            """Reads bodies as they are needed, from who sends fast enough."""

            RequestHandlerClass = _with_bodies_as_needed(connections.HTTPRequest)

            def __init__(self, server: Any, connection: socket.socket, makefile: Any) -> None:
                self.paced = PacedReads(socket.SocketIO(connection, "rb"), connection, pace)

                def make(sock: socket.socket, mode: str, size: int) -> Any:
                    return Reader(self.paced, size) if mode == "rb" else makefile(sock, mode, size)

                super().__init__(server, connection, make)

        class Server(wsgi.Server):  # type: ignore[misc, name-defined]
            """Takes the socket that it is given."""

            ConnectionClass = Connection

            def bind(self, *_: Any) -> socket.socket:
                self.socket = sock
                return sock

            def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
                LOG.log(level, "%s", msg, exc_info=traceback)

        self._server = Server(
            sock.getsockname()[:2],
            app,
            numthreads=workers,
            server_name="nova",
            request_queue_size=_BACKLOG,
            timeout=idle_seconds,
        )
        self._server.max_request_header_size = _MOST_HEADER_BYTES
        self._server.keep_alive_conn_limit = 1024

    def serve(self) -> None:
        self._server.prepare()
        concurrency.spawn(self._server.serve)

    def stop(self, drain_seconds: float) -> None:
        self._server.shutdown_timeout = drain_seconds
        stopping = concurrency.spawn(self._server.stop)
        # The selector looks up twice a second, or when somebody comes.
        stopping.join(0.02)
        with contextlib.suppress(OSError), socket.create_connection(self._server.bind_addr, timeout=1):
            pass
        stopping.join()
