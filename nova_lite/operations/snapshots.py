"""Images made of servers: snapshots, and backups of which only so many are kept."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import OverQuota
from nova_lite.core.image import Image, Visibility
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb
from nova_lite.db import images
from nova_lite.operations.images import new_image
from nova_lite.operations.orders import Order, Orders

_ABOUT_THE_BYTES = frozenset(
    {"kernel_id", "ramdisk_id", "architecture", "os_distro", "os_version", "os_type"}
)
"""Properties of an instance's image that hold for an image made of the instance."""


@dataclasses.dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """A request for an image of a server.

    With a ``backup_type`` ("daily", say) it is a backup, of which ``rotation`` are kept.
    """

    name: str
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    backup_type: str = ""
    rotation: int = 0


class Snapshots:
    """The operations that make images of servers."""

    def __init__(self, orders: Orders, *, metadata_items: int) -> None:
        self._orders = orders
        self._metadata_items = metadata_items

    def create(self, context: RequestContext, uuid: str, request: SnapshotRequest) -> str:
        """Begin to make an image of a server; returns the image's id.

        Raises NotFound, WrongState, OverQuota.
        """
        if len(request.metadata) > self._metadata_items:
            raise OverQuota(f"Maximum number of metadata items exceeds {self._metadata_items}")
        image_id = ids.new_uuid()

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            base = images.get(session, instance.image_id)
            images.insert(session, _image(context, instance, base, image_id, request))
            backup = {"backup_type": request.backup_type, "rotation": request.rotation}
            return {"image_id": image_id} | (backup if request.backup_type else {})

        self._orders.place(context, uuid, Order(lambda _: Verb.SNAPSHOT, prepare, despite_lock=True))
        return image_id


def _image(
    context: RequestContext, instance: Instance, base: Image | None, image_id: str, request: SnapshotRequest
) -> Image:
    inherited = base.properties if base is not None else {}
    properties = {name: value for name, value in inherited.items() if name in _ABOUT_THE_BYTES}
    properties |= {
        "instance_uuid": instance.uuid,
        "user_id": context.user_id,
        "base_image_ref": instance.image_id,
        "image_type": "backup" if request.backup_type else "snapshot",
    }
    if request.backup_type:
        properties["backup_type"] = request.backup_type
    return new_image(
        context,
        image_id,
        name=request.name,
        owner=instance.project_id,
        visibility=Visibility.PRIVATE,
        min_disk=instance.flavor.root_gb,
        min_ram=base.min_ram if base is not None else 0,
        properties={**properties, **request.metadata},
    )
