"""Disks without an image: the ephemeral one with a file system, and the one to swap to."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from nova_lite.core.errors import ConfigurationError
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.image_safety import QCOW2, RAW
from nova_lite.drivers.virt.libvirt import qemu_img
from nova_lite.drivers.virt.libvirt.image_cache import ImageCache

_GIB = 1024**3
_MIB = 1024**2
_LABEL = "ephemeral0"
_SECONDS = 300.0
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
            options = shlex.split(_OPTIONS.get(default_format, "-L"))
            commands[_DEFAULT] = [f"mkfs.{default_format}", *options, "%(fs_label)s", "%(target)s"]
        return cls(commands)

    def command(self, os_type: str, target: Path) -> list[str]:
        """Return the command that formats ``target``."""
        words = self.commands[self.known(os_type)]
        return [word.replace("%(fs_label)s", _LABEL).replace("%(target)s", str(target)) for word in words]

    def known(self, os_type: str) -> str:
        """Return an operating system's type, or ``default`` where there is no command for it."""
        return os_type if os_type in self.commands else _DEFAULT


class BlankDisks:
    """Makes such disks as differences to ones in the cache, so that each size is formatted once."""

    def __init__(self, runner: Runner, cache: ImageCache, formats: Formats) -> None:
        self._runner = runner
        self._cache = cache
        self._formats = formats

    def ephemeral(self, path: Path, size_gb: int, os_type: str) -> None:
        """Make an ephemeral disk with an empty file system."""

        def make(new: Path) -> None:
            qemu_img.create(self._runner, new, RAW, size_gb * _GIB)
            self._runner.run(self._formats.command(os_type, new), timeout=_SECONDS)

        base = self._cache.made(f"ephemeral_{size_gb}_{self._formats.known(os_type)}", make)
        qemu_img.create(self._runner, path, QCOW2, size_gb * _GIB, (base, RAW))

    def swap(self, path: Path, size_mb: int) -> None:
        """Make a disk that a guest can swap to."""

        def make(new: Path) -> None:
            qemu_img.create(self._runner, new, RAW, size_mb * _MIB)
            self._runner.run(["mkswap", "-q", str(new)])

        base = self._cache.made(f"swap_{size_mb}", make)
        qemu_img.create(self._runner, path, QCOW2, size_mb * _MIB, (base, RAW))
