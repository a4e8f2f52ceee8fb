"""Three hosts of a cloud and a client outside, as network namespaces on switches; the daemons are real processes.

Each host has ``eth0`` to the others for the daemons' talk, ``eth1`` for the guests' traffic and ``eth2`` to the
world. The broker and the database are at one more address of the first switch.
"""

import concurrent.futures
import contextlib
import dataclasses
import io
import ipaddress
import json
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import requests

from nova_lite.cmd import manage, wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.identity import Actor, NewProject, NewUser, Scope, ScopeKind
from nova_lite.db import migration
from tests.cloud import wait_for
from tests.system.config_drives import files_of
from tests.system.namespace_driver import end_guest
from tools.cloud.cleaning import clean_host
from tools.deployment import Daemon
from tools.services import Broker, MariaDB
from tools.services.namespaces import Namespace, NamespaceOfProcess, busybox, namespaces

ROOT = Path(__file__).parents[2]
SERVERS = "10.99.0.1"
OUTSIDE = "198.51.100.200"
POOL = "198.51.100.32/30"
DRIVER = "tests.system.namespace_driver.NamespaceDriver"
SWITCHES = {"eth0": "swmg", "eth1": "swvm", "eth2": "swpub"}
_REDIRECT = """table ip operator {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr 169.254.169.254 tcp dport 80 redirect to :8775
  }
}
"""
"""What an operator who makes bridges by hand has the gateway do for the metadata service."""
SCRIPT = Path(__file__).with_name("udhcpc.script")


class Guest:
    """The inside of a server: the namespace that its process is in."""

    def __init__(self, server_id: str, name: str, space: Namespace, drive: Path) -> None:
        self.server_id = server_id
        self.name = name
        self.space = space
        self._drive = drive

    def dhcp(self) -> str:
        """Ask for the address of the first interface as a guest does, and return it."""
        program = [busybox(), "udhcpc", "-i", "eth0", "-n", "-q", "-t", "10", "-T", "1", "-s", str(SCRIPT)]
        self.space.run(*program)
        return self.address()

    def configure(self) -> str:
        """Take the address that the config drive tells, and return it."""
        told = json.loads(files_of(self._drive)["openstack/latest/network_data.json"])
        [network] = told["networks"]
        prefix = ipaddress.ip_network(f"0.0.0.0/{network['netmask']}").prefixlen
        self.space.run("ip", "addr", "replace", f"{network['ip_address']}/{prefix}", "dev", "eth0")
        for route in network["routes"]:
            self.space.run("ip", "route", "replace", "default", "via", route["gateway"])
        return self.address()

    def address(self) -> str:
        """Return the first interface's address."""
        printed = self.space.run("ip", "-4", "-o", "addr", "show", "eth0")
        return printed.split()[3].partition("/")[0] if printed else ""

    def serve(self) -> None:
        """Answer who connects to port 80 with the guest's name, and what comes to port 7 with the same."""
        self.space.start(busybox(), "nc", "-ll", "-p", "80", "-e", "/bin/echo", self.name)
        self.space.start(busybox(), "nc", "-ll", "-p", "7", "-e", "/bin/cat")
        with self.space.entered():
            assert wait_for(lambda: _listens("127.0.0.1", 80) and _listens("127.0.0.1", 7))

    def reaches(self, address: str) -> bool:
        """Tell whether the guest gets an answer to a ping."""
        return self.space.succeeds("ping", "-c", "1", "-W", "1", address)

    def lookup(self, name: str) -> str:
        """Ask the way out of the network, which is the DHCP server, for the address of a name."""
        gateway = self.space.run("ip", "route", "show", "default").split()[2]
        return self.space.run(busybox(), "nslookup", name, gateway, check=False)

    def metadata(self, path: str) -> str:
        """Return what the metadata service tells the guest."""
        return self.space.run(
            busybox(), "timeout", "5", busybox(), "wget", "-q", "-O", "-", f"http://169.254.169.254/{path}"
        )


