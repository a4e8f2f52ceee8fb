"""The route table of the image API."""

from nova_lite.api.openstack.image import images, imports, members, versions
from nova_lite.api.openstack.schemas import images as schemas
from nova_lite.api.route import PUBLIC, Route

_IMAGES = "/v2/images"
_IMAGE = "/v2/images/{image_id}"
_MEMBERS = f"{_IMAGE}/members"
_MEMBER = f"{_MEMBERS}/{{member_id}}"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/", versions.root, PUBLIC),
    Route("GET", "/versions", versions.versions, PUBLIC),
    Route("GET", "/v2", versions.versions, PUBLIC),
    Route("POST", _IMAGES, images.create, "image:add_image", schemas.CREATE, status=201),
    Route("GET", _IMAGES, images.listing, "image:get_images"),
    Route("GET", _IMAGE, images.show, "image:get_image"),
    Route("PATCH", _IMAGE, images.update, "image:modify_image", streams=True),
    Route("DELETE", _IMAGE, images.delete, "image:delete_image", status=204),
    Route("PUT", f"{_IMAGE}/file", images.upload, "image:upload_image", status=204, streams=True),
    Route("GET", f"{_IMAGE}/file", images.download, "image:download_image"),
    Route("PUT", f"{_IMAGE}/tags/{{tag}}", images.add_tag, "image:modify_image", status=204),
    Route("DELETE", f"{_IMAGE}/tags/{{tag}}", images.delete_tag, "image:modify_image", status=204),
    Route("GET", _MEMBERS, members.listing, "image:get_members"),
    Route("POST", _MEMBERS, members.create, "image:add_member", schemas.NEW_MEMBER),
    Route("GET", _MEMBER, members.show, "image:get_member"),
    Route("PUT", _MEMBER, members.update, "image:modify_member", schemas.MEMBER_ANSWER),
    Route("DELETE", _MEMBER, members.delete, "image:delete_member", status=204),
    Route(
        "POST",
        f"{_IMAGE}/actions/deactivate",
        images.deactivate,
        "image:deactivate",
        status=204,
        streams=True,
    ),
    Route(
        "POST",
        f"{_IMAGE}/actions/reactivate",
        images.reactivate,
        "image:reactivate",
        status=204,
        streams=True,
    ),
    Route("PUT", f"{_IMAGE}/stage", images.stage, "image:stage_image", status=204, streams=True),
    Route("POST", f"{_IMAGE}/import", imports.begin, "image:import_image", schemas.IMPORT, status=202),
    Route("GET", f"{_IMAGE}/tasks", imports.of_image, "image:get_image"),
    Route("GET", "/v2/tasks", imports.listing, "image:get_tasks"),
    Route("GET", "/v2/tasks/{task_id}", imports.show, "image:get_task"),
    Route("GET", "/v2/info/import", imports.methods, "image:get_images"),
    Route("GET", "/v2/info/stores", imports.stores, "image:get_images"),
    Route("GET", "/v2/schemas/{name}", images.schema, "image:get_images"),
)
