"""A daemon that can be told to kill itself around a transaction: ``python -m tests.faults.mortal nova-compute``.

The variable MORTAL names a folder. A file ``armed`` there has a line ``daemon transaction moment``: that
daemon dies by SIGKILL ``before`` or ``after`` the commit of the transaction, once, for it removes the file
first. The file ``seen`` gets a line for every transaction that ends.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from nova_lite.cmd import daemon

FOLDER = Path(os.environ.get("MORTAL", "/nonexistent"))
BUILDERS = {
    "nova-api": "api_components",
    "nova-scheduler": "scheduler_components",
    "nova-compute": "compute_components",
    "nova-network": "network_components",
}


def die_if_armed(name: str, transaction: str, moment: str) -> None:
    """End the process at once when this is where it is to die."""
    armed = FOLDER / "armed"
    with contextlib.suppress(FileNotFoundError):
        if armed.read_text() == f"{name} {transaction} {moment}":
            armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the daemon that the first word names, with the other words as its flags."""
    name = sys.argv.pop(1)

    def load() -> daemon.Build:
        import sqlalchemy as sa

        from nova_lite.cmd import wiring

        seen = os.open(FOLDER / "seen", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

        def commits(connection: Any) -> None:
            die_if_armed(name, connection.info.get("transaction", ""), "before")

        def returned(_connection: Any, record: Any) -> None:
            transaction = record.info.pop("transaction", "")
            os.write(seen, f"{name} {transaction}\n".encode())
            die_if_armed(name, transaction, "after")

        sa.event.listen(sa.Engine, "commit", commits)
        sa.event.listen(sa.pool.Pool, "checkin", returned)
        return getattr(wiring, BUILDERS[name])

    daemon.main(daemon.Program(name, "A daemon that may die.", load, serves_apis=name == "nova-api"))


if __name__ == "__main__":
    main()
