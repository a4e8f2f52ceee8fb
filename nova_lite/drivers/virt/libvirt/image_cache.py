"""The cache of base images: each is brought once, whole and safe, or not at all.

An image's file has the SHA-1 of its id as its name, ``.qcow2`` behind it where it was not made raw; ``ephemeral_…``
and ``swap_…`` are empty file systems that guests' other disks start from, ``root_…`` are an image's root file system
by itself, of a size. With ``.sha256`` behind its name a file has the checksum of the one that is called so.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nova_lite import concurrency
from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt import image_safety
from nova_lite.drivers.virt.guest import GuestImage
from nova_lite.drivers.virt.image_safety import QCOW2, RAW
from nova_lite.drivers.virt.libvirt import qemu_img

LOG = logging.getLogger(__name__)

_NEW = ".new"
_FETCHED = ".fetched"
_LOCK = ".lock"
_SUM = ".sha256"
_UNFINISHED_AGE = 86400.0
"""Seconds after which what is not a base yet, or the lock of one, is taken for what a crash left."""


@dataclasses.dataclass(frozen=True, slots=True)
class CacheRules:
    """What the operator's flags say: the ages are in seconds since a base was last used."""

    raw: bool = True
    remove_unused: bool = True
    original_age: float = 86400.0
    made_age: float = 3600.0
    checksums: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Base:
    """A cached disk: its file, the file's kind, and the disk's size in bytes."""

    path: Path
    kind: str
    size: int


@dataclasses.dataclass(frozen=True, slots=True)
class Room:
    """How many bytes a disk may have, and what it would not fit in."""

    size: int
    name: str

    def check(self, image: GuestImage, size: int) -> None:
        """Raise DriverError when an image's disk is larger."""
        if size > self.size:
            raise DriverError(f"cannot make the disk: image {image.id} is larger than {self.name}.")


