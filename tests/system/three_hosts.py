"""Three hosts of a cloud and a client outside, as network namespaces on switches; the daemons are real processes.

Each host has ``eth0`` to the others for the daemons' talk, ``eth1`` for the guests' traffic and ``eth2`` to the
world. The broker and the database are at one more address of the first switch.
"""

import concurrent.futures
import contextlib
import dataclasses
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import requests

from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.identity import Actor, NewProject, NewUser, Scope, ScopeKind
from nova_lite.db import migration
from tests.cloud import wait_for
from tests.system.cloud_guest import Guest
from tests.system.cloud_host import LINKS, Host, Machines, address, three_namespaces
from tools.deployment import Daemon
from tools.services import Broker, MariaDB
from tools.services.namespaces import Namespace, namespaces

SERVERS = "10.99.0.1"
OUTSIDE = "198.51.100.200"
POOL = "198.51.100.32/30"
DRIVER = "tests.system.namespace_driver.NamespaceDriver"
FRONT = 9
"""The number of the machine that only has nova-api and nova-scheduler."""
SWITCHES = dict(zip(LINKS, ("swmg", "swvm", "swpub"), strict=True))
_REDIRECT = """table ip operator {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr 169.254.169.254 tcp dport 80 redirect to :8775
  }
}
"""
"""What an operator who makes bridges by hand has the gateway do for the metadata service."""


Servers = tuple[Namespace, Broker, MariaDB]
"""What clouds share: the namespace that is their switch, the broker and the database."""


@dataclasses.dataclass(frozen=True)
class Mode:
    """A way of networking: the manager, further flags, and on which hosts nova-network runs.

    ``by_hand``: bridges, the gateway and the way to the metadata service are the operator's own. ``networks`` are
    the words of ``nova-manage network create``. ``machines`` makes what the cloud runs on, given the folder of the
    cloud and the switch. ``look`` sees more of two guests of different projects, and ``damage`` removes what the
    daemons have to make again.
    """

    manager: str
    flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    network_hosts: Sequence[int] = (1,)
    multi_host: bool = False
    by_hand: bool = False
    networks: Sequence[str] = ("--fixed_range_v4", "10.0.0.0/24")
    machines: Callable[[Path, Namespace], AbstractContextManager[Machines]] = three_namespaces
    look: "Callable[[ThreeHosts, Guest, Guest], None]" = lambda _site, _a, _c: None
    damage: "Callable[[ThreeHosts], None]" = lambda _site: None


