"""Images that are not what they say, or that would have a host do what it should not."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from nova_lite.core import ids
from nova_lite.drivers.virt.guest import GuestImage

MIB = 1024 * 1024


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *[str(word) for word in words]], check=True, capture_output=True)


def image_of(path: Path, disk_format: str) -> GuestImage:
    """Return an image with the bytes of a file, which says that it is in ``disk_format``."""
    data = path.read_bytes()

    def fetch(target: Path) -> None:
        target.write_bytes(data)

    return GuestImage(ids.new_uuid(), disk_format, len(data), fetch)


def lying(folder: Path) -> GuestImage:
    """A qcow2 file that says that it is raw."""
    qemu_img("create", "-q", "-f", "qcow2", folder / "lying", "1M")
    return image_of(folder / "lying", "raw")


def nothing_of_it(folder: Path) -> GuestImage:
    """Plain bytes that say that they are qcow2."""
    (folder / "nothing").write_bytes(b"\0" * MIB)
    return image_of(folder / "nothing", "qcow2")


def of_another_file(folder: Path) -> GuestImage:
    """A difference to a file of the host."""
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", folder / "other", "1M")
    return image_of(folder / "other", "qcow2")


def with_data_elsewhere(folder: Path) -> GuestImage:
    """A qcow2 file whose data are in another file."""
    options = f"data_file={folder / 'data'},data_file_raw=on"
    qemu_img("create", "-q", "-f", "qcow2", "-o", options, folder / "outside", "1M")
    return image_of(folder / "outside", "qcow2")


def in_a_format_of_its_own(folder: Path) -> GuestImage:
    """A VMDK file that says that it is raw."""
    qemu_img("create", "-q", "-f", "vmdk", folder / "foreign", "1M")
    return image_of(folder / "foreign", "raw")


def cut_off(folder: Path) -> GuestImage:
    """The beginning of a qcow2 file."""
    qemu_img("create", "-q", "-f", "qcow2", folder / "whole", "1M")
    (folder / "cut").write_bytes((folder / "whole").read_bytes()[:60])
    return image_of(folder / "cut", "qcow2")


def bomb(folder: Path) -> GuestImage:
    """A few hundred KiB that would be a disk of 10 TiB."""
    qemu_img("create", "-q", "-f", "qcow2", folder / "bomb", "10T")
    return image_of(folder / "bomb", "qcow2")


def huge_table(folder: Path) -> GuestImage:
    """A header that promises a table of many GiB, so that whoever believes it runs out of memory."""
    qemu_img("create", "-q", "-f", "qcow2", folder / "table", "1M")
    data = bytearray((folder / "table").read_bytes())
    data[24:32] = (2**62).to_bytes(8, "big")
    data[36:40] = (2**31 - 1).to_bytes(4, "big")
    (folder / "table").write_bytes(data)
    return image_of(folder / "table", "qcow2")


REFUSED: dict[str, tuple[Callable[[Path], GuestImage], str]] = {
    "lying": (lying, "it is not in raw format, but in qcow2"),
    "nothing of it": (nothing_of_it, "it is not in qcow2 format, but in raw"),
    "of another file": (of_another_file, "it is not safe"),
    "data elsewhere": (with_data_elsewhere, "it is not safe"),
    "foreign": (in_a_format_of_its_own, "it is not in raw format, but in vmdk"),
    "cut off": (cut_off, "cannot use image"),
    "bomb": (bomb, "larger than the flavor's disk"),
    "huge table": (huge_table, "image"),
}
"""How each is made, and what is said of it."""
