"""``python -m tools.testing lint | quick | all``: the checks in the order in which they fail soonest."""

import os
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
_BIN = Path(sys.executable).parent

Check = tuple[str, list[str], dict[str, str]]
"""A name, a command, and what is set in its environment."""

LINT: tuple[Check, ...] = (
    ("ruff", ["ruff", "check", "nova_lite", "tests", "tools", "migrations"], {}),
    ("mypy", ["mypy", "--strict", "nova_lite"], {}),
    ("import contracts", ["lint-imports"], {}),
)
QUICK: tuple[Check, ...] = (
    (
        "unit",
        ["pytest", "-q", "tests/unit", "tests/tables", "tests/contracts"],
        {"NOVA_CONCURRENCY": "threading"},
    ),
    ("functional, eventlet", ["pytest", "-q", "tests/functional"], {"NOVA_CONCURRENCY": "eventlet"}),
    ("functional, threads", ["pytest", "-q", "tests/functional"], {"NOVA_CONCURRENCY": "threading"}),
)
SLOW: tuple[Check, ...] = (
    ("faults", ["pytest", "-q", "tests/faults"], {"NOVA_CONCURRENCY": "threading"}),
    ("system", ["pytest", "-q", "tests/system"], {"NOVA_CONCURRENCY": "threading"}),
)
PLANS: dict[str, tuple[Check, ...]] = {"lint": LINT, "quick": QUICK, "all": (*LINT, *QUICK, *SLOW)}


def main() -> int:
    """Run a plan; the exit status is that of the first check that fails."""
    plan = PLANS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if plan is None:
        print(f"usage: python -m tools.testing {' | '.join(PLANS)}", file=sys.stderr)
        return 2
    for name, command, environment in plan:
        began = time.monotonic()
        print(f"== {name}", flush=True)
        argv = [str(_BIN / command[0]), *command[1:]]
        status = subprocess.run(argv, cwd=TOP, env={**os.environ, **environment}, check=False).returncode
        print(
            f"== {name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s",
            flush=True,
        )
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
