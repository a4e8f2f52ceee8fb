"""Putting files into a guest's disk before it starts for the first time.

The disk is shown as a raw one by QEMU's storage daemon, and its file system is read and written without the kernel's
help; nothing is mounted.
"""

import dataclasses
import logging
from pathlib import Path

from nova_lite.core import injected_network
from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.guest import Injected
from nova_lite.drivers.virt.libvirt import partitions
from nova_lite.drivers.virt.libvirt.ext_files import ExtFiles
from nova_lite.drivers.virt.libvirt.shown_disks import PROGRAM, ShownDisks

LOG = logging.getLogger(__name__)

OFF = -2
"""As the number of the partition: nothing is put into disks."""

_KEYS = "/root/.ssh/authorized_keys"
_SHADOW = "/etc/shadow"


@dataclasses.dataclass(frozen=True, slots=True)
class InjectionRules:
    """What the operator's flags say: ``partition`` is where the root file system is, 0 for the whole disk."""

    partition: int = OFF
    key: bool = True
    password: bool = False


class Injection:
    """Writes what a guest is to find into its root disk."""

    def __init__(self, runner: Runner, rules: InjectionRules, shown: ShownDisks) -> None:
        self._runner = runner
        self._shown = shown
        self._rules = rules

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that it takes, none where nothing is written."""
        return () if self._rules.partition == OFF else ("debugfs", PROGRAM)

    def inject(self, disk: Path, kind: str, injected: Injected, *, whole: bool) -> None:
        """Write into a disk; ``whole`` tells that it has no partitions. Raises DriverError.

        A disk whose file system is not known is an error only for what the user wanted to have in it.
        """
        wanted = self._wanted(injected)
        if self._rules.partition == OFF or wanted == Injected():
            return
        with self._shown.raw(disk, kind) as raw:
            try:
                files = ExtFiles(self._runner, raw, 0 if whole else _start_of(raw, self._rules.partition))
                if not files.is_ext():
                    raise DriverError("cannot write files into the guest's disk: its file system is not ext2, 3 or 4.")
            except DriverError as error:
                if wanted.files or wanted.password_hash:
                    raise
                LOG.warning("a key, metadata or network settings are left out of %s: %s", disk, error)
                return
            _write(files, wanted)

    def _wanted(self, injected: Injected) -> Injected:
        return dataclasses.replace(
            injected,
            key=injected.key if self._rules.key else "",
            password_hash=injected.password_hash if self._rules.password else "",
        )


def _write(files: ExtFiles, wanted: Injected) -> None:
    if wanted.key:
        line = wanted.key.strip().encode() + b"\n"
        before = files.read(_KEYS) or b""
        if line not in before:
            note = b"\n# The following ssh key was injected by Nova\n"
            files.write(_KEYS, before + note + line, mode=0o600, folder_mode=0o700)
    if wanted.interfaces:
        files.write(injected_network.PATH, wanted.interfaces.encode())
    if wanted.metadata:
        files.write("/meta.js", wanted.metadata.encode())
    if wanted.password_hash:
        files.write(_SHADOW, _with_password(files.read(_SHADOW) or b"", wanted.password_hash), mode=0o600)
    for path, content in wanted.files.items():
        files.write(path if path.startswith("/") else f"/{path}", content)


def _with_password(shadow: bytes, password_hash: str) -> bytes:
    """Return the accounts with another password for root; raises DriverError for a guest that has none."""
    lines = shadow.split(b"\n")
    for number, line in enumerate(lines):
        fields = line.split(b":")
        if fields[0] == b"root" and len(fields) > 2:
            fields[1] = password_hash.encode()
            lines[number] = b":".join(fields)
            return b"\n".join(lines)
    raise DriverError("cannot set the administrator's password in the guest's disk: it has no account root.")


def _start_of(disk: Path, partition: int) -> int:
    """Return where a partition begins in bytes; raises DriverError."""
    found = partitions.extent_of(disk, partition)
    if found is None:
        raise DriverError(f"cannot write files into the guest's disk: it has no partition {partition}.")
    return found.start
