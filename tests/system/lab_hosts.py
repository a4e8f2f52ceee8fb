"""Hosts in the kernel lab, whose kernel has VLANs: network namespaces there, joined to the switches of this machine.

nova-network and nova-compute run in the lab; the broker, the database, nova-api and nova-scheduler need no VLAN and
run on this machine, which is not emulated and so much faster.
"""

import contextlib
import json
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.system.cloud_host import LINKS, ROOT, Host, Machines
from tools.deployment import Daemon
from tools.kernel_lab import lab
from tools.services.namespaces import Namespace, namespaces
from tools.services.process import ServiceError

_HERE, _THERE, _PORT = "192.0.2.1", "192.0.2.2", 7000
_TAP = "lab"
_DHCPBRIDGE = Path(__file__).with_name("lab_dhcpbridge.py")
_PATIENCE = 300.0
"""Seconds; an emulated machine is slow, the more so where others use the real one."""
_TO_THE_SWITCHES = tuple(f"h{number}-{link}" for number in (1, 2, 3) for link in LINKS)


class Orders:
    """What the program in the lab is told."""

    def __init__(self, switch: Namespace, running: lab.Lab) -> None:
        self._switch = switch
        self._lab = running

    def run(self, *argv: str, namespace: str = "", stdin: str = "", timeout: float = 60.0) -> dict[str, Any]:
        """Have a program run in a namespace; returns how it ended."""
        order = {"argv": argv, "namespace": namespace, "stdin": stdin}
        with self._given(_PORT, order) as connection:
            connection.settimeout(timeout)
            return _line_of(connection)

    def must(self, *argv: str, **options: Any) -> str:
        """Have a program run that has to end well; returns what it printed."""
        done = self.run(*argv, **options)
        if done["status"] != 0:
            raise AssertionError(f"{argv} in the lab: {done['output']}{done['error']}")
        return str(done["output"])

    def call(self, main: str, *argv: str, namespace: str) -> str:
        """Have a function of ours called in a namespace; returns what it printed."""
        with self._given(_PORT + 1, {"main": main, "argv": argv, "namespace": namespace}) as connection:
            answer = _line_of(connection)
        assert not answer["raised"], answer["raised"]
        return str(answer["output"])

    def begin(self, main: str, *argv: str, namespace: str, output: Path) -> tuple[int, socket.socket]:
        """Have a function of ours be a daemon; returns its process, and a connection that ends with it."""
        order = {"main": main, "argv": argv, "namespace": namespace, "output": str(output)}
        connection = self._given(_PORT + 1, order)
        return _line_of(connection)["pid"], connection

    def _given(self, port: int, order: dict[str, Any]) -> socket.socket:
        """Give an order and return the connection; raises ServiceError where the lab takes none in time."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._switch.entered():
                    connection = socket.create_connection((_THERE, port), timeout=5)
            except OSError:
                if self._lab.ended() or time.monotonic() > deadline:
                    raise ServiceError(f"the lab takes no orders: {self._lab.output()[-500:]}") from None
                time.sleep(0.1)
            else:
                connection.settimeout(_PATIENCE)
                connection.sendall(json.dumps(order).encode() + b"\n")
                return connection


def _line_of(connection: socket.socket) -> dict[str, Any]:
    with connection.makefile() as stream:
        answer: dict[str, Any] = json.loads(stream.readline())
        return answer


class LabNamespace(Namespace):
    """A network namespace in the lab."""

    slowness = 10
    answer_seconds = 2

    def __init__(self, name: str, orders: Orders) -> None:
        super().__init__(name)
        self.host = name
        self.orders = orders

    def run(self, *argv: str, check: bool = True, timeout: float = 30, stdin: str = "") -> str:
        """Run a program inside; returns what it printed."""
        done = self._done(argv, timeout, stdin)
        if check and done["status"] != 0:
            raise AssertionError(f"{argv} in {self.name}: {done['output']}{done['error']}")
        return str(done["output"])

    def succeeds(self, *argv: str, timeout: float = 30) -> bool:
        """Tell whether a program inside ends well."""
        return bool(self._done(argv, timeout)["status"] == 0)

    def pids(self) -> list[int]:
        """Return the processes inside."""
        found = self.orders.run("ip", "netns", "pids", self.name)
        return [int(pid) for pid in found["output"].split()]

    def start(self, *argv: str) -> Any:
        """Start a program inside that runs until the namespace ends."""
        self.run("sh", "-c", '"$@" < /dev/null > /dev/null 2>&1 &', "sh", *argv)

    def of_process(self, pid: int) -> Namespace:
        """Return the namespace that a process in the lab is in."""
        space = LabNamespace(f"pid-{pid}", self.orders)
        space.handle = f"/proc/{pid}/ns/net"
        return space

    def link_to(self, other: Namespace, here: str, there: str) -> None:
        """Join this namespace to another, which is not in the lab: by the tap that this end was made with."""
        assert there == f"{self.host}-{here}"
        other.run("ip", "link", "set", there, "up")

    def _done(self, argv: Sequence[str], timeout: float, stdin: str = "") -> dict[str, Any]:
        return self.orders.run(*argv, namespace=self.handle, stdin=stdin, timeout=timeout * self.slowness)


class LabDaemon(Daemon):
    """A daemon on a host in the lab."""

    def __init__(self, host: "LabHost", name: str) -> None:
        super().__init__(host.folder, name, host.flag_file, lambda name: [name])
        self._space = host.space
        self._group = 0
        self._life: socket.socket | None = None

    def start(self) -> None:
        """Start the daemon and wait until it is ready."""
        log = self.folder / "output"
        log.touch()
        before = log.stat().st_size
        main = f"nova_lite.cmd.{self.name.removeprefix('nova-')}:main"
        self._group, self._life = self._space.orders.begin(
            main, *self._argv, namespace=self._space.handle, output=log
        )
        deadline = time.monotonic() + _PATIENCE
        while b" is ready after " not in log.read_bytes()[before:]:
            if self._ends_within(0.1) or time.monotonic() > deadline:
                raise ServiceError(f"{self.name} did not start: {log.read_text(errors='replace')[-500:]}")

    def _end(self, number: signal.Signals) -> None:
        if self._life is None:
            return
        self._space.run("kill", "-s", number.name.removeprefix("SIG"), "--", f"-{self._group}", check=False)
        if not self._ends_within(_PATIENCE):
            raise ServiceError(f"{self.name} does not end.")
        self._life.close()
        self._life = None

    def _ends_within(self, seconds: float) -> bool:
        assert self._life is not None
        self._life.settimeout(seconds)
        try:
            return self._life.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


class LabHost(Host):
    """A host in the lab."""

    space: LabNamespace

    def daemon(self, name: str) -> Daemon:
        """Make a daemon of this host."""
        return LabDaemon(self, name)

    def manage(self, *words: str) -> str:
        """Run nova-manage here; returns what it printed."""
        return self.call("nova_lite.cmd.manage:main", "nova-manage", f"--flagfile={self.flag_file}", *words)

    def clean(self) -> None:
        """Remove what the cloud made of the host, as ``make stop`` does."""
        self.call("tests.system.lab_program:clean", "clean", str(self.flag_file))

    def end_guests(self) -> None:
        """The guests end with the lab."""

    def call(self, main: str, *argv: str) -> str:
        """Have a function of ours called here; returns what it printed."""
        return self.space.orders.call(main, *argv, namespace=self.space.handle)


def _make(orders: Orders, hosts: Sequence[LabNamespace]) -> None:
    """Make the hosts' namespaces, and give each its links; a process takes long to begin there."""
    lines = [line.split() for line in orders.must("ip", "-br", "link").splitlines()]
    names = {mac: name.partition("@")[0] for name, _, mac, *_ in lines}
    owners = [(host, link) for host in hosts for link in LINKS]
    moves = [
        f"link set {names[lab.hardware_address(number)]} netns {host.name} name {link}"
        for number, (host, link) in enumerate(owners, 1)
    ]
    orders.must("ip", "-batch", "-", stdin="\n".join(f"netns add {host.name}" for host in hosts))
    orders.must("ip", "-batch", "-", stdin="\n".join(moves))
    ups = "\n".join(f"link set {link} up" for link in ("lo", *LINKS))
    for host in hosts:
        orders.must("ip", "-batch", "-", namespace=host.handle, stdin=ups)


