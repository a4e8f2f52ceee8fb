"""Images of the image API: register, upload, download, list, change, delete."""

import dataclasses
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.errors import HttpError
from nova_lite.api.openstack.image import patch
from nova_lite.api.openstack.schemas import images as schemas
from nova_lite.core import clock
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.image import Image, ImageStatus, MemberStatus
from nova_lite.db.images import SORTABLE, ImagePage
from nova_lite.operations.image_imports import METHODS
from nova_lite.operations.images import new_image

_CHUNK = 256 * 1024
_DIGITS = 18
"""Digits of a number that count: no database knows larger ones."""
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_DEFAULT_PAGE, _LARGEST_PAGE = 25, 1000


def create(call: Call) -> Reply:
    """Register an image."""
    body = {name: value for name, value in call.body.items() if value is not None}
    for name in body:
        if name in schemas.READ_ONLY and name != "id":
            raise Forbidden(f"Attribute '{name}' is read-only.")
    fields = {name: body[name] for name in patch.FIELDS if name in body}
    image = new_image(call.context, body.get("id", "").lower(), **patch.typed(fields), properties=_own(body))
    created = call.cloud.images.create(call.context, image)
    location = call.url(f"/v2/images/{created.id}")
    methods = {"OpenStack-image-import-methods": ",".join(METHODS)}
    return Reply(view(created), headers={"Location": location} | methods)


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
    changes = patch.read(call.request.body, call.request.content_type)

    def change(image: Image) -> Image:
        for operation, name, value in changes:
            image = patch.apply(image, operation, name, value)
        return image

    return Reply(view(call.cloud.images.update(call.context, call.params["image_id"], change)))


def delete(call: Call) -> Reply:
    """Delete an image."""
    call.cloud.images.delete(call.context, call.params["image_id"])
    return Reply()


def upload(call: Call) -> Reply:
    """Store an image's bytes."""
    call.cloud.images.upload(call.context, call.params["image_id"], _chunks(call))
    return Reply()


def stage(call: Call) -> Reply:
    """Store an image's bytes for an import."""
    call.cloud.images.stage(call.context, call.params["image_id"], _chunks(call))
    return Reply()


def deactivate(call: Call) -> Reply:
    """Let nobody but administrators have an image's bytes."""
    call.cloud.images.deactivate(call.context, call.params["image_id"])
    return Reply()


def reactivate(call: Call) -> Reply:
    """Let a deactivated image be used again."""
    call.cloud.images.reactivate(call.context, call.params["image_id"])
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


def schema(call: Call) -> Reply:
    """Show the schema of one kind of document."""
    found = schemas.BY_NAME.get(call.params["name"])
    if found is None:
        raise NotFound("There is no schema of that name.")
    return Reply(found)


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


def _own(body: Json) -> dict[str, str]:
    """Return the client's own properties of a body."""
    return {name: value for name, value in body.items() if name not in patch.FIELDS and name != "id"}


def _chunks(call: Call) -> Iterator[bytes]:
    """Return the body piece by piece; raises HttpError (415).

    Reading raises InvalidInput when the body ends before its declared length.
    """
    if call.request.content_type != "application/octet-stream":
        raise HttpError(415, "The content type must be application/octet-stream.")
    return _pieces(call)


def _pieces(call: Call) -> Iterator[bytes]:
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


def _page(call: Call) -> ImagePage:
    query = call.request.GET
    filters: Json = {}
    properties: dict[str, str] = {}
    bounds: dict[str, Any] = {}
    for name, value in query.items():
        if name in ("limit", "marker", "sort", "sort_key", "sort_dir", "tag"):
            continue
        if name in ("size_min", "size_max"):
            bounds[name] = _number(name, value)
        elif name == "member_status":
            bounds[name] = _member_status(value)
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
        **bounds,
    )


def _member_status(text: str) -> MemberStatus | None:
    try:
        return None if text == "all" else MemberStatus(text)
    except ValueError as error:
        raise InvalidInput("member_status must be one of all, pending, accepted, rejected.") from error


def _limit(call: Call) -> int:
    text = call.query("limit")
    if text is None:
        return _DEFAULT_PAGE
    return min(_number("limit", text) or _LARGEST_PAGE, _LARGEST_PAGE)


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"{name} must be a number that is at least 0.")
    return int(text[:_DIGITS])


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
