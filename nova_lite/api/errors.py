"""Errors of the domain as HTTP: one table of statuses, one renderer a dialect."""

import html
import json
from collections.abc import Callable
from typing import Any

import webob

from nova_lite.core import errors

STATUS: dict[type[errors.NovaError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RevisionMismatch: 412,
    errors.TooLarge: 413,
    errors.SlowRequest: 408,
    errors.NotSupported: 501,
    errors.NoValidHost: 500,
    errors.NoAddress: 400,
    errors.Unavailable: 503,
    errors.Superseded: 409,
    errors.DriverError: 500,
    errors.ConfigurationError: 500,
    errors.NovaError: 500,
}
"""The status of each class; a subclass that has no row of its own has its parent's."""

TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 412: "Precondition Failed",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip

COMPUTE_FAULTS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit",
    501: "notImplemented", 503: "serviceUnavailable",
}  # fmt: skip
"""The name of the fault element of compute and volume; any other status is ``computeFault``."""

UNEXPECTED = (
    "Unexpected API Error. Please report this to your cloud's operator with the request id of this response."
)


class HttpError(errors.NovaError):
    """An error that only HTTP knows: an unknown route, a method that is not allowed, a bad version."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def status_of(error: BaseException) -> int:
    """Return the HTTP status for ``error``; 500 for what is not ours."""
    if isinstance(error, HttpError):
        return error.status
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def message_of(error: BaseException) -> str:
    """Return what the caller may read of ``error``."""
    return str(error) if isinstance(error, errors.NovaError) else UNEXPECTED


def compute_fault(status: int, error: BaseException, request: webob.Request) -> webob.Response:
    """Render the fault of the compute and volume APIs: ``{"itemNotFound": {"code": 404, "message": …}}``."""
    name = COMPUTE_FAULTS.get(status, "computeFault")
    return _json(status, {name: {"code": status, "message": message_of(error)}})


def identity_fault(status: int, error: BaseException, request: webob.Request) -> webob.Response:
    """Render the fault of the identity API: ``{"error": {"code": …, "title": …, "message": …}}``."""
    body = {"error": {"code": status, "title": TITLES.get(status, "Error"), "message": message_of(error)}}
    response = _json(status, body)
    if status == 401:
        response.headers["WWW-Authenticate"] = f'Keystone uri="{request.host_url}"'
    return response


def network_fault(status: int, error: BaseException, request: webob.Request) -> webob.Response:
    """Render the fault of the network API: ``{"NeutronError": {"type": …, "message": …, "detail": ""}}``."""
    kind = type(error).__name__ if isinstance(error, errors.NovaError) else "HTTPInternalServerError"
    if isinstance(error, errors.OverQuota):
        # A conflict to Neutron and its clients, where the other services forbid.
        status = 409
    return _json(status, {"NeutronError": {"type": kind, "message": message_of(error), "detail": ""}})


def image_fault(status: int, error: BaseException, request: webob.Request) -> webob.Response:
    """Render the fault of the image API in the form that the client accepts: HTML, JSON or plain text."""
    title, message = TITLES.get(status, "Error"), message_of(error)
    accept = request.headers.get("Accept", "")
    if "json" in accept:
        return _json(
            status, {"message": f"{message}<br /><br />", "code": f"{status} {title}", "title": title}
        )
    # The openstack client accepts nothing when it uploads, and shows what is HTML.
    if "html" in accept or "*/*" in accept or not accept.strip():
        safe = html.escape(message)
        page = f"<html><head><title>{status} {title}</title></head><body><h1>{title}</h1>{safe}</body></html>"
        return webob.Response(status=status, body=page.encode(), content_type="text/html", charset="UTF-8")
    text = f"{status} {title}\n\n{message}\n"
    return webob.Response(status=status, body=text.encode(), content_type="text/plain", charset="UTF-8")


def plain_fault(status: int, error: BaseException, request: webob.Request) -> webob.Response:
    """Render an error as plain text, for the metadata service."""
    text = f"{status} {TITLES.get(status, 'Error')}\n\n{message_of(error)}\n"
    return webob.Response(status=status, body=text.encode(), content_type="text/plain", charset="UTF-8")


Renderer = Callable[[int, BaseException, webob.Request], webob.Response]

DIALECTS: dict[str, Renderer] = {
    "compute": compute_fault,
    "identity": identity_fault,
    "image": image_fault,
    "network": network_fault,
    "metadata": plain_fault,
}


def _json(status: int, body: Any) -> webob.Response:
    return webob.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
