"""Images as the compute API shows them until 2.35, and their metadata until 2.38."""

import dataclasses
import urllib.parse
from collections.abc import Callable, Mapping

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import change_range, limit_of
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput, NotFound, OverQuota
from nova_lite.core.image import Image, ImageStatus
from nova_lite.core.quota import UNLIMITED
from nova_lite.db.images import ImagePage

_STATUS = {
    ImageStatus.ACTIVE: ("ACTIVE", 100),
    ImageStatus.QUEUED: ("SAVING", 25),
    ImageStatus.SAVING: ("SAVING", 50),
    ImageStatus.UPLOADING: ("SAVING", 50),
    ImageStatus.IMPORTING: ("SAVING", 50),
    ImageStatus.DELETED: ("DELETED", 0),
}
_PROPERTY = "property-"
_LONGEST = 255


def listing(call: Call) -> Reply:
    """List images by id and name."""
    found, links = _page(call, "")
    images = [{"id": image.id, "name": image.name, "links": _links(call, image)} for image in found]
    return Reply({"images": images} | links)


def detail(call: Call) -> Reply:
    """List images in full."""
    found, links = _page(call, "/detail")
    return Reply({"images": [_view(call, image) for image in found]} | links)


def show(call: Call) -> Reply:
    """Show an image."""
    return Reply({"image": _view(call, _image(call))})


def delete(call: Call) -> Reply:
    """Delete an image."""
    call.cloud.images.delete(call.context, _image(call).id)
    return Reply()


def list_metadata(call: Call) -> Reply:
    """List an image's metadata."""
    return Reply({"metadata": dict(_image(call).properties)})


def show_metadata_item(call: Call) -> Reply:
    """Show one metadata item."""
    return Reply({"meta": {call.params["key"]: _item(call)}})


def add_metadata(call: Call) -> Reply:
    """Add metadata items."""
    wanted = call.body["metadata"]
    return Reply({"metadata": _change(call, lambda old: {**old, **wanted})})


def replace_metadata(call: Call) -> Reply:
    """Replace all metadata items."""
    wanted = call.body["metadata"]
    return Reply({"metadata": _change(call, lambda _: dict(wanted))})


def set_metadata_item(call: Call) -> Reply:
    """Set one metadata item."""
    wanted, key = call.body["meta"], call.params["key"]
    if list(wanted) != [key]:
        raise InvalidInput("Request body and URI mismatch")
    _change(call, lambda old: {**old, **wanted})
    return Reply({"meta": wanted})


def delete_metadata_item(call: Call) -> Reply:
    """Remove one metadata item."""
    _item(call)
    _change(call, lambda old: {name: value for name, value in old.items() if name != call.params["key"]})
    return Reply()


def _image(call: Call) -> Image:
    return call.cloud.images.get(call.context, call.params["image_id"])


def _item(call: Call) -> str:
    found = _image(call).properties.get(call.params["key"])
    if found is None:
        raise NotFound("Metadata item was not found")
    return found


def _change(call: Call, change: Callable[[Mapping[str, str]], dict[str, str]]) -> Json:
    """Change an image's metadata, of which there may be as many items as the project's servers may have."""
    quota = call.cloud.quotas.get(call.context, call.context.project_id)
    most = quota["metadata_items"].limit

    def apply(image: Image) -> Image:
        properties = change(image.properties)
        if most != UNLIMITED and len(properties) > most:
            raise OverQuota("Image metadata limit exceeded.")
        return dataclasses.replace(image, properties=properties)

    return dict(call.cloud.images.update(call.context, call.params["image_id"], apply).properties)


def _page(call: Call, path: str) -> tuple[list[Image], Json]:
    """Return the images that are asked for, and the link to those that follow."""
    since, _ = change_range(call)
    page = ImagePage(
        scope=call.context.scope(),
        filters={"os_hidden": False} | _filters(call),
        properties=_properties(call),
        marker=call.query("marker") or "",
        limit=limit_of(call),
    )
    found = call.cloud.images.listing(call.context, page)
    more = bool(found) and len(found) == page.limit
    marker = found[-1].id if more else ""
    if since is not None:
        found = [image for image in found if image.updated_at >= since]
    if not more:
        return found, {}
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", marker)])
    return found, {"images_links": [{"rel": "next", "href": call.url(f"/v2.1/images{path}?{query}")}]}


def _filters(call: Call) -> Json:
    """Return what is asked of columns; raises InvalidInput for numbers that are none."""
    filters: Json = {}
    name, status = call.query("name"), call.query("status")
    if name is not None:
        filters["name"] = name[:_LONGEST]
    if status is not None:
        filters["status"] = [one for one in ImageStatus if _status(one)[0] == status.upper()]
    for parameter, column in (("minRam", "min_ram"), ("minDisk", "min_disk")):
        text = call.query(parameter)
        if text is not None:
            if not text.isdecimal() or len(text) > 9:
                raise InvalidInput(f"{parameter} must be a number.")
            filters[column] = int(text)
    return filters


def _properties(call: Call) -> dict[str, str]:
    """Return what is asked of the users' own properties, a server and the kind of image among them."""
    wanted = {
        name.removeprefix(_PROPERTY): value
        for name, value in call.request.GET.items()
        if name.startswith(_PROPERTY)
    }
    server, kind = call.query("server"), call.query("type")
    if server is not None:
        wanted["instance_uuid"] = server.rsplit("/", 1)[-1]
    if kind is not None:
        wanted["image_type"] = kind
    return wanted


def _status(status: ImageStatus) -> tuple[str, int]:
    return _STATUS.get(status, ("UNKNOWN", 0))


def _view(call: Call, image: Image) -> Json:
    status, progress = _status(image.status)
    view: Json = {
        "id": image.id,
        "name": image.name,
        "minRam": image.min_ram,
        "minDisk": image.min_disk,
        "metadata": dict(image.properties),
        "created": clock.iso8601(image.created_at),
        "updated": clock.iso8601(image.updated_at),
        "status": status,
        "progress": progress,
        "links": _links(call, image),
        "OS-EXT-IMG-SIZE:size": image.size or 0,
    }
    disk_config = image.properties.get("auto_disk_config")
    if disk_config is not None:
        view["OS-DCF:diskConfig"] = "AUTO" if disk_config.lower() == "true" else "MANUAL"
    server = image.properties.get("instance_uuid")
    if server:
        links = [
            {"rel": "self", "href": call.url(f"/v2.1/servers/{server}")},
            {"rel": "bookmark", "href": call.url(f"/servers/{server}")},
        ]
        view["server"] = {"id": server, "links": links}
    return view


def _links(call: Call, image: Image) -> list[Json]:
    return [
        {"rel": "self", "href": call.url(f"/v2.1/images/{image.id}")},
        {"rel": "bookmark", "href": call.url(f"/images/{image.id}")},
        {
            "rel": "alternate",
            "type": "application/vnd.openstack.image",
            "href": call.url(f"/images/{image.id}"),
        },
    ]
