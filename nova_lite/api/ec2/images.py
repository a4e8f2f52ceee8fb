"""Images of the EC2 API: what the image service keeps, with ids, states and launch permissions as clients know them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nova_lite.api.ec2 import filters, ids, paging
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, missing, unsupported
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.instance_view import ARCHITECTURE, HYPERVISOR
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.status import image_state_of
from nova_lite.api.ec2.tags import TAG, Tags, put_tags, tags_by_resource, wanted_tags
from nova_lite.api.ec2.xml import Shape, always, either, flag, many, moment, one, text
from nova_lite.core import ids as uuids
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.image import Image, MemberStatus, Visibility
from nova_lite.core.resource_tags import ResourceKind
from nova_lite.db.images import ImagePage
from nova_lite.operations.image_bundles import NewBundledImage
from nova_lite.operations.snapshots import SnapshotRequest

_AT_ONCE = 1000
_KINDS = {"aki": "kernel", "ari": "ramdisk"}
_FOR_ALL = (Visibility.PUBLIC, Visibility.COMMUNITY)
_PROVIDERS = ("amazon", "aws-marketplace", "aws-backup-vault")


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """An image with its tags, and the projects with which it is shared."""

    image: Image
    tags: Tags = dataclasses.field(default_factory=dict)
    members: Sequence[str] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return ids.image_id(self.image)

    @property
    def kind(self) -> str:
        """What it is: machine, kernel or ramdisk."""
        return _KINDS.get(self.image.container_format or "", "machine")

    @property
    def public(self) -> bool:
        """Whether everybody may use it."""
        return self.image.visibility in _FOR_ALL

    @property
    def location(self) -> str:
        """Where it came from."""
        return (
            self.image.properties.get("image_location")
            or f"{self.image.owner}/{self.image.name or self.image.id}"
        )

    @property
    def architecture(self) -> str:
        """The architecture of its guests."""
        return self.image.properties.get("architecture") or ARCHITECTURE

    @property
    def root_device(self) -> str:
        """The name that the guest has for the disk made of it."""
        return self.image.properties.get("root_device_name") or "/dev/vda"

    @property
    def description(self) -> str:
        """What its owner says of it."""
        return self.image.properties.get("description", "")

    @property
    def reason(self) -> tuple[str, str] | None:
        """Why it failed."""
        state = self.image.properties.get("image_state", "")
        told = self.image.properties.get("image_state_reason") or state
        return ("Client.ImageImportFailed", told) if state.startswith("failed") else None


_KERNEL = text("kernelId", lambda shown: ec2_id("aki", shown.image.kernel_id))
_RAMDISK = text("ramdiskId", lambda shown: ec2_id("ari", shown.image.ramdisk_id))
_REASON = Shape(text("code", lambda reason: reason[0]), text("message", lambda reason: reason[1]))

IMAGES = paging.shape(
    "imagesSet",
    Shape(
        text("imageId", lambda shown: shown.id),
        text("imageLocation", lambda shown: shown.location),
        text("imageState", lambda shown: image_state_of(shown.image)),
        text("imageOwnerId", lambda shown: shown.image.owner),
        flag("isPublic", lambda shown: shown.public),
        always("productCodes", ()),
        text("architecture", lambda shown: shown.architecture),
        text("imageType", lambda shown: shown.kind),
        either(lambda shown: uuids.is_uuid(shown.image.kernel_id), _KERNEL),
        either(lambda shown: uuids.is_uuid(shown.image.ramdisk_id), _RAMDISK),
        text("name", lambda shown: shown.image.name or ""),
        text("description", lambda shown: shown.description),
        moment("creationDate", lambda shown: shown.image.created_at),
        always("rootDeviceType", "instance-store"),
        text("rootDeviceName", lambda shown: shown.root_device),
        always("blockDeviceMapping", ()),
        always("virtualizationType", "hvm"),
        always("hypervisor", HYPERVISOR),
        always("enaSupport", False),
        one("stateReason", lambda shown: shown.reason, _REASON),
        many("tagSet", lambda shown: sorted(shown.tags.items()), TAG),
    ),
)
IMAGE_ID = Shape(text("imageId", ids.image_id))
DEREGISTERED = Shape(always("return", True), text("imageId", lambda image_id: image_id))

_PERMISSION = Shape(
    either(lambda each: each == "all", text("group", lambda each: each)),
    either(lambda each: each != "all", text("userId", lambda each: each)),
)


def _only(name: str, *elements: Any) -> Any:
    """Elements that are there only where the attribute ``name`` is asked for."""
    shape = Shape(*elements)

    def write(out: list[str], thing: Any) -> None:
        if thing[0] == name:
            shape.write(out, thing[1])

    return write


_VALUE = "value"
ATTRIBUTE = Shape(
    text("imageId", lambda thing: thing[1].id),
    _only(
        "launchPermission",
        many(
            "launchPermission",
            lambda shown: ["all"] if shown.public else list(shown.members),
            _PERMISSION,
        ),
    ),
    _only(
        "description", one("description", lambda shown: shown, Shape(text(_VALUE, lambda s: s.description)))
    ),
    _only(
        "kernel",
        one(
            "kernel",
            lambda shown: shown,
            Shape(
                either(
                    lambda s: uuids.is_uuid(s.image.kernel_id),
                    text(_VALUE, lambda s: ec2_id("aki", s.image.kernel_id)),
                )
            ),
        ),
    ),
    _only(
        "ramdisk",
        one(
            "ramdisk",
            lambda shown: shown,
            Shape(
                either(
                    lambda s: uuids.is_uuid(s.image.ramdisk_id),
                    text(_VALUE, lambda s: ec2_id("ari", s.image.ramdisk_id)),
                )
            ),
        ),
    ),
    _only(
        "rootDeviceName",
        one("rootDeviceName", lambda shown: shown, Shape(text(_VALUE, lambda s: s.root_device))),
    ),
    _only("blockDeviceMapping", always("blockDeviceMapping", ())),
    _only("productCodes", always("productCodes", ())),
    _only("sriovNetSupport", always("sriovNetSupport", "")),
)
IMAGE_ATTRIBUTES = (
    "launchPermission", "description", "kernel", "ramdisk", "rootDeviceName", "blockDeviceMapping", "productCodes",
    "sriovNetSupport",
)  # fmt: skip

_FILTERS: Table = {
    "architecture": lambda shown: shown.architecture,
    "block-device-mapping.delete-on-termination": lambda shown: None,
    "block-device-mapping.device-name": lambda shown: None,
    "block-device-mapping.encrypted": lambda shown: None,
    "block-device-mapping.snapshot-id": lambda shown: None,
    "block-device-mapping.volume-size": lambda shown: None,
    "block-device-mapping.volume-type": lambda shown: None,
    "creation-date": lambda shown: f"{shown.image.created_at.isoformat(timespec='milliseconds')}Z",
    "description": lambda shown: shown.description,
    "ena-support": lambda shown: False,
    "hypervisor": lambda shown: HYPERVISOR,
    "image-id": lambda shown: shown.id,
    "image-type": lambda shown: shown.kind,
    "is-public": lambda shown: shown.public,
    "kernel-id": lambda shown: ec2_id("aki", shown.image.kernel_id) if shown.image.kernel_id else None,
    "manifest-location": lambda shown: shown.location,
    "name": lambda shown: shown.image.name or "",
    "owner-alias": lambda shown: None,
    "owner-id": lambda shown: shown.image.owner,
    "platform": lambda shown: None,
    "product-code": lambda shown: None,
    "ramdisk-id": lambda shown: ec2_id("ari", shown.image.ramdisk_id) if shown.image.ramdisk_id else None,
    "root-device-name": lambda shown: shown.root_device,
    "root-device-type": lambda shown: "instance-store",
    "state": lambda shown: image_state_of(shown.image),
    "state-reason-code": lambda shown: shown.reason[0] if shown.reason else None,
    "state-reason-message": lambda shown: shown.reason[1] if shown.reason else None,
    "virtualization-type": lambda shown: "hvm",
}


def describe_images(call: Ec2Call) -> Listed:
    """List images that the caller may use."""
    wanted = call.list("ImageId")
    found = ids.images(call, wanted) if wanted else _listed(call)
    found = [image for image in found if _is_owned(call, image) and _is_launchable(call, image)]
    tags = tags_by_resource(call)
    shown = [Shown(image, tags.get(image.id, {})) for image in found]
    chosen = filters.chosen(shown, call.list("Filter"), _FILTERS, lambda each: each.tags)
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
        image = call.cloud.images.update(call.context, image.id, lambda old: _described(old, changes))
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
    image = _own(call)
    call.cloud.images.delete(call.context, image.id)
    return ids.image_id(image)


def describe_image_attribute(call: Ec2Call) -> tuple[str, Shown]:
    """Show one attribute of an image."""
    name = call.get("Attribute")
    image = _own(call) if name == "launchPermission" else ids.image(call, call.get("ImageId"))
    members: Sequence[str] = ()
    if name == "launchPermission" and image.visibility is Visibility.SHARED:
        found = call.cloud.image_members.listing(call.context, image.id)
        members = [member.member_id for member in found if member.status is MemberStatus.ACCEPTED]
    return name, Shown(image, members=members)


def modify_image_attribute(call: Ec2Call) -> None:
    """Change who may launch an image, or its description."""
    image = _own(call)
    if "Description" in call.values:
        text_of = call.part("Description").get("Value", "")
        call.cloud.images.update(
            call.context, image.id, lambda old: _described(old, {"description": text_of})
        )
        return
    added, removed = _permissions(call)
    if not (added or removed):
        raise missing("LaunchPermission")
    _permit(call, image, added, removed)


def reset_image_attribute(call: Ec2Call) -> None:
    """Let nobody but the owner launch an image."""
    image = _own(call)
    members = []
    if image.visibility is Visibility.SHARED:
        members = [member.member_id for member in call.cloud.image_members.listing(call.context, image.id)]
    _permit(call, image, [], ["all", *members])


def _permissions(call: Ec2Call) -> tuple[list[str], list[str]]:
    """Return who may launch an image from now on and who not, everybody as ``all``; old clients say it otherwise."""
    changes = call.part("LaunchPermission")
    sides: dict[str, list[str]] = {
        "add": [each.get("Group") or each.get("UserId", "") for each in changes.get("Add", [])],
        "remove": [each.get("Group") or each.get("UserId", "") for each in changes.get("Remove", [])],
    }
    named = [*call.list("UserGroup"), *call.list("UserId")]
    if named:
        operation = call.get("OperationType")
        if call.get("Attribute", "launchPermission") != "launchPermission" or operation is None:
            raise missing("OperationType")
        sides[operation] += named
    for each in sides["add"] + sides["remove"]:
        if not each:
            raise missing("LaunchPermission.Group")
    return sides["add"], sides["remove"]


def _permit(call: Ec2Call, image: Image, added: Sequence[str], removed: Sequence[str]) -> None:
    context = call.elevated()
    visibility = image.visibility
    if "all" in added:
        visibility = Visibility.PUBLIC if context.is_admin else Visibility.COMMUNITY
    elif "all" in removed and visibility in _FOR_ALL:
        visibility = Visibility.SHARED
    projects = [each for each in added if each != "all"]
    if projects and visibility not in (*_FOR_ALL, Visibility.SHARED):
        visibility = Visibility.SHARED
    if visibility is not image.visibility:
        call.cloud.images.update(
            context, image.id, lambda old: dataclasses.replace(old, visibility=visibility)
        )
    if visibility is not Visibility.SHARED:
        return
    members = {member.member_id for member in call.cloud.image_members.listing(call.context, image.id)}
    for project in projects:
        if project not in members:
            call.cloud.image_members.add(call.context, image.id, project, status=MemberStatus.ACCEPTED)
    for project in removed:
        if project in members:
            call.cloud.image_members.remove(call.context, image.id, project)


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
    public, mine = image.visibility in _FOR_ALL, image.owner == call.context.project_id
    shared = not public and not mine
    return not wanted or any(
        public if name == "all" else shared if name in ("self", call.context.project_id) else False
        for name in wanted
    )


def _own(call: Ec2Call) -> Image:
    """Return the image that a request wants to change; raises Ec2Error."""
    image = ids.image(call, call.get("ImageId"))
    if image.owner != call.context.project_id and not call.elevated().is_admin:
        raise Ec2Error("AuthFailure", f"Not authorized for image:{ids.image_id(image)}")
    return image


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


def _described(image: Image, changes: dict[str, str | None]) -> Image:
    properties = dict(image.properties)
    if changes.get("description"):
        properties["description"] = str(changes["description"])
    elif "name" not in changes:
        properties.pop("description", None)
    return dataclasses.replace(image, name=changes.get("name", image.name), properties=properties)
