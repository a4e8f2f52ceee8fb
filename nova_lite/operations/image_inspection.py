"""Looking at the bytes of images on their way in."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oslo_utils.imageutils import format_inspector

from nova_lite.core.errors import InvalidInput
from nova_lite.core.image import DiskFormat, Image
from nova_lite.drivers.image.base import Stored


class Inspection:
    """Looks at an image's bytes as they pass: are they what was declared, and safe?"""

    def __init__(self, image: Image) -> None:
        self._image = image
        kind = image.disk_format if image.disk_format in (DiskFormat.QCOW2, DiskFormat.ISO) else None
        self._declared = _inspector(kind) if kind else None
        self._qcow2 = _inspector(DiskFormat.QCOW2)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the chunks through; raises InvalidInput at the end when they are not as declared."""
        for chunk in chunks:
            for inspector in filter(None, (self._declared, self._qcow2)):
                inspector.eat_chunk(chunk)
            yield chunk
        self._judge()

    def values(self, stored: Stored) -> Mapping[str, Any]:
        """Return what is to be recorded of the bytes that were stored."""
        virtual = self._declared.virtual_size if self._declared is not None else stored.size
        return {
            "size": stored.size,
            "virtual_size": virtual or stored.size,
            "checksum": stored.md5,
            "os_hash_value": stored.sha512,
        }

    def _judge(self) -> None:
        if self._declared is None:
            # A raw image that is a qcow2 file could make a hypervisor open files of the host.
            if self._qcow2.complete and self._qcow2.format_match:
                raise InvalidInput(
                    f"The data is in qcow2 format, but {self._image.disk_format} was declared."
                )
            return
        if not (self._declared.complete and self._declared.format_match):
            raise InvalidInput(f"The data is not in the declared format {self._image.disk_format}.")
        try:
            self._declared.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            names = ", ".join(sorted(error.failures))
            raise InvalidInput(f"The data is refused because it is not safe to use: {names}.") from error


def _inspector(disk_format: str) -> format_inspector.FileInspector:
    """Return a fresh inspector of bytes in ``disk_format``."""
    return format_inspector.ALL_FORMATS[disk_format]()


def digests(chunks: Iterable[bytes]) -> Stored:
    """Return the size and the checksums of bytes."""
    md5, sha512, size = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
    for chunk in chunks:
        md5.update(chunk)
        sha512.update(chunk)
        size += len(chunk)
    return Stored(size, md5.hexdigest(), sha512.hexdigest())
