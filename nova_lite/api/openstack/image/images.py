"""Images of the image API: register, upload, download, list, change, delete."""

import dataclasses
import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

import jsonschema

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.errors import HttpError
from nova_lite.api.openstack.schemas import images as schemas
from nova_lite.core import clock
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.image import Image, ImageStatus, Visibility
from nova_lite.db.images import SORTABLE, ImagePage
from nova_lite.operations.images import new_image

_CHUNK = 256 * 1024
_PATCH_TYPES = frozenset(
    {"application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch"}
)
_FIELDS = tuple(schemas.WRITABLE)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_DEFAULT_PAGE, _LARGEST_PAGE = 25, 1000


def create(call: Call) -> Reply:
    """Register an image."""
    body = {name: value for name, value in call.body.items() if value is not None}
    for name in body:
        if name in schemas.READ_ONLY and name != "id":
            raise Forbidden(f"Attribute '{name}' is read-only.")
    fields = {name: body[name] for name in _FIELDS if name in body}
    image = new_image(call.context, body.get("id", "").lower(), **_typed(fields), properties=_own(body))
    created = call.cloud.images.create(call.context, image)
    return Reply(view(created), headers={"Location": call.url(f"/v2/images/{created.id}")})


def listing(call: Call) -> Reply:
    """List images."""
    page = _page(call)
    found = call.cloud.images.listing(call.context, page)
    body: Json = {
        "images": [view(image) for image in found],
        "first": _link(call, {"marker": None}),
        "schema": "/v2/schemas/images",
    }
    if found and len(found) == page.limit:
        body["next"] = _link(call, {"marker": found[-1].id})
    return Reply(body)


def show(call: Call) -> Reply:
    """Show an image."""
    return Reply(view(call.cloud.images.get(call.context, call.params["image_id"])))


def update(call: Call) -> Reply:
    """Change an image by a JSON patch (RFC 6902) of its top-level members."""
    if call.request.content_type not in _PATCH_TYPES:
        raise HttpError(415, f"The content type must be one of {', '.join(sorted(_PATCH_TYPES))}.")
    changes = _patch(call.request.body)

    def change(image: Image) -> Image:
        for operation, name, value in changes:
            image = _apply(image, operation, name, value)
        return image

    return Reply(view(call.cloud.images.update(call.context, call.params["image_id"], change)))


def delete(call: Call) -> Reply:
    """Delete an image."""
    call.cloud.images.delete(call.context, call.params["image_id"])
    return Reply()


def upload(call: Call) -> Reply:
    """Store an image's bytes."""
    if call.request.content_type != "application/octet-stream":
        raise HttpError(415, "The content type must be application/octet-stream.")
    call.cloud.images.upload(call.context, call.params["image_id"], _chunks(call))
    return Reply()


