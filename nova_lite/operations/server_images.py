"""The images that servers are made from: which can be, and what compute hosts are told of them."""

import dataclasses
from typing import Any

from nova_lite.core import hardware
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.image import Image
from nova_lite.core.instance import Flavor
from nova_lite.operations.images import Images

_GIB = 1024**3


def usable(images: Images, context: RequestContext, image_id: str) -> Image:
    """Return an image that instances may be made from; raises InvalidInput."""
    try:
        image = images.get(context, image_id)
    except NotFound as error:
        raise InvalidInput(f"Image {image_id} could not be found.") from error
    if image.status != "active":
        raise InvalidInput(f"Image {image_id} is not active.")
    for needed in filter(None, (image.kernel_id, image.ramdisk_id)):
        usable(images, context, needed)
    return image


def check_fit(flavor: Flavor, image: Image) -> None:
    """Raise InvalidInput unless a guest of the flavor can be made from the image."""
    hardware.of(flavor.vcpus, flavor.extra_specs, image.properties)
    if image.min_ram > flavor.memory_mb:
        raise InvalidInput(f"Flavor's memory is too small for requested image {image.id}.")
    if flavor.root_gb == 0:
        return
    if (
        image.min_disk > flavor.root_gb
        or max(image.size or 0, image.virtual_size or 0) > flavor.root_gb * _GIB
    ):
        raise InvalidInput(f"Flavor's disk is too small for requested image {image.id}.")


def parameters(image: Image) -> dict[str, Any]:
    """Return what the parameters of an action tell the compute host of an image."""
    return {"image": dataclasses.asdict(image.facts)}
