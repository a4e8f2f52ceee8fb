"""The application behind the EC2 pipeline: one request through one action's row.

Order of a request: path, parameters, signature, action, policy, schema, dry run, handler.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import webob

from nova_lite.api.app import CLOUD, POLICY
from nova_lite.api.call import CONF
from nova_lite.api.ec2 import authentication, query, xml
from nova_lite.api.ec2.actions import ACTIONS
from nova_lite.api.ec2.call import Action, Ec2Call
from nova_lite.api.ec2.errors import ACTION, Ec2Error, missing
from nova_lite.api.ec2.lockout import Lockout
from nova_lite.api.middleware.faults import REQUEST_ID
from nova_lite.core.context import RequestContext
from nova_lite.core.policy import Policy

_PATHS = frozenset({"", "/services/Cloud"})
_VERSION = "2016-11-15"


class Ec2Application:
    """Serves the table of actions."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = actions
        self._lockout: Lockout | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        answer: Iterable[bytes] = self._respond(webob.Request(environ))(environ, start_response)
        return answer

    def _respond(self, request: webob.Request) -> webob.Response:
        if request.path_info.rstrip("/") not in _PATHS:
            raise Ec2Error("InvalidRequest", "There is nothing here; the EC2 API is at /services/Cloud.")
        sent = authentication.read(request)
        name = sent.first("Action")
        action = self._actions.get(name)
        # Also who is refused is told so in the dialect of the service that was asked.
        request.environ[ACTION] = action
        context = authentication.authenticate(request, sent, self._locked_out(request))
        if action is None:
            raise missing("Action") if not name else _unknown(name)
        _authorise(request, context, action)
        values = query.read_members((*action.parameters, query.DRY_RUN), query.tree(sent.parameters))
        if values.pop("DryRun", False):
            raise Ec2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        call = Ec2Call(context, request.environ[CLOUD], request.environ[CONF], values, request)
        return _render(request, action, sent.first("Version") or _VERSION, action.handler(call))

    def _locked_out(self, request: webob.Request) -> Lockout:
        if self._lockout is None:
            conf = request.environ[CONF]
            self._lockout = Lockout(
                conf.lockout_attempts, 60.0 * conf.lockout_window, 60.0 * conf.lockout_minutes
            )
        return self._lockout


def _authorise(request: webob.Request, context: RequestContext, action: Action) -> None:
    policy: Policy = request.environ[POLICY]
    if not policy.allows(context, action.policy):
        raise Ec2Error(
            "UnauthorizedOperation" if action.service == "ec2" else "AccessDenied",
            f"You are not authorized to perform this operation: {action.name}.",
        )


def _render(request: webob.Request, action: Action, version: str, value: Any) -> webob.Response:
    request_id = request.environ[REQUEST_ID]
    if action.service == "sts":
        body = xml.sts_answer(action.name, request_id, action.answer, value)
    else:
        body = xml.answer(action.name, version, request_id, action.answer, value)
    return webob.Response(body=body, content_type="text/xml", charset="UTF-8")


def _unknown(name: str) -> Ec2Error:
    return Ec2Error("InvalidAction", f"The action {name[:100]} is not valid for this web service.")


def app_factory(global_conf: dict[str, str]) -> Ec2Application:
    """Build the application for a paste file."""
    return Ec2Application(ACTIONS)
