"""What an object says of itself besides its bytes: standard headers, the user's own, and what is shown of them."""

import re
from collections.abc import Mapping
from typing import Any

from nova_lite.core.objects import NULL_VERSION, ObjectVersion, Versioning
from nova_lite.objectstore import access, checksums, tags
from nova_lite.objectstore.call import Call, http_date
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import S3Request

OWN = "x-amz-meta-"
_STANDARD = (
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires",
)  # fmt: skip
_DEFAULT_TYPE = "binary/octet-stream"
_MOST_OWN_BYTES = 2048
_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_NOT_OURS = {
    "x-amz-server-side-encryption": "Encryption at the server is not supported.",
    "x-amz-server-side-encryption-customer-algorithm": "Encryption at the server is not supported.",
    "x-amz-copy-source-server-side-encryption-customer-algorithm": "Encryption at the server is not supported.",
    "x-amz-object-lock-mode": "Locks of objects are not supported.",
    "x-amz-object-lock-retain-until-date": "Locks of objects are not supported.",
    "x-amz-object-lock-legal-hold": "Locks of objects are not supported.",
    "x-amz-object-lock-event-hold": "Locks of objects are not supported.",
    "x-amz-website-redirect-location": "Websites are not supported.",
    "x-amz-write-offset-bytes": "Bytes cannot be added to an object.",
}
_CONDITIONS = ("x-amz-if-match-last-modified-time", "x-amz-if-match-size", "x-amz-if-match-initiated-time")
_STORAGE_CLASSES = ("STANDARD", "REDUCED_REDUNDANCY")


def new_details(call: Call) -> dict[str, Any]:
    """Return what a new object keeps of a request's headers; raises S3Error."""
    headers = call.request.headers
    refuse_what_is_not_there(headers)
    return {
        **described(headers),
        **owned(call),
        "tags": tags.of_header(headers.get("x-amz-tagging", "")),
    }


def owned(call: Call) -> dict[str, Any]:
    """Return what a new object keeps of its owner and of who may see it."""
    owner = call.project_id
    acl = access.of_headers(call.request.headers, owner, call.bucket.owner)
    return {"owner": owner, "owner_name": call.project_name, "acl": access.dump(acl)}


def described(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the standard headers and the user's own; raises S3Error."""
    own = {name.removeprefix(OWN): value for name, value in headers.items() if name.startswith(OWN)}
    if sum(len(name) + len(value) for name, value in own.items()) > _MOST_OWN_BYTES:
        raise S3Error("MetadataTooLarge", MaxSizeAllowed=str(_MOST_OWN_BYTES))
    standard = {name: headers[name] for name in _STANDARD if headers.get(name)}
    encoding = _without_framing(standard.pop("content-encoding", ""))
    if encoding:
        standard["content-encoding"] = encoding
    standard.setdefault("content-type", _DEFAULT_TYPE)
    for value in (*own, *own.values(), *standard.values()):
        if _CONTROLS.search(value):
            raise S3Error("InvalidArgument", "Metadata must not hold control characters.")
    return {"headers": standard, "metadata": own}


def refuse_what_is_not_there(headers: Mapping[str, str]) -> None:
    """Raise S3Error where the request asks for what this store would only pretend to do."""
    for name, message in _NOT_OURS.items():
        if headers.get(name):
            raise S3Error("NotImplemented", message, Header=name)
    if headers.get("x-amz-storage-class", "STANDARD") not in _STORAGE_CLASSES:
        raise S3Error("InvalidArgument", "The storage class you specified is not valid")


def refuse_conditions(headers: Mapping[str, str]) -> None:
    """Raise S3Error for what wants to be deleted on conditions at which nobody looks here, nor in S3's own buckets."""
    for name in _CONDITIONS:
        if name in headers:
            raise S3Error("NotImplemented", "This condition is not supported.", Header=name)


def shown(call: Call, version: ObjectVersion) -> dict[str, str]:
    """Return the headers that tell an object, without its length."""
    details = version.details
    found = {
        **{name.title(): value for name, value in details.get("headers", {}).items()},
        **{OWN + name: value for name, value in details.get("metadata", {}).items()},
        "ETag": f'"{version.etag}"',
        "Last-Modified": http_date(version.modified_at),
        "Accept-Ranges": "bytes",
    }
    if details.get("tags"):
        found["x-amz-tagging-count"] = str(len(details["tags"]))
    return found | version_header(call, version)


def version_header(call: Call, version: ObjectVersion) -> dict[str, str]:
    """Return the header that tells the version, none in a bucket that never kept any."""
    if call.bucket.versioning is Versioning.OFF:
        return {}
    # After a put while versions are suspended there is none to tell, as S3 has it.
    if version.version == NULL_VERSION and call.request.method in ("PUT", "POST"):
        return {}
    return {"x-amz-version-id": version.version}


def checksum_headers(call: Call, version: ObjectVersion) -> dict[str, str]:
    """Return the headers that tell the checksum of the whole object, where the request asks for it."""
    found = checksums.kept(version.details.get("checksum"))
    if found is None or call.request.header("x-amz-checksum-mode").upper() != "ENABLED":
        return {}
    return found.headers()


def overrides(request: S3Request, *, signed: bool) -> dict[str, str]:
    """Return the headers that a link sets in the place of the object's own; raises S3Error."""
    found = {}
    for name in _STANDARD:
        value = request.parameter(f"response-{name}")
        if not value:
            continue
        if not signed:
            raise S3Error(
                "InvalidRequest",
                "Request specific response headers cannot be used for anonymous GET requests.",
            )
        if _CONTROLS.search(value):
            raise S3Error("InvalidArgument", f"response-{name} must not hold control characters.")
        found[name.title()] = value.encode().decode("latin-1")
    return found


def _without_framing(encoding: str) -> str:
    """Return the encoding of the object itself: ``aws-chunked`` was only that of the request."""
    return ",".join(
        one for one in (part.strip() for part in encoding.split(",")) if one not in ("", "aws-chunked")
    )
