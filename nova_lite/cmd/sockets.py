"""The listening sockets of a process, opened once, before it divides itself into workers.

A port that is taken is found out at start, and all workers accept from the same socket.
"""

import socket

from oslo_config import cfg

from nova_lite import wsgi_server

METRICS = "metrics"

_open: dict[str, socket.socket] = {}


def of_api(conf: cfg.ConfigOpts, api: str) -> socket.socket:
    """Return the socket on which an API listens; raises ConfigurationError when it cannot be opened."""
    listening = _listening(api, conf[f"{api}_listen"], conf[f"{api}_listen_port"])
    if api == "metadata" and conf.metadata_hop_limit:
        # Connections have it from the socket that accepts them.
        listening.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, conf.metadata_hop_limit)
    return listening


def of_proxy(conf: cfg.ConfigOpts, proxy: str) -> socket.socket:
    """Return the socket on which a proxy of consoles listens; raises ConfigurationError."""
    return _listening(f"{proxy}proxy", conf[f"{proxy}proxy_host"], conf[f"{proxy}proxy_port"])


def of_serial_consoles(conf: cfg.ConfigOpts) -> socket.socket:
    """Return the socket by which proxies reach the serial ports of guests; raises ConfigurationError."""
    return _listening("serial_console", conf.serial_console_listen, conf.serial_console_port)


def of_metrics(conf: cfg.ConfigOpts) -> socket.socket | None:
    """Return the socket of /metrics, or None where the flags want none; raises ConfigurationError."""
    if not conf.metrics_port:
        return None
    return _listening(METRICS, conf.metrics_listen, conf.metrics_port)


def _listening(name: str, host: str, port: int) -> socket.socket:
    if name not in _open:
        _open[name] = wsgi_server.listen(host, port)
    return _open[name]
