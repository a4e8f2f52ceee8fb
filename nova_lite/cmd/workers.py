"""Several processes behind the same ports: a parent that only starts, watches and stops its workers.

The parent opens the sockets, forks, and then waits for signals; it never runs a thread, so that it may fork
again when a worker died.
"""

import contextlib
import ctypes
import logging
import mmap
import os
import signal
import time
from collections.abc import Callable

from nova_lite import concurrency

LOG = logging.getLogger(__name__)

_READY = signal.SIGUSR1
"""By which a worker tells its parent that it is ready."""
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, _READY}
_SHORTEST_LIFE = 5.0
_PAUSE = 1.0
_PR_SET_PDEATHSIG = 1

Worker = Callable[[Callable[[], None]], int]
"""What a worker does: it is given what to call when it is ready, and returns its exit status."""


class Supervisor:
    """Keeps ``count`` workers running until it is told to stop.

    A worker that cannot start while none ever was ready ends the daemon; one that dies later is replaced.
    ``on_ready`` is called in the parent, which is the process that systemd knows, when the first one is ready.
    """

    def __init__(
        self,
        worker: Worker,
        count: int,
        drain_seconds: float,
        *,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._worker = worker
        self._count = count
        self._drain_seconds = drain_seconds
        self._on_ready = on_ready
        self._born: dict[int, float] = {}
        self._gravity = logging.ERROR
        # Memory that the workers share with their parent, where each says that it is ready.
        self._ever_ready = mmap.mmap(-1, 1)

    def run(self) -> int:
        """Watch the workers until SIGTERM or SIGINT; returns the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for _ in range(self._count):
            self._spawn()
        while True:
            caught = signal.sigwait(_SIGNALS)
            if caught in (signal.SIGTERM, signal.SIGINT):
                return self._stop()
            if caught == _READY:
                self._on_ready()
            elif caught == signal.SIGHUP:
                self._send(signal.SIGHUP)
            elif not self._replace_dead():
                self._stop()
                return 1

    def _spawn(self) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self._become_worker(parent)
                status = self._worker(lambda: self._say_ready(parent))
            except Exception:
                LOG.exception("a worker ends unexpectedly")
            finally:
                os._exit(status)
        self._born[pid] = time.monotonic()
        LOG.info("started worker %d", pid)

    @staticmethod
    def _become_worker(parent: int) -> None:
        # A worker does not outlive its parent, however that one ended.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        concurrency.after_fork()

    def _say_ready(self, parent: int) -> None:
        first = not self._ever_ready[0]
        self._ever_ready[0] = 1
        if first and os.getppid() == parent:
            os.kill(parent, _READY)

    def _replace_dead(self) -> bool:
        """Start new workers for those that died; returns whether the daemon goes on."""
        dead = self._reap()
        if dead and not self._ever_ready[0]:
            return False
        for lived in dead:
            if lived < _SHORTEST_LIFE:
                time.sleep(_PAUSE)
            self._spawn()
        return True

    def _reap(self) -> list[float]:
        """Forget the workers that ended; returns for how many seconds each lived."""
        lives = []
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = found
                if pid in self._born:
                    lives.append(time.monotonic() - self._born.pop(pid))
                    LOG.log(self._gravity, "worker %d ended (%s)", pid, _reason(status))
        return lives

    def _send(self, number: signal.Signals) -> None:
        for pid in self._born:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _stop(self) -> int:
        """Let the workers drain, and kill those that take too long; returns 0."""
        self._gravity = logging.INFO
        self._send(signal.SIGTERM)
        deadline = time.monotonic() + self._drain_seconds + 5
        while self._born and time.monotonic() < deadline:
            self._reap()
            if self._born:
                signal.sigtimedwait({signal.SIGCHLD}, 1.0)
        self._send(signal.SIGKILL)
        return 0


def _reason(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"status {code}"
