"""Objects: put, get, look, delete, and who may see them."""

import dataclasses
from typing import Any

import webob

from nova_lite.core import clock
from nova_lite.core.errors import NotFound
from nova_lite.core.objects import ObjectVersion, Segment, Versioning
from nova_lite.objectstore import access, buckets, conditions, metadata, ranges, tags
from nova_lite.objectstore.access import Permission
from nova_lite.objectstore.call import Call, answer, document, read_document
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.payload import Payload
from nova_lite.objectstore.ranges import Span

_TRIES = 5


def put_object(call: Call) -> webob.Response:
    """Store an object: its bytes as they come, then all of it in one step."""
    details = metadata.new_details(call)
    payload = call.payload()
    refuse_early(call)
    segment = receive(call, payload)
    if payload.checksum:
        details["checksum"] = payload.checksum.kept()
    new = ObjectVersion(
        call.bucket.name, call.request.key, payload.md5.hex(), (segment,), clock.now(), details
    )
    kept = commit(call, new)
    headers = {"ETag": f'"{kept.etag}"', **metadata.version_header(call, kept)}
    return answer(headers=headers | (payload.checksum.headers() if payload.checksum else {}))


def refuse_early(call: Call) -> None:
    """Raise S3Error for a put whose condition fails already, before its body is read."""
    if call.request.header("if-match") or call.request.header("if-none-match"):
        there = call.store.get(call.bucket.name, call.request.key)
        conditions.check_write(call.request.headers, None if there and there.is_marker else there)


def receive(call: Call, payload: Payload) -> Segment:
    """Store the bytes of a body; raises S3Error for too many."""
    cap = call.settings.put_cap
    room = call.store.room(call.bucket.owner)
    if payload.length is not None and payload.length > cap:
        raise S3Error("EntityTooLarge", ProposedSize=str(payload.length), MaxSizeAllowed=str(cap))
    if room is not None and (room == 0 or (payload.length or 0) > room):
        raise S3Error("QuotaExceeded")
    return call.store.write(payload.chunks(), cap if room is None else min(cap, room))


def commit(call: Call, new: ObjectVersion) -> ObjectVersion:
    """Make ``new`` the object; where that cannot be its bytes are removed again."""
    try:
        return call.store.put(new, lambda there: conditions.check_write(call.request.headers, there))
    except NotFound as error:
        call.store.discard(new.segments)
        raise S3Error("NoSuchBucket", BucketName=new.bucket) from error
    except BaseException:
        call.store.discard(new.segments)
        raise


def get_object(call: Call) -> webob.Response:
    """Return an object, or a part of it."""
    for _ in range(_TRIES):
        version = find(call, "GetObject")
        headers, span = _describe(call, version)
        try:
            reading = call.store.open(version, span.offset, span.length)
        except NotFound:
            # Replaced between two looks: the next one finds what is there now.
            continue
        return answer(206 if "Content-Range" in headers else 200, headers, stream=reading)
    raise S3Error("ServiceUnavailable", "The object is replaced faster than it can be read.")


def head_object(call: Call) -> webob.Response:
    """Return what would be told of an object."""
    headers, _ = _describe(call, find(call, "HeadObject"))
    return answer(206 if "Content-Range" in headers else 200, headers)


def _describe(call: Call, version: ObjectVersion) -> tuple[dict[str, str], Span]:
    """Return the headers of an object, and which of its bytes are wanted; raises S3Error, NotModified."""
    request = call.request
    headers = metadata.shown(call, version)
    headers |= metadata.overrides(request, signed=call.caller.context is not None)
    conditions.check_read(request.headers, version, headers)
    part, wanted = request.parameter("partNumber"), request.header("range")
    span = None
    if part:
        if wanted:
            raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        span = ranges.of_part(part, version)
        headers["x-amz-mp-parts-count"] = str(len(version.details.get("parts") or [0]))
    elif wanted and _range_applies(request.header("if-range"), version):
        span = ranges.of_header(wanted, version.size)
    if span is None:
        # Of a part nothing is told that is true of the whole only: clients would measure the part by it.
        headers |= metadata.checksum_headers(call, version)
    elif span.length:
        headers["Content-Range"] = span.content_range(version.size)
    span = span or Span(0, version.size)
    headers["Content-Length"] = str(span.length)
    return headers, span


def _range_applies(condition: str, version: ObjectVersion) -> bool:
    if not condition:
        return True
    date = conditions.http_date(condition)
    if date is not None:
        return version.modified_at.replace(microsecond=0) == date
    return condition.strip('"') == version.etag


