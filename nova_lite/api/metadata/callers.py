"""Who asks the metadata service: the address that a request came from, be it through an operator's proxy."""

import ipaddress
from typing import Any

import webob

from nova_lite.api.call import CONF
from nova_lite.api.errors import HttpError

_FORWARDED = "X-Forwarded-For"


def address_of(request: webob.Request) -> str:
    """Return the address that asks: the nearest one that is no proxy of the operator's."""
    return _nearest(request)[0]


def require_direct(request: webob.Request) -> None:
    """Refuse (403) a request that somebody forwarded who is no proxy of the operator's.

    What a guest forwards for another, such as an open proxy in it, says so in its headers.
    """
    if _nearest(request)[1]:
        raise HttpError(403, "Forwarded requests are not answered.")


def _nearest(request: webob.Request) -> tuple[str, bool]:
    """Return the address that asks, and whether it says that it asks for another."""
    conf = request.environ[CONF]
    address = _plain(request.environ.get("REMOTE_ADDR", ""))
    passed = [part.strip() for part in request.headers.get(_FORWARDED, "").split(",") if part.strip()]
    if not conf.use_forwarded_for:
        return address, bool(passed)
    while passed and _within(address, conf.trusted_proxies):
        address = _plain(passed.pop())
    return address, bool(passed)


def _plain(address: str) -> str:
    """Return an address as it is kept: an IPv4 one that came by an IPv6 socket as what it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _within(address: str, ranges: Any) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(text) for text in ranges)
