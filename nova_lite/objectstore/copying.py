"""Copies inside the store: the bytes get another name, and nothing of them goes over the network."""

import base64
import dataclasses
import urllib.parse

import webob

from nova_lite import concurrency
from nova_lite.core import clock
from nova_lite.core.errors import NotFound
from nova_lite.core.objects import Bucket, ObjectVersion, Segment
from nova_lite.objectstore import buckets, checksums, conditions, metadata, objects, tags
from nova_lite.objectstore.access import Permission
from nova_lite.objectstore.call import Call, document, stamp
from nova_lite.objectstore.errors import S3Error


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What is copied, and the bucket that it is in."""

    bucket: Bucket
    version: ObjectVersion


def copy_object(call: Call) -> webob.Response:
    """Make an object of another's bytes."""
    headers = call.request.headers
    metadata.refuse_what_is_not_there(headers)
    source = find_source(call)
    replaces = _replaces(headers.get("x-amz-metadata-directive", "COPY"))
    _refuse_copy_onto_itself(call, source, replaces=replaces)
    described = metadata.described(headers) if replaces else {
        name: source.version.details.get(name, {}) for name in ("headers", "metadata")
    }  # fmt: skip
    details = {
        **described,
        **metadata.owned(call),
        "tags": _tags(call, source),
    }
    size = source.version.size
    if size > call.settings.put_cap:
        raise S3Error(
            "InvalidRequest", "The specified copy source is larger than the maximum allowable size."
        )
    room = call.store.room(call.bucket.owner)
    if room is not None and size > room:
        raise S3Error("QuotaExceeded")
    details["checksum"] = _checksum(call, source.version)
    etag, sizes = source.version.etag, source.version.details.get("parts")
    if sizes:
        details["parts"] = sizes
        if details["checksum"] == source.version.details.get("checksum"):
            details["part_sums"] = source.version.details.get("part_sums")
    segments = _duplicate(call, source.version)
    new = ObjectVersion(call.bucket.name, call.request.key, etag, segments, clock.now(), details)
    kept = objects.commit(call, new)
    fields = [("LastModified", stamp(kept.modified_at)), ("ETag", f'"{kept.etag}"')]
    checksum = checksums.kept(kept.details.get("checksum"))
    shown = metadata.version_header(call, kept) | source_header(source)
    return document("CopyObjectResult", [*fields, *(checksum.fields() if checksum else [])], shown)


def find_source(call: Call) -> Source:
    """Return what the header ``x-amz-copy-source`` names and the caller may read; raises S3Error."""
    path, _, query = call.request.header("x-amz-copy-source").partition("?")
    name, slash, key = _text(path.removeprefix("/")).partition("/")
    version_id = _version_id(query)
    if not slash or not name or not key:
        raise S3Error(
            "InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        )
    bucket = call.store.get_bucket(name)
    if bucket is None:
        raise S3Error("NoSuchBucket", BucketName=name)
    if call.request.header("x-amz-source-expected-bucket-owner", bucket.owner) != bucket.owner:
        raise S3Error("AccessDenied")
    found = call.store.get(name, key, version_id)
    if found is None or found.is_marker:
        call.require(bucket.owner, buckets.acl_of(bucket), Permission.READ, "GetObject")
        if found is not None and version_id:
            raise S3Error("InvalidRequest", "The source of a copy request may not refer to a delete marker.")
        raise S3Error("NoSuchVersion" if version_id else "NoSuchKey", Key=key)
    call.require(objects.owner_of(found, bucket.owner), objects.acl_of(found), Permission.READ, "GetObject")
    conditions.check_source(call.request.headers, found)
    return Source(bucket, found)


def _text(sent: str) -> str:
    try:
        return urllib.parse.unquote_to_bytes(sent.encode("latin-1")).decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise S3Error("InvalidArgument", "The x-amz-copy-source header is not UTF-8 text.") from error


def _version_id(query: str) -> str:
    name, _, value = query.partition("=")
    if query and (name != "versionId" or not value):
        raise S3Error("InvalidArgument", "The x-amz-copy-source header has a query that names no version.")
    return _text(value)


def source_header(source: Source) -> dict[str, str]:
    """Return the header that tells which version was copied."""
    return {"x-amz-copy-source-version-id": source.version.version} if source.bucket.versioning else {}


def _replaces(directive: str) -> bool:
    if directive not in ("COPY", "REPLACE"):
        raise S3Error("InvalidArgument", "Unknown metadata directive.", ArgumentValue=directive)
    return directive == "REPLACE"


def _refuse_copy_onto_itself(call: Call, source: Source, *, replaces: bool) -> None:
    same = (source.bucket.name, source.version.key) == (call.bucket.name, call.request.key)
    named = "versionId" in call.request.header("x-amz-copy-source")
    if same and not replaces and not named:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.",
        )


def _tags(call: Call, source: Source) -> dict[str, str]:
    if _replaces(call.request.header("x-amz-tagging-directive", "COPY")):
        return tags.of_header(call.request.header("x-amz-tagging"))
    return dict(source.version.details.get("tags") or {})


def _checksum(call: Call, version: ObjectVersion) -> list[str] | None:
    """Return the checksum of the copy: that of the source, or one that the request wants and that is made here."""
    name = call.request.header("x-amz-checksum-algorithm").upper()
    there = checksums.kept(version.details.get("checksum"))
    if name and name not in checksums.ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    if not name or (there and (there.algorithm, there.kind) == (name, checksums.FULL_OBJECT)):
        return there.kept() if there else None
    total = checksums.ALGORITHMS[name].make()
    try:
        reading = call.store.open(version, 0, version.size)
    except NotFound as error:
        raise S3Error("NoSuchKey", Key=version.key) from error
    try:
        for chunk in reading:
            concurrency.blocking(total.update, chunk)
    finally:
        reading.close()
    return checksums.Checksum(name, base64.b64encode(total.digest()).decode()).kept()


def _duplicate(call: Call, version: ObjectVersion) -> tuple[Segment, ...]:
    made: list[Segment] = []
    try:
        for segment in version.segments:
            made.append(call.store.duplicate(segment))
    except NotFound as error:
        call.store.discard(made)
        raise S3Error("NoSuchKey", Key=version.key) from error
    except BaseException:
        call.store.discard(made)
        raise
    return tuple(made)