class ImageCache:
    """Base images in one folder."""

    def __init__(self, runner: Runner, folder: Path, rules: CacheRules) -> None:
        self.folder = folder
        self._runner = runner
        self._rules = rules

    def base_image(self, image: GuestImage, room: Room) -> Base:
        """Return the cached disk of an image, brought here if need be.

        Raises DriverError when it is damaged, not what it says, not safe, or larger than its ``room``.
        """
        room.check(image, image.size)
        source = image_safety.kind_of(image.disk_format)
        kind = RAW if self._rules.raw else source
        path = self._named(image.id, "" if kind == RAW else f".{kind}")
        self._ensure(path, lambda new: self._bring(image, room, new, kind))
        base = Base(path, kind, qemu_img.virtual_size(self._runner, path, kind))
        room.check(image, base.size)
        return base

    def file(self, image: GuestImage) -> Path:
        """Return the cached bytes of an image that is no disk, such as a kernel."""
        path = self._named(image.id, "")
        self._ensure(path, lambda new: self.fetch_to(image, new))
        return path

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the cached raw disk of that name, which ``make`` makes if need be."""
        path = self.folder / name
        self._ensure(path, make)
        return path

    def fetch_to(self, image: GuestImage, path: Path) -> None:
        """Write an image to a file; raises DriverError."""
        try:
            image.fetch(path)
        except OSError as error:
            raise DriverError(f"cannot store image {image.id} on the host: {error.strerror}.") from error

    def examine(self, path: Path, image: GuestImage) -> int:
        """Return an image's virtual size in bytes; raises DriverError when it is not what it says, or not safe."""
        size = concurrency.blocking(image_safety.check, path, image.disk_format, image.id)
        kind = image_safety.kind_of(image.disk_format)
        try:
            found = qemu_img.virtual_size(self._runner, path, kind)
        except DriverError as error:
            raise DriverError(f"cannot use image {image.id}: {error}") from error
        if kind == QCOW2 and found != size:
            raise DriverError(f"cannot use image {image.id}: it does not say how large it is.")
        return found

    def age_out(self, used: Callable[[], set[str]]) -> list[str]:
        """Remove what no guest uses, and none has for some time; returns the names. ``used`` names what is in use.

        What is damaged is removed without delay.
        """
        due = [path for path in self.folder.iterdir() if self._is_due(path)]
        kept = used()
        for name in kept - {""}:
            with contextlib.suppress(FileNotFoundError):
                os.utime(self.folder / name)
        gone = [path for path in self._damaged() if path.name not in kept]
        if self._rules.remove_unused:
            gone += [path for path in due if path not in gone and path.name not in kept and self._is_due(path)]
        for path in gone:
            path.unlink(missing_ok=True)
            path.with_name(path.name + _SUM).unlink(missing_ok=True)
            LOG.info("the cached image %s is removed: no guest uses it", path.name)
        return [path.name for path in gone]

    def _damaged(self) -> list[Path]:
        """Return the bases that are not what they were at the first look, if the operator wants to know."""
        if not self._rules.checksums:
            return []
        unfinished = (_NEW, _FETCHED, _LOCK, _SUM)
        bases = [path for path in sorted(self.folder.iterdir()) if not path.name.endswith(unfinished)]
        return [path for path in bases if not concurrency.blocking(_is_whole, path)]

    def _is_due(self, path: Path) -> bool:
        if path.name.endswith(_SUM) and path.with_name(path.name.removesuffix(_SUM)).exists():
            return False
        made = path.name.startswith(("ephemeral_", "swap_", "root_"))
        least = self._rules.made_age if made else self._rules.original_age
        if path.name.endswith((_NEW, _FETCHED, _LOCK)):
            least = max(least, _UNFINISHED_AGE)
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return False
        return age >= least

    def _named(self, image_id: str, suffix: str) -> Path:
        return self.folder / (hashlib.sha1(image_id.encode(), usedforsecurity=False).hexdigest() + suffix)

    def _ensure(self, path: Path, make: Callable[[Path], None]) -> None:
        """Have a file made by one at a time, of all threads and processes, and note that it is used now."""
        if not path.exists():
            with concurrency.named_lock(f"image-{path}"), self._locked(path):
                if not path.exists():
                    self._make(path, make)
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)

    def _make(self, path: Path, make: Callable[[Path], None]) -> None:
        new = path.with_name(path.name + _NEW)
        try:
            new.unlink(missing_ok=True)
            make(new)
            # QEMU locks what it opens to write; and what is not written cannot be spoiled by accident.
            new.chmod(0o444)
            new.rename(path)
        finally:
            new.unlink(missing_ok=True)

    def _bring(self, image: GuestImage, room: Room, new: Path, kind: str) -> None:
        source = image_safety.kind_of(image.disk_format)
        fetched = new if source == kind else new.with_name(new.name + _FETCHED)
        try:
            self.fetch_to(image, fetched)
            room.check(image, self.examine(fetched, image))
            if fetched != new:
                self._convert(image, fetched, source, new)
        finally:
            if fetched != new:
                fetched.unlink(missing_ok=True)

    def _convert(self, image: GuestImage, fetched: Path, source: str, new: Path) -> None:
        try:
            qemu_img.convert(self._runner, fetched, source, new, RAW)
        except DriverError as error:
            raise DriverError(f"cannot use image {image.id}: {error}") from error

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Exclude other processes that make the same file."""
        with path.with_name(path.name + _LOCK).open("w") as lock:
            concurrency.blocking(fcntl.flock, lock, fcntl.LOCK_EX)
            yield


def _is_whole(path: Path) -> bool:
    """Compare a file with its checksum, or note that at the first look; a file that is gone is not damaged."""
    noted = path.with_name(path.name + _SUM)
    try:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if not noted.exists():
            new = noted.with_name(noted.name + _NEW)
            new.write_text(found)
            new.rename(noted)
        whole = noted.read_text() == found
    except FileNotFoundError:
        return True
    if not whole:
        LOG.error("the cached image %s is damaged: its checksum does not match", path)
    return whole
