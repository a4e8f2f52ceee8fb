"""The disks of containers: each is a raw file with one file system, which libvirt mounts when a container starts.

The root file system is taken out of the image, so that images with partitions serve machines and containers alike.
The host's kernel reads it, and whatever is wrong with it is the host's trouble: it is mended before, in a process
with limits, and told not to stop the host when something is found wrong later.
"""

import dataclasses
import functools
from pathlib import Path

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.runner import Limits
from nova_lite.drivers.virt.guest import GuestSpec, disk_names, ephemeral_file
from nova_lite.drivers.virt.image_safety import QCOW2, RAW
from nova_lite.drivers.virt.libvirt import partitions, qemu_img
from nova_lite.drivers.virt.libvirt.disks import GIB, Disks
from nova_lite.drivers.virt.libvirt.ext_files import ExtFiles
from nova_lite.drivers.virt.libvirt.files import make_whole
from nova_lite.drivers.virt.libvirt.image_cache import Base

SEED = "/var/lib/cloud/seed/config_drive"
"""Where cloud-init of a container looks for what a machine has on its config drive."""

_LIMITS = Limits(memory_bytes=4 * 1024**3, cpu_seconds=600)
_SECONDS = 600.0
_SUPERBLOCK = 1024
_MAGIC = 56
_NEW = ".new"
_FROZEN = "frozen"
_LONGEST_PATH = 63
"""Of what a loop device is made of: libvirt gives the kernel its name, which has 64 bytes there."""


class ContainerDisks(Disks):
    """The files of containers below one folder."""

    raw_only = True

    def start(self) -> None:
        """Make the folders and check the programs; raises ConfigurationError."""
        longest = self._folder / "instance-00000000" / "disk.rescue"
        if len(bytes(longest)) > _LONGEST_PATH:
            raise ConfigurationError(
                f"The flag --instances_path is too long for containers: libvirt takes {_LONGEST_PATH} bytes, "
                f"and {longest} has {len(bytes(longest))}."
            )
        super().start()

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that it takes."""
        return (*super().programs, "debugfs", "e2fsck", "resize2fs", "tune2fs")

    def _root(self, path: Path, base: Base, spec: GuestSpec, *, whole: bool) -> None:
        """Copy the image's root file system, and write into it."""
        self._copied(self._root_base(base, spec.root_gb), path)
        self._injection.inject(path, RAW, spec.injected, whole=True)
        self._write_seed(path, spec)

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Write what stands for a config drive again, while the container is off."""
        self._write_seed(self._folder / spec.name / "disk", spec)

    def _write_seed(self, path: Path, spec: GuestSpec) -> None:
        for name, content in spec.config_drive.items():
            ExtFiles(self.runner, path, 0).write(f"{SEED}/{name}", content, mode=0o600, folder_mode=0o700)

    def _root_base(self, base: Base, size_gb: int) -> Path:
        """Return the cached root file system of an image, made as large as is wanted."""

        def make(new: Path) -> None:
            part = _root_of(base.path)
            qemu_img.extract(self.runner, base.path, part.start, part.size, new)
            self._make_sound(new, size_gb * GIB)

        return self._cache.made(f"root_{size_gb}_{base.path.name}", make)

    def _make_sound(self, path: Path, wanted: int = 0) -> None:
        """Mend a file system that others made, and let it fill a disk of the size; raises DriverError."""
        if not ExtFiles(self.runner, path, 0).is_ext():
            raise DriverError("the image's file system is not ext2, 3 or 4, of which containers' roots are.")
        self._check(path)
        self.runner.run(["tune2fs", "-e", "remount-ro", str(path)], limits=_LIMITS)
        if wanted > path.stat().st_size:
            qemu_img.resize(self.runner, path, RAW, wanted)
        self.runner.run(["resize2fs", str(path)], timeout=_SECONDS, limits=_LIMITS)

    def _check(self, path: Path) -> None:
        # 1: errors were mended.
        argv = ["e2fsck", "-f", "-y", str(path)]
        self.runner.run(argv, timeout=_SECONDS, allowed=(0, 1), limits=_LIMITS)

    def _take(self, path: Path, size: int, wanted: int) -> None:
        """Make a raw disk of a copy of another container's, in its place."""
        raw = path.with_name(f"{path.name}{_NEW}")
        qemu_img.convert(self.runner, path, QCOW2, raw, RAW)
        self._make_sound(raw, wanted)
        raw.rename(path)

    def _grown(self, source: Path, kind: str, wanted: int, new: Path) -> None:
        """Copy a disk, and let its file system grow with it."""
        super()._grown(source, kind, wanted, new)
        self._make_sound(new)

    def _rescue_disk(self, path: Path, base: Base) -> None:
        """Copy the root file system of the image that a container is rescued with."""
        self._copied(self._root_base(base, 0), path)

    def add_others(self, spec: GuestSpec) -> None:
        """Make the ephemeral disks and the file of the console; raises DriverError for a container that is to swap."""
        if spec.swap_mb:
            raise DriverError("containers of this host have no disks to swap to: use a flavor without swap.")
        folder = self._folder / spec.name
        for number, disk in enumerate(spec.ephemerals):
            base = self._blank.ephemeral_base(disk, number, spec.hardware.os_type)
            make_whole(folder / ephemeral_file(number), functools.partial(self._copied, base))
        self.consoles.of(spec.name).touch()

    def note_frozen(self, name: str) -> None:
        """Note that a container stands still only for a copy of its disk."""
        (self._folder / name / _FROZEN).touch()

    def is_frozen(self, name: str) -> bool:
        """Tell whether that is noted."""
        return (self._folder / name / _FROZEN).exists()

    def note_thawed(self, name: str) -> None:
        """Take the note away."""
        (self._folder / name / _FROZEN).unlink(missing_ok=True)

    def _kinds(self, folder: Path) -> dict[str, str]:
        """All are raw."""
        return dict.fromkeys((*disk_names(), "disk.rescue"), RAW)


def _root_of(disk: Path) -> partitions.Extent:
    """Return where the root file system is: the whole disk, or its first partition that has one; raises DriverError."""
    for number in range(partitions.MOST):
        found = partitions.extent_of(disk, number)
        if found is not None and _is_ext(disk, found.start):
            end = disk.stat().st_size
            return dataclasses.replace(found, size=min(found.size, end - found.start))
    raise DriverError("the image has no file system of the kinds ext2, 3 and 4, of which containers' roots are.")


def _is_ext(disk: Path, start: int) -> bool:
    with disk.open("rb") as stream:
        stream.seek(start + _SUPERBLOCK + _MAGIC)
        return stream.read(2) == b"\x53\xef"
