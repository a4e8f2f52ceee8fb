"""Disks without an image: the ephemeral ones with a file system, and the one to swap to."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from nova_lite.core.errors import ConfigurationError
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.image_safety import QCOW2, RAW
from nova_lite.drivers.virt.libvirt import qemu_img
from nova_lite.drivers.virt.libvirt.image_cache import ImageCache

_GIB = 1024**3
_MIB = 1024**2
_SECONDS = 300.0
MADE_FILE_SYSTEM = "ephemeral_"
"""Begins the names of cached disks with a file system that a host made, of which no two are the same."""
_DEFAULT = "default"
_COMMANDS = {
    _DEFAULT: "mkfs.ext4 -q -F -L %(fs_label)s %(target)s",
    "windows": "mkfs.ntfs --force --fast --label %(fs_label)s %(target)s",
}
"""What formats disks where the flags say nothing else."""

_OPTIONS = {
    "ext2": "-q -F -L",
    "ext3": "-q -F -L",
    "ext4": "-q -F -L",
    "xfs": "-q -f -L",
    "vfat": "-n",
    "ntfs": "--force --fast -L",
}
"""What mkfs of each kind takes before the label, unless it is ``-L``."""


_WANTED = "as-"
"""Begins the kind of disks whose user said which file system is wanted."""


def _makes(file_system: str) -> list[str]:
    """Return the command that makes a file system."""
    options = shlex.split(_OPTIONS.get(file_system, "-L"))
    return [f"mkfs.{file_system}", *options, "%(fs_label)s", "%(target)s"]


@dataclasses.dataclass(frozen=True, slots=True)
class Formats:
    """How ephemeral disks are formatted: a command by the operating system's type."""

    commands: Mapping[str, Sequence[str]]

    @classmethod
    def from_flags(cls, virt_mkfs: Sequence[str], default_format: str) -> "Formats":
        """Read the flags; raises ConfigurationError for a command that names no os_type."""
        commands = {name: shlex.split(command) for name, command in _COMMANDS.items()}
        for line in virt_mkfs:
            os_type, equals, command = line.partition("=")
            if not equals or "%(target)s" not in command:
                raise ConfigurationError(
                    f"The flag --virt_mkfs has to be os_type=command with %(target)s, not '{line}'."
                )
            commands[os_type.strip()] = shlex.split(command)
        if default_format:
            commands[_DEFAULT] = _makes(default_format)
        return cls(commands)

    def command(self, kind: str, label: str, target: Path) -> list[str]:
        """Return the command that formats ``target`` as a ``kind``."""
        words = self.commands.get(kind) or _makes(kind.removeprefix(_WANTED))
        return [word.replace("%(fs_label)s", label).replace("%(target)s", str(target)) for word in words]

    def kind(self, wanted: str, os_type: str) -> str:
        """Return how to format a disk for an operating system's type, or as the file system that is wanted."""
        return f"{_WANTED}{wanted}" if wanted else self.known(os_type)

    def known(self, os_type: str) -> str:
        """Return an operating system's type, or ``default`` where there is no command for it."""
        return os_type if os_type in self.commands else _DEFAULT


class BlankDisks:
    """Makes such disks as differences to ones in the cache, so that each size is formatted once."""

    def __init__(self, runner: Runner, cache: ImageCache, formats: Formats) -> None:
        self._runner = runner
        self._cache = cache
        self._formats = formats

    def ephemeral(self, path: Path, disk: EphemeralDisk, number: int, os_type: str) -> None:
        """Make an ephemeral disk with an empty file system, whose label has the disk's number."""
        base = self.ephemeral_base(disk, number, os_type)
        qemu_img.create(self._runner, path, QCOW2, disk.size_gb * _GIB, (base, RAW))

    def ephemeral_base(self, disk: EphemeralDisk, number: int, os_type: str) -> Path:
        """Return the raw disk that such ones are differences to."""
        kind = self._formats.kind(disk.file_system, os_type)

        def make(new: Path) -> None:
            qemu_img.create(self._runner, new, RAW, disk.size_gb * _GIB)
            self._runner.run(self._formats.command(kind, f"ephemeral{number}", new), timeout=_SECONDS)

        name = f"{MADE_FILE_SYSTEM}{disk.size_gb}_{kind}" + (f"_{number}" if number else "")
        return self._cache.made(name, make)

    def swap(self, path: Path, size_mb: int) -> None:
        """Make a disk that a guest can swap to."""

        def make(new: Path) -> None:
            qemu_img.create(self._runner, new, RAW, size_mb * _MIB)
            self._runner.run(["mkswap", "-q", str(new)])

        base = self._cache.made(f"swap_{size_mb}", make)
        qemu_img.create(self._runner, path, QCOW2, size_mb * _MIB, (base, RAW))
