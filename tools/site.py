"""A cloud over several hosts on this machine: each is a network namespace, with a libvirtd of its own.

One namespace has the front doors, the scheduler, the network host, the broker and the database; each of the
others is a compute host with its own view of the machine's folders. Two switches join them: eth0 is for the
cloud itself, eth1 for its guests.
"""

import concurrent.futures
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import sqlalchemy

from tools.client import Client, ClientError
from tools.cloud.accounts import prepare
from tools.cloud.settings import PAGES, TOP, Settings
from tools.deployment import Daemon
from tools.guest_image.build import build
from tools.services import Broker, Libvirtd, MariaDB
from tools.services.libvirtd import Host
from tools.services.namespaces import Namespace, namespaces
from tools.services.process import Service, listens

BIN = Path(sys.executable).parent
HEAD = ("nova-network", "nova-scheduler", "nova-api", "nova-novncproxy", "nova-serialproxy")
"""The daemons of the first host."""
_NETWORK = "10.99.0"
_SWITCHES = {"eth0": "cloud", "eth1": "guests"}
_SENT = re.compile(r"^Data processed: +[1-9]", re.MULTILINE)
_ROUNDS = re.compile(r"^Iteration: +([0-9]+)", re.MULTILINE)
_SSH = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")


class ComputeHost:
    """One compute host: its libvirtd and its nova-compute."""

    def __init__(self, site: "Site", name: str, namespace: Namespace, address: str) -> None:
        self.name = name
        self.address = address
        self.namespace = namespace
        self._site = site
        self.instances = site.folder / name / "instances"
        self.instances.mkdir(parents=True)
        binds = {site.instances: self.instances, Path("/etc/hosts"): site.names}
        self.libvirtd = Libvirtd(site.folder / name / "libvirt", Host(namespace.name, name, binds))
        self._daemon: Daemon | None = None

    def start(self) -> None:
        """Start libvirtd."""
        self.namespace.run("ip", "link", "add", "br100", "type", "bridge", "forward_delay", "0")
        self.namespace.run("ip", "link", "set", "eth1", "master", "br100")
        self.namespace.run("ip", "link", "set", "br100", "up")
        self.libvirtd.start()

    def start_compute(self, **flags: object) -> None:
        """Start nova-compute, with flags of its own."""
        runs = len(list(self._site.folder.glob(f"{self.name}-compute*")))
        file = self._site.write_flags(self.name, self.address, {"vncserver_listen": "0.0.0.0", **flags})
        self._daemon = Daemon(
            self._site.folder / f"{self.name}-compute{runs}", "nova-compute", file, self._command
        )
        self._daemon.start()

    def kill_compute(self) -> None:
        """Kill nova-compute."""
        if self._daemon is not None:
            self._daemon.kill()

    def run(self, *argv: str) -> str:
        """Run a program where this host's daemons run; returns what it printed."""
        done = subprocess.run([*self.libvirtd.inside(), *argv], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    def taps(self) -> list[str]:
        """Return the names of the links by which guests are in the network."""
        links = self.namespace.run("ip", "-o", "link", "show", "master", "br100").splitlines()
        return [name for line in links if (name := re.split("[:@ ]+", line)[1]) != "eth1"]

    def rounds(self, name: str) -> int:
        """Return how often a guest's memory has been gone through to send it to another host."""
        found = _ROUNDS.search(self.virsh("domjobinfo", name))
        return int(found[1]) if found else 0

    def revive(self, **flags: object) -> None:
        """Start again what ``die`` ended."""
        self.libvirtd.start()
        self.start_compute(**flags)

    def sends(self) -> bool:
        """Tell whether something of a guest has been sent to another host, which has agreed to take it by then."""
        with contextlib.suppress(ClientError):
            return any(_SENT.search(self.virsh("domjobinfo", name)) for name in self.guests())
        return False

    def die(self) -> None:
        """End everything on the host, its guests too, before anything there can see it."""
        self.kill_compute()
        for pid in self.namespace.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.libvirtd.kill()

    def guest_pids(self) -> list[int]:
        """Return the processes of the guests."""
        found = []
        for pid in self.namespace.pids():
            with contextlib.suppress(OSError):
                if (Path("/proc") / str(pid) / "comm").read_text().startswith("qemu"):
                    found.append(pid)
        return found

    def virsh(self, *words: str, timeout: float = 120) -> str:
        """Run virsh on this host's guests; returns what it printed. Raises ClientError."""
        argv = [*self.libvirtd.inside(), "virsh", "-q", "-c", "qemu:///system", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise ClientError(done.stdout + done.stderr)
        return done.stdout

    def guests(self) -> list[str]:
        """Return the names of all guests that libvirt knows."""
        return self.virsh("list", "--all", "--name").split()

    def files(self, folder: Path | None = None) -> list[str]:
        """Return the names of the guests' folders."""
        return sorted(path.name for path in (folder or self.instances).glob("instance-*"))

    def doctor(self) -> str:
        """Let nova-manage look for what is amiss on this host."""
        file = self._site.folder / f"{self.name}.conf"
        argv = [*self.libvirtd.inside(), str(BIN / "nova-manage"), f"--flagfile={file}", "doctor"]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False).stdout.strip()

    def log(self) -> str:
        """Return what nova-compute has logged."""
        assert self._daemon is not None
        return (self._daemon.folder / "output").read_text()

    def _command(self, name: str) -> list[str]:
        return [*self.libvirtd.inside(), str(BIN / name)]


class Site:
    """The hosts together; ``client`` runs the unmodified openstack client among them."""

    def __init__(
        self, folder: Path, flags: Mapping[str, object] = MappingProxyType({}), count: int = 2
    ) -> None:
        self.folder = folder
        self.instances = folder / "instances"
        self.instances.mkdir(parents=True)
        self.settings = Settings(folder, "libvirt", distributed=True)
        self._flags = dict(flags)
        self._names = [f"hv{number}" for number in range(1, count + 1)]
        self._stack = contextlib.ExitStack()
        self._head: list[Daemon] = []
        self._clients: dict[str, Client] = {}
        self._sql = self._bus = ""
        self.hosts: list[ComputeHost] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end_daemons()
        self._stack.close()

    @property
    def names(self) -> Path:
        """The file of the hosts' names and addresses, in the place of /etc/hosts."""
        return self.folder / "names"

    def _start(self) -> None:
        self.switch, self.head, *others = self._stack.enter_context(
            namespaces(["switch", "head", *self._names])
        )
        addresses = {name: f"{_NETWORK}.{number}" for number, name in enumerate(["head", *self._names], 1)}
        self.names.write_text(
            "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in addresses.items())
        )
        for switch in _SWITCHES.values():
            self.switch.run("ip", "link", "add", switch, "type", "bridge", "forward_delay", "0")
            self.switch.run("ip", "link", "set", switch, "up")
        for namespace, (name, address) in zip([self.head, *others], addresses.items(), strict=True):
            self._plug(namespace, name, address)
        broker = Broker(self.folder / "rabbitmq", addresses["head"])
        self._stack.callback(broker.stop)
        self._stack.callback(broker.kill)
        self._bus = broker.url
        with concurrent.futures.ThreadPoolExecutor(1) as pool, self.head.entered():
            broker_starts = pool.submit(self._start_in_head, broker)
            self._sql = self._start_database()
            head = self.write_flags("head", addresses["head"], {"flat_interface": "eth1"})
            self.settings.flag_file.write_text(head.read_text())
            prepare(self.settings)
            broker_starts.result()
        for name, namespace in zip(self._names, others, strict=True):
            host = ComputeHost(self, name, namespace, addresses[name])
            self.hosts.append(host)
            self._stack.callback(host.libvirtd.stop)
            host.start()
        self._head = [
            Daemon(self.folder / "head", name, head, lambda name: [*self.inside(), str(BIN / name)])
            for name in HEAD
        ]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            starts = [pool.submit(daemon.start) for daemon in self._head]
            starts += [pool.submit(host.start_compute) for host in self.hosts]
            for started in starts:
                started.result()

    def _plug(self, namespace: Namespace, name: str, address: str) -> None:
        for link, switch in _SWITCHES.items():
            namespace.link_to(self.switch, link, f"{name}-{link}")
            self.switch.run("ip", "link", "set", f"{name}-{link}", "master", switch)
        namespace.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")

    def _start_database(self) -> str:
        database = self._stack.enter_context(MariaDB(self.folder / "mariadb"))
        self._stack.callback(database.kill)
        database.create_database("nova")
        return database.socket_url("nova")

    def _start_in_head(self, service: Service) -> None:
        with self.head.entered():
            service.start()

    def _end_daemons(self) -> None:
        """Kill the daemons: nothing of what they would leave in order outlives the site."""
        for host in self.hosts:
            host.kill_compute()
        for daemon in self._head:
            daemon.kill()
        for host in self.hosts:
            with contextlib.suppress(ClientError):
                for name in host.guests():
                    with contextlib.suppress(ClientError):
                        host.virsh("destroy", name)

    def write_flags(self, name: str, address: str, flags: Mapping[str, object]) -> Path:
        """Write the flag file of a host."""
        values: dict[str, object] = {
            "host": name,
            "my_ip": address,
            "state_path": self.folder / "state",
            "instances_path": self.instances,
            "images_path": self.folder / "images",
            "networks_path": self.folder / "networks",
            "sql_connection": self._sql,
            "transport_url": self._bus,
            "network_host": "head",
            "metadata_host": f"{_NETWORK}.1",
            "compute_driver": "libvirt",
            "libvirt_type": "qemu",
            "network_driver": "linux",
            "firewall_driver": "nftables",
            "api_paste_config": TOP / "etc/nova_lite/api-paste.ini",
            "reserved_host_memory_mb": 0,
            "report_interval": 2,
            "action_sweep_interval": 2,
            "vnc_enabled": True,
            "serial_console_enabled": True,
            "serial_console_listen": "0.0.0.0",
            "serialproxy_base_url": "ws://127.0.0.1:6083/",
            "novncproxy_web": PAGES,
            "password_hash_rounds": 4,
            **self._flags,
            **flags,
        }
        file = self.folder / f"{name}.conf"
        file.write_text("".join(f"--{flag}={value}\n" for flag, value in values.items()))
        return file

    def inside(self) -> list[str]:
        """Return the words before a program that let it run on the first host."""
        return ["/usr/sbin/ip", "netns", "exec", self.head.name]

    def environment(self, user: str = "demo") -> dict[str, str]:
        """Return the environment in which clients' programs are a user's."""
        lines = (self.folder / ("openrc" if user == "demo" else f"openrc-{user}")).read_text().splitlines()
        return {**os.environ, **dict(line.removeprefix("export ").split("=", 1) for line in lines)}

    def run(self, *argv: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a program on the first host."""
        return subprocess.run(
            [*self.inside(), *argv], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    def client(self, *words: str, user: str = "demo") -> Any:
        """Run a command of the openstack client; returns its JSON, or its text. Raises ClientError."""
        if user not in self._clients:
            self._clients[user] = self._stack.enter_context(Client(self.environment(user), self.inside()))
        return self._clients[user].run(*words)

    def server(self, server_id: str) -> dict[str, Any]:
        """Return a server as its admin sees it."""
        found: dict[str, Any] = self.client("server", "show", server_id, "-f", "json", user="admin")
        return found

    def upload_image(self, *properties: str) -> Path:
        """Give the cloud the guest image, and a key to log in with; returns the key."""
        image = build(TOP / "var" / "cache")
        options = ["--disk-format", "qcow2", "--container-format", "bare", "--file", str(image), "--public"]
        options += [word for one in properties for word in ("--property", one)]
        self.client("image", "create", *options, "small", user="admin")
        key = self.folder / "key"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "key", "-f", str(key)], check=True
        )
        self.client("keypair", "create", "--public-key", f"{key}.pub", "key")
        for protocol in (["--protocol", "icmp"], ["--protocol", "tcp", "--dst-port", "22"]):
            self.client("security", "group", "rule", "create", *protocol, "default")
        return key

    def ssh(self, address: str, words: str, user: str = "guest") -> str:
        """Run a command in the guest at an address; empty while it does not answer."""
        with self.head.entered():
            # To ask whether it listens costs less than to have ssh find out, which guests that boot want the time of.
            if not eventually(lambda: listens(22, address), 3):
                return ""
        login = ["-i", str(self.folder / "key"), *_SSH, "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
        return self.run("ssh", *login, f"{user}@{address}", words, timeout=60).stdout.strip()

    def sql(self, statement: str) -> None:
        """Change the database behind the cloud's back."""
        engine = sqlalchemy.create_engine(self._sql)
        with engine.begin() as connection:
            assert connection.execute(sqlalchemy.text(statement)).rowcount == 1
        engine.dispose()

    def manage(self, *words: str) -> str:
        """Run nova-manage on the first host; returns what it printed. Raises ClientError."""
        done = self.run(str(BIN / "nova-manage"), f"--flagfile={self.folder / 'head.conf'}", *words)
        if done.returncode != 0:
            raise ClientError(done.stdout + done.stderr)
        return done.stdout


def eventually(check: Callable[[], object], seconds: float = 120) -> bool:
    """Ask again and again until ``check`` holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
