"""A server process that this program starts, waits for and ends."""

import contextlib
import fcntl
import functools
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Self

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOWEST, _HIGHEST = 20000, 32000
"""Below the range from which the kernel takes ports for outgoing connections."""
_LEDGER = Path(tempfile.gettempdir()) / f"nova-lite-ports-{os.geteuid()}"
"""A file of which each process locks the bytes whose numbers are its ports."""
_given: set[int] = set()
"""What this process asked for, whether it got it or not."""


class ServiceError(Exception):
    """A server cannot be started; the text says why."""


def free_port() -> int:
    """Return a port on which nothing listens, below the ephemeral range, that no other process is given."""
    while True:
        port = random.randrange(_LOWEST, _HIGHEST)
        if port in _given or not _claimed(port):
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def _claimed(port: int) -> bool:
    """Claim a port among the processes that ask here: until it is listened on nobody else can see that it is taken."""
    _given.add(port)
    try:
        # Such a lock is the process's own and ends with it; its children do not have it.
        fcntl.lockf(_ledger(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@functools.cache
def _ledger() -> BinaryIO:
    return _LEDGER.open("ab")


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Tell whether something accepts connections on a port of an address of this machine."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


class Service:
    """Base of the servers: ``folder`` holds all files, ``pid`` among them for another process to stop it."""

    name = "service"
    start_seconds = 120.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return when it answers; raises ServiceError."""
        raise ServiceError("nothing to start")

    def stop(self) -> None:
        """Let the server end in good order, and kill it when it takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server at once."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start the server."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int | None:
        """The server's process, None when it does not run."""
        try:
            pid = int((self.folder / "pid").read_text())
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError):
            return None
        # proc_pid_stat(5): one that is dead stays a zombie until its parent asks for it.
        return None if state in "ZX" else pid

    def exited(self) -> bool:
        """Tell whether the server that this program started has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def _launch(
        self, argv: Sequence[str], ready: Callable[[], bool], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start ``argv`` in a session of its own and wait until it is ``ready``."""
        if not Path(argv[0]).exists():
            raise ServiceError(f"{self.name} cannot be started: {argv[0]} is not installed")
        full = {**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=full,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(self._process.pid))
        deadline = time.monotonic() + self.start_seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = (self.folder / "output").read_text(errors="replace").strip().splitlines()[-1:]
                raise ServiceError(f"{self.name} did not start: {' '.join(tail)}")
            time.sleep(0.1)

    def _end(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        # The server leads a group of its own: what it started of helpers ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        deadline = time.monotonic() + 30
        while self._alive(pid):
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
        (self.folder / "pid").unlink(missing_ok=True)

    def _alive(self, pid: int) -> bool:
        with contextlib.suppress(ChildProcessError):
            # A child that ended stays in its group until it is asked for.
            os.waitpid(pid, os.WNOHANG)
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return False
        return True
