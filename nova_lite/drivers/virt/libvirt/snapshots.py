"""Copies of guests' disks, each in the folder of its guest until it is fetched from there."""

from collections.abc import Callable
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.guest import BUNDLE, GuestSnapshot
from nova_lite.drivers.virt.image_safety import QCOW2
from nova_lite.drivers.virt.libvirt import bundles, qemu_img
from nova_lite.drivers.virt.libvirt.files import NEW, SWAP, writable

_SNAPSHOT = "snapshot"
PACKED = "snapshot.tar"
"""The file of a bundle of copies."""


class Snapshots:
    """The copies of all guests below one folder; ``kinds`` tells which disks in a folder are not qcow2."""

    def __init__(self, runner: Runner, folder: Path, kinds: Callable[[Path], dict[str, str]]) -> None:
        self._runner = runner
        self._folder = folder
        self._kinds = kinds

    def new(self, name: str) -> Path:
        """Return where a copy of a guest's root disk is made, and nothing is yet."""
        return self._folder / name / f"{_SNAPSHOT}{NEW}"

    def keep(self, name: str) -> None:
        """Take the copy that was made as whole."""
        self.new(name).rename(self._folder / name / _SNAPSHOT)

    def copy(self, name: str) -> None:
        """Copy the root disk of a guest that is off."""
        folder = self._folder / name
        kind = self._kinds(folder).get("disk", QCOW2)
        qemu_img.convert(self._runner, folder / "disk", kind, self.new(name), QCOW2)
        self.keep(name)

    def pack(self, name: str) -> None:
        """Copy the disks of a guest that is off but for the one to swap to; into a bundle if it has several."""
        folder, kinds = self._folder / name, self._kinds(self._folder / name)
        disks = [path for path in writable(folder) if path.name != SWAP]
        if len(disks) < 2:
            self.copy(name)
            return
        new, copy = folder / f"{PACKED}{NEW}", folder / f"{_SNAPSHOT}{NEW}"
        for disk in disks:
            qemu_img.convert(self._runner, disk, kinds.get(disk.name, QCOW2), copy, QCOW2)
            bundles.append(new, copy, disk.name)
            copy.unlink()
        new.rename(folder / PACKED)

    def get(self, name: str) -> GuestSnapshot:
        """Return the copy of a guest's root disk, or a bundle; raises DriverError when there is none."""
        bundle = self._folder / name / PACKED
        if bundle.exists():
            return GuestSnapshot(bundle, BUNDLE, bundle.stat().st_size)
        path = self._folder / name / _SNAPSHOT
        if not path.exists():
            raise DriverError(f"there is no snapshot of {name}.")
        return GuestSnapshot(path, QCOW2, qemu_img.virtual_size(self._runner, path, QCOW2))

    def drop(self, name: str) -> None:
        """Remove the copy, whole or not."""
        for file in (_SNAPSHOT, PACKED):
            (self._folder / name / file).unlink(missing_ok=True)
            (self._folder / name / f"{file}{NEW}").unlink(missing_ok=True)
