"""The table of the object store's operations: each is found by what clients send, and has its rule."""

import collections

import botocore.session
import pytest
import webob

from nova_lite.objectstore import operations
from nova_lite.objectstore import request as requests
from nova_lite.objectstore.errors import CODES, DOMAIN, S3Error, document
from nova_lite.objectstore.operations import OPERATIONS, RULES, Guard, Level, Operation

PATHS = {Level.SERVICE: "/", Level.BUCKET: "/bucket", Level.OBJECT: "/bucket/key"}


def _name(value: object) -> str:
    return value.name if isinstance(value, Operation) else str(value)


def request_for(operation: Operation, **more: str) -> requests.S3Request:
    query = f"{operation.sub}=x" if operation.sub else ""
    headers = {operation.header: "/bucket/other"} if operation.header else {}
    http = webob.Request.blank(
        PATHS[operation.level] + f"?{query}&x-id={operation.name}",
        method=operation.method,
        headers=headers | more,
    )
    return requests.read(http, "")


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_every_operation_is_found_by_what_is_sent_for_it(operation: Operation) -> None:
    assert operations.find(request_for(operation)) is operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_every_operation_has_a_rule_that_lets_only_members_write(operation: Operation) -> None:
    rule = next(rule for rule in RULES if rule.name == operation.rule)

    assert ("role:reader" in rule.check) is not operation.writes
    assert (
        operation.handler.__doc__
        or "<lambda>" in operation.handler.__qualname__
        or "tell" in operation.handler.__qualname__
    )


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.guard is not Guard.SELF], ids=_name)
def test_what_does_not_guard_itself_is_on_a_bucket(operation: Operation) -> None:
    assert operation.level is not Level.SERVICE


def test_names_and_places_stand_once() -> None:
    for key in (lambda one: one.name, lambda one: (one.method, one.level, one.sub, one.header)):
        counted = collections.Counter(map(key, OPERATIONS))
        assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_status_of_an_error_and_a_document(code: str) -> None:
    error = S3Error(code)

    assert 400 <= error.status < 600
    assert f"<Code>{code}</Code>".encode() in document(error, "/bucket/<key>", "id")


def test_every_error_of_the_domain_has_a_code_that_exists() -> None:
    assert set(DOMAIN.values()) <= CODES.keys()


MODEL = botocore.session.get_session().get_service_model("s3")
OTHERWISE = {
    "GetBucketAccelerateConfiguration": "GetBucketAccelerate",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObject-lock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "ListDirectoryBuckets": "ListBuckets",
    "WriteGetObjectResponse": "PostObject",
}
"""What some of Amazon's operations are called here, or fall together with."""


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_an_operation_of_amazon_is_served_or_refused_and_never_taken_for_another(name: str) -> None:
    http, shape = MODEL.operation_model(name).http, MODEL.operation_model(name).input_shape
    path, _, query = http["requestUri"].replace("{Bucket}", "bucket").replace("{Key+}", "key").partition("?")
    required = [shape.members[member].serialization for member in shape.required_members] if shape else []
    parameters = [query, *(f"{one['name']}=1" for one in required if one.get("location") == "querystring")]
    headers = {one["name"]: "/bucket/other" for one in required if one.get("location") == "header"}
    url = f"{path}?{'&'.join(filter(None, parameters))}"

    found = operations.find(requests.read(webob.Request.blank(url, method=http["method"], headers=headers), ""))

    assert found is None or found.name == OTHERWISE.get(name, name)
