"""Reading images from web servers that users name, and from no other place.

A user's address could name what only this host reaches: its loopback, the metadata service, the management
network. So the name is resolved here, every address it has is checked, and the connection goes to the address
that was checked; each redirection is treated alike.
"""

import contextlib
import ipaddress
import socket
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

import urllib3

from nova_lite.core.errors import ConfigurationError, InvalidInput
from nova_lite.drivers.image.patience import Patience, Watch

_CHUNK = 256 * 1024
_REDIRECTIONS = 5
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_PORTS = {"http": 80, "https": 443}
_FOR_EVER = Patience()

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_EMBEDDING = {
    ipaddress.IPv6Network("::/96"): 0,
    ipaddress.IPv6Network("::ffff:0:0:0/96"): 0,
    ipaddress.IPv6Network("64:ff9b::/96"): 0,
    ipaddress.IPv6Network("2002::/16"): 80,
}
"""IPv6 networks whose addresses stand for IPv4 ones, with the bits to the right of those."""
_LOCAL = (ipaddress.IPv6Network("fec0::/10"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""IPv6 networks of a site's own that ``ipaddress`` calls global."""


class WebSource:
    """Reads over HTTP and HTTPS from public addresses and those in ``networks``, at ``ports`` or any."""

    def __init__(
        self, networks: Sequence[str] = (), ports: Sequence[int] = (), patience: Patience = _FOR_EVER
    ) -> None:
        try:
            self._networks = [ipaddress.ip_network(network) for network in networks]
        except ValueError as error:
            raise ConfigurationError(f"The flag --import_allowed_networks: {error}.") from error
        self._ports = frozenset(ports)
        self._patience = patience

    @classmethod
    def from_flags(cls, conf: Any) -> "WebSource":
        """Build the source from the flags; raises ConfigurationError."""
        try:
            ports = [int(port) for port in conf.import_allowed_ports]
        except ValueError as error:
            raise ConfigurationError("The flag --import_allowed_ports is a list of port numbers.") from error
        patience = Patience(conf.import_most_seconds, conf.import_least_rate)
        return cls(conf.import_allowed_networks, ports, patience)

    def check(self, uri: str) -> None:
        """Raise InvalidInput for an address that cannot be allowed, whatever its name resolves to."""
        parts = self._parts(uri)
        try:
            address = ipaddress.ip_address(str(parts.hostname))
        except ValueError:
            return
        self._require(str(parts.hostname), [address])

    def read(self, uri: str) -> Iterator[bytes]:
        """Return what is at ``uri`` in chunks; raises InvalidInput where that is not allowed, missing or too slow."""
        watch = Watch(self._patience)
        try:
            yield from self._follow(uri, watch)
        finally:
            watch.end()

    def _follow(self, uri: str, watch: Watch) -> Iterator[bytes]:
        for _ in range(_REDIRECTIONS):
            parts = self._parts(uri)
            with self._pool(parts, watch) as pool:
                target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
                host = parts.netloc.rpartition("@")[2]
                try:
                    answer = pool.request(
                        "GET", target, headers={"Host": host}, preload_content=False, redirect=False
                    )
                    with contextlib.closing(answer):
                        location = answer.headers.get("Location")
                        if answer.status in (301, 302, 303, 307, 308) and location:
                            uri = urllib.parse.urljoin(uri, location)
                            continue
                        if answer.status != 200:
                            raise InvalidInput(f"{host} answered {answer.status}.")
                        yield from _body(answer, watch)
                except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                    reason = watch.reason or error
                    raise InvalidInput(f"The image could not be read from {host}: {reason}.") from error
                if watch.reason:
                    # Where no length was told, a cut looks like the end.
                    raise InvalidInput(f"The image could not be read from {host}: {watch.reason}.")
                return
        raise InvalidInput(f"There are more than {_REDIRECTIONS} redirections.")

    def _parts(self, uri: str) -> urllib.parse.SplitResult:
        try:
            parts = urllib.parse.urlsplit(uri)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError) as error:
            raise InvalidInput("An image is imported from an http or https address.") from error
        if not parts.hostname:
            raise InvalidInput("The address has no host.")
        if self._ports and port not in self._ports:
            raise InvalidInput(f"Images are not imported from port {port}.")
        return parts

    def _pool(self, parts: urllib.parse.SplitResult, watch: Watch) -> urllib3.HTTPConnectionPool:
        host = str(parts.hostname)
        port = parts.port or _PORTS[parts.scheme]
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"The name {host} cannot be resolved.") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        self._require(host, addresses)
        address = str(addresses[0])
        pool = (
            urllib3.HTTPConnectionPool(address, port, timeout=_TIMEOUT, retries=False)
            if parts.scheme == "http"
            else urllib3.HTTPSConnectionPool(
                address, port, timeout=_TIMEOUT, retries=False, server_hostname=host, assert_hostname=host
            )
        )
        pool.ConnectionCls = _watched(pool.ConnectionCls, watch)
        return pool

    def _require(self, host: str, addresses: Sequence[_Address]) -> None:
        """Raise InvalidInput unless every address is public or allowed."""
        for address in addresses:
            meant = {address, _meant(address)}
            known = any(one.version == net.version and one in net for one in meant for net in self._networks)
            if not known and not all(_is_public(one) for one in meant):
                raise InvalidInput(f"Images are not imported from {host}: its address is not a public one.")


def _meant(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, by a translator or a tunnel, or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    for network, right in _EMBEDDING.items():
        if address in network:
            return ipaddress.IPv4Address(int(address) >> right & 0xFFFFFFFF)
    return address


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return _is_public(address.ipv4_mapped)
    return address.is_global and not address.is_multicast and not any(address in net for net in _LOCAL)


def _body(answer: urllib3.BaseHTTPResponse, watch: Watch) -> Iterator[bytes]:
    """Yield what comes as it comes, so that the watch sees it."""
    held: list[bytes] = []
    size = 0
    while piece := answer.read1(_CHUNK):
        watch.received(len(piece))
        held.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _watched(base: Any, watch: Watch) -> Any:
    """Return a class of connections of which the watch learns before anything is said on them."""

    class Connection(base):  # type: ignore[misc]
        """Tells the watch of its socket."""

        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()
            watch.holds(made)
            return made

    return Connection
