"""Several disks in one file, so that they travel as one image.

The file is an archive whose members are called as the disks' files are. It comes back from an image store, so that
of each member only its name and its bytes are looked at.
"""

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from nova_lite import concurrency
from nova_lite.core.errors import DriverError


def append(bundle: Path, disk: Path, name: str) -> None:
    """Add a disk to a bundle; raises DriverError."""

    def work() -> None:
        with tarfile.open(bundle, "a") as archive, disk.open("rb") as content:
            member = tarfile.TarInfo(name)
            member.size = disk.stat().st_size
            archive.addfile(member, content)

    try:
        concurrency.blocking(work)
    except OSError as error:
        raise DriverError(f"cannot copy {name}: {error.strerror}.") from error


def extract(bundle: Path, targets: Iterable[tuple[str, Path]]) -> None:
    """Write the disks of a bundle that are named to files; raises DriverError where one is missing."""

    def work() -> None:
        with tarfile.open(bundle, "r:") as archive:
            for name, target in targets:
                member = archive.getmember(name)
                content = archive.extractfile(member) if member.isfile() and not member.issparse() else None
                if content is None:
                    # A link, or something that is larger than what there is of it.
                    raise KeyError(name)
                with content, target.open("wb") as written:
                    shutil.copyfileobj(content, written, 1024 * 1024)

    try:
        concurrency.blocking(work)
    except OSError as error:
        raise DriverError(f"cannot store the guest's disks on the host: {error.strerror}.") from error
    except (KeyError, tarfile.TarError) as error:
        raise DriverError(f"the copy of the guest's disks is damaged: {error}.") from error


def names(bundle: Path) -> tuple[str, ...]:
    """Return the names of the disks in a bundle; raises DriverError for what is none."""

    def work() -> tuple[str, ...]:
        with tarfile.open(bundle, "r:") as archive:
            return tuple(archive.getnames())

    try:
        return concurrency.blocking(work)
    except (OSError, tarfile.TarError) as error:
        raise DriverError(f"the copy of the guest's disks is damaged: {error}.") from error
