"""Objects that come in parts: begun, filled in any order, completed or aborted."""

import base64
import hashlib
import secrets
from typing import Any

import webob

from nova_lite.core import clock
from nova_lite.core.errors import Conflict, NotFound
from nova_lite.core.objects import ObjectVersion, Part, Segment, Upload
from nova_lite.objectstore import checksums, conditions, copying, metadata, objects, ranges, xml
from nova_lite.objectstore.call import Call, answer, document, owner_fields, read_document, stamp
from nova_lite.objectstore.checksums import ALGORITHMS, COMPOSITE, FULL_OBJECT, Checksum
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import natural

MOST_PARTS = 10_000
LEAST_PART = 5 * 1024**2


def create_upload(call: Call) -> webob.Response:
    """Begin an upload."""
    algorithm = call.request.header("x-amz-checksum-algorithm").upper()
    kind = call.request.header("x-amz-checksum-type").upper()
    if algorithm and algorithm not in ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    if kind not in ("", COMPOSITE, FULL_OBJECT) or (kind and not algorithm):
        raise S3Error("InvalidRequest", "The x-amz-checksum-type header is not valid.")
    if algorithm:
        whole = ALGORITHMS[algorithm].combine is not None
        kind = kind or (FULL_OBJECT if algorithm == "CRC64NVME" else COMPOSITE)
        if (kind == FULL_OBJECT and not whole) or (kind == COMPOSITE and algorithm == "CRC64NVME"):
            raise S3Error("InvalidRequest", f"The {kind} checksum type cannot be used with {algorithm}.")
    details = metadata.new_details(call) | {"algorithm": algorithm, "kind": kind}
    upload = Upload(secrets.token_hex(24), call.bucket.name, call.request.key, clock.now(), details)
    call.store.create_upload(upload)
    fields = [("Bucket", upload.bucket), ("Key", upload.key), ("UploadId", upload.id)]
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind} if algorithm else {}
    return document("InitiateMultipartUploadResult", fields, headers)


def upload_part(call: Call) -> webob.Response:
    """Store a part."""
    number, upload = _number(call), _own(call)
    payload = call.payload(str(upload.details.get("algorithm", "")))
    segment = objects.receive(call, payload)
    details = {"checksum": payload.checksum.kept()} if payload.checksum else {}
    _keep(call, upload, Part(number, payload.md5.hex(), segment, clock.now(), details))
    headers = {"ETag": f'"{payload.md5.hex()}"'}
    if payload.checksum:
        headers[ALGORITHMS[payload.checksum.algorithm].header] = payload.checksum.value
    return answer(headers=headers)


def upload_part_copy(call: Call) -> webob.Response:
    """Store a part that is some bytes of an object."""
    number, upload = _number(call), _own(call)
    source = copying.find_source(call)
    span = ranges.of_copy_source(call.request.header("x-amz-copy-source-range"), source.version.size)
    if span.length > call.settings.put_cap:
        raise S3Error(
            "InvalidRequest", "The specified copy source is larger than the maximum allowable size."
        )
    md5 = hashlib.md5(usedforsecurity=False)
    algorithm = ALGORITHMS.get(str(upload.details.get("algorithm", "")))
    total = algorithm.make() if algorithm else None
    try:
        reading = call.store.open(source.version, span.offset, span.length)
    except NotFound as error:
        raise S3Error("NoSuchKey", Key=source.version.key) from error

    def measured() -> Any:
        for chunk in reading:
            md5.update(chunk)
            if total is not None:
                total.update(chunk)
            yield chunk

    try:
        segment = call.store.write(measured(), call.store.room(call.bucket.owner))
    finally:
        reading.close()
    checksum = None
    if algorithm and total is not None:
        checksum = Checksum(algorithm.name, base64.b64encode(total.digest()).decode())
    now = clock.now()
    details = {"checksum": checksum.kept()} if checksum else {}
    _keep(call, upload, Part(number, md5.hexdigest(), segment, now, details))
    fields: list[tuple[str, Any]] = [("LastModified", stamp(now)), ("ETag", f'"{md5.hexdigest()}"')]
    if checksum:
        fields += checksum.fields(kind=False)
    return document("CopyPartResult", fields, copying.source_header(source))