class Host:
    """One host with its daemons."""

    def __init__(self, site: "ThreeHosts", space: Namespace, number: int, flags: Mapping[str, Any]) -> None:
        self.name = f"h{number}"
        self.space = space
        self.address = f"10.99.0.1{number}"
        self.public = f"198.51.100.1{number}"
        self.folder = site.folder / self.name
        self.folder.mkdir()
        own = {
            "host": self.name, "my_ip": self.address, "state_path": self.folder,
            "instances_path": self.folder / "instances", "metadata_host": site.metadata_host(self.address),
            "routing_source_ip": self.public,
        }  # fmt: skip
        self.flags = {**flags, **own}
        self.flag_file = self.folder / "nova.conf"
        self.flag_file.write_text("".join(f"--{name}={value}\n" for name, value in self.flags.items()))
        self.daemons: dict[str, Daemon] = {}

    def add(self, *names: str) -> None:
        """Have daemons on this host; they do not run yet."""
        for name in names:
            self.daemons[name] = Daemon(self.folder, name, self.flag_file, self._words)

    def _words(self, name: str) -> list[str]:
        ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin") or "ip"
        program = str(Path(sys.executable).parent / name)
        return [ip, *self.space.inside[1:], "env", f"PYTHONPATH={ROOT}", program]

    def manage(self, *words: str) -> str:
        """Run nova-manage here; returns what it printed."""
        printed = io.StringIO()
        argv = ["nova-manage", f"--flagfile={self.flag_file}", *words]
        with (
            self.space.entered(),
            mock.patch.object(sys, "argv", argv),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            manage.main()
        return printed.getvalue()

    def clean(self) -> None:
        """Remove what the cloud made of the host, as ``make stop`` does."""
        with self.space.entered():
            clean_host(self.flag_file)

    def rest(self) -> dict[str, str]:
        """Return what there is of rules, links, addresses and processes that the host had not by itself."""
        links = self.space.run("ip", "-br", "link").split("\n")
        names = {line.split()[0].partition("@")[0] for line in links if line} - {"lo", *SWITCHES}
        addresses = self.space.run("ip", "-br", "-4", "addr", "show", "eth2").split()[2:]
        addresses += self.space.run("ip", "-br", "-4", "addr", "show", "lo").split()[2:]
        found = {
            "links": " ".join(sorted(names)),
            "rules": self.space.run("nft", "list", "tables"),
            "addresses": " ".join(
                one for one in addresses if one not in (f"{self.public}/24", "127.0.0.1/8")
            ),
            "processes": " ".join(str(pid) for pid in self.space.pids()),
        }
        return {kind: text.strip() for kind, text in found.items() if text.strip()}


@dataclasses.dataclass(frozen=True)
class Mode:
    """A way of networking: the manager, further flags, and on which hosts nova-network runs.

    ``by_hand``: bridges, the gateway and the way to the metadata service are the operator's own. ``networks`` are
    the words of ``nova-manage network create``.
    """

    manager: str
    flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    network_hosts: Sequence[int] = (1,)
    multi_host: bool = False
    by_hand: bool = False
    networks: Sequence[str] = ("--fixed_range_v4", "10.0.0.0/24")


class ThreeHosts:
    """The cloud, its hosts and who is outside."""

    def __init__(
        self, folder: Path, mode: Mode, spaces: Sequence[Namespace], servers: tuple[Broker, MariaDB]
    ) -> None:
        self.folder = folder
        self.mode = mode
        self.switch, self.outside, *hosts = spaces
        broker, database = servers
        with self.switch.entered():
            sql = database.create_database()
        self.flags: dict[str, Any] = {
            "sql_connection": sql, "transport_url": broker.url, "compute_driver": DRIVER,
            "network_manager": mode.manager, "network_host": "h1", "flat_interface": "eth1",
            "public_interface": "eth2", "fixed_range": "10.0.0.0/16", "images_path": folder / "images",
            "secret_key_file": folder / "secret.key", "password_hash_rounds": 4, "report_interval": 2,
            "action_sweep_interval": 1, "periodic_interval": 3, "fake_memory_mb": 65536, "fake_vcpus": 64,
            "dhcpbridge": Path(sys.executable).parent / "nova-dhcpbridge", **mode.flags,
        }  # fmt: skip
        self._wire(hosts)
        self.hosts = [Host(self, space, number, self.flags) for number, space in enumerate(hosts, 1)]
        self._tokens: dict[str, str] = {}
        self.image = ""

    def metadata_host(self, address: str) -> str:
        """Return the address of the metadata service for guests of the host at ``address``."""
        return address if self.mode.multi_host else "10.99.0.11"

    def _wire(self, hosts: Sequence[Namespace]) -> None:
        self.switch.run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0", check=False)
        for switch in SWITCHES.values():
            self.switch.run("ip", "link", "add", switch, "type", "bridge")
            self.switch.run("ip", "link", "set", switch, "up")
        self.switch.run("ip", "addr", "add", f"{SERVERS}/24", "dev", "swmg")
        for number, host in enumerate(hosts, 1):
            for link, switch in SWITCHES.items():
                host.link_to(self.switch, link, f"h{number}-{link}")
                self.switch.run("ip", "link", "set", f"h{number}-{link}", "master", switch)
            host.run("ip", "addr", "add", f"10.99.0.1{number}/24", "dev", "eth0")
            host.run("ip", "addr", "add", f"198.51.100.1{number}/24", "dev", "eth2")
            if self.mode.by_hand:
                host.run("ip", "link", "add", "br100", "type", "bridge")
                host.run("ip", "link", "set", "eth1", "master", "br100")
                host.run("ip", "link", "set", "br100", "up")
        if self.mode.by_hand:
            gateway = hosts[0]
            gateway.run("ip", "addr", "add", "10.0.0.1/24", "dev", "br100")
            gateway.run("nft", "-f", "-", stdin=_REDIRECT)
        self.outside.link_to(self.switch, "eth0", "outside")
        self.switch.run("ip", "link", "set", "outside", "master", "swpub")
        self.outside.run("ip", "addr", "add", f"{OUTSIDE}/24", "dev", "eth0")

    def start(self) -> None:
        """Make the database, and start every daemon."""
        first, *others = self.hosts
        with self.switch.entered():
            self._prepare()
        metadata = ["nova-api"] if self.mode.multi_host else []
        for number, host in enumerate(self.hosts, 1):
            host.add(*(["nova-network"] if number in self.mode.network_hosts else []), "nova-compute")
        first.add("nova-scheduler", "nova-api")
        for host in others:
            host.add(*metadata)
            with host.flag_file.open("a") as flags:
                flags.write("--enabled_apis=metadata\n")
        at_once(Daemon.start, [daemon for host in self.hosts for daemon in host.daemons.values()])
        self.image = self._upload()

    def stop(self) -> None:
        """Stop every daemon."""
        at_once(Daemon.stop, [daemon for host in self.hosts for daemon in host.daemons.values()])

    def end_guests(self) -> None:
        """End the guests that a test that failed has left."""
        for host in self.hosts:
            for file in host.folder.rglob("instance-*.pid"):
                end_guest(int(file.read_text()))

    def of(self, *names: str) -> list[Daemon]:
        """Return the daemons of these names on all hosts."""
        return [host.daemons[name] for host in self.hosts for name in names if name in host.daemons]

    def _prepare(self) -> None:
        conf = load([f"--flagfile={self.hosts[0].flag_file}"], prog="nova-manage")
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
        port = load([f"--flagfile={self.hosts[0].flag_file}"], prog="nova-api")[f"{api}_listen_port"]
        with self.switch.entered():
            return requests.request(
                method, f"http://10.99.0.11:{port}{path}", json=body, headers=headers, timeout=30, **more
            )

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
        assert wait_for(lambda: self.show(server_id, user)["status"] != "BUILD")
        server = self.show(server_id, user)
        assert server["status"] == "ACTIVE", server
        host = next(host for host in self.hosts if host.name == server["OS-EXT-SRV-ATTR:host"])
        folder, called = host.folder / "instances", server["OS-EXT-SRV-ATTR:instance_name"]
        [file] = folder.rglob(f"{called}.pid")
        space = NamespaceOfProcess(int(file.read_text()))
        return Guest(server_id, name, space, folder / called / "disk.config")

    def delete_all(self) -> None:
        """Delete every server and wait until they are gone."""
        for server in self.ask("GET", "/v2.1/servers?all_tenants=1").json()["servers"]:
            self.ask("DELETE", f"/v2.1/servers/{server['id']}")
        assert wait_for(lambda: not self.ask("GET", "/v2.1/servers?all_tenants=1").json()["servers"])

    def own(self, host: Host) -> dict[str, str]:
        """Return what the operator gave a host by hand, as ``Host.rest`` tells of it."""
        if not self.mode.by_hand:
            return {}
        if host is not self.hosts[0]:
            return {"links": "br100"}
        return {"links": "br100", "rules": "table ip operator"}

    def doctor(self) -> list[str]:
        """Return what nova-manage doctor finds amiss on any host, after what is under way."""
        found = [host.manage("doctor", "--dry_run", "--wait=10") for host in self.hosts]
        return [text for text in found if "Nothing is amiss." not in text]

    def who_answers(self, address: str) -> str:
        """Return the name that a server says to who connects from outside, empty where none answers."""
        with (
            contextlib.suppress(OSError),
            self.outside.entered(),
            socket.create_connection((address, 80), timeout=1) as connection,
        ):
            return connection.recv(100).decode().strip()
        return ""

    @contextlib.contextmanager
    def connection(self, start: Namespace, address: str) -> Iterator[socket.socket]:
        """Give a connection to a server that says again what it is told."""
        with start.entered():
            connection = socket.create_connection((address, 7), timeout=5)
        with connection:
            yield connection


def _listens(address: str, port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection((address, port), timeout=5):
        return True
    return False


def at_once(act: Callable[[Daemon], None], daemons: Sequence[Daemon]) -> None:
    """Do the same with all daemons at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(daemons) or 1) as pool:
        list(pool.map(act, daemons))


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[tuple[Namespace, Broker, MariaDB]]:
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
def three_hosts(folder: Path, mode: Mode, running: tuple[Namespace, Broker, MariaDB]) -> Iterator[ThreeHosts]:
    """Run a cloud on three hosts for a while."""
    switch, broker, database = running
    with namespaces(["out", "h1", "h2", "h3"]) as spaces, contextlib.ExitStack() as stack:
        stack.callback(_clear, switch)
        site = ThreeHosts(folder, mode, [switch, *spaces], (broker, database))
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
