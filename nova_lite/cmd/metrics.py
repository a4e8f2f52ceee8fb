"""/metrics for Prometheus and /healthcheck, on a port of their own."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import prometheus_client
from prometheus_client import multiprocess

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Set where several workers of one daemon add their numbers up, in files below this folder."""


class Metrics:
    """The WSGI application; ``alive`` tells whether the daemon takes work."""

    def __init__(self, alive: Callable[[], bool]) -> None:
        self._alive = alive
        self._numbers = prometheus_client.make_wsgi_app(_registry())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            numbers: Iterable[bytes] = self._numbers(environ, start_response)
            return numbers
        if path == "/healthcheck":
            alive = self._alive()
            return _plain(start_response, "200 OK" if alive else "503 Service Unavailable")
        return _plain(start_response, "404 Not Found")


def _plain(start_response: Any, status: str) -> Iterable[bytes]:
    body = (status.partition(" ")[2] + "\n").encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def _registry() -> prometheus_client.CollectorRegistry:
    if FOLDER_VARIABLE not in os.environ:
        return prometheus_client.REGISTRY
    registry = prometheus_client.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
