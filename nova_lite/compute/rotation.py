"""Keeping only so many backups of an instance."""

from sqlalchemy.orm import Session

from nova_lite.core.actions import Action
from nova_lite.core.image import ImageStatus
from nova_lite.core.instance import Instance
from nova_lite.db import images
from nova_lite.db.images import ImagePage


def rotate(session: Session, instance: Instance, action: Action) -> None:
    """Mark the oldest backups of a type as deleted when there are more than the action wants to keep.

    The bytes are removed by whoever reaps deleted images.
    """
    properties = {
        "image_type": "backup",
        "instance_uuid": instance.uuid,
        "backup_type": action.parameters["backup_type"],
    }
    page = ImagePage(
        scope=instance.project_id,
        filters={"status": ImageStatus.ACTIVE, "owner": instance.project_id},
        properties=properties,
        limit=10000,
    )
    for image in images.listing(session, page)[action.parameters["rotation"] :]:
        images.mark_deleted(session, image.id)
