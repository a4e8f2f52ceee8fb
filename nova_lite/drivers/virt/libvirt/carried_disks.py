"""Disks that a running guest takes along to another host: what they are, and files there for them to be copied into."""

import dataclasses
import functools
import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.core.server_migration import CarriedDisk
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from nova_lite.drivers.virt.image_safety import QCOW2
from nova_lite.drivers.virt.libvirt import qemu_img
from nova_lite.drivers.virt.libvirt.blank_disks import MADE_FILE_SYSTEM
from nova_lite.drivers.virt.libvirt.disks import KINDS, Disks
from nova_lite.drivers.virt.libvirt.files import make_whole

LOG = logging.getLogger(__name__)

_BLOCK = 512


class CarriedDisks:
    """The disks that migrations carry to a host and from it."""

    def __init__(self, disks: Disks) -> None:
        self._disks = disks

    def expect(self, spec: GuestSpec, image: GuestImage, disks: Sequence[CarriedDisk]) -> bool:
        """Make disks for others to be copied into; returns whether they have to be copied as a whole.

        A difference to a cached image stays one where that image can be had here. Raises DriverError when the
        host has no room.
        """
        if sum(disk.used for disk in disks) > shutil.disk_usage(self._disks.folder).free:
            raise DriverError("the host has not the room for the guest's disks.")
        folder = self._disks.folder / spec.name
        try:
            self._disks.create(spec, image)
        except DriverError as error:
            LOG.info("the disks of %s come without the image that they began with: %s", spec.name, error)
            folder.mkdir(parents=True, exist_ok=True)
            self._disks.add_others(spec)
        whole = False
        for disk in disks:
            path = folder / disk.file
            # A file system that was made here is another one, even where it was made in the same way.
            if (
                disk.base.startswith(MADE_FILE_SYSTEM)
                or not path.exists()
                or self._carried(path, disk.disk_format) != dataclasses.replace(disk, used=0)
            ):
                path.unlink(missing_ok=True)
                make_whole(path, functools.partial(_make_empty, self._disks.runner, disk))
                whole = whole or bool(disk.base)
        kinds = {disk.file: disk.disk_format for disk in disks if disk.disk_format != QCOW2}
        if kinds:
            (folder / KINDS).write_text(json.dumps(kinds))
        return whole

    def of(self, name: str) -> tuple[CarriedDisk, ...]:
        """Return what a guest has of disks that are its own; raises DriverError when it has none."""
        return tuple(
            dataclasses.replace(
                self._carried(disk.path, disk.disk_format), used=disk.path.stat().st_blocks * _BLOCK
            )
            for disk in self._disks.files(name).disks
            if not disk.readonly
        )

    def _carried(self, path: Path, kind: str) -> CarriedDisk:
        base = qemu_img.base_of(path) if kind == QCOW2 else ""
        size = qemu_img.size_of_difference(self._disks.runner, path, kind)
        return CarriedDisk(path.name, kind, size, 0, base)


def _make_empty(runner: Runner, disk: CarriedDisk, path: Path) -> None:
    qemu_img.create(runner, path, disk.disk_format, disk.size)
