"""Building the proxies of consoles."""

import functools
import ssl
from pathlib import Path
from typing import Any

from nova_lite.cmd import sockets
from nova_lite.cmd.daemon import Component
from nova_lite.cmd.wiring.base import Base
from nova_lite.cmd.wiring.cloud import console_settings
from nova_lite.console.entrance import Entrance
from nova_lite.console.websocket import WebSocketProxy
from nova_lite.console.xvpvnc import XvpVncProxy
from nova_lite.core.console import ConsoleType
from nova_lite.core.errors import ConfigurationError
from nova_lite.operations.consoles import Consoles

_KINDS = {"novnc": ConsoleType.NOVNC, "xvpvnc": ConsoleType.XVPVNC, "serial": ConsoleType.SERIAL}


def proxy_parts(base: Base, name: str) -> list[Component]:
    """Return what a proxy (novnc, xvpvnc, serial) runs; raises ConfigurationError."""
    conf = base.conf
    if name not in _KINDS:
        raise ConfigurationError(f"The flag --console_proxies names {name}; there are {', '.join(_KINDS)}.")
    settings = console_settings(conf)
    kind = _KINDS[name]
    entrance = Entrance(
        Consoles(base.database, base.compute, settings),
        [kind],
        url=settings.proxies.get(kind, ""),
        origins=conf.console_allowed_origins,
    )
    listener, tls = sockets.of_proxy(conf, name), _tls(conf)
    if kind is ConsoleType.XVPVNC:
        return [XvpVncProxy(listener, entrance, tls=tls)]
    web = _pages(conf) if kind is ConsoleType.NOVNC else ""
    return [WebSocketProxy(listener, entrance, web=web, tls=tls)]


def _pages(conf: Any) -> str:
    web = str(conf.novncproxy_web)
    if web and not Path(web).is_dir():
        raise ConfigurationError(f"The flag --novncproxy_web names {web}, which is no folder.")
    return web


@functools.cache
def _tls_of(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"cannot use the certificate {certificate} of the consoles: {error}"
        ) from error
    return context


def _tls(conf: Any) -> ssl.SSLContext | None:
    if not conf.console_ssl_cert_file:
        return None
    return _tls_of(conf.console_ssl_cert_file, conf.console_ssl_key_file)
