"""``make run``'s cloud with a real guest, in a network namespace: a user's whole way through it."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.guest_image.build import build
from tools.services.namespaces import Namespace, namespaces

TOP = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FLOATING = "198.51.100.7"


class Machine:
    """A machine of its own that runs the cloud."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder

    def call(
        self, *argv: str, timeout: float = 300, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program on the machine."""
        full = {**os.environ, "NOVA_VAR": str(self.folder), "DRIVER": "libvirt", **environment}
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace.name, *argv], cwd=TOP, env=full, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def cloud(self, command: str) -> str:
        """Run a command of tools.cloud; returns what it printed."""
        done = self.call(sys.executable, "-m", "tools.cloud", command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def openstack(self, *words: str) -> Any:
        """Run the openstack client as the demo user; returns its JSON, or its text."""
        lines = (self.folder / "openrc").read_text().splitlines()
        rc = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        done = self.call(str(BIN / "openstack"), *words, **rc)
        assert done.returncode == 0, done.stdout + done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def status(self, server: str) -> str:
        """Return a server's status."""
        return str(self.openstack("server", "show", server, "-f", "json")["status"])

    def ssh(self, command: list[str], words: str) -> str:
        """Log in to the guest and run a command there; empty while it does not answer."""
        done = self.call(*command[:1], "-o", "BatchMode=yes", "-o", "ConnectTimeout=3", *command[1:], words)
        return done.stdout.strip()

    def doctor(self) -> str:
        """Let nova-manage look for what is amiss."""
        return self.call(str(BIN / "nova-manage"), f"--flagfile={self.folder / 'nova.conf'}", "doctor").stdout


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    shared = TOP / "var" / "cache"
    # The machine has no way out to where packages come from.
    build(shared)
    (tmp_path / "cache").symlink_to(shared)
    with namespaces(["machine"]) as (namespace,):
        found = Machine(namespace, tmp_path)
        yield found
        found.call(sys.executable, "-m", "tools.cloud", "stop")


def eventually(check: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
    return True


def test_a_guest_stands_still_is_copied_rescued_and_made_anew(machine: Machine) -> None:
    printed = machine.cloud("run")
    login = shlex.split(next(line for line in printed.splitlines() if line.startswith("Log in:"))[8:])
    booted = machine.ssh(login, "cat /proc/sys/kernel/random/boot_id; touch marked; sync")
    assert booted

    for verb, status, back in (("pause", "PAUSED", "unpause"), ("suspend", "SUSPENDED", "resume")):
        machine.openstack("server", verb, "first")
        assert eventually(lambda status=status: machine.status("first") == status)
        assert machine.ssh(login, "hostname") == ""
        machine.openstack("server", back, "first")
        # The guest goes on where it was; it was not booted again.
        assert eventually(lambda: machine.ssh(login, "cat /proc/sys/kernel/random/boot_id") == booted)

    machine.openstack("server", "image", "create", "--name", "copy", "--wait", "first")
    machine.openstack("server", "rescue", "first")
    assert eventually(lambda: machine.status("first") == "RESCUE")
    assert eventually(lambda: machine.ssh(login, "ls marked /dev/vdb") == "/dev/vdb")
    machine.openstack("server", "unrescue", "first")
    assert eventually(lambda: machine.ssh(login, "ls marked") == "marked")

    image = machine.openstack("image", "list", "-f", "json")
    original = next(found["Name"] for found in image if found["Name"] != "copy")
    machine.openstack("server", "rebuild", "--wait", "--image", original, "first")
    assert eventually(lambda: machine.ssh(login, "hostname; ls marked") == "first.novalocal")
    machine.openstack("server", "rebuild", "--wait", "--image", "copy", "first")
    assert eventually(lambda: machine.ssh(login, "hostname; ls marked").endswith("marked"))
    assert machine.doctor().strip() == "Nothing is amiss."


def test_a_guest_lives_from_its_boot_to_its_end(machine: Machine) -> None:
    printed = machine.cloud("run")
    login = shlex.split(next(line for line in printed.splitlines() if line.startswith("Log in:"))[8:])
    assert machine.ssh(login, "hostname") == "first.novalocal"
    before = machine.ssh(login, "cat /proc/sys/kernel/random/boot_id")
    address = machine.openstack("server", "show", "first", "-f", "json")["addresses"]["private"][0]
    assert machine.ssh(login, "wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4") == address
    assert machine.ssh(login, "cat /sys/class/dmi/id/product_name") == "OpenStack Nova"
    assert machine.doctor().strip() == "Nothing is amiss."

    manage = (str(BIN / "nova-manage"), f"--flagfile={machine.folder / 'nova.conf'}")
    machine.call(*manage, "floating", "create", "--ip_range", FLOATING, "--interface", "lo")
    machine.openstack("floating", "ip", "create", "nova")
    machine.openstack("server", "add", "floating", "ip", "first", FLOATING)
    by_name = [word.replace(address, FLOATING) for word in login]
    assert machine.ssh(by_name, "cat /proc/sys/kernel/random/boot_id") == before
    assert machine.ssh(login, "wget -q -O - http://169.254.169.254/latest/meta-data/public-ipv4") == FLOATING
    assert "SSH" in machine.ssh(login, f"nc -w 2 {FLOATING} 22 < /dev/null | head -c 7"), "a guest reaches itself by it"
    assert machine.doctor().strip() == "Nothing is amiss."

    machine.openstack("server", "stop", "first")
    assert eventually(
        lambda: machine.openstack("server", "show", "first", "-f", "json")["status"] == "SHUTOFF"
    )
    machine.openstack("server", "start", "first")
    assert eventually(lambda: machine.ssh(login, "hostname") == "first.novalocal")
    started = machine.ssh(login, "cat /proc/sys/kernel/random/boot_id")
    assert started != before

    machine.openstack("server", "reboot", "--hard", "first")
    assert eventually(lambda: machine.ssh(login, "cat /proc/sys/kernel/random/boot_id") not in ("", started))
    assert "READY after" in machine.openstack("console", "log", "show", "first")

    machine.openstack("server", "delete", "--wait", "first")
    assert machine.doctor().strip() == "Nothing is amiss."
    assert sorted(path.name for path in (machine.folder / "instances").iterdir()) == ["_base", "_hosts"]
    machine.cloud("stop")
    left = machine.namespace.run("ip", "-br", "link") + machine.namespace.run("nft", "list", "tables")
    assert "br100" not in left
    assert "nova" not in left
    assert machine.namespace.pids() == []
