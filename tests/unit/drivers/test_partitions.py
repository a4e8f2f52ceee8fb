"""Partition tables that somebody made up."""

import struct
from pathlib import Path

import pytest

from nova_lite.drivers.virt.libvirt import partitions

_SECTOR = 512
_SECTORS = 16


def _disk(path: Path, table: int, first: int, last: int) -> Path:
    """Write a disk with a GUID table that is said to be at the sector ``table``, and one partition."""
    content = bytearray(_SECTORS * _SECTOR)
    content[450], content[510:512] = 0xEE, b"\x55\xaa"
    content[_SECTOR : _SECTOR + 8] = b"EFI PART"
    struct.pack_into("<Q", content, _SECTOR + 72, table)
    struct.pack_into("<II", content, _SECTOR + 80, 128, 128)
    struct.pack_into("<QQ", content, 2 * _SECTOR + 32, first, last)
    path.write_bytes(content)
    return path


def test_a_partition_is_where_the_table_says(tmp_path: Path) -> None:
    found = partitions.extent_of(_disk(tmp_path / "disk", 2, 4, 15), 1)
    assert found == partitions.Extent(4 * _SECTOR, 12 * _SECTOR)


@pytest.mark.parametrize(
    ("table", "first", "last"), [(2**64 - 1, 4, 15), (2, 2**63, 2**63 + 1), (2, 5, 4), (2, 16, 17)]
)
def test_what_is_not_in_the_disk_is_no_partition(tmp_path: Path, table: int, first: int, last: int) -> None:
    assert partitions.extent_of(_disk(tmp_path / "disk", table, first, last), 1) is None
