"""Bundles of disks that are not what this project packs."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_lite.core.errors import DriverError
from nova_lite.drivers.virt.libvirt import bundles

HUGE = 1024**4


def _sparse(bundle: Path) -> None:
    """Write a member that claims to be the end of a terabyte of nothing."""
    member = tarfile.TarInfo("disk")
    member.pax_headers = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "disk", "GNU.sparse.size": str(HUGE),
        "GNU.sparse.map": f"{HUGE - 1},1",
    }  # fmt: skip
    member.size = 1
    with tarfile.open(bundle, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"x"))


def _link(bundle: Path) -> None:
    member = tarfile.TarInfo("disk")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(bundle, "w") as archive:
        archive.addfile(member)


def _packed(bundle: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("disk"))
    bundle.write_bytes(gzip.compress(whole.getvalue()))


@pytest.mark.parametrize("write", [_sparse, _link, _packed])
def test_a_member_is_as_long_as_what_there_is_of_it(tmp_path: Path, write: Callable[[Path], None]) -> None:
    bundle, target = tmp_path / "bundle", tmp_path / "disk.new"
    write(bundle)

    with pytest.raises(DriverError, match="damaged"):
        bundles.extract(bundle, [("disk", target)])
    assert not target.exists()


def test_what_was_packed_comes_out(tmp_path: Path) -> None:
    bundle, target = tmp_path / "bundle", tmp_path / "disk.new"
    (tmp_path / "disk").write_bytes(b"content")
    bundles.append(bundle, tmp_path / "disk", "disk")

    bundles.extract(bundle, [("disk", target)])
    assert (bundles.names(bundle), target.read_bytes()) == (("disk",), b"content")
