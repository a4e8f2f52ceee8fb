"""A host of a cloud on several hosts: a network namespace and the daemons in it."""

import contextlib
import dataclasses
import io
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from nova_lite.cmd import manage
from tests.system.namespace_driver import end_guest
from tools.cloud.cleaning import clean_host
from tools.deployment import Daemon
from tools.services.namespaces import Namespace, namespaces

ROOT = Path(__file__).parents[2]
LINKS = ("eth0", "eth1", "eth2")
"""What a host has of interfaces: to the other daemons, for the guests' traffic, and to the world."""


_ONE_COMMAND = threading.Lock()
"""The command line and the standard output are the whole process's."""


def address(number: int) -> str:
    """Return the address of a host among the daemons."""
    return f"10.99.0.1{number}"


class Host:
    """One host with its daemons."""

    def __init__(self, folder: Path, space: Namespace, number: int, flags: Mapping[str, Any]) -> None:
        self.name = f"h{number}"
        self.space = space
        self.address = address(number)
        self.public = f"198.51.100.1{number}"
        self.folder = folder / self.name
        self.folder.mkdir()
        own = {
            "host": self.name, "my_ip": self.address, "state_path": self.folder,
            "instances_path": self.folder / "instances", "metadata_host": self.address,
            "routing_source_ip": self.public,
        }  # fmt: skip
        self.flags = {**own, **flags}
        self.flag_file = self.folder / "nova.conf"
        self.flag_file.write_text("".join(f"--{name}={value}\n" for name, value in self.flags.items()))
        self.daemons: dict[str, Daemon] = {}

    def add(self, *names: str) -> None:
        """Have daemons on this host; they do not run yet."""
        for name in names:
            self.daemons[name] = self.daemon(name)

    def daemon(self, name: str) -> Daemon:
        """Make a daemon of this host."""
        return Daemon(self.folder, name, self.flag_file, self._words)

    def _words(self, name: str) -> list[str]:
        ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin") or "ip"
        program = str(Path(sys.executable).parent / name)
        return [ip, *self.space.inside[1:], "env", f"PYTHONPATH={ROOT}", program]

    def manage(self, *words: str) -> str:
        """Run nova-manage here; returns what it printed."""
        printed = io.StringIO()
        argv = ["nova-manage", f"--flagfile={self.flag_file}", *words]
        with (
            _ONE_COMMAND,
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

    def end_guests(self) -> None:
        """End the guests that a test that failed has left."""
        for file in self.folder.rglob("instance-*.pid"):
            end_guest(int(file.read_text()))

    def rest(self) -> dict[str, str]:
        """Return what there is of rules, links, addresses and processes that the host had not by itself."""
        links = self.space.run("ip", "-br", "link").split("\n")
        names = {line.split()[0].partition("@")[0] for line in links if line} - {"lo", *LINKS}
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
class Machines:
    """What a cloud runs on: three hosts, what they are, and the machine of nova-api and nova-scheduler.

    Those are on the first host where there is no such machine. ``dhcpbridge`` is what dnsmasq is to call.
    """

    hosts: Sequence[Namespace]
    kind: type[Host] = Host
    front: Namespace | None = None
    dhcpbridge: Path = Path(sys.executable).parent / "nova-dhcpbridge"


@contextlib.contextmanager
def three_namespaces(_: Path, __: Namespace) -> Iterator[Machines]:
    """Have three namespaces of this machine stand for hosts."""
    with namespaces(["h1", "h2", "h3"]) as spaces:
        yield Machines(spaces)
