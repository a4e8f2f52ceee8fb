"""Lets clients of older days in: ``/v2/{project_id}/…`` and ``/v1.1/{project_id}/…`` are the API at 2.1.

Such a client knows no microversions, and what it sends too much in a body is let pass. A project's id in the
path is accepted after ``/v2.1`` too; it must be the project of the token.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from nova_lite.api.app import CONTEXT
from nova_lite.api.call import OLD_CLIENT, PREFIX
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput

_PATH = re.compile(r"/(?P<version>v1\.1|v2|v2\.1)/(?P<rest>.+)")
_PROJECT = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSION_HEADERS = ("HTTP_OPENSTACK_API_VERSION", "HTTP_X_OPENSTACK_NOVA_API_VERSION")


class OldVersions:
    """The filter; it stands behind the one that knows the caller."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333); raises InvalidInput for another project's id in the path."""
        found = _PATH.fullmatch(environ["PATH_INFO"])
        if found is not None:
            _turn(environ, found["version"], found["rest"])
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def _turn(environ: dict[str, Any], version: str, rest: str) -> None:
    """Make the request one of the current API, and note what it was."""
    prefix = f"/{version}"
    first, _, others = rest.partition("/")
    context: RequestContext | None = environ.get(CONTEXT)
    if context is not None and first == context.project_id:
        prefix, rest = f"{prefix}/{first}", others
    elif _PROJECT.fullmatch(first):
        if context is not None:
            raise InvalidInput(
                f"Malformed request URL: URL's project_id '{first}' does not match Context's project_id "
                f"'{context.project_id}'."
            )
        rest = others
    environ["PATH_INFO"] = f"/v2.1/{rest}"
    environ[PREFIX] = prefix
    if version != "v2.1":
        environ[OLD_CLIENT] = True
        for header in _VERSION_HEADERS:
            environ.pop(header, None)


def filter_factory(global_conf: dict[str, str]) -> Callable[[Any], OldVersions]:
    """Build the filter for a paste pipeline."""
    return OldVersions
