"""The whole cloud in this process, on ports of its own, spoken to over HTTP by real clients."""

import contextlib
import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from sqlalchemy.orm import Session

from nova_lite import concurrency, wsgi_server
from nova_lite.cmd import sockets, wiring
from nova_lite.cmd.wiring.base import Base
from nova_lite.compute.reconcile import Reconciler
from nova_lite.conf import load
from nova_lite.core.actions import ActionState
from nova_lite.core.context import system_context
from nova_lite.core.identity import Actor, NewProject, NewUser, Scope, ScopeKind
from nova_lite.db import actions, image_tasks
from nova_lite.operations.audit import Audit
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet
from tests.databases import bring_up_to_date
from tools.client import Client
from tools.services import free_port

APIS = ("identity", "ec2", "osapi_compute", "metadata", "image", "network")
"""The front doors of nova-api."""
_DOORS = (*APIS, "s3")
_PATIENCE = 30.0
TOP = Path(__file__).resolve().parents[1]


class _Alarms(logging.Handler):
    """Collects the unexpected errors that daemons log at their walls."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


class Cloud:
    """A cloud of simulated hosts; ``settle`` waits for quiet, ``leaks`` lists what is left over."""

    def __init__(self, folder: Path, database_url: str, *flags: str) -> None:
        self.folder = folder
        ports = [f"--{api}_listen_port={free_port()}" for api in _DOORS]
        listen = [f"--{api}_listen=127.0.0.1" for api in _DOORS]
        self.flags = [
            f"--state_path={folder}", f"--sql_connection={database_url}", "--host=host1", "--my_ip=127.0.0.1",
            "--compute_driver=fake", "--network_driver=fake", "--firewall_driver=fake",
            "--password_hash_rounds=4", "--action_sweep_interval=1", "--report_interval=2",
            *ports, *listen, *flags,
        ]  # fmt: skip
        self.conf = load(self.flags, prog="nova-all")
        self._alarms = _Alarms()
        self._components: list[Any] = []
        self.image_id = ""
        self._tokens: dict[str, str] = {}
        # Its connections live on: half of what a request took was to make one.
        self._session = requests.Session()
        self._session.trust_env = False
        self._clients: dict[str, Client] = {}

    def start(self) -> None:
        """Make the database and the first accounts, and start every daemon."""
        logging.getLogger("nova_lite").addHandler(self._alarms)
        with wiring.desk(self.conf) as (database, cloud):
            bring_up_to_date(database)
            cloud.identity.bootstrap()
            cloud.flavors.bootstrap()
            context = system_context()
            for name, role in (("admin", "admin"), ("demo", "member"), ("other", "member")):
                project = cloud.identity.create_project(context, NewProject(name))
                user = cloud.identity.create_user(context, NewUser(name, f"{name}-secret"))
                scope = Scope(ScopeKind.PROJECT, project.id)
                cloud.identity.grant_role(context, Actor(user.id), cloud.identity.find_role(role).id, scope)
            cloud.networks.create(context, NewNetwork("private", NewSubnet("10.0.0.0/22")))
        sockets._open.clear()
        self._components = self.make_components()
        for component in self._components:
            component.start()
        # Kept, for a new connection would have to prepare every statement anew.
        self.beside = wiring.make_base(self.conf)
        self.database = self.beside.database

    def make_components(self) -> list[Any]:
        """Return what every daemon runs, in the order of its start."""
        return wiring.all_components(self.conf)

    def stop(self) -> None:
        """Stop every daemon."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._session.close()
        # Servers look up only so often, and stop at once together.
        servers = [part for part in self._components if isinstance(part, wsgi_server.WsgiServer)]
        for stopping in [concurrency.spawn(server.stop, 5.0) for server in servers]:
            stopping.join()
        for component in reversed(self._components):
            if component not in servers:
                component.stop(5.0)
        self.beside.close()
        logging.getLogger("nova_lite").removeHandler(self._alarms)

    def url(self, api: str, path: str = "") -> str:
        """Return a URL of an API."""
        return f"http://127.0.0.1:{self.conf[f'{api}_listen_port']}{path}"

    def token(self, user: str = "demo") -> str:
        """Log in, once a user, and return the token."""
        if user not in self._tokens:
            self._tokens[user] = self._log_in(user)
        return self._tokens[user]

    def _log_in(self, user: str) -> str:
        identity = {
            "methods": ["password"],
            "password": {"user": {"name": user, "domain": {"id": "default"}, "password": f"{user}-secret"}},
        }
        scope = {"project": {"name": user, "domain": {"id": "default"}}}
        body = {"auth": {"identity": identity, "scope": scope}}
        answer = requests.post(self.url("identity", "/v3/auth/tokens"), json=body, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "demo",
        version: str = "2.96",
        api: str = "osapi_compute",
        **more: Any,
    ) -> requests.Response:
        """Send a request as a user; compute requests ask for a microversion."""
        headers = {"X-Auth-Token": self.token(user), "OpenStack-API-Version": f"compute {version}"}
        headers |= more.pop("headers", {})
        return self._session.request(method, self.url(api, path), json=body, headers=headers, timeout=20, **more)

    def pages(self, path: str, collection: str, **more: Any) -> Iterator[Any]:
        """Yield the pages of a collection, each found by the link of the one before."""
        while path:
            page = self.ask("GET", path, **more).json()
            yield page
            links = page.get(f"{collection}_links", [])
            path = links[0]["href"].removeprefix(self.url("osapi_compute")) if links else ""

    def openstack(self, *words: str, user: str = "demo", check: bool = True) -> Any:
        """Run a command of the unmodified openstack client and return its JSON output."""
        client = self.client(user)
        return client.run(*words) if check else client.ask(*words).found

    def client(self, user: str) -> Client:
        """Return the openstack client of a user, which is kept running until the cloud stops."""
        if user not in self._clients:
            self._clients[user] = Client(self.environment(user))
        return self._clients[user]

    def run(self, *argv: str, user: str = "demo", check: bool = True) -> str:
        """Run a client's program as a user, and return what it printed."""
        done = concurrency.blocking(
            subprocess.run,
            argv,
            cwd=TOP,
            env=self.environment(user),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return str(done.stdout)

    def environment(self, user: str) -> dict[str, str]:
        """Return the environment in which clients' programs are a user's."""
        return {
            **os.environ,
            "OS_AUTH_URL": self.url("identity", "/v3"),
            "OS_USERNAME": user,
            "OS_PASSWORD": f"{user}-secret",
            "OS_PROJECT_NAME": user,
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def image(self) -> str:
        """Return the id of an image that instances boot from."""
        if not self.image_id:
            body = {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
            made = self.ask("POST", "/v2/images", body, user="admin", api="image")
            assert made.status_code == 201, made.text
            image_id = made.json()["id"]
            stored = requests.put(
                self.url("image", f"/v2/images/{image_id}/file"), data=b"tiny disk" * 100, timeout=20,
                headers={"X-Auth-Token": self.token("admin"), "Content-Type": "application/octet-stream"},
            )  # fmt: skip
            assert stored.status_code == 204, stored.text
            self.image_id = image_id
        return self.image_id

    def boot(self, name: str = "vm", hints: Any = None, **fields: Any) -> str:
        """Boot an instance and return its id once it is settled."""
        body = {"name": name, "flavorRef": "6", "imageRef": self.image(), "networks": "auto"} | fields
        more = {"os:scheduler_hints": hints} if hints else {}
        answer = self.ask("POST", "/v2.1/servers", {"server": body} | more)
        assert answer.status_code == 202, answer.text
        self.settle()
        return str(answer.json()["server"]["id"])

    def show(self, server_id: str, **options: Any) -> dict[str, Any]:
        """Return a server as the compute API shows it."""
        answer = self.ask("GET", f"/v2.1/servers/{server_id}", **options)
        assert answer.status_code == 200, answer.text
        server: dict[str, Any] = answer.json()["server"]
        return server

    def act(self, server_id: str, body: Any, **options: Any) -> requests.Response:
        """Ask for an action and wait until it is settled."""
        answer = self.ask("POST", f"/v2.1/servers/{server_id}/action", body, **options)
        self.settle()
        return answer

    def delete_all(self) -> None:
        """Delete every server and wait until they are gone."""
        for query in ("all_tenants=1", "all_tenants=1&status=SOFT_DELETED"):
            for server in self.ask("GET", f"/v2.1/servers?{query}", user="admin").json()["servers"]:
                self.ask("DELETE", f"/v2.1/servers/{server['id']}", user="admin")
        self.settle()

    def settle(self) -> None:
        """Wait until no action and no import is open; raises what a daemon did not expect."""
        deadline = time.monotonic() + _PATIENCE
        while unfinished := self.database.read("settle", _unfinished):
            assert time.monotonic() < deadline, f"still open: {unfinished}"
            time.sleep(0.01)
        assert not self._alarms.records, self._alarms.records

    def leaks(self) -> list[str]:
        """Return what is left that no living instance accounts for."""
        found = [f"{one.kind} {one.name}: {one.sentence}" for one in Audit(self.database).discrepancies()]
        found += [f"{one.kind} {one.name}: {one.sentence}" for one in self.reconciler(self.beside).findings()]
        unfinished = self.database.read("leaks", actions.open_actions)
        return found + [
            f"action {one.id} is {one.state}" for one in unfinished if one.state != ActionState.DONE
        ]


    def reconciler(self, base: Base) -> Reconciler:
        """Return what compares a compute host, as its files are now, with the database."""
        host = wiring.compute_host(base)
        host.driver.start()
        return Reconciler(host)


@contextlib.contextmanager
def running(folder: Path, database_url: str, *flags: str) -> Iterator[Cloud]:
    """Run a cloud for a while."""
    cloud = Cloud(folder, database_url, *flags)
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.stop()


def wait_for(condition: Callable[[], object], patience: float = _PATIENCE, pause: float = 0.01) -> bool:
    """Ask again and again until ``condition`` holds; False when it does not in ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def _unfinished(session: Session) -> list[Any]:
    return [*actions.open_actions(session), *image_tasks.unfinished(session)]
