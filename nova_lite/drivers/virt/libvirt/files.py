"""The files that a guest is made of."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from nova_lite.drivers.virt.guest import ephemeral_file

SWAP = "disk.swap"
NEW = ".new"
"""What the name of a file ends with that is not whole yet."""


@dataclasses.dataclass(frozen=True, slots=True)
class Disk:
    """One disk: its file, format (raw, qcow2), name in the guest (vda, vdb …), and how QEMU caches it."""

    path: Path
    disk_format: str
    target: str
    readonly: bool = False
    cache: str = "writeback"


@dataclasses.dataclass(frozen=True, slots=True)
class Files:
    """A guest's files; ``kernel`` and ``ramdisk`` are None where the disk boots by itself."""

    disks: tuple[Disk, ...]
    console_log: Path
    kernel: Path | None = None
    ramdisk: Path | None = None


def writable(folder: Path) -> Iterator[Path]:
    """Yield the disks that a guest may write, in the order in which it has them: the one to swap to is the last."""
    numbers = itertools.takewhile(lambda number: (folder / ephemeral_file(number)).exists(), itertools.count())
    files = ("disk", *(ephemeral_file(number) for number in numbers), SWAP)
    return (folder / file for file in files if (folder / file).exists())


def make_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Make a file whole or not at all; one that is there is kept."""
    if path.exists():
        return
    new = path.with_name(path.name + NEW)
    new.unlink(missing_ok=True)
    make(new)
    new.rename(path)
