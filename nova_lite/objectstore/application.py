"""The application of nova-objectstore: one request through one operation's row, and errors in S3's words."""

import logging
import time
from collections.abc import Iterable
from typing import Any

import prometheus_client
import webob

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.policy import Policy
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.objectstore import buckets, cors, errors, operations
from nova_lite.objectstore import request as requests
from nova_lite.objectstore.authentication import Caller, FindSigner, authenticate
from nova_lite.objectstore.call import Call, Settings, answer
from nova_lite.objectstore.errors import NotModified, S3Error
from nova_lite.objectstore.operations import Guard, Level, Operation
from nova_lite.objectstore.request import S3Request

LOG = logging.getLogger(__name__)

THINGS = "nova_lite.objectstore"
"""WSGI environ key of the store and what else the application needs, set where the daemon is wired."""

SECONDS = prometheus_client.Histogram(
    "nova_object_store_seconds", "Time to begin to answer a request.", ["operation", "status"]
)


class Things:
    """The store, the policy, and how signers are found."""

    def __init__(
        self, store: ObjectStore, policy: Policy, find_signer: FindSigner, settings: Settings
    ) -> None:
        self.store = store
        self.policy = policy
        self.find_signer = find_signer
        self.settings = settings

    def may(self, context: RequestContext, rule: str, owner: str) -> bool:
        """Tell whether the caller's role lets it do this to something of ``owner``."""
        return self.policy.allows(context, rule, owner)


class ObjectStoreApplication:
    """Serves S3."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        begun = time.monotonic()
        http = webob.Request(environ)
        things: Things = environ[THINGS]
        asked = _Asked(http, ids.new_hex())
        try:
            response = self._answer(asked, things)
        except NotModified as unchanged:
            response = answer(304, {k: v for k, v in unchanged.headers.items() if k != "Content-Length"})
        # The wall: whatever it is, the client gets a document and the operator a line.
        except Exception as error:
            response = _fault(asked, error)
        response.headers["x-amz-request-id"] = asked.request_id
        response.headers["Server"] = "nova-objectstore"
        if asked.request is not None:
            cors.decorate(asked.bucket, http.method, http.headers.get("Origin", ""), response)
        SECONDS.labels(asked.operation, response.status_int).observe(time.monotonic() - begun)
        found: Iterable[bytes] = response(environ, start_response)
        return found

    def _answer(self, asked: "_Asked", things: Things) -> webob.Response:
        request = asked.request = requests.read(asked.http, things.settings.domain)
        if request.bucket:
            asked.bucket = things.store.get_bucket(request.bucket)
        call = Call(
            request, Caller(), things.store, things.settings, things.find_signer, things.may, asked.bucket
        )
        if request.method == "OPTIONS":
            asked.operation = "Preflight"
            return cors.preflight(call)
        caller = authenticate(request, things.find_signer)
        operation = operations.find(request)
        if operation is None:
            raise _no_such_operation(request)
        asked.operation = operation.name
        call = Call(
            request, caller, things.store, things.settings, things.find_signer, things.may, asked.bucket
        )
        _authorise(call, operation)
        return operation.handler(call)


class _Asked:
    """What is known of a request while it is answered."""

    def __init__(self, http: webob.Request, request_id: str) -> None:
        self.http = http
        self.request_id = request_id
        self.request: S3Request | None = None
        self.bucket: Any = None
        self.operation = "Unknown"


def _authorise(call: Call, operation: Operation) -> None:
    """Raise S3Error unless the caller may ask for the operation on this bucket, and it is the one that is meant."""
    expected = call.request.header("x-amz-expected-bucket-owner")
    if expected and call.found is not None and call.found.owner != expected:
        raise S3Error("AccessDenied")
    if operation.level is Level.SERVICE or operation.name == "CreateBucket":
        return
    bucket = call.bucket
    if operation.guard is Guard.SELF:
        return
    acl = buckets.acl_of(bucket) if operation.guard is Guard.BUCKET else ()
    call.require(bucket.owner, acl, operation.permission, operation.name)


def _no_such_operation(request: S3Request) -> S3Error:
    if {name for name, _ in request.query} & operations.SUBS:
        return S3Error("NotImplemented")
    error = S3Error("MethodNotAllowed", Method=request.method, ResourceType="SERVICE")
    error.headers = {"Allow": operations.methods(request)}
    return error


def _fault(asked: _Asked, error: Exception) -> webob.Response:
    told, path = errors.in_words(error), requests.raw_path(asked.http.environ)
    if told.status >= 500:
        LOG.error("%s %s failed [%s]", asked.http.method, path, asked.request_id, exc_info=error)
    body = errors.document(told, path, asked.request_id)
    headers = {"Content-Type": "application/xml", **told.headers}
    if asked.http.method == "HEAD":
        # The body of an answer to HEAD is never sent, but its length would be told.
        return answer(told.status, headers)
    return answer(told.status, headers, body)


def app_factory(global_conf: dict[str, str]) -> ObjectStoreApplication:
    """Build the application for a paste file."""
    return ObjectStoreApplication()
