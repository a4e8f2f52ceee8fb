"""Guests' disks: a difference to a cached image for each guest, or a copy of it."""

import dataclasses
import functools
import json
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from nova_lite import concurrency
from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.runner import Runner, require_programs
from nova_lite.drivers.virt import config_drive, storage
from nova_lite.drivers.virt.guest import BUNDLE, GuestImage, GuestSpec, aside, ephemeral_file
from nova_lite.drivers.virt.image_safety import QCOW2, RAW
from nova_lite.drivers.virt.libvirt import bundles, qemu_img
from nova_lite.drivers.virt.libvirt.blank_disks import BlankDisks, Formats
from nova_lite.drivers.virt.libvirt.console_logs import ConsoleLogs
from nova_lite.drivers.virt.libvirt.files import NEW, SWAP, Disk, Files, make_whole, writable
from nova_lite.drivers.virt.libvirt.image_cache import Base, CacheRules, ImageCache, Room
from nova_lite.drivers.virt.libvirt.injection import Injection, InjectionRules
from nova_lite.drivers.virt.libvirt.shown_disks import ShownDisks
from nova_lite.drivers.virt.libvirt.snapshots import PACKED, Snapshots

GIB = 1024**3
_COPY_SECONDS = 1800.0
_RESCUE = "disk.rescue"
KINDS = "disk.info"
"""The file that tells which disks of a guest are of another kind than qcow2."""


