"""Works with callers that a real Keystone knows: what keystonemiddleware found out becomes the context.

The filter stands behind ``keystonemiddleware.auth_token``, whose ``delay_auth_decision`` has to be on, so that
version documents need no token.
"""

from collections.abc import Callable, Iterable
from typing import Any

from nova_lite.api.app import CONTEXT
from nova_lite.api.middleware.faults import REQUEST_ID
from nova_lite.core.context import RequestContext
from nova_lite.core.identity import ADMIN


class KeystoneContext:
    """The filter. Without a confirmed token there is no context."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        environ.pop(CONTEXT, None)
        if environ.get("HTTP_X_IDENTITY_STATUS") == "Confirmed":
            environ[CONTEXT] = _context(environ)
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def _context(environ: dict[str, Any]) -> RequestContext:
    """Read the headers that keystonemiddleware sets, and takes off those that clients sent."""
    roles = tuple(role.strip() for role in environ.get("HTTP_X_ROLES", "").split(",") if role.strip())
    return RequestContext(
        user_id=environ.get("HTTP_X_USER_ID", ""),
        project_id=environ.get("HTTP_X_PROJECT_ID", ""),
        roles=roles,
        is_admin=ADMIN in roles,
        request_id=environ[REQUEST_ID],
        user_name=environ.get("HTTP_X_USER_NAME", ""),
        project_name=environ.get("HTTP_X_PROJECT_NAME", ""),
        user_domain_id=environ.get("HTTP_X_USER_DOMAIN_ID", ""),
        project_domain_id=environ.get("HTTP_X_PROJECT_DOMAIN_ID", ""),
        remote_address=environ.get("REMOTE_ADDR", ""),
        system_scope=environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE") == "all",
        domain_id=environ.get("HTTP_X_DOMAIN_ID", ""),
    )


def filter_factory(global_conf: dict[str, str]) -> Callable[[Any], KeystoneContext]:
    """Build the filter for a paste pipeline."""
    return KeystoneContext
