"""Packets between an outside and a guest, network namespaces both: they tell from when on something is in force."""

import contextlib
import ctypes
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


class Namespace:
    """A network namespace of a process that only waits."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        mine = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == mine:
            time.sleep(0.001)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *argv: str) -> None:
        """Run a program inside."""
        run("nsenter", f"--net=/proc/{self.process.pid}/ns/net", *argv)

    def join(self, here: str, there: str, mac: str = "") -> None:
        """Be at the other end of a link of this namespace."""
        address = ["address", mac] if mac else []
        pid = str(self.process.pid)
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, *address, "netns", pid)
        run("ip", "link", "set", here, "up")
        self.run("ip", "link", "set", there, "up")

    def socket(self) -> socket.socket:
        """Return a datagram socket inside."""
        with open("/proc/thread-self/ns/net") as home, open(f"/proc/{self.process.pid}/ns/net") as inside:
            _LIBC.setns(inside.fileno(), _CLONE_NEWNET)
            try:
                return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            finally:
                _LIBC.setns(home.fileno(), _CLONE_NEWNET)

    def close(self) -> None:
        """End the process, and the namespace with it."""
        self.process.kill()
        self.process.wait()


class Packets:
    """Datagrams from the outside to the guest."""

    def __init__(self, outside: Namespace, guest: Namespace) -> None:
        self.outside, self.guest = outside, guest
        self._ear, self._mouth = guest.socket(), outside.socket()

    def listen(self, number: int) -> None:
        """Let the guest hear what comes to a port."""
        self._ear.close()
        self._ear = self.guest.socket()
        self._ear.bind(("", number))

    def send(self, address: str, number: int, *, anew: bool = False) -> None:
        """Send a datagram; ``anew`` from a port of its own, as who begins a connection."""
        if anew:
            with self.outside.socket() as mouth:
                mouth.sendto(b"x", (address, number))
        else:
            self._mouth.sendto(b"x", (address, number))

    def until_heard(
        self, address: str, number: int, act: Callable[[], None], *, anew: bool = False
    ) -> tuple[float, float]:
        """Return the milliseconds of an act, and those from its begin until packets come through."""
        self._ear.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._ear.recv(10)
        self._ear.settimeout(10)
        over = threading.Event()

        def ask() -> None:
            while not over.wait(0.0005):
                self.send(address, number, anew=anew)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        heard: list[float] = []

        def hear() -> None:
            self._ear.recv(10)
            heard.append(time.perf_counter())

        hearing = threading.Thread(target=hear, daemon=True)
        hearing.start()
        began = time.perf_counter()
        act()
        took = time.perf_counter() - began
        hearing.join(11)
        over.set()
        asking.join()
        if not heard:
            raise SystemExit(f"nothing comes through to {address} port {number}")
        return took * 1000, (heard[0] - began) * 1000

    def until_silent(self, address: str, number: int, act: Callable[[], None]) -> tuple[float, float]:
        """Return the milliseconds of an act, and those from its begin until no packet comes any more."""
        over = threading.Event()

        def ask() -> None:
            while not over.wait(0.0005):
                self.send(address, number)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        self._ear.settimeout(10)
        self._ear.recv(10)
        began = last = time.perf_counter()
        acting = threading.Thread(target=act, daemon=True)
        acting.start()
        self._ear.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                self._ear.recv(10)
                last = time.perf_counter()
        acting.join()
        over.set()
        asking.join()
        return (last - began) * 1000, (last - began) * 1000


def run(*argv: str) -> None:
    """Run a program; raises CalledProcessError."""
    subprocess.run(argv, check=True, capture_output=True)
