"""Images are what users send: before one is used, its bytes have to be what it says, and of nobody else's files.

The bytes are looked at in Python, so that no program is led astray by them; what a program such as qemu-img says
of an image is believed only after that.
"""

from pathlib import Path

from oslo_utils.imageutils import format_inspector

from nova_lite.core.errors import DriverError

QCOW2 = "qcow2"
RAW = "raw"

_KINDS = {RAW: {RAW, "gpt", "iso"}, QCOW2: {QCOW2}}
"""What the bytes of an image may be found to be: any disk with a partition table and any CD is raw as well."""


def kind_of(disk_format: str) -> str:
    """Return the form of an image's bytes: qcow2, and raw for all others."""
    return QCOW2 if disk_format == QCOW2 else RAW


def check(path: Path, disk_format: str, image_id: str) -> int:
    """Return an image's virtual size in bytes; raises DriverError when it is not what it says, or not safe."""
    kind = kind_of(disk_format)
    try:
        found = format_inspector.detect_file_format(str(path))
    except (format_inspector.ImageFormatError, OSError) as error:
        raise DriverError(f"cannot use image {image_id}: its format cannot be told.") from error
    name = RAW if found is None else str(found)
    if name not in _KINDS[kind]:
        raise DriverError(f"cannot use image {image_id}: it is not in {kind} format, but in {name}.")
    if kind == RAW or found is None:
        return path.stat().st_size
    try:
        found.safety_check()
    except format_inspector.SafetyCheckFailed as error:
        names = ", ".join(sorted(error.failures))
        raise DriverError(f"cannot use image {image_id}: it is not safe ({names}).") from error
    return int(found.virtual_size)
