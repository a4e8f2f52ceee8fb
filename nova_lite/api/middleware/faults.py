"""The outermost filter: request id, error rendering, metrics. The wall of the front doors."""

import logging
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import prometheus_client
import webob

from nova_lite.api import microversions
from nova_lite.api.ec2 import errors as ec2_errors
from nova_lite.api.errors import DIALECTS, HttpError, status_of
from nova_lite.core import ids
from nova_lite.core.errors import InvalidInput

LOG = logging.getLogger(__name__)

REQUEST_ID = "nova_lite.request_id"
"""WSGI environ key of the request id."""

SECONDS = prometheus_client.Histogram(
    "nova_request_seconds", "Time to answer a request.", ["api", "method", "status"]
)

_CALLERS_ID = re.compile(r"req-[0-9a-fA-F-]{1,64}")


_RENDERERS = {**DIALECTS, "ec2": ec2_errors.render}


class Faults:
    """Gives every request its id, turns errors into the API's dialect and counts the answers."""

    def __init__(self, application: Any, api: str) -> None:
        self._application = application
        self._api = api
        self._render = _RENDERERS[api]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        begun = time.monotonic()
        request = webob.Request(environ)
        request_id = _request_id(request)
        environ[REQUEST_ID] = request_id
        response = self._answer(request)
        response.headers["x-openstack-request-id"] = request_id
        if self._api == "compute":
            response.headers["x-compute-request-id"] = request_id
        for name, value in microversions.headers(self._api, request).items():
            response.headers[name] = value
        SECONDS.labels(self._api, request.method, response.status_int).observe(time.monotonic() - begun)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _answer(self, request: webob.Request) -> webob.Response:
        try:
            _require_text(request.environ)
            return request.get_response(self._application, catch_exc_info=False)
        except Exception as error:
            status = status_of(error)
            if status >= 500 and status != 501:
                LOG.exception("%s %s failed [%s]", request.method, request.path, request.environ[REQUEST_ID])
            response = self._render(status, error, request)
            if status == 401:
                # RFC 9110, section 11.6.1: who is refused is told how to come back.
                response.headers.setdefault("WWW-Authenticate", "Keystone")
            if isinstance(error, HttpError):
                response.headers.update(list(error.headers.items()))
            return response


def _require_text(environ: Mapping[str, Any]) -> None:
    """Raise InvalidInput unless path and query are UTF-8 without NUL: no database would take anything else."""
    path = environ.get("PATH_INFO", "").encode("latin-1")
    query = urllib.parse.unquote_to_bytes(environ.get("QUERY_STRING", ""))
    try:
        if "\0" not in (path + query).decode():
            return
    except UnicodeDecodeError:
        pass
    raise InvalidInput("The URL is malformed: it is not UTF-8 text.")


def _request_id(request: webob.Request) -> str:
    """Return the caller's own request id when it sent a proper one, else a new one."""
    given = request.headers.get("X-OpenStack-Request-ID", "")
    return given if _CALLERS_ID.fullmatch(given) else ids.new_request_id()


def filter_factory(global_conf: dict[str, str], api: str) -> Callable[[Any], Faults]:
    """Build the filter for a paste pipeline; ``api`` names the dialect."""
    return lambda application: Faults(application, api)
