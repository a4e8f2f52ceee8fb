"""``python -m tools.testing lint | quick | all``: the checks in the order in which they fail soonest."""

import concurrent.futures
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
_BIN = Path(sys.executable).parent


@dataclasses.dataclass(frozen=True)
class Check:
    """A command that passes or fails, with the mode of concurrency that it is run under."""

    name: str
    command: tuple[str, ...]
    concurrency: str = "threading"

    def run(self) -> tuple[int, str, float]:
        """Return the exit status, what was printed, and how many seconds it took.

        Each check has a folder for temporary files of its own: pytest takes the rights on a shared one back
        from the database servers that the other check of the stage runs below it.
        """
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="nl-", ignore_cleanup_errors=True) as folder:
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


def _pytest(name: str, *words: str, concurrency: str = "threading") -> Check:
    return Check(name, ("pytest", "-q", "--durations=5", *words), concurrency)


LINT = (
    (Check("ruff", ("ruff", "check", "nova_lite", "tests", "tools", "migrations")),),
    (Check("mypy", ("mypy", "--strict", "nova_lite")),),
    (Check("import contracts", ("lint-imports",)),),
)
CLIENTS = (
    "tests/functional/test_openstack_client.py",
    "tests/functional/test_openstack_commands.py",
    "tests/functional/test_migration_commands.py",
    "tests/functional/test_other_clients.py",
    "tests/functional/test_ec2_programs.py",
)
"""Functional tests with clients' programs: these do not see how the daemons run, and take seconds a command."""
LARGE = "tests/functional/objectstore/test_large_trees.py"
"""Ten thousand files through two clients: for cores that others leave idle."""
EDGE = ("tests/functional/test_every_route.py", "tests/functional/test_compute_responses.py")
MORE_EDGE = (
    "tests/functional/network/test_network_commands.py",
    "tests/functional/test_certificates.py",
    "tests/functional/test_ec2_every_action.py",
    "tests/functional/test_first_content.py",
    "tests/functional/test_image_pages.py",
    "tests/functional/test_image_proxy.py",
    "tests/functional/test_kept_passwords.py",
    "tests/functional/test_old_clients.py",
    "tests/functional/test_rate_limits.py",
    "tests/functional/identity",
)
"""Functional tests of what no daemon but nova-api, or nova-manage, has a part in: the same however it runs.

Each of the two is run one way only; they are two so that both ways take as long.
"""


def _without(*files: str) -> list[str]:
    return [f"--ignore={file}" for file in files]


def _functional(concurrency: str, databases: str, *left_out: str) -> Check:
    """The functional tests on some databases: tests of none have their place with SQLite."""
    words = ["tests/functional", "-k", databases, *_without(*CLIENTS, LARGE, *left_out)]
    return _pytest(f"functional, {concurrency}, {databases}", *words, concurrency=concurrency)


SERVERS = "mariadb or postgresql"
QUICK = (
    (_pytest("unit", "tests/unit", "tests/tables"),),
    (
        _functional("eventlet", SERVERS, *MORE_EDGE),
        _functional("threading", f"not ({SERVERS})", *EDGE),
    ),
)
"""Each functional test once on each database, and in each of the two ways to run a daemon."""
SLOW = (
    (
        _functional("threading", SERVERS, *EDGE),
        _functional("eventlet", f"not ({SERVERS})", *MORE_EDGE),
    ),
    (_pytest("contracts and clients", "tests/contracts", *CLIENTS), _pytest("faults", "tests/faults")),
    (
        _pytest("system", "tests/system"),
        Check("large trees", ("/usr/bin/nice", str(_BIN / "pytest"), "-q", "--durations=5", LARGE)),
    ),
)
"""The functional tests the other way round, and what takes long."""
PLANS: dict[str, tuple[tuple[Check, ...], ...]] = {
    "lint": LINT,
    "quick": QUICK,
    "all": (*LINT, *QUICK, *SLOW),
}
"""The stages of each plan; the checks of a stage run side by side."""


def main() -> int:
    """Run a plan; the exit status is that of the first check that fails."""
    plan = PLANS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if plan is None:
        print(f"usage: python -m tools.testing {' | '.join(PLANS)}", file=sys.stderr)
        return 2
    for stage in plan:
        failed = [status for status in _run(stage) if status]
        if failed:
            return failed[0]
    return 0


def _run(stage: Sequence[Check]) -> Iterator[int]:
    with concurrent.futures.ThreadPoolExecutor(len(stage)) as pool:
        runs = {pool.submit(check.run): check for check in stage}
        for run in concurrent.futures.as_completed(runs):
            status, output, seconds = run.result()
            name = runs[run].name
            print(f"== {name}\n{output}", end="")
            print(f"== {name}: {'passed' if status == 0 else 'FAILED'} in {seconds:.0f} s", flush=True)
            yield status


if __name__ == "__main__":
    sys.exit(main())
