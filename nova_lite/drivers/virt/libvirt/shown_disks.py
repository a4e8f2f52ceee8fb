"""Disks that are shown as raw ones for a while, by QEMU's storage daemon and without the kernel's help.

Each is shown in a folder whose name tells which process wanted it, so that what one leaves that was killed can be
told from what is in use.
"""

import contextlib
import logging
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Limits, Runner
from nova_lite.drivers.virt.image_safety import RAW

LOG = logging.getLogger(__name__)

PROGRAM = "qemu-storage-daemon"
_SECONDS = 10.0
_BEGAN = 19
_LIMITS = Limits(memory_bytes=4 * 1024**3, cpu_seconds=600)


class ShownDisks:
    """The disks that are shown below one folder, which belongs to one host."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder

    @contextlib.contextmanager
    def raw(self, disk: Path, kind: str) -> Iterator[Path]:
        """Show a disk as a raw one for a while; raises DriverError."""
        if kind == RAW:
            yield disk
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_mark(os.getpid()), dir=self._folder) as folder:
            raw, pid = Path(folder, "raw"), Path(folder, "pid")
            raw.touch()
            self._runner.run(
                [
                    PROGRAM, "--daemonize", "--pidfile", str(pid),
                    "--blockdev", f"driver=file,filename={disk},node-name=file",
                    "--blockdev", f"driver={kind},file=file,node-name=disk",
                    "--export", f"type=fuse,id=raw,node-name=disk,mountpoint={raw},writable=on",
                ],
                limits=_LIMITS,
            )  # fmt: skip
            try:
                yield raw
            finally:
                _end(int(pid.read_text()))

    def strays(self) -> tuple[str, ...]:
        """Return the names of those that a process left which is no more."""
        return tuple(sorted(path.name for path in self._folder.glob("*") if not _is_in_use(path.name)))

    def close(self, name: str) -> None:
        """Remove what was left of one; raises DriverError where it cannot be."""
        folder = self._folder / name
        for pid in _processes_of(folder):
            LOG.info("the process %s is ended: nobody needs the disk in %s", pid, folder)
            with contextlib.suppress(DriverError):
                _end(pid)
        raw = folder / "raw"
        if _is_mounted(raw):
            unmount = ["umount", "--lazy"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
            self._runner.run([*unmount, str(raw)])
        shutil.rmtree(folder, ignore_errors=True)


def _mark(pid: int) -> str:
    """Return how the names of folders begin that a process makes: by its number, and when it began.

    Numbers of processes are used again. One that is no more has no beginning.
    """
    began = "".join(_stat(pid)[_BEGAN : _BEGAN + 1])
    return f"{pid}-{began}-"


def _is_in_use(name: str) -> bool:
    """Tell whether the process that made a folder still runs."""
    pid = name.partition("-")[0]
    return pid.isdigit() and _lives(int(pid)) and name.startswith(_mark(int(pid)))


def _processes_of(folder: Path) -> list[int]:
    """Return the processes that were started for something in a folder."""
    wanted = os.fsencode(f"{folder}/")
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def _is_mounted(path: Path) -> bool:
    return any(line.split(" ")[1] == str(path) for line in Path("/proc/self/mounts").read_text().splitlines())


def _end(pid: int) -> None:
    """End the process that shows the disk, and wait for it: what it has not written yet would be lost."""
    if not _lives(pid):
        raise DriverError("cannot write into the guest's disk: the process that shows it ended.")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _SECONDS
    while _lives(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise DriverError("cannot close the guest's disk after writing into it.")
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has asked for its end does not."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """Return the fields of a process from its state on (proc_pid_stat(5)), none where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
