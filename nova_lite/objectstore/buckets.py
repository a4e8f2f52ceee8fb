"""Buckets: list, create, look, delete, and what a bucket is set to."""

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable
from typing import Any

import webob

from nova_lite.core import clock
from nova_lite.core.errors import Conflict, NotFound, OverQuota, WrongState
from nova_lite.core.objects import Bucket, Versioning
from nova_lite.objectstore import access, tags, xml
from nova_lite.objectstore.call import Call, answer, document, owner_fields, read_document, stamp
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import is_bucket_name, natural

_MOST_LISTED = 10_000
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def list_buckets(call: Call) -> webob.Response:
    """List the buckets of the caller's project."""
    if call.caller.context is None:
        raise S3Error("AccessDenied")
    request = call.request
    prefix, after = request.parameter("prefix"), _read_token(request.parameter("continuation-token"))
    most = _limit(request.parameter("max-buckets"), _MOST_LISTED)
    found = [
        bucket
        for bucket in call.store.list_buckets(call.project_id)
        if bucket.name.startswith(prefix) and bucket.name > after
    ]
    entries = [
        ("Bucket", [("Name", bucket.name), ("CreationDate", stamp(bucket.created_at))])
        for bucket in found[:most]
    ]
    fields: list[tuple[str, Any]] = [
        ("Owner", owner_fields(call.project_id, call.project_name)),
        ("Buckets", entries),
    ]
    if len(found) > most:
        token = base64.urlsafe_b64encode(found[most - 1].name.encode()).decode()
        fields.append(("ContinuationToken", token))
    if prefix:
        fields.append(("Prefix", prefix))
    return document("ListAllMyBucketsResult", fields)


def create_bucket(call: Call) -> webob.Response:
    """Make a bucket for the caller's project."""
    context, name = call.caller.context, call.request.bucket
    if context is None or not call.may(context, "s3:CreateBucket", context.project_id):
        raise S3Error("AccessDenied")
    if not is_bucket_name(name):
        raise S3Error("InvalidBucketName", BucketName=name)
    _refuse_locks(call)
    location = _location(call)
    acl = access.of_headers(call.request.headers, call.project_id, call.project_id)
    details = {"acl": access.dump(acl), "owner_name": call.project_name, "location": location}
    try:
        call.store.create_bucket(Bucket(name, call.project_id, clock.now(), details=details))
    except OverQuota as error:
        raise S3Error("TooManyBuckets", str(error)) from error
    except Conflict as error:
        there = call.store.get_bucket(name)
        if there is None or there.owner != call.project_id:
            raise S3Error("BucketAlreadyExists", BucketName=name) from error
        if location:
            raise S3Error("BucketAlreadyOwnedByYou", BucketName=name) from error
    return answer(headers={"Location": f"/{name}"})


def _refuse_locks(call: Call) -> None:
    if call.request.header("x-amz-bucket-object-lock-enabled").lower() == "true":
        raise S3Error("NotImplemented", "Locks of objects are not supported.")


def _location(call: Call) -> str:
    """Return the region that a new bucket is wanted in, empty where none is named."""
    body = call.payload().document() if _has_body(call) else b""
    if not body:
        return ""
    try:
        location = xml.parse(body, "CreateBucketConfiguration").value("LocationConstraint").strip()
    except xml.Malformed as error:
        raise S3Error("MalformedXML") from error
    if location and not _REGION.fullmatch(location):
        raise S3Error("InvalidLocationConstraint", LocationConstraint=location)
    return location


def _has_body(call: Call) -> bool:
    headers = call.request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def head_bucket(call: Call) -> webob.Response:
    """Say that a bucket is there."""
    return answer(headers={"x-amz-bucket-region": _region(call)})


def delete_bucket(call: Call) -> webob.Response:
    """Remove a bucket that is empty."""
    try:
        call.store.delete_bucket(call.bucket.name)
    except WrongState as error:
        raise S3Error("BucketNotEmpty", BucketName=call.bucket.name) from error
    except NotFound as error:
        raise S3Error("NoSuchBucket", BucketName=call.bucket.name) from error
    return answer(204)