def download(call: Call) -> Reply:
    """Send an image's bytes, or a part of them (RFC 9110, section 14)."""
    image = call.cloud.images.get(call.context, call.params["image_id"])
    if image.status is ImageStatus.QUEUED:
        return Reply(status=204)
    size = image.size or 0
    offset, length = _range(call.request.headers.get("Range", ""), size)
    stream = call.cloud.images.download(call.context, image.id, offset, length)
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    if length == size:
        return Reply(stream=stream, headers=headers | {"Content-MD5": image.checksum or ""})
    headers["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{size}"
    return Reply(stream=stream, status=206, headers=headers)


def add_tag(call: Call) -> Reply:
    """Add a tag."""
    tag = call.params["tag"]
    if len(tag) > 255:
        raise InvalidInput("A tag has at most 255 characters.")
    call.cloud.images.update(
        call.context,
        call.params["image_id"],
        lambda image: dataclasses.replace(image, tags=tuple(dict.fromkeys((*image.tags, tag)))),
    )
    return Reply()


def delete_tag(call: Call) -> Reply:
    """Remove a tag."""
    tag = call.params["tag"]

    def without(image: Image) -> Image:
        if tag not in image.tags:
            raise NotFound(f"Image {image.id} has no tag {tag}.")
        return dataclasses.replace(image, tags=tuple(one for one in image.tags if one != tag))

    call.cloud.images.update(call.context, call.params["image_id"], without)
    return Reply()


def image_schema(call: Call) -> Reply:
    """Show the schema of an image."""
    return Reply(schemas.SHOWN)


def images_schema(call: Call) -> Reply:
    """Show the schema of a list of images."""
    return Reply(schemas.SHOWN_LIST)


def view(image: Image) -> Json:
    """Return an image as the image API shows it."""
    return {
        **image.properties,
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "owner": image.owner,
        "protected": image.protected,
        "os_hidden": image.os_hidden,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "size": image.size,
        "virtual_size": image.virtual_size,
        "checksum": image.checksum,
        "os_hash_algo": "sha512" if image.os_hash_value else None,
        "os_hash_value": image.os_hash_value,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "tags": list(image.tags),
        "created_at": clock.iso8601(image.created_at),
        "updated_at": clock.iso8601(image.updated_at),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }


def _typed(fields: Json) -> Json:
    typed = dict(fields)
    if "visibility" in typed:
        typed["visibility"] = Visibility(typed["visibility"])
    if "tags" in typed:
        typed["tags"] = tuple(dict.fromkeys(typed["tags"]))
    return typed


def _own(body: Json) -> dict[str, str]:
    """Return the client's own properties of a body."""
    return {name: value for name, value in body.items() if name not in _FIELDS and name != "id"}


def _chunks(call: Call) -> Iterator[bytes]:
    """Read the body piece by piece; raises InvalidInput when it ends before its declared length."""
    stream, left = call.request.body_file_raw, call.request.content_length
    while left is None or left > 0:
        chunk = stream.read(_CHUNK if left is None else min(left, _CHUNK))
        if not chunk:
            break
        if left is not None:
            left -= len(chunk)
        yield chunk
    if left:
        raise InvalidInput("The request ended before the data was complete.")


def _range(header: str, size: int) -> tuple[int, int]:
    """Return (offset, length) of a Range header; the whole when there is none; raises HttpError (416)."""
    found = _RANGE.fullmatch(header)
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if first == "":
        offset = max(0, size - int(last))
        return offset, size - offset
    offset, end = int(first), min(int(last) if last else size - 1, size - 1)
    if offset > end:
        raise HttpError(416, "The range cannot be satisfied.", {"Content-Range": f"bytes */{size}"})
    return offset, end - offset + 1


def _patch(raw: bytes) -> list[tuple[str, str, Any]]:
    """Return (operation, member, value) of each change; raises InvalidInput, Forbidden."""
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise InvalidInput("The request body is malformed: it is not JSON.") from error
    if not isinstance(document, list):
        raise InvalidInput("The request body must be a JSON array of operation objects.")
    changes = []
    for entry in document:
        if not isinstance(entry, dict) or entry.get("op") not in ("add", "replace", "remove"):
            raise InvalidInput("Operations must be one of add, replace, remove.")
        path = str(entry.get("path", ""))
        if not path.startswith("/") or "/" in path[1:]:
            raise InvalidInput(f"The path {path[:255]} does not name a member of an image.")
        name = path[1:].replace("~1", "/").replace("~0", "~")
        if name in schemas.READ_ONLY:
            raise Forbidden(f"Attribute '{name}' is read-only.")
        if entry["op"] != "remove" and "value" not in entry:
            raise InvalidInput(f"The operation on {path} has no value.")
        changes.append((entry["op"], name, entry.get("value")))
    return changes


def _apply(image: Image, operation: str, name: str, value: Any) -> Image:
    if operation == "remove":
        if name in _FIELDS:
            raise Forbidden(f"Property {name} may not be removed.")
        if name not in image.properties:
            raise HttpError(409, f"Property {name} does not exist.")
        left = {key: kept for key, kept in image.properties.items() if key != name}
        return dataclasses.replace(image, properties=left)
    if operation == "replace" and name not in _FIELDS and name not in image.properties:
        raise HttpError(409, f"Property {name} does not exist.")
    if name not in _FIELDS:
        if not isinstance(value, str) or not 0 < len(name) <= 255:
            raise InvalidInput(f"Property {name[:255]} must be a string.")
        return dataclasses.replace(image, properties={**image.properties, name: value})
    try:
        jsonschema.validate(value, schemas.WRITABLE[name])
    except jsonschema.ValidationError as error:
        raise InvalidInput(f"Invalid value for {name}: {error.message[:200]}") from error
    if name in ("disk_format", "container_format") and image.status is not ImageStatus.QUEUED:
        raise Forbidden(f"Attribute {name} can be only replaced for a queued image.")
    return dataclasses.replace(image, **_typed({name: value}))


def _page(call: Call) -> ImagePage:
    query = call.request.GET
    filters: Json = {}
    properties: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for name, value in query.items():
        if name in ("limit", "marker", "sort", "sort_key", "sort_dir", "tag", "member_status"):
            continue
        if name in ("size_min", "size_max"):
            sizes[name] = _number(name, value)
        elif name in ("protected", "os_hidden"):
            filters[name] = value.lower() in ("true", "1")
        elif name in ("min_disk", "min_ram"):
            filters[name] = _number(name, value)
        elif name in ("id", "name", "status", "disk_format", "container_format", "visibility", "owner"):
            filters[name] = value[3:].split(",") if value.startswith("in:") else value
        elif name not in ("created_at", "updated_at", "size", "checksum", "os_hash_value", "all_tenants"):
            properties[name] = value
        elif name in ("checksum", "os_hash_value"):
            filters[name] = value
    if filters.get("visibility") == "all":
        del filters["visibility"]
    filters.setdefault("os_hidden", False)
    return ImagePage(
        scope=call.context.scope(),
        filters=filters,
        properties=properties,
        tags=query.getall("tag"),
        sort=_sort(call),
        marker=query.get("marker", ""),
        limit=_limit(call),
        **sizes,
    )


def _limit(call: Call) -> int:
    text = call.query("limit")
    if text is None:
        return _DEFAULT_PAGE
    return min(_number("limit", text) or _LARGEST_PAGE, _LARGEST_PAGE)


def _number(name: str, text: str) -> int:
    if not text.isdigit():
        raise InvalidInput(f"{name} must be a number that is at least 0.")
    return int(text)


def _sort(call: Call) -> tuple[tuple[str, bool], ...]:
    query = call.request.GET
    pairs = [tuple(part.partition(":")[::2]) for part in query.get("sort", "").split(",") if part]
    directions = query.getall("sort_dir")
    for position, key in enumerate(query.getall("sort_key")):
        pairs.append((key, directions[min(position, len(directions) - 1)] if directions else "desc"))
    order = []
    for key, direction in pairs or [("created_at", "desc")]:
        if key not in SORTABLE or direction not in ("", "asc", "desc"):
            raise InvalidInput(f"Cannot sort by {key[:40]}:{direction[:40]}.")
        order.append((key, direction != "asc"))
    return (*order, ("id", order[-1][1]))


def _link(call: Call, changes: dict[str, str | None]) -> str:
    kept = [(name, value) for name, value in call.request.GET.items() if name not in changes]
    added = [(name, value) for name, value in changes.items() if value is not None]
    query = urllib.parse.urlencode(kept + added)
    return f"/v2/images?{query}" if query else "/v2/images"
