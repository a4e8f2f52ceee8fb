"""The application behind each paste pipeline: one request through one route's row.

Order of a request: microversion, route, caller, policy, query, body, handler; only where the body names the
action, and so the route, it is read before the policy. What fails raises an error of
the domain, which the fault middleware outside renders in the API's dialect.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema
import webob
from webob.multidict import MultiDict

from nova_lite.api import microversions
from nova_lite.api.call import CONF, OLD_CLIENT, Call, Json, Microversion, Reply
from nova_lite.api.errors import HttpError
from nova_lite.api.route import PUBLIC, Route, RouteTable
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, Unauthenticated
from nova_lite.core.policy import Policy

CONTEXT = "nova_lite.context"
"""WSGI environ key of the caller, set by the token middleware."""
BOUND = "nova_lite.bound"
"""WSGI environ key of a function that tells whether the caller's access rules let it ask an API what it asks."""
CLOUD = "nova_lite.cloud"
"""WSGI environ key of the operations, set where the daemon is wired."""
POLICY = "nova_lite.policy"
"""WSGI environ key of the rules in force, set where the daemon is wired."""

_LINK_PREFIXES = {"compute": "osapi_compute_link_prefix", "image": "osapi_glance_link_prefix"}
"""The flags that say what links in an API's answers begin with."""

_FORMATS = jsonschema.FormatChecker()


class Application:
    """Serves one API's route table."""

    def __init__(self, api: str, routes: Iterable[Route]) -> None:
        self.api = api
        self.table = RouteTable(routes)
        self._closed_since = microversions.CLOSED_QUERIES.get(api, microversions.NEVER)
        self._validators = {
            id(schema): jsonschema.Draft202012Validator(schema, format_checker=_FORMATS)
            for route in self.table.routes
            for schema in (route.schema, route.query)
            if schema is not None
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = webob.Request(environ)
        return self._respond(request)(environ, start_response)

    def _respond(self, request: webob.Request) -> webob.Response:
        version = microversions.negotiate(self.api, request)
        rows, params = self._rows(request, version)
        body = _read_json(request) if rows[0].action else {}
        route = _of_action(rows, body)
        context = self._authorise(request, route)
        if route.query is not None:
            self._check(
                route.query, _query_values(request.GET), "query string", version >= self._closed_since
            )
        if route.schema is not None:
            body = body or _read_json(request)
            self._check(route.schema, body, "request body", OLD_CLIENT not in request.environ)
        flag = _LINK_PREFIXES.get(self.api)
        base = request.environ[CONF][flag].rstrip("/") if flag else ""
        call = Call(context, request.environ[CLOUD], params, request, body, version, base or request.host_url)
        return self._render(route.handler(call), route)

    def _rows(self, request: webob.Request, version: Microversion) -> tuple[list[Route], Mapping[str, str]]:
        """Return the rows that the request's path, method and version leave, and the path's variables."""
        match = self.table.find(request.method, request.path_info)
        if match is None:
            raise HttpError(404, "The resource could not be found.")
        if not match.routes:
            raise HttpError(405, f"The method {request.method} is not allowed for this resource.")
        served = [row for row in match.routes if row.since <= version <= row.until]
        if not served:
            raise HttpError(404, "The resource could not be found.")
        if served[0].policy != PUBLIC and CONTEXT not in request.environ:
            raise Unauthenticated()
        return served, match.params

    def _authorise(self, request: webob.Request, route: Route) -> RequestContext:
        context: RequestContext | None = request.environ.get(CONTEXT)
        if route.policy == PUBLIC:
            return context or RequestContext(
                request_id=request.environ.get("nova_lite.request_id", ""),
                remote_address=request.remote_addr or "",
            )
        if context is None:
            raise Unauthenticated()
        if BOUND in request.environ and not request.environ[BOUND](self.api):
            raise Unauthenticated()
        policy: Policy = request.environ[POLICY]
        policy.require(context, route.policy)
        return context

    def _check(self, schema: Any, document: Any, what: str, closed: bool) -> None:
        """Raise InvalidInput for a document that is not as the schema says; unless ``closed`` it may say more."""
        problems = self._validators[id(schema)].iter_errors(document)
        if not closed:
            problems = (problem for problem in problems if problem.validator != "additionalProperties")
        problem = jsonschema.exceptions.best_match(problems)
        if problem is not None:
            where = "/".join(str(part) for part in problem.absolute_path)
            place = f" for field/attribute {where}" if where else ""
            raise InvalidInput(f"Invalid input{place} in the {what}: {_shorten(problem.message)}")

    @staticmethod
    def _render(reply: Reply, route: Route) -> webob.Response:
        response = webob.Response(status=reply.status or route.status)
        response.headers.pop("Content-Type", None)
        if reply.stream is not None:
            response.app_iter = reply.stream
        elif reply.body is not None:
            response.body = json.dumps(reply.body, separators=(",", ":")).encode()
            response.headers["Content-Type"] = "application/json"
        response.headers.update(list(reply.headers.items()))
        return response


def _read_json(request: webob.Request) -> Json:
    """Return the request's JSON object; raises InvalidInput or HttpError (415)."""
    raw = request.body
    if not raw:
        raise InvalidInput("The request has no body, but a JSON object is needed.")
    if request.content_type not in ("application/json", ""):
        raise HttpError(415, f"The content type {request.content_type} is not supported.")
    try:
        document = json.loads(raw, parse_constant=_refuse_constant)
        if rb"\u" in raw:
            _require_text(document)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The request body is malformed: it is not JSON of proper text.") from error
    if not isinstance(document, dict):
        raise InvalidInput("The request body is malformed: it is not a JSON object.")
    return document


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which are no JSON (RFC 8259, section 6)."""
    raise ValueError(name)


def _require_text(document: Any) -> None:
    """Raise ValueError for NUL and lone surrogates, which no database takes."""
    text = json.dumps(document, ensure_ascii=False)
    text.encode()
    if r"\u0000" in text.replace(r"\\", ""):
        raise ValueError(text)


def _of_action(rows: list[Route], body: Json) -> Route:
    """Choose among rows of ``POST …/action`` by the key of the body."""
    if not rows[0].action:
        return rows[0]
    named = [row for row in rows if row.action in body]
    if len(named) != 1:
        offered = ", ".join(sorted(row.action for row in rows))
        raise InvalidInput(
            f"There is no such action: {_shorten(', '.join(body))}. It must be one of: {offered}."
        )
    return named[0]


def _query_values(query: MultiDict[str, str]) -> dict[str, list[str]]:
    return {name: query.getall(name) for name in query}


def _shorten(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."
