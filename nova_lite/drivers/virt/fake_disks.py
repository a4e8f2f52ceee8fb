"""The files of simulated guests: small ones that stand for their disks, and what else their folders hold."""

import json
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.core.hardware import AS_USUAL, DiskBus
from nova_lite.core.server_migration import CarriedDisk
from nova_lite.drivers.virt import config_drive
from nova_lite.drivers.virt.fake_images import FakeImageCache
from nova_lite.drivers.virt.guest import (
    BUNDLE,
    GuestImage,
    GuestSnapshot,
    GuestSpec,
    Injected,
    aside,
    disk_names,
    ephemeral_file,
)

_GIB = 1024**3
_MIB = 1024**2
_BLOCK = 512
_COPIES = ("snapshot", "snapshot.new", "snapshot.tar")
_BOOT_FILES = ("kernel", "ramdisk", "kernel.rescue", "ramdisk.rescue")
_BUSES = "buses"
"""The file that tells which disk is on which bus."""
_FILES = (
    *disk_names(), "disk.new", "disk.rescue", *_BOOT_FILES, config_drive.NAME, f"{config_drive.NAME}.new",
    "injected", "interfaces", _BUSES, "memory", "console.log", *_COPIES,
)  # fmt: skip
"""What the folder of a guest may hold."""


