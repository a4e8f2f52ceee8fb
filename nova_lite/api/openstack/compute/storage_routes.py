"""The routes by which compute speaks for the image service, and by which servers have volumes."""

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.compute import images, volume_attachments
from nova_lite.api.openstack.compute.server_routes import SERVER
from nova_lite.api.openstack.schemas import queries
from nova_lite.api.openstack.schemas import servers as schemas
from nova_lite.api.openstack.schemas import volumes as volume_schemas
from nova_lite.api.route import Route

_PROXIED = Microversion(2, 35)
"""The last version at which compute speaks for the image service."""

_IMAGES = "/v2.1/images"
_IMAGE = "/v2.1/images/{image_id}"
_IMAGE_METADATA = "/v2.1/images/{image_id}/metadata"
_IMAGE_ITEM = "/v2.1/images/{image_id}/metadata/{key}"
_IMAGE_RULE = "os_compute_api:images"
_METADATA_RULE = "os_compute_api:image-metadata"
_METADATA_UNTIL = Microversion(2, 38)

IMAGES: tuple[Route, ...] = (
    Route("GET", _IMAGES, images.listing, f"{_IMAGE_RULE}:index", until=_PROXIED),
    Route("GET", f"{_IMAGES}/detail", images.detail, f"{_IMAGE_RULE}:detail", until=_PROXIED),
    Route("GET", _IMAGE, images.show, f"{_IMAGE_RULE}:show", until=_PROXIED),
    Route("DELETE", _IMAGE, images.delete, f"{_IMAGE_RULE}:delete", status=204, until=_PROXIED),
    Route("GET", _IMAGE_METADATA, images.list_metadata, f"{_METADATA_RULE}:index", until=_METADATA_UNTIL),
    Route(
        "POST", _IMAGE_METADATA, images.add_metadata, f"{_METADATA_RULE}:create", schemas.SET_METADATA,
        until=_METADATA_UNTIL,
    ),
    Route(
        "PUT", _IMAGE_METADATA, images.replace_metadata, f"{_METADATA_RULE}:update_all", schemas.SET_METADATA,
        until=_METADATA_UNTIL,
    ),
    Route("GET", _IMAGE_ITEM, images.show_metadata_item, f"{_METADATA_RULE}:show", until=_METADATA_UNTIL),
    Route(
        "PUT", _IMAGE_ITEM, images.set_metadata_item, f"{_METADATA_RULE}:update", schemas.SET_META_ITEM,
        until=_METADATA_UNTIL,
    ),
    Route(
        "DELETE", _IMAGE_ITEM, images.delete_metadata_item, f"{_METADATA_RULE}:delete", status=204,
        until=_METADATA_UNTIL,
    ),
)  # fmt: skip

_VOLUMES = f"{SERVER}/os-volume_attachments"
_VOLUME = f"{_VOLUMES}/{{volume_id}}"
_VOLUME_RULE = "os_compute_api:os-volumes-attachments"
_SNAPSHOTS = "/v2.1/os-assisted-volume-snapshots"
_SNAPSHOT_RULE = "os_compute_api:os-assisted-volume-snapshots"

VOLUMES: tuple[Route, ...] = (
    Route("GET", _VOLUMES, volume_attachments.listing, f"{_VOLUME_RULE}:index", query=queries.PAGE),
    Route("GET", _VOLUME, volume_attachments.show, f"{_VOLUME_RULE}:show"),
    *(
        Route("POST", _VOLUMES, volume_attachments.attach, f"{_VOLUME_RULE}:create", schema, since=first, until=last)
        for first, last, schema in volume_schemas.ATTACH
    ),
    *(
        Route(
            "PUT", _VOLUME, volume_attachments.swap, f"{_VOLUME_RULE}:update", schema, status=202,
            since=first, until=last,
        )
        for first, last, schema in volume_schemas.UPDATE
    ),
    Route("DELETE", _VOLUME, volume_attachments.detach, f"{_VOLUME_RULE}:delete", status=202),
    Route(
        "POST", _SNAPSHOTS, volume_attachments.create_snapshot, f"{_SNAPSHOT_RULE}:create",
        volume_schemas.CREATE_SNAPSHOT,
    ),
    Route(
        "DELETE", f"{_SNAPSHOTS}/{{snapshot_id}}", volume_attachments.delete_snapshot, f"{_SNAPSHOT_RULE}:delete",
        status=204, query=queries.ASSISTED_SNAPSHOT,
    ),
)  # fmt: skip
