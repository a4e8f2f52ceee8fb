"""``python -m tools.kernel_lab COMMAND …``: runs a command as root in the lab, and ends as it does."""

import sys
from pathlib import Path

from tools.kernel import BuildError
from tools.kernel_lab.lab import run

_NOT_RUN = 125


def main() -> int:
    """Run the command, print what it printed, and return its status."""
    try:
        done = run(sys.argv[1:], folder=Path("var/cache").resolve())
    except BuildError as error:
        print(f"kernel lab: {error}", file=sys.stderr)
        return _NOT_RUN
    print(done.output, end="")
    return done.status


if __name__ == "__main__":
    sys.exit(main())
