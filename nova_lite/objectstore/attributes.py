"""The attributes of an object, of which a request names those that it wants."""

from typing import Any

import webob

from nova_lite.core.objects import ObjectVersion
from nova_lite.objectstore import checksums, metadata, objects
from nova_lite.objectstore.call import Call, document
from nova_lite.objectstore.checksums import ALGORITHMS
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import natural

_MOST_PARTS = 1000


def get_attributes(call: Call) -> webob.Response:
    """Tell those of an object's attributes that a header names."""
    found = objects.find(call, "GetObjectAttributes")
    wanted = {one.strip() for one in call.request.header("x-amz-object-attributes").split(",")}
    unknown = wanted - {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
    if unknown:
        raise S3Error(
            "InvalidArgument", "Invalid attribute name specified.", ArgumentValue=", ".join(unknown)
        )
    headers = {
        "Last-Modified": metadata.shown(call, found)["Last-Modified"], **metadata.version_header(call, found)
    }  # fmt: skip
    return document("GetObjectAttributesResponse", _attributes(call, found, wanted), headers)


def _attributes(call: Call, found: ObjectVersion, wanted: set[str]) -> list[tuple[str, Any]]:
    checksum = checksums.kept(found.details.get("checksum"))
    fields: list[tuple[str, Any]] = []
    if "ETag" in wanted:
        fields.append(("ETag", found.etag))
    if "Checksum" in wanted and checksum is not None:
        fields.append(("Checksum", checksum.fields()))
    if "ObjectParts" in wanted and found.details.get("parts"):
        fields.append(("ObjectParts", _parts(call, found)))
    if "StorageClass" in wanted:
        fields.append(("StorageClass", "STANDARD"))
    if "ObjectSize" in wanted:
        fields.append(("ObjectSize", found.size))
    return fields


def _parts(call: Call, found: ObjectVersion) -> list[tuple[str, Any]]:
    """Return the elements of a page of the parts that an object was uploaded in, with their checksums if any."""
    sizes: list[int] = found.details["parts"]
    sums: list[str] = found.details.get("part_sums") or []
    checksum = checksums.kept(found.details.get("checksum"))
    element = ALGORITHMS[checksum.algorithm].element if checksum else ""
    after = _natural(call, "x-amz-part-number-marker", 0)
    most = min(_natural(call, "x-amz-max-parts", _MOST_PARTS), _MOST_PARTS)
    last = min(after + most, len(sizes))
    fields: list[tuple[str, Any]] = [
        ("PartsCount", len(sizes)),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", last),
        ("MaxParts", most),
        ("IsTruncated", last < len(sizes)),
    ]
    for number in range(after, last):
        told = [(element, sums[number])] if sums and element else []
        fields.append(("Part", [("PartNumber", number + 1), ("Size", sizes[number]), *told]))
    return fields


def _natural(call: Call, name: str, default: int) -> int:
    number = natural(call.request.header(name, str(default)))
    if number is None:
        raise S3Error("InvalidArgument", f"The header {name} is not a number.")
    return number
