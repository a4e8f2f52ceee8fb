"""Images as Amazon's tools bundle them: a manifest, and an archive of one file, packed, encrypted and cut in parts."""

import dataclasses
import enum

from nova_lite.core.errors import InvalidInput


class BundleStep(enum.StrEnum):
    """Where the import of a bundle stands."""

    DOWNLOAD = "download"
    DECRYPT = "decrypt"
    UNTAR = "untar"
    UPLOAD = "upload"


class BadBundle(InvalidInput):
    """A bundle that cannot become an image; ``step`` is where that showed."""

    def __init__(self, step: BundleStep, message: str) -> None:
        super().__init__(message)
        self.step = step


@dataclasses.dataclass(frozen=True, slots=True)
class BundlePart:
    """A part of the encrypted archive: its name beside the manifest, and its SHA-1."""

    name: str
    sha1: str


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says. ``kind`` is the format of the image: ami, aki or ari.

    ``kernel_id`` and ``ramdisk_id`` are in the EC2 API's words; ``key`` and ``iv`` are encrypted for the cloud.
    ``size`` is that of the image, 0 where it is not said; ``sha1`` that of the archive before it was packed.
    """

    kind: str
    architecture: str
    kernel_id: str
    ramdisk_id: str
    key: bytes
    iv: bytes
    parts: tuple[BundlePart, ...]
    size: int = 0
    sha1: str = ""
    mappings: tuple[tuple[str, str], ...] = ()
