"""A cloud of mortal daemons over a real RabbitMQ and MariaDB, and what tests do to it."""

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from nova_lite.cmd import manage
from tools.deployment import DISTRIBUTED, Client, Daemon, Deployment, flags_for
from tools.services import Broker, MariaDB
from tools.services.process import Service

ROOT = Path(__file__).parents[2]
_PATIENCE = 90.0


class Site:
    """Daemons that can be told where to die, their broker and their database."""

    def __init__(self, folder: Path, broker: Broker, database: MariaDB) -> None:
        self.folder = folder
        self.broker = broker
        self.database = database
        flags = flags_for(folder, database.create_database("nova"), broker.url)
        flags |= {"action_sweep_interval": 1, "report_interval": 2, "service_down_time": 600}
        # An answer that died with its daemon is waited for only so long, and what it left is soon looked for.
        flags |= {"rpc_response_timeout": 5, "periodic_interval": 3}
        self.deployment = Deployment(folder, flags, DISTRIBUTED, _mortal)
        self.client: Client
        self.image = ""

    def start(self) -> None:
        """Start every daemon and upload an image."""
        self.deployment.start()
        self.client = self.deployment.client()
        self.image = self.client.make_image()

    def daemon(self, name: str) -> Daemon:
        """Return a daemon by name."""
        return next(daemon for daemon in self.deployment.daemons if daemon.name == name)

    def arm(self, name: str, transaction: str, moment: str) -> None:
        """Have a daemon die when it comes to this point."""
        (self.folder / "armed").write_text(f"{name} {transaction} {moment}")

    def disarm(self) -> None:
        """Let nobody die any more."""
        (self.folder / "armed").unlink(missing_ok=True)

    def revive(self, name: str) -> None:
        """Wait until a daemon has died, and start it again."""
        daemon = self.daemon(name)
        wait_until(lambda: not (self.folder / "armed").exists() and daemon.exited(), f"{name} to die")
        daemon.start()

    def seen(self) -> list[str]:
        """Return which daemon ended which transaction, in order."""
        return (self.folder / "seen").read_text().splitlines()

    def order(self, count: int = 1) -> None:
        """Ask for instances; whether the API lives to answer is another matter."""
        server = {
            "name": "mortal", "flavorRef": "6", "imageRef": self.image, "networks": "auto", "min_count": count,
            "max_count": count,
        }  # fmt: skip
        with contextlib.suppress(requests.ConnectionError):
            self.client.compute("POST", "/servers", {"server": server})

    def servers(self) -> list[dict[str, Any]]:
        """Return all instances as the API shows them."""
        found: list[dict[str, Any]] = self.client.compute("GET", "/servers/detail").json()["servers"]
        return found

    def settled(self) -> list[dict[str, Any]]:
        """Wait until nothing goes on with any instance, and return them all."""
        wait_until(lambda: all(_is_quiet(server) for server in self.servers()), "all instances to be quiet")
        return self.servers()

    def delete_all(self) -> None:
        """Delete every instance, if the API lives to take the orders, and do not wait."""
        with contextlib.suppress(requests.ConnectionError):
            for server in self.servers():
                self._delete(server["id"])

    def _delete(self, server_id: str) -> None:
        """Order a deletion; a server that has gone since it was listed is what was wanted."""
        try:
            self.client.compute("DELETE", f"/servers/{server_id}")
        except requests.HTTPError as error:
            if error.response.status_code != 404:
                raise

    def emptied(self) -> None:
        """Delete what is left and wait until no instance is there."""
        self.delete_all()
        wait_until(lambda: not self.servers(), "all instances to be gone")

    def doctor(self) -> str:
        """Return what nova-manage doctor finds, with some seconds for work under way."""
        words = ["nova-manage", f"--flagfile={self.deployment.flag_file}", "doctor", "--dry_run", "--wait=30"]
        printed = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
            patch.setattr(sys, "argv", words)
            manage.main()
        return printed.getvalue()

    def answers_without(self, service: Service, seconds: float) -> set[int]:
        """Kill a server, ask the API for so many seconds, and start the server; returns the API's statuses."""
        service.kill()
        path = self.client.url("osapi_compute", "/v2.1/servers")
        statuses = set()
        back_at = time.monotonic() + seconds
        while (left := back_at - time.monotonic()) > 0:
            # One answer may take as long as the server is away: the transaction is tried again meanwhile.
            with contextlib.suppress(requests.Timeout):
                statuses.add(self.client.session.get(path, timeout=left).status_code)
        service.start()
        return statuses


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Site]:
    """Run such a cloud for a while."""
    os.environ["MORTAL"] = str(folder)
    os.environ["PYTHONPATH"] = str(ROOT)
    with Broker(folder / "rabbitmq") as broker, MariaDB(folder / "mariadb") as database:
        site = Site(folder, broker, database)
        try:
            site.start()
            yield site
        finally:
            site.disarm()
            site.deployment.stop()


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Ask again and again until ``condition`` holds; an API that is away counts as not yet."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(requests.RequestException):
            if condition():
                return
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def _mortal(name: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "tests.faults.mortal", name]


def _is_quiet(server: dict[str, Any]) -> bool:
    return server["status"] != "BUILD" and server["OS-EXT-STS:task_state"] is None
