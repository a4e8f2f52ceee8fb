"""Lists of objects, of versions and of uploads under way."""

import base64
import binascii
import urllib.parse
from collections.abc import Callable
from typing import Any

import webob

from nova_lite.core.objects import Bucket, Found, Listing, Page, Upload
from nova_lite.objectstore import checksums
from nova_lite.objectstore.buckets import owner_name
from nova_lite.objectstore.call import Call, document, owner_fields, stamp
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import natural

_MOST = 1000
Encode = Callable[[str], str]


def list_objects(call: Call) -> webob.Response:
    """List objects, the first version of the list."""
    request, encode = call.request, _encoder(call)
    limit = _limit(call, "max-keys")
    wanted = Listing(
        prefix=request.parameter("prefix"),
        delimiter=request.parameter("delimiter"),
        after=request.parameter("marker"),
        limit=limit,
    )
    page = call.store.list_objects(call.bucket.name, wanted)
    fields: list[tuple[str, Any]] = [
        ("Name", call.bucket.name),
        ("Prefix", encode(wanted.prefix)),
        ("Marker", encode(wanted.after)),
        ("MaxKeys", limit),
        *_delimiter(wanted, encode),
        *_encoding(call),
        ("IsTruncated", bool(page.next_after)),
    ]
    if page.next_after and wanted.delimiter:
        fields.append(("NextMarker", encode(page.next_after)))
    return document("ListBucketResult", [*fields, *_contents(call, page, encode, owners=True)])


def list_objects_v2(call: Call) -> webob.Response:
    """List objects, the second version of the list."""
    request, encode = call.request, _encoder(call)
    limit, token = _limit(call, "max-keys"), request.parameter("continuation-token")
    if request.has("continuation-token") and not token:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect")
    start = request.parameter("start-after")
    wanted = Listing(
        prefix=request.parameter("prefix"),
        delimiter=request.parameter("delimiter"),
        after=_read_token(token) if token else start,
        limit=limit,
    )
    page = call.store.list_objects(call.bucket.name, wanted)
    fields: list[tuple[str, Any]] = [
        ("Name", call.bucket.name),
        ("Prefix", encode(wanted.prefix)),
        ("KeyCount", len(page.entries) + len(page.prefixes)),
        ("MaxKeys", limit),
        *_delimiter(wanted, encode),
        *_encoding(call),
        ("IsTruncated", bool(page.next_after)),
    ]
    if token:
        fields.append(("ContinuationToken", token))
    if start:
        fields.append(("StartAfter", encode(start)))
    if page.next_after:
        fields.append(("NextContinuationToken", _token(page.next_after)))
    owners = request.parameter("fetch-owner") == "true"
    return document("ListBucketResult", [*fields, *_contents(call, page, encode, owners=owners)])


