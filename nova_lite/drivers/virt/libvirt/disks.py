"""Guests' disks: a cache of base images, and a difference to one of them for each guest."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from nova_lite import concurrency
from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.runner import Runner, require_programs
from nova_lite.drivers.virt import config_drive, storage
from nova_lite.drivers.virt.base import GuestImage, GuestSnapshot, GuestSpec, aside
from nova_lite.drivers.virt.libvirt.files import Disk, Files
from nova_lite.drivers.virt.libvirt.image_cache import ImageCache

_GIB = 1024**3
_MIB = 1024**2
_NEW = ".new"
_SNAPSHOT = "snapshot"
_RESCUE = "disk.rescue"


class Disks:
    """The files of all guests below one folder, and the cached images in a folder of it."""

    def __init__(self, runner: Runner, folder: Path, base_name: str, *, host: str) -> None:
        self.runner = runner
        self._folder = folder
        self._host = host
        self._cache = ImageCache(runner, folder / base_name)

    def start(self) -> None:
        """Make the folders and check the programs; raises ConfigurationError."""
        require_programs("qemu-img")
        try:
            self._cache.folder.mkdir(parents=True, exist_ok=True)
            storage.register(self._folder, self._host)
        except OSError as error:
            raise ConfigurationError(f"cannot use instances_path {self._folder}: {error.strerror}") from error

    def sharers(self) -> frozenset[str]:
        """Return the hosts that use the folder."""
        return storage.sharers(self._folder)

    def free_gb(self) -> tuple[int, int]:
        """Return (all, free) space of the folder in GiB."""
        usage = shutil.disk_usage(self._folder)
        return usage.total // _GIB, usage.free // _GIB

    def create(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks; whole ones are kept. Raises DriverError for an image that does not fit."""
        base, size = self._cache.base_image(image)
        wanted = spec.root_gb * _GIB or size
        if size > wanted:
            raise DriverError(f"cannot make the disk: image {image.id} is larger than the flavor's disk.")
        folder = self._folder / spec.name
        folder.mkdir(parents=True, exist_ok=True)
        backing = ("-F", base.suffix.removeprefix("."), "-b", str(base))
        self._make(folder / "disk", "-f", "qcow2", *backing, size=wanted)
        self._add_others(spec)

    def receive(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks, the root disk from a copy of another's; raises DriverError as ``create``."""
        folder = self._folder / spec.name
        folder.mkdir(parents=True, exist_ok=True)
        disk = folder / "disk"
        if not disk.exists():
            new = disk.with_name(disk.name + _NEW)
            self._cache.fetch_to(image, new)
            size, wanted = self._cache.examine(new, image), spec.root_gb * _GIB
            if wanted and size > wanted:
                raise DriverError(f"cannot make the disk: image {image.id} is larger than the flavor's disk.")
            if wanted > size:
                self.runner.run(["qemu-img", "resize", "-q", "-f", "qcow2", str(new), str(wanted)])
            new.rename(disk)
        self._add_others(spec)

    def set_aside(self, name: str) -> None:
        """Rename a guest's folder; raises DriverError for a guest without a disk."""
        if not self.is_aside(name):
            self.files(name)
            (self._folder / name).rename(self._folder / aside(name))

    def is_aside(self, name: str) -> bool:
        """Tell whether a guest's folder was renamed."""
        return (self._folder / aside(name)).exists()

    def put_back(self, name: str) -> None:
        """Rename a guest's folder back, in place of one that was made since."""
        self.delete(name)
        (self._folder / aside(name)).rename(self._folder / name)

    def _add_others(self, spec: GuestSpec) -> None:
        """Make the guest's ephemeral and swap disk, its config drive and the file of its console."""
        folder = self._folder / spec.name
        if spec.ephemeral_gb:
            self._make(folder / "disk.local", "-f", "qcow2", size=spec.ephemeral_gb * _GIB)
        if spec.swap_mb:
            self._make(folder / "disk.swap", "-f", "qcow2", size=spec.swap_mb * _MIB)
        config_drive.make(spec.config_drive, folder)
        (folder / "console.log").touch()

    def files(self, name: str) -> Files:
        """Return a guest's files; raises DriverError when it has no disk."""
        folder = self._folder / name
        present = [folder / file for file in ("disk", "disk.local", "disk.swap") if (folder / file).exists()]
        if not present or present[0].name != "disk":
            raise DriverError(f"cannot start {name}: it has no disk.")
        disks = tuple(
            Disk(path, "qcow2", f"vd{letter}") for path, letter in zip(present, "abc", strict=False)
        )
        return Files((*disks, *self._config_drive(folder)), folder / "console.log")

    def _config_drive(self, folder: Path) -> Iterator[Disk]:
        """Yield the guest's config drive, the last disk whatever others there are."""
        path = folder / config_drive.NAME
        if path.exists():
            yield Disk(path, "raw", "vdz", readonly=True)

    def delete(self, name: str) -> None:
        """Remove a guest's folder."""
        folder = (self._folder / name).resolve()
        if folder.parent != self._folder.resolve() or folder == self._cache.folder.resolve():
            raise DriverError(f"cannot remove {name}: it is not the folder of a guest.")
        concurrency.blocking(shutil.rmtree, folder, True)

    def names(self) -> tuple[str, ...]:
        """Return the names of guests that have a folder."""
        return tuple(sorted(path.name for path in self._folder.glob("instance-*") if path.is_dir()))

    def console(self, name: str, limit: int) -> bytes:
        """Return at most the last ``limit`` bytes of a guest's console."""
        try:
            with (self._folder / name / "console.log").open("rb") as log:
                log.seek(0, 2)
                log.seek(max(0, log.tell() - limit))
                return log.read()
        except FileNotFoundError:
            return b""

    def create_rescue(self, name: str, image: GuestImage) -> None:
        """Make the disk that a guest is rescued from; raises DriverError for a guest without a disk."""
        self.files(name)
        base, size = self._cache.base_image(image)
        backing = ("-F", base.suffix.removeprefix("."), "-b", str(base))
        self._make(self._folder / name / _RESCUE, "-f", "qcow2", *backing, size=size)

    def is_rescued(self, name: str) -> bool:
        """Tell whether a guest has a disk that it is rescued from."""
        return (self._folder / name / _RESCUE).exists()

    def rescue_files(self, name: str) -> Files:
        """Return a guest's files while it is rescued: that disk, and its own root disk after it."""
        folder = self._folder / name
        disks = (Disk(folder / _RESCUE, "qcow2", "vda"), Disk(folder / "disk", "qcow2", "vdb"))
        return Files((*disks, *self._config_drive(folder)), folder / "console.log")

    def drop_rescue(self, name: str) -> None:
        """Remove the disk that a guest was rescued from."""
        (self._folder / name / _RESCUE).unlink(missing_ok=True)

    def new_snapshot(self, name: str) -> Path:
        """Return where a copy of a guest's root disk is made, and nothing is yet."""
        return self._folder / name / f"{_SNAPSHOT}{_NEW}"

    def keep_snapshot(self, name: str) -> None:
        """Take the copy that was made as whole."""
        self.new_snapshot(name).rename(self._folder / name / _SNAPSHOT)

    def copy(self, name: str) -> None:
        """Copy the root disk of a guest that is off."""
        source = str(self._folder / name / "disk")
        self.runner.run(["qemu-img", "convert", "-O", "qcow2", source, str(self.new_snapshot(name))])
        self.keep_snapshot(name)

    def snapshot(self, name: str) -> GuestSnapshot:
        """Return the copy of a guest's root disk; raises DriverError when there is none."""
        path = self._folder / name / _SNAPSHOT
        if not path.exists():
            raise DriverError(f"there is no snapshot of {name}.")
        listed = self.runner.run(["qemu-img", "info", "--output=json", "-f", "qcow2", str(path)])
        return GuestSnapshot(path, "qcow2", int(json.loads(listed)["virtual-size"]))

    def drop_snapshot(self, name: str) -> None:
        """Remove the copy, whole or not."""
        for path in (self._folder / name / _SNAPSHOT, self.new_snapshot(name)):
            path.unlink(missing_ok=True)

    def _make(self, path: Path, *options: str, size: int) -> None:
        if path.exists():
            return
        new = path.with_name(path.name + _NEW)
        new.unlink(missing_ok=True)
        self.runner.run(["qemu-img", "create", "-q", *options, str(new), str(size)])
        new.rename(path)
