"""THE table: every operation of S3, by method, level and sub-resource, with who may ask for it.

Within the project that owns a thing the rule ``s3:<name>`` of the policy decides by role; everybody else needs a
grant of the permission in the thing's access control list.
"""

import dataclasses
import enum
from collections.abc import Callable

import webob

from nova_lite.core.policy import MEMBER, READER, Rule
from nova_lite.objectstore import (
    attributes,
    buckets,
    copying,
    cors,
    deletions,
    forms,
    lists,
    multipart,
    objects,
    probes,
)
from nova_lite.objectstore.access import Permission
from nova_lite.objectstore.call import Call
from nova_lite.objectstore.request import S3Request

Handler = Callable[[Call], webob.Response]


class Level(enum.StrEnum):
    """What an operation is on."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


class Guard(enum.StrEnum):
    """Whose list of grants opens an operation to others than the owner's project.

    ``SELF`` operations look at it themselves: at that of the object, or at none. ``OWNER`` ones open to nobody.
    """

    BUCKET = "bucket"
    SELF = "self"
    OWNER = "owner"


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``sub`` is the query parameter and ``header`` the header that tell it from its siblings.

    ``permission`` is what a grant of the bucket has to allow, where those open it.
    """

    name: str
    method: str
    level: Level
    handler: Handler
    sub: str = ""
    header: str = ""
    guard: Guard = Guard.OWNER
    permission: Permission = Permission.READ
    writes: bool = False

    @property
    def rule(self) -> str:
        """The name of its rule in the policy."""
        return f"s3:{self.name}"


def _bucket(
    name: str, method: str, handler: Handler, sub: str = "", *, guard: Guard = Guard.OWNER,
    permission: Permission = Permission.READ,
) -> Operation:  # fmt: skip
    writes = method not in ("GET", "HEAD", "OPTIONS")
    return Operation(
        name, method, Level.BUCKET, handler, sub, guard=guard, permission=permission, writes=writes
    )


def _object(
    name: str, method: str, handler: Handler, sub: str = "", header: str = "", *, guard: Guard = Guard.BUCKET
) -> Operation:
    writes = method not in ("GET", "HEAD", "OPTIONS")
    permission = Permission.WRITE if writes else Permission.READ
    return Operation(
        name, method, Level.OBJECT, handler, sub, header, guard=guard, permission=permission, writes=writes
    )


_COPY_SOURCE = "x-amz-copy-source"