def find(call: Call, rule: str, permission: Permission = Permission.READ) -> ObjectVersion:
    """Return the version that a request names and its caller may see; raises S3Error."""
    name = version_of(call)
    bucket = call.bucket
    found = call.store.get(bucket.name, call.request.key, name)
    if found is None or (found.is_marker and not name):
        # Who may not list a bucket learns nothing of what is in it.
        call.require(bucket.owner, buckets.acl_of(bucket), Permission.READ, rule)
        if found is None and name:
            raise S3Error("NoSuchVersion", Key=call.request.key, VersionId=name)
        raise missing(call, found)
    call.require(owner_of(found, bucket.owner), acl_of(found), permission, rule)
    if found.is_marker:
        error = S3Error("MethodNotAllowed", Method=call.request.method, ResourceType="DeleteMarker")
        error.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": found.version, "Allow": "DELETE"}
        raise error
    return found


def version_of(call: Call) -> str:
    """Return the version that a request names, empty where it names none; raises S3Error."""
    name = call.request.parameter("versionId")
    if not name and call.request.has("versionId"):
        raise S3Error("InvalidArgument", "Version id cannot be the empty string", ArgumentName="versionId")
    return name


def missing(call: Call, marker: ObjectVersion | None) -> S3Error:
    """Return the error of a key under which there is nothing, or a marker."""
    error = S3Error("NoSuchKey", Key=call.request.key)
    if marker is not None:
        error.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version}
    return error


def delete_object(call: Call) -> webob.Response:
    """Remove an object or a version of it; of nothing is fine, too."""
    metadata.refuse_conditions(call.request.headers)
    name = version_of(call)
    if name:
        require_owner(call)
    deleted = call.store.delete(
        call.bucket.name, call.request.key, name, lambda there: _check_delete(call, there)
    )
    return answer(204, deletion_headers(call, deleted))


def require_owner(call: Call) -> None:
    """Raise S3Error for who was only granted to write: a version that is deleted is gone for good."""
    call.require(call.bucket.owner, (), Permission.WRITE, "DeleteObject")


def _check_delete(call: Call, there: ObjectVersion | None) -> None:
    if call.request.header("if-match"):
        conditions.check_write(call.request.headers, there)


def deletion_headers(call: Call, deleted: ObjectVersion | None) -> dict[str, str]:
    """Return the headers that tell what a deletion did."""
    if deleted is None or call.bucket.versioning is Versioning.OFF:
        return {}
    return {
        "x-amz-version-id": deleted.version,
        **({"x-amz-delete-marker": "true"} if deleted.is_marker else {}),
    }


def get_acl(call: Call) -> webob.Response:
    """Tell who may do what."""
    found = find(call, "GetObjectAcl", Permission.READ_ACP)
    owner = owner_of(found, call.bucket.owner)
    body = access.document(acl_of(found), owner, str(found.details.get("owner_name") or owner))
    return answer(
        headers={"Content-Type": "application/xml", **metadata.version_header(call, found)}, body=body
    )


def put_acl(call: Call) -> webob.Response:
    """Say who may do what."""
    found = find(call, "PutObjectAcl", Permission.WRITE_ACP)
    acl = buckets.wanted_acl(call, owner_of(found, call.bucket.owner))
    change_details(call, found, acl=access.dump(acl))
    return answer()


def get_tagging(call: Call) -> webob.Response:
    """Tell an object's tags."""
    found = find(call, "GetObjectTagging")
    return document(
        "Tagging", tags.fields(found.details.get("tags") or {}), metadata.version_header(call, found)
    )


def put_tagging(call: Call) -> webob.Response:
    """Set an object's tags."""
    found = find(call, "PutObjectTagging", Permission.FULL_CONTROL)
    new = tags.of_document(read_document(call, "Tagging"), tags.MOST_OF_OBJECT)
    change_details(call, found, tags=new)
    return answer(headers=metadata.version_header(call, found))


def delete_tagging(call: Call) -> webob.Response:
    """Remove an object's tags."""
    found = find(call, "DeleteObjectTagging", Permission.FULL_CONTROL)
    change_details(call, found, tags={})
    return answer(204, metadata.version_header(call, found))


def change_details(call: Call, version: ObjectVersion, **details: Any) -> None:
    """Set some of what a version keeps; raises S3Error."""
    try:
        call.store.change(
            version, lambda found: dataclasses.replace(found, details={**found.details, **details})
        )
    except NotFound as error:
        raise S3Error("NoSuchKey", Key=version.key) from error


def owner_of(version: ObjectVersion, bucket_owner: str) -> str:
    """Return whose an object is; a marker is the bucket's owner's."""
    return str(version.details.get("owner") or bucket_owner)


def acl_of(version: ObjectVersion) -> access.Acl:
    """Return an object's list."""
    return access.load(version.details.get("acl"))
