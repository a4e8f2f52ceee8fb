"""The files that a guest is made of."""

import dataclasses
from pathlib import Path


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
