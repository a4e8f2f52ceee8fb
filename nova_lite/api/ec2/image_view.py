"""Images as clients of the EC2 API see them: ids, states, kinds and where they came from."""

import dataclasses
from collections.abc import Sequence

from nova_lite.api.ec2 import ids, paging
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.instance_view import ARCHITECTURE, HYPERVISOR
from nova_lite.api.ec2.status import image_state_of
from nova_lite.api.ec2.tags import TAG, Tags
from nova_lite.api.ec2.xml import Shape, always, either, flag, many, moment, one, text
from nova_lite.core import ids as uuids
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.image import Image, Visibility

FOR_ALL = (Visibility.PUBLIC, Visibility.COMMUNITY)
"""The visibilities of images that everybody may launch."""
_KINDS = {"aki": "kernel", "ari": "ramdisk"}


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
        return self.image.visibility in FOR_ALL

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

FILTERS: Table = {
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
"""What images can be chosen by."""
