"""A cloud of processes with simulated guests, in a folder and on ports of its own, to measure or to break."""

import concurrent.futures
import contextlib
import os
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import requests

from nova_lite import concurrency
from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.identity import Actor, NewProject, NewUser, Scope, ScopeKind
from nova_lite.db import migration
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet
from tools.services import Broker, MariaDB, free_port
from tools.services.process import Service

APIS = ("identity", "ec2", "osapi_compute", "metadata", "image", "network", "s3")
DISTRIBUTED = ("nova-network", "nova-compute", "nova-scheduler", "nova-api")


Command = Callable[[str], list[str]]
"""Gives the words that start a daemon of a name, its flags left out."""


def installed(name: str) -> list[str]:
    """The daemons as they are installed."""
    return [str(Path(sys.executable).parent / name)]


class Daemon(Service):
    """One daemon, with the port of its metrics."""

    def __init__(self, folder: Path, name: str, flag_file: Path, command: Command = installed) -> None:
        super().__init__(folder / name)
        self.folder.mkdir(parents=True)
        self.name = name
        self.metrics_port = free_port()
        self._argv = [*command(name), f"--flagfile={flag_file}", f"--metrics_port={self.metrics_port}"]

    def start(self) -> None:
        """Start the daemon and wait until it is ready."""
        log = self.folder / "output"
        before = log.stat().st_size if log.exists() else 0
        self._launch(self._argv, lambda: b" is ready after " in log.read_bytes()[before:])

    def statements(self) -> float:
        """Return how many SQL statements the daemon has sent."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
            text = answer.read().decode()
        # What the measuring itself asks, heartbeats and sweeps are not part of a boot.
        aside = re.compile(r'transaction="(server\.get|service\.|scheduler\.sweep|compute\.sweep|watch\.)')
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith("nova_sql_statements_total{") and not aside.search(line)
        )

    def memory_mb(self) -> float:
        """Return the resident memory in MiB of the daemon and its children."""
        process = psutil.Process(self.pid)
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 1024**2


class Deployment:
    """The daemons and a client of them."""

    def __init__(
        self, folder: Path, flags: dict[str, Any], programs: Sequence[str], command: Command = installed
    ) -> None:
        self.flag_file = folder / "nova.conf"
        self.flag_file.write_text("".join(f"--{name}={value}\n" for name, value in flags.items()))
        self.flags = flags
        self.daemons = [Daemon(folder, name, self.flag_file, command) for name in programs]
        self.start_seconds = 0.0
        _prepare(self.flag_file)

    def start(self) -> None:
        """Start all daemons; the time until the API answers is kept."""
        began = time.monotonic()
        self._at_once(Daemon.start)
        self.start_seconds = time.monotonic() - began

    def stop(self) -> None:
        """Stop all daemons."""
        self._at_once(Daemon.stop)

    def _at_once(self, act: Callable[[Daemon], None]) -> None:
        with concurrent.futures.ThreadPoolExecutor(len(self.daemons)) as pool:
            for acting in [pool.submit(act, daemon) for daemon in self.daemons]:
                acting.result()

    def statements(self) -> float:
        """Return how many SQL statements all daemons have sent, heartbeats and sweeps left out."""
        return sum(daemon.statements() for daemon in self.daemons)

    def memory_mb(self) -> float:
        """Return the resident memory of all daemons in MiB."""
        return sum(daemon.memory_mb() for daemon in self.daemons)

    def client(self) -> "Client":
        """Log in."""
        return Client(self.flags)


class Client:
    """One connection of a user who is an admin."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self._flags = flags
        self.session = requests.Session()
        identity = {
            "methods": ["password"],
            "password": {"user": {"name": "bench", "domain": {"id": "default"}, "password": "bench"}},
        }
        scope = {"project": {"name": "bench", "domain": {"id": "default"}}}
        body = {"auth": {"identity": identity, "scope": scope}}
        answer = self.session.post(self.url("identity", "/v3/auth/tokens"), json=body)
        answer.raise_for_status()
        self.session.headers.update(
            {"X-Auth-Token": answer.headers["X-Subject-Token"], "OpenStack-API-Version": "compute 2.96"}
        )

    def url(self, api: str, path: str) -> str:
        """Return a URL of an API."""
        return f"http://127.0.0.1:{self._flags[f'{api}_listen_port']}{path}"

    def compute(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Send a request to the compute API; raises for a bad status."""
        answer = self.session.request(method, self.url("osapi_compute", f"/v2.1{path}"), json=body)
        answer.raise_for_status()
        return answer

    def make_image(self) -> str:
        """Upload a small image and return its id."""
        body = {"name": "bench", "disk_format": "raw", "container_format": "bare"}
        image_id = str(self.session.post(self.url("image", "/v2/images"), json=body).json()["id"])
        self.session.put(
            self.url("image", f"/v2/images/{image_id}/file"), data=b"bench" * 200,
            headers={"Content-Type": "application/octet-stream"},
        ).raise_for_status()  # fmt: skip
        return image_id


@contextlib.contextmanager
def deployed(folder: Path, *, distributed: bool) -> Iterator[Deployment]:
    """Run a cloud: in one process over SQLite, or as daemons over RabbitMQ and MariaDB."""
    with contextlib.ExitStack() as stack:
        sql, bus = f"sqlite:///{folder}/nova.sqlite", "local://"
        if distributed:
            sql = stack.enter_context(MariaDB(folder / "mariadb")).create_database("nova")
            bus = stack.enter_context(Broker(folder / "rabbitmq")).url
        flags = flags_for(folder, sql, bus)
        deployment = Deployment(folder, flags, DISTRIBUTED if distributed else ("nova-all",))
        stack.callback(deployment.stop)
        deployment.start()
        yield deployment


def flags_for(folder: Path, sql: str, bus: str) -> dict[str, Any]:
    """Return the flags of a cloud of simulated guests without quotas, on free ports."""
    flags = {
        "state_path": folder, "sql_connection": sql, "transport_url": bus, "my_ip": "127.0.0.1",
        "compute_driver": "fake", "network_driver": "fake", "firewall_driver": "fake",
        "quota_instances": -1, "quota_cores": -1, "quota_ram": -1, "password_hash_rounds": 4,
        "fake_memory_mb": 4 * 1024**2, "fake_vcpus": 10000, "ec2_terminated_seconds": 0,
        "concurrency": os.environ.get("NOVA_CONCURRENCY", "eventlet"),
    }  # fmt: skip
    for api in APIS:
        flags[f"{api}_listen_port"] = free_port()
        flags[f"{api}_listen"] = "127.0.0.1"
    return flags


def _prepare(flag_file: Path) -> None:
    concurrency.choose(concurrency.Mode.THREADING)
    conf = load([f"--flagfile={flag_file}"], prog="nova-manage")
    with wiring.desk(conf) as (database, cloud):
        migration.upgrade(database)
        cloud.identity.bootstrap()
        cloud.flavors.bootstrap()
        context = system_context()
        project = cloud.identity.create_project(context, NewProject("bench"))
        user = cloud.identity.create_user(context, NewUser("bench", "bench"))
        role = cloud.identity.find_role("admin")
        cloud.identity.grant_role(context, Actor(user.id), role.id, Scope(ScopeKind.PROJECT, project.id))
        cloud.networks.create(context, NewNetwork("private", NewSubnet("10.0.0.0/19")))