def list_parts(call: Call) -> webob.Response:
    """List the parts that are there."""
    upload = _own_or_in_bucket(call)
    after = _natural(call.request.parameter("part-number-marker", "0"), "part-number-marker")
    limit = min(_natural(call.request.parameter("max-parts", "1000"), "max-parts"), 1000)
    parts = call.store.list_parts(upload.id, after, limit + 1)
    more, parts = len(parts) > limit, parts[:limit]
    owner = str(upload.details.get("owner") or call.bucket.owner)
    who = owner_fields(owner, str(upload.details.get("owner_name") or owner))
    fields: list[tuple[str, Any]] = [
        ("Bucket", upload.bucket),
        ("Key", upload.key),
        ("UploadId", upload.id),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", parts[-1].number if parts else after),
        ("MaxParts", limit),
        ("IsTruncated", more),
        ("Initiator", who),
        ("Owner", who),
        ("StorageClass", "STANDARD"),
    ]
    if upload.details.get("algorithm"):
        fields += [
            ("ChecksumAlgorithm", upload.details["algorithm"]),
            ("ChecksumType", upload.details.get("kind", COMPOSITE)),
        ]
    return document("ListPartsResult", [*fields, *(("Part", _part(part)) for part in parts)])


def _part(part: Part) -> list[tuple[str, Any]]:
    checksum = checksums.kept(part.details.get("checksum"))
    return [
        ("PartNumber", part.number),
        ("LastModified", stamp(part.modified_at)),
        ("ETag", f'"{part.etag}"'),
        ("Size", part.segment.size),
        *(checksum.fields(kind=False) if checksum else []),
    ]


def complete_upload(call: Call) -> webob.Response:
    """Make the object of the parts that the request lists."""
    upload_id = call.request.parameter("uploadId")
    named = _named_parts(read_document(call, "CompleteMultipartUpload", of_object=True))
    upload = call.store.get_upload(upload_id)
    if upload is None:
        return _told_again(call, upload_id)
    if (upload.bucket, upload.key) != (call.bucket.name, call.request.key):
        raise S3Error("NoSuchUpload", UploadId=upload_id)
    _require_initiator(call, upload)
    parts = _chosen(call, upload, named)
    new = _assembled(upload, parts)
    _check_whole(call, new)
    try:
        kept = call.store.complete_upload(
            upload.id, new, lambda there: conditions.check_write(call.request.headers, there)
        )
    except NotFound:
        return _told_again(call, upload_id)
    except Conflict as error:
        raise S3Error("InvalidPart") from error
    return _completed(call, kept)


def _completed(call: Call, kept: ObjectVersion) -> webob.Response:
    request = call.request
    checksum = checksums.kept(kept.details.get("checksum"))
    fields: list[tuple[str, Any]] = [
        ("Location", f"{request.http.host_url}{request.path}"),
        ("Bucket", kept.bucket),
        ("Key", kept.key),
        ("ETag", f'"{kept.etag}"'),
        *(checksum.fields() if checksum else []),
    ]
    return document("CompleteMultipartUploadResult", fields, metadata.version_header(call, kept))


def _told_again(call: Call, upload_id: str) -> webob.Response:
    """Answer a completion that is repeated, because the answer of the first one was lost."""
    there = call.store.get(call.bucket.name, call.request.key)
    if there is None or there.details.get("upload") != upload_id:
        raise S3Error("NoSuchUpload", UploadId=upload_id)
    return _completed(call, there)


def _named_parts(body: xml.Element) -> list[tuple[int, str, xml.Element]]:
    """Return number, ETag and element of each part that a completion lists; raises S3Error."""
    try:
        named = [
            (int(one.require("PartNumber")), one.require("ETag").strip().strip('"'), one)
            for one in body.all("Part")
        ]
    except (xml.Malformed, ValueError) as error:
        raise S3Error("MalformedXML") from error
    if not named:
        raise S3Error("MalformedXML")
    if [number for number, _, _ in named] != sorted({number for number, _, _ in named}):
        raise S3Error("InvalidPartOrder")
    return named


def _chosen(call: Call, upload: Upload, named: list[tuple[int, str, xml.Element]]) -> list[Part]:
    """Return the parts that a completion lists; raises S3Error when one is not as it says."""
    there = {part.number: part for part in call.store.list_parts(upload.id)}
    chosen = []
    for number, etag, element in named:
        part = there.get(number)
        checksum = checksums.kept(part.details.get("checksum")) if part else None
        said = element.value(ALGORITHMS[checksum.algorithm].element) if checksum else ""
        if part is None or part.etag != etag or (checksum and said and said != checksum.value):
            raise S3Error("InvalidPart", PartNumber=str(number), ETag=etag, UploadId=upload.id)
        chosen.append(part)
    for part in chosen[:-1]:
        if part.segment.size < LEAST_PART:
            raise S3Error(
                "EntityTooSmall",
                ProposedSize=str(part.segment.size),
                MinSizeAllowed=str(LEAST_PART),
                PartNumber=str(part.number),
                ETag=part.etag,
            )
    return chosen