class Disks:
    """The files of all guests below one folder. ``cow`` makes root disks as differences to the cached images."""

    raw_only = False
    """Whether all disks are raw, whatever the flags say."""

    def __init__(
        self,
        runner: Runner,
        folder: Path,
        cache: ImageCache,
        blank: BlankDisks,
        *,
        host: str,
        cow: bool = True,
        injection: InjectionRules | None = None,
        drives: config_drive.ConfigDrives | None = None,
    ) -> None:
        self.runner = runner
        self.consoles = ConsoleLogs(folder)
        self.snapshots = Snapshots(runner, folder, self._kinds)
        self._folder = folder
        self._host = host
        self._cache = cache
        self._blank = blank
        self._cow = cow
        self._shown = ShownDisks(runner, storage.folder_of(folder, host) / "shown")
        self._injection = Injection(runner, injection or InjectionRules(), self._shown)
        self._drives = drives or config_drive.ConfigDrives()

    @classmethod
    def from_flags(cls, conf: Any) -> Self:
        """Build it from nova-compute's flags."""
        runner, folder = Runner.from_flag(conf.root_helper), Path(conf.instances_path)
        rules = CacheRules(
            raw=cls.raw_only or conf.force_raw_images,
            remove_unused=conf.remove_unused_base_images,
            original_age=conf.remove_unused_original_minimum_age_seconds,
            made_age=conf.remove_unused_resized_minimum_age_seconds,
            checksums=conf.checksum_base_images,
        )
        cache = ImageCache(runner, folder / conf.base_dir_name, rules)
        injected = InjectionRules(
            conf.libvirt_inject_partition, conf.libvirt_inject_key, conf.libvirt_inject_password
        )
        formats = Formats.from_flags(conf.virt_mkfs, conf.default_ephemeral_format)
        return cls(
            runner, folder, cache, BlankDisks(runner, cache, formats), host=conf.host, cow=conf.use_cow_images,
            injection=injected, drives=config_drive.ConfigDrives(conf.config_drive_format, runner),
        )  # fmt: skip

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that it takes."""
        return ("qemu-img", "prlimit", "mkswap", *self._injection.programs)

    def start(self) -> None:
        """Make the folders and check the programs; raises ConfigurationError."""
        require_programs(*self.programs)
        self._drives.start()
        try:
            self._cache.folder.mkdir(parents=True, exist_ok=True)
            storage.register(self._folder, self._host)
            for name in self.open_disks():
                self.close_disk(name)
        except OSError as error:
            raise ConfigurationError(f"cannot use instances_path {self._folder}: {error.strerror}") from error

    def open_disks(self) -> tuple[str, ...]:
        """Return the names of disks that a process which was killed left open, to write into them."""
        return self._shown.strays()

    def close_disk(self, name: str) -> None:
        """Close one of them; its guest's disk is made anew by who takes the work up. Raises DriverError."""
        self._shown.close(name)

    @property
    def injects(self) -> bool:
        """Whether anything is put into guests' disks."""
        return bool(self._injection.programs)

    def sharers(self) -> frozenset[str]:
        """Return the hosts that use the folder."""
        return storage.sharers(self._folder)

    def free_gb(self) -> tuple[int, int]:
        """Return (all, free) space of the folder in GiB."""
        usage = shutil.disk_usage(self._folder)
        return usage.total // GIB, usage.free // GIB

    def create(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks; whole ones are kept. Raises DriverError for an image that does not fit."""
        folder = self._folder / spec.name
        if not (folder / "disk").exists():
            base = self._cache.base_image(image, self._room(spec))
            folder.mkdir(parents=True, exist_ok=True)
            make_whole(folder / "disk", lambda new: self._root(new, base, spec, whole=image.kernel is not None))
        self._add_boot_files(folder, image)
        self.add_others(spec)

    @property
    def folder(self) -> Path:
        """The folder of all guests."""
        return self._folder

    def _room(self, spec: GuestSpec) -> Room:
        if spec.root_gb:
            return Room(spec.root_gb * GIB, "the flavor's disk")
        return Room(shutil.disk_usage(self._folder).free, "the space that the host has left")

    def _root(self, path: Path, base: Base, spec: GuestSpec, *, whole: bool) -> None:
        """Make a root disk with what is put into it; ``whole`` tells that it has no partitions."""
        self._root_disk(path, base, spec.root_gb * GIB or base.size)
        self._injection.inject(path, QCOW2 if self._cow else RAW, spec.injected, whole=whole)

    def _root_disk(self, path: Path, base: Base, size: int) -> None:
        """Make a root disk; the kind of one that is a copy is noted, for its guest could make it look another."""
        if self._cow:
            qemu_img.create(self.runner, path, QCOW2, size, (base.path, base.kind))
            return
        qemu_img.convert(self.runner, base.path, base.kind, path, RAW)
        if size > base.size:
            qemu_img.resize(self.runner, path, RAW, size)
        (path.parent / KINDS).write_text(json.dumps({"disk": RAW}))

    def _add_boot_files(self, folder: Path, image: GuestImage, suffix: str = "") -> None:
        """Copy the kernel and ramdisk that an image needs, if any."""
        for name, needed in (("kernel", image.kernel), ("ramdisk", image.ramdisk)):
            if needed is not None:
                source = self._cache.file(needed)
                make_whole(folder / (name + suffix), lambda new, source=source: _copy(source, new))  # type: ignore[misc]

    def receive(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks of those that were packed; raises DriverError as ``create``."""
        folder = self._folder / spec.name
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "disk").exists():
            new = folder / f"disk{NEW}"
            if image.disk_format == BUNDLE:
                self._unpack(spec, image, folder)
            else:
                self._cache.fetch_to(image, new)
            # The root disk comes to its place after the others, so that all are there when it is.
            self._place(new, image, self._room(spec), spec.root_gb * GIB)
        self._add_boot_files(folder, image)
        self.add_others(spec)

    def _unpack(self, spec: GuestSpec, image: GuestImage, folder: Path) -> None:
        """Fetch a bundle, and bring the ephemeral disks that are in it to their places."""
        fetched = folder / f"{PACKED}{NEW}"
        try:
            self._cache.fetch_to(image, fetched)
            there = bundles.names(fetched)
            wanted = {ephemeral_file(number): disk.size_gb * GIB for number, disk in enumerate(spec.ephemerals)}
            wanted = {file: size for file, size in wanted.items() if file in there}
            bundles.extract(fetched, [(file, folder / f"{file}{NEW}") for file in ("disk", *wanted)])
        finally:
            fetched.unlink(missing_ok=True)
        for file, size in wanted.items():
            self._place(folder / f"{file}{NEW}", image, Room(size, "the flavor's ephemeral disk"), size)

    def _place(self, new: Path, image: GuestImage, room: Room, wanted: int) -> None:
        """Take a disk that was copied for the guest's own, grown to the size that is wanted of it."""
        size = self._cache.examine(new, dataclasses.replace(image, disk_format=QCOW2))
        room.check(image, size)
        self._take(new, size, wanted)
        new.rename(new.with_name(new.name.removesuffix(NEW)))

    def _take(self, path: Path, size: int, wanted: int) -> None:
        """Make a guest's disk of the copy in ``path``, in its place."""
        if wanted > size:
            qemu_img.resize(self.runner, path, QCOW2, wanted)

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

    def copy_aside(self, spec: GuestSpec) -> None:
        """Make a guest's disks of those that were kept aside; a swap disk is made anew. Raises DriverError."""
        kept, folder = self._folder / aside(spec.name), self._folder / spec.name
        if not (kept / "disk").exists():
            raise DriverError(f"there are no disks of {spec.name} that were kept aside.")
        folder.mkdir(parents=True, exist_ok=True)
        kinds = self._kinds(kept)
        if kinds:
            (folder / KINDS).write_text(json.dumps(kinds))
        sizes = {"disk": spec.root_gb}
        sizes |= {ephemeral_file(number): disk.size_gb for number, disk in enumerate(spec.ephemerals)}
        for file, size_gb in sizes.items():
            if (kept / file).exists():
                kind = kinds.get(file, QCOW2)
                make_whole(folder / file, functools.partial(self._grown, kept / file, kind, size_gb * GIB))
        for file in ("kernel", "ramdisk"):
            if (kept / file).exists():
                make_whole(folder / file, functools.partial(_copy, kept / file))
        self.add_others(spec)

    def _grown(self, source: Path, kind: str, wanted: int, new: Path) -> None:
        """Copy a disk as it is, and let it grow."""
        size = qemu_img.size_of_difference(self.runner, source, kind)
        if wanted and size > wanted:
            raise DriverError("cannot make the disk: it is larger than the flavor's.")
        self._copied(source, new)
        if wanted > size:
            qemu_img.resize(self.runner, new, kind, wanted)

    def _copied(self, source: Path, new: Path) -> None:
        """Copy a disk as it is, without what it has not."""
        argv = ["cp", "--sparse=always", "--reflink=auto", "--no-preserve=mode", str(source), str(new)]
        self.runner.run(argv, timeout=_COPY_SECONDS)

    def add_others(self, spec: GuestSpec) -> None:
        """Make the guest's ephemeral and swap disks, its config drive and the file of its console."""
        folder = self._folder / spec.name
        for number, disk in enumerate(spec.ephemerals):
            make = functools.partial(
                self._blank.ephemeral, disk=disk, number=number, os_type=spec.hardware.os_type
            )
            make_whole(folder / ephemeral_file(number), make)
        if spec.swap_mb:
            make_whole(folder / SWAP, lambda new: self._blank.swap(new, spec.swap_mb))
        self._drives.make(spec.config_drive, folder)
        self.consoles.of(spec.name).touch()

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Make a guest's config drive anew."""
        self._drives.renew(spec.config_drive, self._folder / spec.name)

    def files(self, name: str) -> Files:
        """Return a guest's files; raises DriverError when it has no disk."""
        folder = self._folder / name
        if not (folder / "disk").exists():
            raise DriverError(f"cannot start {name}: it has no disk.")
        kinds, cache = self._kinds(folder), self._cache_mode()
        disks = tuple(
            Disk(path, kinds.get(path.name, QCOW2), f"vd{letter}", cache=cache)
            for path, letter in zip(writable(folder), string.ascii_lowercase, strict=False)
        )
        return self._files(folder, (*disks, *self._config_drive(folder)))

    def _cache_mode(self) -> str:
        """Return how QEMU caches disks: where hosts share them, one could read what another has not written yet."""
        return "none" if len(self.sharers()) > 1 else "writeback"

    def _files(self, folder: Path, disks: tuple[Disk, ...], suffix: str = "") -> Files:
        kernel, ramdisk = (folder / f"{name}{suffix}" for name in ("kernel", "ramdisk"))
        return Files(
            disks,
            folder / "console.log",
            kernel if kernel.exists() else None,
            ramdisk if ramdisk.exists() else None,
        )

    def _kinds(self, folder: Path) -> dict[str, str]:
        """Return the kinds of disks that are not qcow2."""
        try:
            found: dict[str, str] = json.loads((folder / KINDS).read_text())
        except FileNotFoundError:
            return {}
        return found

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

    def was_rebooted(self) -> bool:
        """Tell whether the host was booted since that was noted last."""
        return storage.was_rebooted(self._folder, self._host)

    def note_boot(self) -> None:
        """Note which boot of the host this is."""
        storage.note_boot(self._folder, self._host)

    def create_rescue(self, name: str, image: GuestImage) -> None:
        """Make the disk that a guest is rescued from; raises DriverError for a guest without a disk."""
        self.files(name)
        room = Room(shutil.disk_usage(self._folder).free, "the space that the host has left")
        base = self._cache.base_image(image, room)
        folder = self._folder / name
        self._add_boot_files(folder, image, ".rescue")
        make_whole(
            folder / _RESCUE,
            lambda new: self._rescue_disk(new, base),
        )

    def _rescue_disk(self, path: Path, base: Base) -> None:
        """Make the disk of an image that a guest is rescued with."""
        qemu_img.create(self.runner, path, QCOW2, base.size, (base.path, base.kind))

    def is_rescued(self, name: str) -> bool:
        """Tell whether a guest has a disk that it is rescued from."""
        return (self._folder / name / _RESCUE).exists()

    def rescue_files(self, name: str) -> Files:
        """Return a guest's files while it is rescued: that disk, and its own root disk after it."""
        folder = self._folder / name
        own = self._kinds(folder).get("disk", QCOW2)
        cache = self._cache_mode()
        disks = (
            Disk(folder / _RESCUE, QCOW2, "vda", cache=cache),
            Disk(folder / "disk", own, "vdb", cache=cache),
        )
        return self._files(folder, (*disks, *self._config_drive(folder)), ".rescue")

    def drop_rescue(self, name: str) -> None:
        """Remove the disk that a guest was rescued from."""
        for file in ("kernel.rescue", "ramdisk.rescue", _RESCUE):
            (self._folder / name / file).unlink(missing_ok=True)

    def cache_image(self, image: GuestImage) -> None:
        """Bring an image and what else its guests start from; raises DriverError for one that is no disk."""
        room = Room(shutil.disk_usage(self._folder).total, "the disk of the host")
        self._cache.base_image(image, room)
        for needed in filter(None, (image.kernel, image.ramdisk)):
            self._cache.file(needed)

    def clean_cache(self) -> tuple[str, ...]:
        """Remove cached images that no disk below the folder, of whichever host, is a difference to."""
        return tuple(self._cache.age_out(self._bases))

    def _bases(self) -> set[str]:
        return {qemu_img.base_of(path) for path in self._folder.glob("*/disk*") if path.is_file()}


def _copy(source: Path, target: Path) -> None:
    try:
        concurrency.blocking(shutil.copyfile, source, target)
    except OSError as error:
        raise DriverError(f"cannot store {target.name} on the host: {error.strerror}.") from error