def list_versions(call: Call) -> webob.Response:
    """List all versions and markers."""
    request, encode = call.request, _encoder(call)
    limit = _limit(call, "max-keys")
    wanted = Listing(
        prefix=request.parameter("prefix"),
        delimiter=request.parameter("delimiter"),
        after=request.parameter("key-marker"),
        after_id=request.parameter("version-id-marker"),
        limit=limit,
    )
    if wanted.after_id and not wanted.after:
        raise S3Error("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    page = call.store.list_versions(call.bucket.name, wanted)
    fields: list[tuple[str, Any]] = [
        ("Name", call.bucket.name),
        ("Prefix", encode(wanted.prefix)),
        ("KeyMarker", encode(wanted.after)),
        ("VersionIdMarker", wanted.after_id),
        ("MaxKeys", limit),
        *_delimiter(wanted, encode),
        *_encoding(call),
        ("IsTruncated", bool(page.next_after)),
    ]
    if page.next_after:
        fields += [("NextKeyMarker", encode(page.next_after)), ("NextVersionIdMarker", page.next_id)]
    fields += [_version(call.bucket, found, encode) for found in page.entries]
    return document("ListVersionsResult", [*fields, *_prefixes(page, encode)])


def list_uploads(call: Call) -> webob.Response:
    """List the uploads in parts that are under way."""
    request, encode = call.request, _encoder(call)
    limit = _limit(call, "max-uploads")
    wanted = Listing(
        prefix=request.parameter("prefix"),
        delimiter=request.parameter("delimiter"),
        after=request.parameter("key-marker"),
        after_id=request.parameter("upload-id-marker") if request.parameter("key-marker") else "",
        limit=limit,
    )
    page = call.store.list_uploads(call.bucket.name, wanted)
    fields: list[tuple[str, Any]] = [
        ("Bucket", call.bucket.name),
        ("KeyMarker", encode(wanted.after)),
        ("UploadIdMarker", wanted.after_id),
        ("Prefix", encode(wanted.prefix)),
        *_delimiter(wanted, encode),
        *_encoding(call),
        ("MaxUploads", limit),
        ("IsTruncated", bool(page.next_after)),
    ]
    if page.next_after:
        fields += [("NextKeyMarker", encode(page.next_after)), ("NextUploadIdMarker", page.next_id)]
    fields += [("Upload", _upload(call, upload, encode)) for upload in page.entries]
    return document("ListMultipartUploadsResult", [*fields, *_prefixes(page, encode)])


def _upload(call: Call, upload: Upload, encode: Encode) -> list[tuple[str, Any]]:
    owner = str(upload.details.get("owner") or call.bucket.owner)
    fields = owner_fields(owner, str(upload.details.get("owner_name") or owner))
    return [
        ("Key", encode(upload.key)),
        ("UploadId", upload.id),
        ("Initiator", fields),
        ("Owner", fields),
        ("StorageClass", "STANDARD"),
        ("Initiated", stamp(upload.started_at)),
    ]


def _contents(call: Call, page: Page, encode: Encode, *, owners: bool) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for one in page.entries:
        fields: list[tuple[str, Any]] = [
            ("Key", encode(one.key)),
            ("LastModified", stamp(one.modified_at)),
            ("ETag", f'"{one.etag}"'),
        ]
        if one.checksum[0]:
            composite = "-" in one.checksum[1]
            fields.append(("ChecksumAlgorithm", one.checksum[0]))
            fields.append(("ChecksumType", checksums.COMPOSITE if composite else checksums.FULL_OBJECT))
        fields.append(("Size", one.size))
        if owners:
            fields.append(("Owner", _owner(call.bucket, one)))
        fields.append(("StorageClass", "STANDARD"))
        found.append(("Contents", fields))
    return [*found, *_prefixes(page, encode)]


def _version(bucket: Bucket, found: Found, encode: Encode) -> tuple[str, Any]:
    fields: list[tuple[str, Any]] = [
        ("Key", encode(found.key)),
        ("VersionId", found.version),
        ("IsLatest", found.is_latest),
        ("LastModified", stamp(found.modified_at)),
    ]
    if not found.is_marker:
        fields += [("ETag", f'"{found.etag}"'), ("Size", found.size)]
        fields.append(("StorageClass", "STANDARD"))
    fields.append(("Owner", _owner(bucket, found)))
    return "DeleteMarker" if found.is_marker else "Version", fields


def _owner(bucket: Bucket, found: Found) -> list[tuple[str, str]]:
    if found.owner in ("", bucket.owner):
        return owner_fields(bucket.owner, owner_name(bucket))
    return owner_fields(found.owner, found.owner)


def _prefixes(page: Page, encode: Encode) -> list[tuple[str, Any]]:
    return [("CommonPrefixes", [("Prefix", encode(prefix))]) for prefix in page.prefixes]


def _delimiter(wanted: Listing, encode: Encode) -> list[tuple[str, str]]:
    return [("Delimiter", encode(wanted.delimiter))] if wanted.delimiter else []


def _encoding(call: Call) -> list[tuple[str, str]]:
    return [("EncodingType", "url")] if call.request.parameter("encoding-type") else []


def _encoder(call: Call) -> Encode:
    """Return how keys are written: clients that ask for it get those that XML cannot hold, too."""
    asked = call.request.parameter("encoding-type")
    if asked not in ("", "url"):
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentValue=asked)
    return (lambda text: urllib.parse.quote(text, safe="/-_.~*")) if asked else (lambda text: text)


def _limit(call: Call, name: str) -> int:
    text = call.request.parameter(name)
    if not text:
        return _MOST
    number = natural(text)
    if number is None:
        raise S3Error("InvalidArgument", f"Argument {name} must be an integer from 0 to 2147483647")
    return min(number, _MOST)


def _token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from error
