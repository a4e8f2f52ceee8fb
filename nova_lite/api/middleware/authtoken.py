"""Finds out who calls: the token of a request becomes the context that everything after works with."""

from collections.abc import Callable, Iterable
from typing import Any

from nova_lite.api.app import BOUND, CLOUD, CONTEXT
from nova_lite.api.middleware.faults import REQUEST_ID
from nova_lite.core.access_rules import allowed
from nova_lite.core.errors import Unauthenticated

_TOKEN = "HTTP_X_AUTH_TOKEN"


class AuthToken:
    """The filter. Without a valid token there is no context: the application decides whether it needs one."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        environ.pop(CONTEXT, None)
        environ.pop(BOUND, None)
        token = environ.get(_TOKEN, "")
        if token:
            try:
                info = environ[CLOUD].identity.validate(token)
            except Unauthenticated:
                pass
            else:
                environ[CONTEXT] = info.context(environ[REQUEST_ID], environ.get("REMOTE_ADDR", ""))
                if info.access_rules is not None:
                    # The path as the client has it: what stands behind this filter may turn it into another.
                    asked = environ["REQUEST_METHOD"], environ["PATH_INFO"]
                    environ[BOUND] = lambda api: allowed(info.access_rules, api, *asked)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, _vary(headers), *rest)

        answer: Iterable[bytes] = self._application(environ, start)
        return answer


def _vary(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Add that the answer depends on the token, for caches between here and the client."""
    return [*headers, ("Vary", "X-Auth-Token")]


def filter_factory(global_conf: dict[str, str]) -> Callable[[Any], AuthToken]:
    """Build the filter for a paste pipeline."""
    return AuthToken
