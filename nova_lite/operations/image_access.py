"""Who may see an image, who may change it, and to what."""

import contextlib
import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound, TooLarge
from nova_lite.core.image import CONTAINER_FORMATS, DiskFormat, Image, Visibility
from nova_lite.db import images


@dataclasses.dataclass(frozen=True, slots=True)
class ImageLimits:
    """How much there may be: bytes of an image and of a project's images, and things of an image.

    0 for ``project_bytes`` means any number.
    """

    image_bytes: int = 1 << 40
    project_bytes: int = 0
    members: int = 128
    properties: int = 128
    tags: int = 128


def find(session: Session, context: RequestContext, image_id: str) -> Image:
    """Return an image that the caller may see; raises NotFound."""
    image = images.get(session, image_id, context.scope())
    if image is None:
        raise NotFound(f"No image found with ID {image_id}")
    return image


def own(session: Session, context: RequestContext, image_id: str) -> Image:
    """Return an image that the caller may change; raises NotFound, Forbidden."""
    image = find(session, context, image_id)
    if not context.is_admin and image.owner != context.project_id:
        raise Forbidden(f"You are not permitted to modify image {image_id}.")
    return image


def check(context: RequestContext, image: Image, limits: ImageLimits, old: Image | None = None) -> None:
    """Check what the caller wants ``image`` to be, which was ``old``.

    Raises Forbidden, InvalidInput, TooLarge.
    """
    public = image.visibility is Visibility.PUBLIC and (
        old is None or old.visibility is not Visibility.PUBLIC
    )
    if public and not context.is_admin:
        raise Forbidden("You are not permitted to make an image public.")
    if image.owner != (old.owner if old else context.project_id) and not context.is_admin:
        raise Forbidden("You are not permitted to give an image to another project.")
    if image.container_format not in (None, *CONTAINER_FORMATS):
        raise InvalidInput(f"The container format {image.container_format} is not supported.")
    _check_count("properties", len(image.properties), limits.properties, len(old.properties) if old else 0)
    _check_count("tags", len(image.tags), limits.tags, len(old.tags) if old else 0)
    with contextlib.suppress(ValueError):
        if image.disk_format is None or DiskFormat(image.disk_format):
            return
    raise InvalidInput(f"The disk format {image.disk_format} is not supported.")


def require_formats(image: Image) -> None:
    """Raise InvalidInput unless an image says what its bytes are."""
    if image.disk_format is None or image.container_format is None:
        raise InvalidInput("disk_format and container_format must be set before the data is uploaded.")


def _check_count(what: str, wanted: int, allowed: int, present: int) -> None:
    if wanted > max(allowed, present):
        raise TooLarge(f"The limit of {allowed} {what} of an image is exceeded: {wanted} were asked for.")