@contextlib.contextmanager
def lab_machines(folder: Path, switch: Namespace) -> Iterator[Machines]:
    """Have three namespaces of the lab stand for hosts, and one of this machine for who is in front."""
    taps = (_TAP, *_TO_THE_SWITCHES)
    for tap in taps:
        switch.run("ip", "tuntap", "add", tap, "mode", "tap")
    switch.run("ip", "addr", "add", f"{_HERE}/30", "dev", _TAP)
    switch.run("ip", "link", "set", _TAP, "up")
    machine = lab.Machine(memory_mb=2048, cpus=2, taps=taps, inside=tuple(switch.inside), shared=folder)
    program = [sys.executable, "-m", "tests.system.lab_program"]
    bridge = folder / "nova-dhcpbridge"
    bridge.write_text(f"#!{sys.executable} -IS\n{_DHCPBRIDGE.read_text()}")
    bridge.chmod(0o755)
    command = [*program, _THERE, "30", str(_PORT), lab.hardware_address(0)]
    with (
        namespaces(["front"]) as [front],
        lab.booted(command, folder=ROOT / "var/cache", machine=machine) as running,
    ):
        orders = Orders(switch, running)
        hosts = [LabNamespace(f"h{number}", orders) for number in (1, 2, 3)]
        _make(orders, hosts)
        yield Machines(hosts, LabHost, front, bridge)