class FakeDisks:
    """The folders of all guests below one: ``disk`` has the name of the image that a guest began with."""

    def __init__(self, folder: Path, cache: FakeImageCache, drives: config_drive.ConfigDrives) -> None:
        self.folder = folder
        self._cache = cache
        self._drives = drives

    def start(self) -> None:
        """Check the programs that config drives need; raises ConfigurationError."""
        self._drives.start()

    def create(self, spec: GuestSpec, image: GuestImage) -> None:
        """Check that the image fits, and write small files that stand for the disks."""
        folder = self.folder / spec.name
        if not (folder / "disk").exists():
            name = self._cache.use(image, spec.root_gb * _GIB)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "disk").write_text(name)
            if spec.injected != Injected():
                (folder / "injected").write_text(repr(spec.injected))
        self._add_others(spec, image)

    def _add_others(self, spec: GuestSpec, image: GuestImage) -> None:
        """Write what a guest has beside its root disk."""
        self._add_boot_files(spec.name, image)
        self._add_blank_disks(spec)
        self._drives.make(spec.config_drive, self.folder / spec.name)

    def _add_blank_disks(self, spec: GuestSpec) -> None:
        """Write ephemeral and swap disks, or let those that are there grow, and on which bus each disk is."""
        buses = {name: spec.hardware.bus_of(spec.plugs.get(name, AS_USUAL)) for name in disk_names().values()}
        (self.folder / spec.name / _BUSES).write_text(json.dumps(buses))
        sizes = {ephemeral_file(number): one.size_gb * _GIB for number, one in enumerate(spec.ephemerals)}
        for name, size in (sizes | {"disk.swap": spec.swap_mb * _MIB}).items():
            if size:
                with (self.folder / spec.name / name).open("ab") as disk:
                    disk.truncate(size)

    def _add_boot_files(self, name: str, image: GuestImage, suffix: str = "") -> None:
        for file, needed in (("kernel", image.kernel), ("ramdisk", image.ramdisk)):
            path = self.folder / name / (file + suffix)
            if needed is not None and not path.exists():
                needed.fetch(path)

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Write the drive again, which is a real one."""
        self._drives.renew(spec.config_drive, self.folder / spec.name)

    def cache_image(self, image: GuestImage) -> None:
        """Look at an image and note its size, as for a guest."""
        self._cache.use(image, 0)

    def clean_cache(self) -> tuple[str, ...]:
        """Forget images that no guest's disk is of."""
        return self._cache.clean({_text_of(path) for path in self.folder.glob("*/disk*") if path.is_file()})

    def delete(self, name: str) -> None:
        """Remove a guest's folder, which holds nothing else."""
        folder = self.folder / name
        for file in _FILES:
            (folder / file).unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()

    def require(self, name: str) -> None:
        """Raise DriverError for a guest without a disk."""
        if not (self.folder / name / "disk").exists():
            raise DriverError(f"cannot start {name}: it has no disk.")

    def present(self, name: str) -> list[Path]:
        """Return the disks of a guest, in the order in which it has them."""
        files = (self.folder / name / file for file in disk_names())
        return [path for path in files if path.exists()]

    def buses(self, name: str) -> list[tuple[str, DiskBus]]:
        """Return the names of a guest's disks, in the order in which it has them, with their buses."""
        try:
            kept = json.loads((self.folder / name / _BUSES).read_text())
        except FileNotFoundError:
            kept = {}
        disks = (disk_names()[path.name] for path in self.present(name))
        return [(disk, DiskBus(kept.get(disk, DiskBus.VIRTIO))) for disk in disks]

    def names(self) -> tuple[str, ...]:
        """Return the names of guests that have a folder."""
        return tuple(sorted(folder.name for folder in self.folder.glob("instance-*") if folder.is_dir()))

    def is_rescued(self, name: str) -> bool:
        """Tell whether a guest has a disk that it is rescued from."""
        return (self.folder / name / "disk.rescue").exists()

    def create_rescue(self, name: str, image: GuestImage) -> None:
        """Write a file that stands for the disk that a guest is rescued from."""
        (self.folder / name / "disk.rescue").write_text(self._cache.use(image, 0))
        self._add_boot_files(name, image, ".rescue")

    def drop_rescue(self, name: str) -> None:
        """Remove that file."""
        for file in ("kernel.rescue", "ramdisk.rescue", "disk.rescue"):
            (self.folder / name / file).unlink(missing_ok=True)

    def copy(self, name: str) -> None:
        """Write a few bytes that stand for the root disk."""
        self.drop_snapshot(name)
        self._write_copy(name, f"{name}: the disk of a simulated guest\n" * 8, "snapshot")

    def pack(self, name: str) -> None:
        """Write how each ephemeral disk begins, or what a copy has where there is none."""
        self.copy(name)
        heads = {path.name: _head(path).hex() for path in self._ephemerals(name)}
        if heads:
            self._write_copy(name, json.dumps(heads), "snapshot.tar")

    def _write_copy(self, name: str, text: str, file: str) -> None:
        new = self.folder / name / "snapshot.new"
        new.write_text(text)
        new.rename(new.with_name(file))

    def _ephemerals(self, name: str) -> list[Path]:
        return [path for path in self.present(name) if path.name not in ("disk", "disk.swap")]

    def snapshot(self, name: str) -> GuestSnapshot:
        """Return the file that stands for the disk, or for all; raises DriverError when there is none."""
        for file, disk_format in (("snapshot.tar", BUNDLE), ("snapshot", "raw")):
            path = self.folder / name / file
            if path.exists():
                return GuestSnapshot(path, disk_format, path.stat().st_size)
        raise DriverError(f"there is no snapshot of {name}.")

    def drop_snapshot(self, name: str) -> None:
        """Remove the file."""
        for file in _COPIES:
            (self.folder / name / file).unlink(missing_ok=True)

    def is_aside(self, name: str) -> bool:
        """Tell whether there is a folder of that other name."""
        return (self.folder / aside(name)).exists()

    def set_aside(self, name: str) -> None:
        """Rename a guest's folder; raises DriverError for a guest without a disk."""
        if not self.is_aside(name):
            self.require(name)
            (self.folder / name).rename(self.folder / aside(name))

    def put_back(self, name: str) -> None:
        """Rename the folder back, in the place of one that was made since."""
        self.delete(name)
        (self.folder / aside(name)).rename(self.folder / name)

    def copy_aside(self, spec: GuestSpec) -> None:
        """Copy the files of the folder of that other name."""
        kept, folder = self.folder / aside(spec.name), self.folder / spec.name
        if not (kept / "disk").exists():
            raise DriverError(f"there are no disks of {spec.name} that were kept aside.")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "disk").exists():
            for path in self._ephemerals(aside(spec.name)):
                (folder / path.name).write_bytes(_head(path))
            (folder / "disk.new").write_bytes((kept / "disk").read_bytes())
            (folder / "disk.new").rename(folder / "disk")
        self._add_blank_disks(spec)
        self._drives.make(spec.config_drive, folder)

    def receive(self, spec: GuestSpec, image: GuestImage) -> None:
        """Fetch what was packed; raises DriverError for what does not fit or is damaged."""
        if spec.root_gb and image.size > spec.root_gb * _GIB:
            raise DriverError(f"cannot make the disk: image {image.id} is larger than the flavor's disk.")
        folder = self.folder / spec.name
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "disk").exists():
            image.fetch(folder / "disk.new")
            if image.disk_format == BUNDLE:
                _unpack(folder / "disk.new")
            (folder / "disk.new").rename(folder / "disk")
        self._add_others(spec, image)

    def carried(self, name: str) -> tuple[CarriedDisk, ...]:
        """Return what a guest takes along."""
        return tuple(
            CarriedDisk(path.name, "raw", path.stat().st_size, path.stat().st_blocks * _BLOCK)
            for path in self.present(name)
        )

    def send(self, name: str, target: Path) -> None:
        """Copy what is a guest's own to its folder on another host, where its disks were made."""
        for path in self._ephemerals(name):
            with (target / path.name).open("r+b") as copied:
                copied.write(_head(path))
        for file in ("interfaces", "console.log", config_drive.NAME, _BUSES):
            path = self.folder / name / file
            if path.exists():
                (target / file).write_bytes(path.read_bytes())


def _unpack(bundle: Path) -> None:
    """Write beside a bundle what each ephemeral disk begins with; raises DriverError for what is none."""
    try:
        heads = json.loads(bundle.read_text())
    except ValueError as error:
        raise DriverError("the copy of the guest's disks is damaged.") from error
    for file, head in heads.items():
        bundle.with_name(file).write_bytes(bytes.fromhex(head))


def _head(path: Path) -> bytes:
    """Return how a disk begins: what stands for all that is in it."""
    with path.open("rb") as disk:
        return disk.read(512)


def _text_of(path: Path) -> str:
    return path.read_bytes()[:64].decode(errors="replace")
