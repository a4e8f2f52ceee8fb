"""Images as values."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping


class ImageStatus(enum.StrEnum):
    """Where an image stands.

    Uploading is the image service's word for one whose bytes are staged and wait for their import.
    """

    QUEUED = "queued"
    SAVING = "saving"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    DELETED = "deleted"


class Visibility(enum.StrEnum):
    """Who may see an image besides its owner: everybody in lists, everybody by id, members, nobody."""

    PUBLIC = "public"
    COMMUNITY = "community"
    SHARED = "shared"
    PRIVATE = "private"


class DiskFormat(enum.StrEnum):
    """What the bytes of an image are; ami, ari and aki are an EC2 machine, ramdisk and kernel."""

    RAW = "raw"
    QCOW2 = "qcow2"
    ISO = "iso"
    AMI = "ami"
    ARI = "ari"
    AKI = "aki"


@dataclasses.dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a compute host has to know of an image: size in bytes, ``min_disk`` in GiB.

    An empty ``sha512`` is not checked. ``kernel_id`` and ``ramdisk_id`` are the images that a disk needs that does not
    boot by itself.
    """

    disk_format: str = "raw"
    size: int = 0
    min_disk: int = 0
    sha512: str = ""
    kernel_id: str = ""
    ramdisk_id: str = ""


class MemberStatus(enum.StrEnum):
    """What a project makes of an image that was shared with it; only accepted ones come in its lists."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclasses.dataclass(frozen=True, slots=True)
class ImageMember:
    """A project with which an image is shared."""

    image_id: str
    member_id: str
    status: MemberStatus
    created_at: datetime.datetime
    updated_at: datetime.datetime


class TaskStatus(enum.StrEnum):
    """Where an import stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclasses.dataclass(frozen=True, slots=True)
class ImageTask:
    """An import of an image: from what was staged, or from ``uri``."""

    id: str
    image_id: str
    owner: str
    user_id: str
    request_id: str
    status: TaskStatus
    created_at: datetime.datetime
    updated_at: datetime.datetime
    uri: str = ""
    message: str = ""
    expires_at: datetime.datetime | None = None

    @property
    def method(self) -> str:
        """The import method's name in the image API."""
        return "web-download" if self.uri else "glance-direct"


NO_KERNEL = "nokernel"
"""What users give as the kernel of an image that boots by itself all the same."""

CONTAINER_FORMATS = ("bare", "ami", "ari", "aki")


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """One image: sizes in bytes, ``min_disk`` in GiB, ``min_ram`` in MiB.

    ``properties`` are what users add: names and values of their own.
    """

    id: str
    name: str | None
    status: ImageStatus
    visibility: Visibility
    owner: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    disk_format: str | None = None
    container_format: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    checksum: str | None = None
    os_hash_value: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    protected: bool = False
    os_hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def kernel_id(self) -> str:
        """The image of the kernel that this one needs, if any."""
        kernel_id = self.properties.get("kernel_id", "")
        return "" if kernel_id == NO_KERNEL else kernel_id

    @property
    def ramdisk_id(self) -> str:
        """The image of the ramdisk that this one needs, if any."""
        return self.properties.get("ramdisk_id", "") if self.kernel_id else ""

    @property
    def facts(self) -> ImageFacts:
        """What a compute host has to know of it."""
        return ImageFacts(
            self.disk_format or "raw", self.size or 0, self.min_disk, self.os_hash_value or "",
            self.kernel_id, self.ramdisk_id,
        )  # fmt: skip
