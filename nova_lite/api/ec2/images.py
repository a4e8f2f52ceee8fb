"""Images of the EC2 API: what the image service keeps, listed, registered, made of instances and deleted."""

import dataclasses

from nova_lite.api.ec2 import filters, ids, paging
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, unsupported
from nova_lite.api.ec2.image_view import FILTERS, FOR_ALL, Shown
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.tags import put_tags, tags_by_resource, wanted_tags
from nova_lite.core import ids as uuids
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.image import Image
from nova_lite.core.resource_tags import ResourceKind
from nova_lite.db.images import ImagePage
from nova_lite.operations.image_bundles import NewBundledImage
from nova_lite.operations.snapshots import SnapshotRequest

_AT_ONCE = 1000
_PROVIDERS = ("amazon", "aws-marketplace", "aws-backup-vault")


def describe_images(call: Ec2Call) -> Listed:
    """List images that the caller may use."""
    wanted = call.list("ImageId")
    found = ids.images(call, wanted) if wanted else _listed(call)
    found = [image for image in found if _is_owned(call, image) and _is_launchable(call, image)]
    tags = tags_by_resource(call)
    shown = [Shown(image, tags.get(image.id, {})) for image in found]
    chosen = filters.chosen(shown, call.list("Filter"), FILTERS, lambda each: each.tags)
    return paging.paged(call, chosen, lambda each: each.id, "ImageId")


def register_image(call: Ec2Call) -> Image:
    """Name an image of the image service as one to launch; raises Ec2Error for what there is not."""
    location = call.get("ImageLocation", "").strip("/")
    if not location:
        raise unsupported("Images are registered by their ImageLocation; there are no snapshots here.")
    name = call.get("Name", "")
    tags = wanted_tags(call, ResourceKind.IMAGE)
    if "/" in location:
        image = _of_bundle(call, location)
        put_tags(call, ResourceKind.IMAGE, image.id, tags)
        return image
    image = _at(call, location)
    if name and name != image.name:
        _check_name(call, name)
    changes = {"name": name or image.name, "description": call.get("Description", "")}
    if (name or changes["description"]) and image.owner == call.context.project_id:
        image = call.cloud.images.update(call.context, image.id, lambda old: described(old, changes))
    put_tags(call, ResourceKind.IMAGE, image.id, tags)
    return image


def _of_bundle(call: Ec2Call, location: str) -> Image:
    """Register the bundle whose manifest is at ``bucket/key``; raises Ec2Error."""
    name = call.get("Name", "")
    if name:
        _check_name(call, name)
    try:
        manifest = call.cloud.image_bundles.manifest(call.context, location)
    except (NotFound, InvalidInput) as error:
        raise Ec2Error("InvalidManifest", str(error)) from error
    kernel = call.get("KernelId", "") or manifest.kernel_id
    ramdisk = call.get("RamdiskId", "") or manifest.ramdisk_id
    return call.cloud.image_bundles.register(
        call.context,
        location,
        manifest,
        NewBundledImage(
            name=name or location,
            description=call.get("Description", ""),
            architecture=call.get("Architecture", ""),
            kernel_id=ids.image(call, kernel, "aki").id if kernel else "",
            ramdisk_id=ids.image(call, ramdisk, "ari").id if ramdisk else "",
        ),
    )


def create_image(call: Ec2Call) -> Image:
    """Make an image of an instance."""
    instance = ids.instance(call, call.get("InstanceId"))
    _check_name(call, call.get("Name"))
    tags = wanted_tags(call, ResourceKind.IMAGE, passed_over=(ResourceKind.SNAPSHOT,))
    description = call.get("Description", "")
    metadata = {"description": description} if description else {}
    image_id = call.cloud.snapshots.create(
        call.context, instance.uuid, SnapshotRequest(call.get("Name"), metadata)
    )
    put_tags(call, ResourceKind.IMAGE, image_id, tags)
    return call.cloud.images.get(call.context, image_id)


def deregister_image(call: Ec2Call) -> str:
    """Delete an image."""
    image = own(call)
    call.cloud.images.delete(call.context, image.id)
    return ids.image_id(image)


def own(call: Ec2Call) -> Image:
    """Return the image that a request wants to change; raises Ec2Error."""
    image = ids.image(call, call.get("ImageId"))
    if image.owner != call.context.project_id and not call.elevated().is_admin:
        raise Ec2Error("AuthFailure", f"Not authorized for image:{ids.image_id(image)}")
    return image


def described(image: Image, changes: dict[str, str | None]) -> Image:
    """Return an image with another name or description; one without a name loses a description that is empty."""
    properties = dict(image.properties)
    if changes.get("description"):
        properties["description"] = str(changes["description"])
    elif "name" not in changes:
        properties.pop("description", None)
    return dataclasses.replace(image, name=changes.get("name", image.name), properties=properties)


def _listed(call: Ec2Call) -> list[Image]:
    found: list[Image] = []
    page = ImagePage(call.context.project_id, sort=(("created_at", False), ("id", False)), limit=_AT_ONCE)
    while True:
        some = call.cloud.images.listing(call.context, page)
        found += some
        if len(some) < _AT_ONCE:
            return found
        page = dataclasses.replace(page, marker=some[-1].id)


def _is_owned(call: Ec2Call, image: Image) -> bool:
    owners = call.list("Owner")
    mine = call.context.project_id
    return not owners or any(
        image.owner == (mine if owner == "self" else owner) for owner in owners if owner not in _PROVIDERS
    )


def _is_launchable(call: Ec2Call, image: Image) -> bool:
    """Tell whether who may launch an image is one of those that are asked for."""
    wanted = call.list("ExecutableBy")
    public, mine = image.visibility in FOR_ALL, image.owner == call.context.project_id
    shared = not public and not mine
    return not wanted or any(
        public if name == "all" else shared if name in ("self", call.context.project_id) else False
        for name in wanted
    )


def _at(call: Ec2Call, location: str) -> Image:
    """Return the image of the image service that a location names by its id."""
    if "/" in location or not uuids.is_uuid(location):
        raise unsupported(
            "Only images that are in the image service can be registered, by their id as location."
        )
    try:
        return call.cloud.images.get(call.context, location)
    except NotFound as error:
        raise Ec2Error("InvalidAMIID.NotFound", f"There is no image at {location[:100]}.") from error


def _check_name(call: Ec2Call, name: str) -> None:
    """Raise Ec2Error for a name that is too short or that an image of the project has."""
    if not 3 <= len(name) <= 128:
        raise Ec2Error("InvalidAMIName.Malformed", "An image's name needs 3 to 128 characters.")
    page = ImagePage(
        call.context.project_id, filters={"name": name, "owner": call.context.project_id}, limit=1
    )
    found = call.cloud.images.listing(call.context, page)
    if found:
        raise Ec2Error(
            "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {ids.image_id(found[0])}"
        )