OPERATIONS: tuple[Operation, ...] = (
    Operation("ListBuckets", "GET", Level.SERVICE, buckets.list_buckets, guard=Guard.SELF),
    _bucket("CreateBucket", "PUT", buckets.create_bucket, guard=Guard.SELF),
    _bucket("HeadBucket", "HEAD", buckets.head_bucket, guard=Guard.BUCKET),
    _bucket("DeleteBucket", "DELETE", buckets.delete_bucket),
    _bucket("ListObjects", "GET", lists.list_objects, guard=Guard.BUCKET),
    _bucket("ListObjectsV2", "GET", lists.list_objects_v2, "list-type", guard=Guard.BUCKET),
    _bucket("ListObjectVersions", "GET", lists.list_versions, "versions", guard=Guard.BUCKET),
    _bucket("ListMultipartUploads", "GET", lists.list_uploads, "uploads", guard=Guard.BUCKET),
    _bucket(
        "DeleteObjects",
        "POST",
        deletions.delete_objects,
        "delete",
        guard=Guard.BUCKET,
        permission=Permission.WRITE,
    ),
    _bucket("PostObject", "POST", forms.post_object, guard=Guard.SELF),
    _bucket("GetBucketLocation", "GET", buckets.get_location, "location"),
    _bucket("GetBucketVersioning", "GET", buckets.get_versioning, "versioning"),
    _bucket("PutBucketVersioning", "PUT", buckets.put_versioning, "versioning"),
    _bucket(
        "GetBucketAcl", "GET", buckets.get_acl, "acl", guard=Guard.BUCKET, permission=Permission.READ_ACP
    ),
    _bucket(
        "PutBucketAcl", "PUT", buckets.put_acl, "acl", guard=Guard.BUCKET, permission=Permission.WRITE_ACP
    ),
    _bucket("GetBucketCors", "GET", cors.get_cors, "cors"),
    _bucket("PutBucketCors", "PUT", cors.put_cors, "cors"),
    _bucket("DeleteBucketCors", "DELETE", cors.delete_cors, "cors"),
    _bucket("GetBucketTagging", "GET", buckets.get_tagging, "tagging"),
    _bucket("PutBucketTagging", "PUT", buckets.put_tagging, "tagging"),
    _bucket("DeleteBucketTagging", "DELETE", buckets.delete_tagging, "tagging"),
    _bucket("GetBucketRequestPayment", "GET", probes.payer, "requestPayment"),
    *(
        _bucket(f"GetBucket{name[0].upper()}{name[1:]}", "GET", probes.absent(name), name)
        for name in probes.ABSENT
    ),
    *(
        _bucket(f"GetBucket{name[0].upper()}{name[1:]}", "GET", probes.empty(name), name)
        for name in probes.EMPTY
    ),
    _object("GetObject", "GET", objects.get_object, guard=Guard.SELF),
    _object("HeadObject", "HEAD", objects.head_object, guard=Guard.SELF),
    _object("PutObject", "PUT", objects.put_object),
    _object("CopyObject", "PUT", copying.copy_object, header=_COPY_SOURCE),
    _object("DeleteObject", "DELETE", objects.delete_object),
    _object("GetObjectAcl", "GET", objects.get_acl, "acl", guard=Guard.SELF),
    _object("PutObjectAcl", "PUT", objects.put_acl, "acl", guard=Guard.SELF),
    _object("GetObjectTagging", "GET", objects.get_tagging, "tagging", guard=Guard.SELF),
    _object("PutObjectTagging", "PUT", objects.put_tagging, "tagging", guard=Guard.SELF),
    _object("DeleteObjectTagging", "DELETE", objects.delete_tagging, "tagging", guard=Guard.SELF),
    _object("GetObjectAttributes", "GET", attributes.get_attributes, "attributes", guard=Guard.SELF),
    _object("GetObjectRetention", "GET", probes.unlocked, "retention"),
    _object("GetObjectLegalHold", "GET", probes.unlocked, "legal-hold"),
    _object("CreateMultipartUpload", "POST", multipart.create_upload, "uploads"),
    _object("UploadPart", "PUT", multipart.upload_part, "uploadId"),
    _object("UploadPartCopy", "PUT", multipart.upload_part_copy, "uploadId", _COPY_SOURCE),
    _object("ListParts", "GET", multipart.list_parts, "uploadId"),
    _object("CompleteMultipartUpload", "POST", multipart.complete_upload, "uploadId"),
    _object("AbortMultipartUpload", "DELETE", multipart.abort_upload, "uploadId"),
)
"""Every operation; one that is more special stands for itself, whatever the order."""

SUBS = frozenset({operation.sub for operation in OPERATIONS if operation.sub} | set(probes.REFUSED))
"""The query parameters that make another operation of a request."""

RULES = tuple(
    Rule(operation.rule, MEMBER if operation.writes else READER, f"{operation.name} of the object store.")
    for operation in OPERATIONS
)
"""The rules of the policy, one an operation."""


def find(request: S3Request) -> Operation | None:
    """Return the operation that a request asks for, or None where there is no such one."""
    level = Level.OBJECT if request.key else Level.BUCKET if request.bucket else Level.SERVICE
    subs = {name for name, _ in request.query} & SUBS
    if subs & {"uploadId"}:
        # Version 1 of some clients names the part without the other parameters in order.
        subs = {"uploadId"}
    header = _COPY_SOURCE if _COPY_SOURCE in request.headers else ""
    candidates = [one for one in OPERATIONS if one.level is level and one.method == request.method]
    for wanted_header in dict.fromkeys((header, "")):
        for one in candidates:
            if one.header == wanted_header and (one.sub in subs or (not one.sub and not subs)):
                return one
    return None


def methods(request: S3Request) -> str:
    """Return the methods that there are on a request's level, for its Allow header."""
    level = Level.OBJECT if request.key else Level.BUCKET if request.bucket else Level.SERVICE
    return ", ".join(sorted({one.method for one in OPERATIONS if one.level is level}))
