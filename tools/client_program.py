"""Runs commands of an unmodified client one after the other, in one process for the speed of it.

``python -m tools.client_program openstackclient.shell``: the module has ``main``. Each line of standard input
is the words of a command as JSON. A line of JSON for each command tells its exit status, what it printed,
and what it complained of.
"""

import contextlib
import importlib
import io
import json
import os
import sys
from collections.abc import Callable

from tools.impatience import hurry


def run(main: Callable[[list[str]], object], words: list[str]) -> dict[str, object]:
    """Run one command."""
    printed, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        try:
            status = main(words)
        except SystemExit as ended:
            status = ended.code
    return {"status": status or 0, "printed": printed.getvalue(), "complained": complained.getvalue()}


def main() -> int:
    """Run every command."""
    client = importlib.import_module(sys.argv[1]).main
    pauses = hurry()
    orders = sys.stdin
    # A command that asks back gets no answer, and fails.
    sys.stdin = open(os.devnull)  # noqa: SIM115
    for line in orders:
        pauses.begin()
        print(json.dumps(run(client, json.loads(line))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