def get_location(call: Call) -> webob.Response:
    """Say which region a bucket was made in."""
    body = xml.document("LocationConstraint", str(call.bucket.details.get("location", "")))
    return answer(headers={"Content-Type": "application/xml"}, body=body)


def _region(call: Call) -> str:
    return str(call.bucket.details.get("location") or call.settings.region)


def get_versioning(call: Call) -> webob.Response:
    """Say whether a bucket keeps versions."""
    state = call.bucket.versioning
    return document("VersioningConfiguration", [("Status", state.value)] if state else [])


def put_versioning(call: Call) -> webob.Response:
    """Let a bucket keep versions from now on, or no more of them."""
    wanted = read_document(call, "VersioningConfiguration")
    if wanted.value("MfaDelete", "Disabled") != "Disabled":
        raise S3Error("NotImplemented", "MFA delete is not supported.")
    try:
        state = Versioning(wanted.require("Status"))
    except (ValueError, xml.Malformed) as error:
        raise S3Error("IllegalVersioningConfigurationException") from error
    if state is Versioning.OFF:
        raise S3Error("IllegalVersioningConfigurationException")
    _change(call, lambda bucket: dataclasses.replace(bucket, versioning=state))
    return answer()


def get_acl(call: Call) -> webob.Response:
    """Tell who may do what."""
    body = access.document(acl_of(call.bucket), call.bucket.owner, owner_name(call.bucket))
    return answer(headers={"Content-Type": "application/xml"}, body=body)


def put_acl(call: Call) -> webob.Response:
    """Say who may do what."""
    acl = wanted_acl(call, call.bucket.owner)
    change_details(call, acl=access.dump(acl))
    return answer()


def wanted_acl(call: Call, owner: str) -> access.Acl:
    """Return the list that a request to set one asks for, in its headers or its body."""
    if access.asks(call.request.headers):
        return access.of_headers(call.request.headers, owner, call.bucket.owner)
    body = call.payload().document() if _has_body(call) else b""
    if not body:
        raise S3Error("MissingSecurityHeader", MissingHeaderName="x-amz-acl")
    return access.of_document(body, owner)


def get_tagging(call: Call) -> webob.Response:
    """Tell a bucket's tags."""
    found = call.bucket.details.get("tags") or {}
    if not found:
        raise S3Error("NoSuchTagSet", BucketName=call.bucket.name)
    return document("Tagging", tags.fields(found))


def put_tagging(call: Call) -> webob.Response:
    """Set a bucket's tags."""
    change_details(call, tags=tags.of_document(read_document(call, "Tagging"), tags.MOST_OF_BUCKET))
    return answer(204)


def delete_tagging(call: Call) -> webob.Response:
    """Remove a bucket's tags."""
    change_details(call, tags={})
    return answer(204)


def acl_of(bucket: Bucket) -> access.Acl:
    """Return a bucket's list."""
    return access.load(bucket.details.get("acl"))


def owner_name(bucket: Bucket) -> str:
    """Return how a bucket's owner is shown."""
    return str(bucket.details.get("owner_name") or bucket.owner)


def change_details(call: Call, **details: Any) -> None:
    """Set some of what a bucket keeps; raises S3Error."""
    _change(call, lambda bucket: dataclasses.replace(bucket, details={**bucket.details, **details}))


def _change(call: Call, change: Callable[[Bucket], Bucket]) -> None:
    try:
        call.store.change_bucket(call.bucket.name, change)
    except NotFound as error:
        raise S3Error("NoSuchBucket", BucketName=call.bucket.name) from error


def _limit(text: str, most: int) -> int:
    if not text:
        return most
    number = natural(text)
    if number is None or not 1 <= number <= most:
        raise S3Error("InvalidArgument", f"The number must be from 1 to {most}.", ArgumentValue=text)
    return number


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from error
