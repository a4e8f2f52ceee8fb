"""Where the partitions of a raw disk are, by a Master Boot Record or a GUID table."""

import dataclasses
import struct
from pathlib import Path

MOST = 128
"""Partitions that are looked at."""

_SECTOR = 512
_GPT = 0xEE


@dataclasses.dataclass(frozen=True, slots=True)
class Extent:
    """A part of a disk, in bytes."""

    start: int
    size: int


def extent_of(disk: Path, partition: int) -> Extent | None:
    """Return where a partition is, 0 being the whole disk; None where there is no such partition in it."""
    end = disk.stat().st_size
    if partition == 0:
        return Extent(0, end)
    found = _by_table(disk, partition)
    return found if found is not None and found.start < end and found.size > 0 else None


def _by_table(disk: Path, partition: int) -> Extent | None:
    with disk.open("rb") as stream:
        record = stream.read(_SECTOR)
        if len(record) != _SECTOR or record[510:] != b"\x55\xaa":
            return None
        if record[450] == _GPT:
            return _by_guid(stream.read(_SECTOR), disk, partition)
    if partition > 4:
        return None
    start, length = struct.unpack_from("<II", record, 446 + 16 * (partition - 1) + 8)
    return Extent(start * _SECTOR, length * _SECTOR) if start else None


def _by_guid(header: bytes, disk: Path, partition: int) -> Extent | None:
    """The same, by the header of a GUID table (UEFI specification, section 5.3)."""
    if header[:8] != b"EFI PART":
        return None
    table, count, size = struct.unpack_from("<Q", header, 72)[0], *struct.unpack_from("<II", header, 80)
    if partition > min(count, MOST) or not 128 <= size <= 4096 or table * _SECTOR > disk.stat().st_size:
        return None
    with disk.open("rb") as stream:
        stream.seek(table * _SECTOR + size * (partition - 1))
        entry = stream.read(128)
    first, last = struct.unpack_from("<QQ", entry, 32) if len(entry) == 128 else (0, 0)
    return Extent(first * _SECTOR, (last - first + 1) * _SECTOR) if first else None
