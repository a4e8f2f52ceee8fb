"""Network namespaces that stand for hosts and guests; everything made is removed at the end."""

import contextlib
import ctypes
import os
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


class Namespace:
    """One network namespace; ``inside`` are the words that a program is called with to be in it."""

    slowness = 1
    """How many times as long as on a usual machine things may take here."""
    answer_seconds = 1
    """How long somebody is waited for who is not expected to answer."""

    def __init__(self, name: str) -> None:
        self.name = f"{name}-{uuid.uuid4().hex[:6]}"
        self.inside = ["ip", "netns", "exec", self.name]
        self.handle = f"/var/run/netns/{self.name}"

    def run(self, *argv: str, check: bool = True, timeout: float = 30, stdin: str = "") -> str:
        """Run a program inside; returns what it printed."""
        done = subprocess.run(
            [*self.inside, *argv],
            input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"{argv} in {self.name}: {done.stdout}{done.stderr}")
        return done.stdout

    def succeeds(self, *argv: str, timeout: float = 30) -> bool:
        """Tell whether a program inside ends well."""
        return subprocess.run([*self.inside, *argv], capture_output=True, timeout=timeout, check=False).returncode == 0

    def pids(self) -> list[int]:
        """Return the processes inside."""
        argv = ["ip", "netns", "pids", self.name]
        found = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in found.split()]

    def start(self, *argv: str) -> "subprocess.Popen[bytes]":
        """Start a program inside that runs until the namespace ends."""
        return subprocess.Popen(
            [*self.inside, *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def of_process(self, pid: int) -> "Namespace":
        """Return the namespace that a process on the same machine is in."""
        return NamespaceOfProcess(pid)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread, and the programs that it runs, be inside."""
        with open("/proc/thread-self/ns/net") as home, open(self.handle) as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def link_to(self, other: "Namespace", here: str, there: str) -> None:
        """Join two namespaces by a veth pair and bring both ends up."""
        _ip("-n", self.name, "link", "add", here, "type", "veth", "peer", "name", there, "netns", other.name)
        _ip("-n", self.name, "link", "set", here, "up")
        _ip("-n", other.name, "link", "set", there, "up")


class NamespaceOfProcess(Namespace):
    """The network namespace that a process is in."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"pid-{pid}")
        self.handle = f"/proc/{pid}/ns/net"
        self.inside = ["nsenter", f"--net={self.handle}"]


@contextlib.contextmanager
def namespaces(names: Sequence[str]) -> Iterator[list[Namespace]]:
    """Make namespaces with their loopback up, and remove them with all processes in them."""
    made = [Namespace(name) for name in names]
    try:
        for namespace in made:
            _ip("netns", "add", namespace.name)
            _ip("-n", namespace.name, "link", "set", "lo", "up")
        yield made
    finally:
        for namespace in made:
            for pid in namespace.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True, check=False)


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, capture_output=True)


def _setns(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter the namespace")


def busybox() -> str:
    """Return the path of a busybox that has udhcpc, nc and ping."""
    return next(path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists())
