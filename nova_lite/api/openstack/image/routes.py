"""The route table of the image API."""

from nova_lite.api.openstack.image import images, versions
from nova_lite.api.openstack.schemas import images as schemas
from nova_lite.api.route import PUBLIC, Route

_IMAGES = "/v2/images"
_IMAGE = "/v2/images/{image_id}"

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
    Route("GET", "/v2/schemas/image", images.image_schema, "image:get_images"),
    Route("GET", "/v2/schemas/images", images.images_schema, "image:get_images"),
)