def _assembled(upload: Upload, parts: list[Part]) -> ObjectVersion:
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    md5 = hashlib.md5(digests, usedforsecurity=False).hexdigest()
    details = {name: value for name, value in upload.details.items() if name not in ("algorithm", "kind")}
    details |= {"parts": [part.segment.size for part in parts], "upload": upload.id}
    sums = [checksums.kept(part.details.get("checksum")) for part in parts]
    algorithm = ALGORITHMS.get(str(upload.details.get("algorithm", "")))
    if algorithm and all(one is not None and one.algorithm == algorithm.name for one in sums):
        sized = [(one.value, part.segment.size) for one, part in zip(sums, parts, strict=True) if one]
        details["checksum"] = checksums.of_parts(algorithm, str(upload.details["kind"]), sized).kept()
        details["part_sums"] = [value for value, _ in sized]
    segments: tuple[Segment, ...] = tuple(part.segment for part in parts)
    return ObjectVersion(upload.bucket, upload.key, f"{md5}-{len(parts)}", segments, clock.now(), details)


def _check_whole(call: Call, new: ObjectVersion) -> None:
    """Raise S3Error when the object is not what the request says that it must be."""
    size = call.request.header("x-amz-mp-object-size")
    if size and size != str(new.size):
        raise S3Error("InvalidRequest", f"The object has {new.size} bytes and not {size}.")
    checksum = checksums.kept(new.details.get("checksum"))
    if checksum is None:
        return
    said = call.request.header(ALGORITHMS[checksum.algorithm].header)
    if said and said.partition("-")[0] != checksum.value.partition("-")[0]:
        raise S3Error(
            "BadDigest", f"The {checksum.algorithm} you specified did not match the calculated checksum."
        )


def abort_upload(call: Call) -> webob.Response:
    """End an upload and remove its parts."""
    metadata.refuse_conditions(call.request.headers)
    upload = _own_or_in_bucket(call)
    try:
        call.store.abort_upload(upload.id)
    except NotFound as error:
        raise S3Error("NoSuchUpload", UploadId=upload.id) from error
    return answer(204)


def _keep(call: Call, upload: Upload, part: Part) -> None:
    try:
        call.store.put_part(upload.id, part)
    except NotFound as error:
        call.store.discard([part.segment])
        raise S3Error("NoSuchUpload", UploadId=upload.id) from error
    except BaseException:
        call.store.discard([part.segment])
        raise


def _find(call: Call) -> Upload:
    upload_id = call.request.parameter("uploadId")
    upload = call.store.get_upload(upload_id)
    if upload is None or (upload.bucket, upload.key) != (call.bucket.name, call.request.key):
        raise S3Error("NoSuchUpload", UploadId=upload_id)
    return upload


def _own(call: Call) -> Upload:
    """Return an upload that the caller may go on with; raises S3Error."""
    upload = _find(call)
    _require_initiator(call, upload)
    return upload


def _own_or_in_bucket(call: Call) -> Upload:
    """Return an upload that the caller may look at and abort: its own, or any in a bucket of its own."""
    upload = _find(call)
    if call.project_id != call.bucket.owner:
        _require_initiator(call, upload)
    return upload


def _require_initiator(call: Call, upload: Upload) -> None:
    """Raise S3Error unless the caller's project began the upload: others who may write have no part in it."""
    context = call.caller.context
    initiator = upload.details.get("owner", call.bucket.owner)
    if initiator != call.project_id and not (context and context.is_admin):
        raise S3Error("AccessDenied")


def _number(call: Call) -> int:
    text = call.request.parameter("partNumber")
    number = natural(text)
    if number is None or not 1 <= number <= MOST_PARTS:
        raise S3Error(
            "InvalidArgument", f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive",
            ArgumentName="partNumber", ArgumentValue=text,
        )  # fmt: skip
    return number


def _natural(text: str, name: str) -> int:
    number = natural(text)
    if number is None:
        raise S3Error("InvalidArgument", f"Argument {name} must be a positive number.")
    return number