class ThreeHosts:
    """The cloud, its hosts and who is outside."""

    def __init__(
        self, folder: Path, mode: Mode, machines: Machines, outside: Namespace, servers: Servers
    ) -> None:
        self.folder = folder
        self.mode = mode
        self.outside = outside
        self.switch, broker, database = servers
        self._slowness = machines.hosts[0].slowness
        self._answer_seconds = machines.hosts[0].answer_seconds
        with self.switch.entered():
            sql = database.create_database()
        flags: dict[str, Any] = {
            "sql_connection": sql, "transport_url": broker.url, "compute_driver": DRIVER,
            "network_manager": mode.manager, "network_host": "h1", "flat_interface": "eth1",
            "public_interface": "eth2", "fixed_range": "10.0.0.0/16", "images_path": folder / "images",
            "secret_key_file": folder / "secret.key", "password_hash_rounds": 4, "report_interval": 2,
            "action_sweep_interval": 1, "periodic_interval": 3, "fake_memory_mb": 65536, "fake_vcpus": 64,
            "dhcpbridge": machines.dhcpbridge, **mode.flags,
        }  # fmt: skip
        if not mode.multi_host:
            flags["metadata_host"] = address(FRONT if machines.front else 1)
        self._wire(machines)
        self.hosts = [
            machines.kind(folder, space, number, flags) for number, space in enumerate(machines.hosts, 1)
        ]
        self.front = Host(folder, machines.front, FRONT, flags) if machines.front else self.hosts[0]
        self._tokens: dict[str, str] = {}
        self.image = ""

    def _wire(self, machines: Machines) -> None:
        self.switch.run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0", check=False)
        for switch in SWITCHES.values():
            self.switch.run("ip", "link", "add", switch, "type", "bridge")
            self.switch.run("ip", "link", "set", switch, "up")
        self.switch.run("ip", "addr", "add", f"{SERVERS}/24", "dev", "swmg")
        for number, host in enumerate(machines.hosts, 1):
            self._join(host, number)
        if machines.front is not None:
            self._join(machines.front, FRONT)
            # Guests ask for their metadata with their own addresses.
            machines.front.run("ip", "route", "add", "10.0.0.0/16", "via", address(1))
        if self.mode.by_hand:
            gateway = machines.hosts[0]
            gateway.run("ip", "addr", "add", "10.0.0.1/24", "dev", "br100")
            gateway.run("nft", "-f", "-", stdin=_REDIRECT)
        self.outside.link_to(self.switch, "eth0", "outside")
        self.switch.run("ip", "link", "set", "outside", "master", "swpub")
        self.outside.run("ip", "addr", "add", f"{OUTSIDE}/24", "dev", "eth0")

    def _join(self, host: Namespace, number: int) -> None:
        """Join a host to the switches, and give it its addresses."""
        for link, switch in SWITCHES.items():
            host.link_to(self.switch, link, f"h{number}-{link}")
            self.switch.run("ip", "link", "set", f"h{number}-{link}", "master", switch)
        host.run("ip", "addr", "add", f"{address(number)}/24", "dev", "eth0")
        host.run("ip", "addr", "add", f"198.51.100.1{number}/24", "dev", "eth2")
        if self.mode.by_hand:
            host.run("ip", "link", "add", "br100", "type", "bridge")
            host.run("ip", "link", "set", "eth1", "master", "br100")
            host.run("ip", "link", "set", "br100", "up")

    def wait_for(self, condition: Callable[[], object]) -> bool:
        """Ask again and again until ``condition`` holds; False when it does not in time."""
        return wait_for(condition, 30.0 * self._slowness, 0.01 * self._slowness)

    def start(self) -> None:
        """Make the database, and start every daemon."""
        with self.switch.entered():
            self._prepare()
        metadata = ["nova-api"] if self.mode.multi_host else []
        for number, host in enumerate(self.hosts, 1):
            host.add(*(["nova-network"] if number in self.mode.network_hosts else []), "nova-compute")
        self.front.add("nova-scheduler", "nova-api")
        for host in self.hosts[1:]:
            host.add(*metadata)
            with host.flag_file.open("a") as flags:
                flags.write("--enabled_apis=metadata\n")
        at_once(lambda daemon: daemon.start(), self._all())
        self.image = self._upload()

    def stop(self) -> None:
        """Stop every daemon."""
        at_once(Daemon.stop, self._all())

    def end_guests(self) -> None:
        """End the guests that a test that failed has left."""
        for host in self.hosts:
            host.end_guests()

    def _all(self) -> list[Daemon]:
        """Return all daemons; a host may be the front as well."""
        return [daemon for host in {*self.hosts, self.front} for daemon in host.daemons.values()]

    def of(self, *names: str) -> list[Daemon]:
        """Return the daemons of these names on all hosts."""
        return [host.daemons[name] for host in self.hosts for name in names if name in host.daemons]

    def _prepare(self) -> None:
        conf = load([f"--flagfile={self.front.flag_file}"], prog="nova-manage")
        with wiring.desk(conf) as (database, cloud):
            migration.upgrade(database)
            cloud.identity.bootstrap()
            cloud.flavors.bootstrap()
            context = system_context()
            role = cloud.identity.find_role("admin")
            for name in ("red", "blue"):
                project = cloud.identity.create_project(context, NewProject(name))
                user = cloud.identity.create_user(context, NewUser(name, name))
                scope = Scope(ScopeKind.PROJECT, project.id)
                cloud.identity.grant_role(context, Actor(user.id), role.id, scope)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "red",
        version: str = "2.96",
        api: str = "osapi_compute",
        **more: Any,
    ) -> requests.Response:
        """Send a request as a user."""
        headers = {"OpenStack-API-Version": f"compute {version}"} | more.pop("headers", {})
        if user:
            headers["X-Auth-Token"] = self._token(user)
        port = load([f"--flagfile={self.front.flag_file}"], prog="nova-api")[f"{api}_listen_port"]
        with self.switch.entered():
            return requests.request(
                method, f"http://{self.front.address}:{port}{path}", json=body, headers=headers,
                timeout=30 * self._slowness, **more,
            )  # fmt: skip

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            domain = {"id": "default"}
            secret = {"user": {"name": user, "domain": domain, "password": user}}
            scope = {"project": {"name": user, "domain": domain}}
            body = {"auth": {"identity": {"methods": ["password"], "password": secret}, "scope": scope}}
            answer = self.ask("POST", "/v3/auth/tokens", body, user="", api="identity")
            self._tokens[user] = answer.headers["X-Subject-Token"]
        return self._tokens[user]

    def _upload(self) -> str:
        body = {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        image_id = self.ask("POST", "/v2/images", body, api="image").json()["id"]
        kind = {"Content-Type": "application/octet-stream"}
        stored = self.ask("PUT", f"/v2/images/{image_id}/file", api="image", data=b"tiny", headers=kind)
        assert stored.status_code == 204, stored.text
        return str(image_id)

    def boot(self, wanted: Mapping[str, tuple[str, int]], **fields: Any) -> dict[str, Guest]:
        """Boot servers by name, each as (user, host), and return their insides once all are active."""
        ids = {}
        for name, (user, host) in wanted.items():
            server = {"name": name, "flavorRef": "6", "imageRef": self.image, "networks": "auto", **fields}
            server["availability_zone"] = f"nova:h{host}"
            answer = self.ask("POST", "/v2.1/servers", {"server": server}, user=user)
            assert answer.status_code == 202, answer.text
            ids[name] = answer.json()["server"]["id"]
        return {name: self._inside(name, server_id, wanted[name][0]) for name, server_id in ids.items()}

    def show(self, server_id: str, user: str = "red") -> dict[str, Any]:
        """Return a server as the compute API shows it."""
        found: dict[str, Any] = self.ask("GET", f"/v2.1/servers/{server_id}", user=user).json()["server"]
        return found

    def _inside(self, name: str, server_id: str, user: str) -> Guest:
        assert self.wait_for(lambda: self.show(server_id, user)["status"] != "BUILD")
        server = self.show(server_id, user)
        assert server["status"] == "ACTIVE", server
        host = next(host for host in self.hosts if host.name == server["OS-EXT-SRV-ATTR:host"])
        folder, called = host.folder / "instances", server["OS-EXT-SRV-ATTR:instance_name"]
        [file] = folder.rglob(f"{called}.pid")
        space = host.space.of_process(int(file.read_text()))
        return Guest(server_id, name, space, folder / called / "disk.config")

    def delete_all(self) -> None:
        """Delete every server and wait until they are gone."""
        for server in self.ask("GET", "/v2.1/servers?all_tenants=1").json()["servers"]:
            self.ask("DELETE", f"/v2.1/servers/{server['id']}")
        assert self.wait_for(lambda: not self.ask("GET", "/v2.1/servers?all_tenants=1").json()["servers"])

    def own(self, host: Host) -> dict[str, str]:
        """Return what the operator gave a host by hand, as ``Host.rest`` tells of it."""
        if not self.mode.by_hand:
            return {}
        if host is not self.hosts[0]:
            return {"links": "br100"}
        return {"links": "br100", "rules": "table ip operator"}

    def doctor(self) -> list[str]:
        """Return what nova-manage doctor finds amiss on any host, after what is under way."""
        words = ("doctor", "--dry_run", f"--wait={10 * self._slowness}")
        with concurrent.futures.ThreadPoolExecutor(len(self.hosts)) as pool:
            found = list(pool.map(lambda host: host.manage(*words), self.hosts))
        return [text for text in found if "Nothing is amiss." not in text]

    def who_answers(self, address: str) -> str:
        """Return the name that a server says to who connects from outside, empty where none answers."""
        with (
            contextlib.suppress(OSError),
            self.outside.entered(),
            socket.create_connection((address, 80), timeout=self._answer_seconds) as connection,
        ):
            return connection.recv(100).decode().strip()
        return ""

    @contextlib.contextmanager
    def connection(self, start: Namespace, address: str) -> Iterator[socket.socket]:
        """Give a connection to a server that says again what it is told."""
        with start.entered():
            connection = socket.create_connection((address, 7), timeout=5 * self._slowness)
        with connection:
            yield connection


def at_once(act: Callable[[Daemon], None], daemons: Sequence[Daemon]) -> None:
    """Do the same with all daemons at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(daemons) or 1) as pool:
        list(pool.map(act, daemons))


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Run a broker and a database in a namespace that is to be the switch of clouds, one after the other."""
    with namespaces(["sw"]) as [switch]:
        switch.run("ip", "addr", "add", f"{SERVERS}/32", "dev", "lo")
        broker, database = Broker(folder / "rabbitmq", SERVERS), MariaDB(folder / "mariadb", SERVERS)

        def start(server: Broker | MariaDB) -> None:
            with switch.entered():
                server.start()

        try:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                list(pool.map(start, (broker, database)))
            yield switch, broker, database
        finally:
            broker.stop()
            database.stop()


@contextlib.contextmanager
def three_hosts(folder: Path, mode: Mode, servers: Servers) -> Iterator[ThreeHosts]:
    """Run a cloud on three hosts for a while."""
    switch = servers[0]
    with contextlib.ExitStack() as stack:
        stack.callback(_clear, switch)
        machines = stack.enter_context(mode.machines(folder, switch))
        [outside] = stack.enter_context(namespaces(["out"]))
        site = ThreeHosts(folder, mode, machines, outside, servers)
        stack.callback(site.end_guests)
        stack.callback(site.stop)
        site.start()
        yield site


def _clear(switch: Namespace) -> None:
    """Remove all links of the switch, and so those of the hosts to it."""
    for line in switch.run("ip", "-br", "link").splitlines():
        name = line.split()[0].partition("@")[0]
        if name != "lo":
            switch.run("ip", "link", "del", name, check=False)
