"""qemu-img, in a process with limits: images are what users send, and may be made to exhaust who reads them."""

import json
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Limits, Runner

_GIB = 1024**3

_LOOK = Limits(memory_bytes=_GIB, cpu_seconds=30)
_COPY = Limits(memory_bytes=4 * _GIB, cpu_seconds=1800)
_COPY_SECONDS = 1800.0


def virtual_size(runner: Runner, path: Path, kind: str) -> int:
    """Return the size of the disk in a file of a ``kind``; raises DriverError when it refers to other files."""
    argv = ["qemu-img", "info", "--output=json", "-f", kind, "-U", str(path)]
    found = json.loads(runner.run(argv, timeout=60.0, limits=_LOOK))
    special = found.get("format-specific", {}).get("data", {})
    if found.get("backing-filename") or special.get("data-file"):
        raise DriverError(f"cannot use {path.name}: it refers to other files.")
    return int(found["virtual-size"])


def size_of_difference(runner: Runner, path: Path, kind: str) -> int:
    """Return the size of a disk of our own, which may refer to a cached image."""
    argv = ["qemu-img", "info", "--output=json", "-f", kind, "-U", str(path)]
    return int(json.loads(runner.run(argv, timeout=60.0, limits=_LOOK))["virtual-size"])


def convert(runner: Runner, source: Path, source_kind: str, target: Path, target_kind: str) -> None:
    """Copy a disk from one file to another, what is not written there left out."""
    argv = ["qemu-img", "convert", "-f", source_kind, "-O", target_kind, str(source), str(target)]
    runner.run(argv, timeout=_COPY_SECONDS, limits=_COPY)


def extract(runner: Runner, source: Path, start: int, size: int, target: Path) -> None:
    """Copy a part of a raw disk to a raw file, what is not written there left out."""
    name = str(source).replace(",", ",,")
    part = f"driver=raw,offset={start},size={size},file.driver=file,file.filename={name}"
    argv = ["qemu-img", "convert", "--image-opts", "-O", "raw", part, str(target)]
    runner.run(argv, timeout=_COPY_SECONDS, limits=_COPY)


def create(runner: Runner, path: Path, kind: str, size: int, base: tuple[Path, str] | None = None) -> None:
    """Make an empty disk, or one that is a difference to ``base``, a file and its kind."""
    backing = [] if base is None else ["-b", str(base[0]), "-F", base[1]]
    runner.run(["qemu-img", "create", "-q", "-f", kind, *backing, str(path), str(size)])


def resize(runner: Runner, path: Path, kind: str, size: int) -> None:
    """Let a disk grow."""
    runner.run(["qemu-img", "resize", "-q", "-f", kind, str(path), str(size)])


def base_of(path: Path) -> str:
    """Return the name of the file that a qcow2 file of ours is a difference to, empty for none.

    The header is ours, whatever the guest wrote: https://www.qemu.org/docs/master/interop/qcow2.html
    """
    with path.open("rb") as disk:
        header = disk.read(20)
        if len(header) < 20 or header[:4] != b"QFI\xfb":
            return ""
        offset, length = int.from_bytes(header[8:16]), int.from_bytes(header[16:20])
        if not offset or length > 1023:
            return ""
        disk.seek(offset)
        return Path(disk.read(length).decode(errors="replace")).name
