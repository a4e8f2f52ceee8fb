"""``python -m tools.testing lint | quick | all``: the checks, three at a time.

Three checks run side by side for as long as there are any: on two processors, for each waits half of its time. What
one printed comes when it ends. After a failure nothing more is begun.

The functional tests run twice, under eventlet and on native threads, and each run takes its share of them
(tests/functional/shares.py): together every test once on each database, and in each way to run a daemon.
"""

import concurrent.futures
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
AT_ONCE = 3
_BIN = Path(sys.executable).parent
_MEMORY = Path("/dev/shm")
_ENOUGH = 4 * 1024**3


@dataclasses.dataclass(frozen=True)
class Check:
    """A command that passes or fails, with the mode of concurrency that it is run under.

    ``in_memory`` puts its temporary files there: what writes to databases all the time waits for no disk then.
    """

    name: str
    command: tuple[str, ...]
    concurrency: str = "threading"
    in_memory: bool = False

    def run(self) -> tuple[int, str, float]:
        """Return the exit status, what was printed, and how many seconds it took.

        Each check has a folder for temporary files of its own: pytest takes the rights on a shared one back
        from the database servers that the other check runs below it.
        """
        began = time.monotonic()
        place = _memory() if self.in_memory else None
        with tempfile.TemporaryDirectory(prefix="nl-", dir=place, ignore_cleanup_errors=True) as folder:
            done = subprocess.run(
                [str(_BIN / self.command[0]), *self.command[1:]],
                cwd=TOP,
                env={**os.environ, "NOVA_CONCURRENCY": self.concurrency, "PYTEST_DEBUG_TEMPROOT": folder},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        return done.returncode, done.stdout, time.monotonic() - began


def _memory() -> str | None:
    """Return the folder of files that are in memory, None where there is not enough of it."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        return str(_MEMORY)
    return None


def _pytest(name: str, *words: str, concurrency: str = "threading", in_memory: bool = False) -> Check:
    return Check(name, ("pytest", "-q", "--durations=10", *words), concurrency, in_memory)


CLIENTS = (
    "tests/functional/test_openstack_client.py",
    "tests/functional/test_openstack_commands.py",
    "tests/functional/test_migration_commands.py",
    "tests/functional/test_other_clients.py",
    "tests/functional/test_ec2_programs.py",
)
"""Functional tests with clients' programs: these do not see how the daemons run, and take longest."""
GUESTS = (
    "tests/system/test_containers.py",
    "tests/system/test_first_guest.py",
    "tests/system/test_guest_with_everything.py",
    "tests/system/two_hosts",
)
"""System tests with guests of libvirt, which take half of all those tests' time."""
LARGE = "tests/functional/objectstore/test_large_trees.py"
"""Ten thousand files through two clients."""


def _functional(way: str) -> Check:
    words = ["tests/functional", "--share", *(f"--ignore={file}" for file in (*CLIENTS, LARGE))]
    return _pytest(f"functional, {way}", *words, concurrency=way, in_memory=True)


LINT = (
    Check("ruff", ("ruff", "check", "nova_lite", "tests", "tools", "migrations")),
    Check("import contracts", ("lint-imports",)),
    Check("mypy", ("mypy", "--strict", "nova_lite")),
)
QUICK = (
    _pytest("unit", "tests/unit", "tests/tables"),
    _functional("eventlet"),
    _functional("threading"),
)
SLOW = (
    _pytest("guests", *GUESTS),
    _pytest("system", "tests/system", *(f"--ignore={file}" for file in GUESTS)),
    _pytest("faults", "tests/faults", in_memory=True),
    _pytest("contracts", "tests/contracts"),
    _pytest("clients", *CLIENTS, LARGE, in_memory=True),
)
PLANS = {"lint": LINT, "quick": QUICK, "all": (*LINT, *QUICK, *SLOW)}
"""What fails soonest comes first, and then what takes longest."""


def main() -> int:
    """Run a plan; the exit status is that of the first check that fails."""
    plan = PLANS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if plan is None:
        print(f"usage: python -m tools.testing {' | '.join(PLANS)}", file=sys.stderr)
        return 2
    return Queue(plan).run()


class Queue:
    """The checks of a plan, and the status of the first that failed."""

    def __init__(self, plan: tuple[Check, ...]) -> None:
        self._waiting: Iterator[Check] = iter(plan)
        self._guard = threading.Lock()
        self._status = 0

    def run(self) -> int:
        """Run the checks; returns 0 when all have passed."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for worker in [pool.submit(self._work) for _ in range(AT_ONCE)]:
                worker.result()
        return self._status

    def _work(self) -> None:
        while (check := self._next()) is not None:
            status, output, seconds = check.run()
            with self._guard:
                self._status = self._status or status
                print(f"== {check.name}\n{output}", end="")
                print(f"== {check.name}: {'passed' if status == 0 else 'FAILED'} in {seconds:.0f} s", flush=True)

    def _next(self) -> Check | None:
        with self._guard:
            return None if self._status else next(self._waiting, None)


if __name__ == "__main__":
    sys.exit(main())
