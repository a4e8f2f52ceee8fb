"""Who may come in: a token, and from a browser the page that it is shown on, and then the way to the guest."""

import contextlib
import socket
import threading
import urllib.parse
from collections.abc import Collection, Iterator, Mapping
from http.cookies import CookieError, SimpleCookie

from nova_lite.core.console import ConsoleAddress, ConsoleAuthorization, ConsoleType
from nova_lite.core.context import system_context
from nova_lite.core.errors import Forbidden, InvalidInput, Unavailable
from nova_lite.operations.consoles import Consoles

_CONNECT_SECONDS = 10.0
_MOST_ANSWER = 4096
_SCHEMES = {"ws": "http", "wss": "https"}


class Entrance:
    """Lets the bearers of tokens for consoles of some kinds in; ``url`` is where they find the proxy.

    ``origins`` are host names of pages, beside the proxy's own, that may show consoles. ``most`` bounds how
    many consoles are open at once.
    """

    def __init__(
        self,
        consoles: Consoles,
        kinds: Collection[ConsoleType],
        *,
        url: str,
        origins: Collection[str] = (),
        most: int = 400,
    ) -> None:
        self._consoles = consoles
        self._kinds = kinds
        self._scheme = urllib.parse.urlsplit(url).scheme
        self._origins = frozenset(origins)
        self._room = threading.BoundedSemaphore(most)

    def check_origin(self, origin: str, host: str) -> None:
        """Raise Forbidden for a page that another site shows; programs that are no browsers say no origin."""
        if not origin:
            return
        page = urllib.parse.urlsplit(origin)
        own = urllib.parse.urlsplit(f"//{host}").hostname
        if not page.hostname or page.hostname not in self._origins | {own}:
            raise Forbidden("The page that asks for the console is another site's.")
        if page.scheme != _SCHEMES.get(self._scheme, self._scheme):
            raise Forbidden("The page that asks for the console was not fetched in the proxy's own way.")

    @contextlib.contextmanager
    def admitted(self, token: str) -> Iterator[tuple[ConsoleAuthorization, socket.socket]]:
        """Give what a token lets see, and a connection to it, until the caller is done.

        Nothing is connected before the token is found right. Raises InvalidInput without a token, NotFound,
        Unavailable for a guest that cannot be reached, or when too many consoles are open.
        """
        if not token:
            raise InvalidInput("The address of the console has no token.")
        if not self._room.acquire(blocking=False):
            raise Unavailable("Too many consoles are open.")
        try:
            found = self._consoles.enter(system_context(), token, self._kinds)
            with contextlib.closing(_dial(found.address)) as connection:
                yield found, connection
        finally:
            self._room.release()


def token_of(path: str, headers: Mapping[str, str]) -> str:
    """Return the token of a request: of its address, or of the cookie in which old pages keep it."""
    words = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query).get("token", [])
    if words:
        return words[0]
    with contextlib.suppress(CookieError, KeyError):
        return SimpleCookie(headers.get("Cookie", ""))["token"].value
    return ""


def _dial(address: ConsoleAddress) -> socket.socket:
    """Connect to a console; one with a path is asked for it as HTTP proxies are."""
    try:
        connection = socket.create_connection((address.host, address.port), timeout=_CONNECT_SECONDS)
    except OSError as error:
        raise Unavailable("The console of the guest cannot be reached.") from error
    try:
        if address.path:
            _ask(connection, address.path)
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        connection.close()
        raise Unavailable("The console of the guest does not answer.") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _ask(connection: socket.socket, path: str) -> None:
    connection.sendall(f"CONNECT {path} HTTP/1.1\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        # What follows the empty line is the guest's already.
        byte = connection.recv(1)
        if not byte or len(answer) > _MOST_ANSWER:
            raise Unavailable("The console of the guest does not answer.")
        answer += byte
    if answer.split(None, 2)[1:2] != [b"200"]:
        raise Unavailable("The console of the guest cannot be opened.")
