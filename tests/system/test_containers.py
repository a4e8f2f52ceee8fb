"""``make run``'s cloud with a container in the place of a machine, by the unmodified openstack client."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.test_first_guest import BIN, TOP, Machine, eventually
from tools.guest_image.build import build
from tools.services.namespaces import namespaces

PORT = 8081


class ContainerHost(Machine):
    """A machine of its own whose guests are containers."""

    def call(
        self, *argv: str, timeout: float = 300, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program on the machine."""
        return super().call(*argv, timeout=timeout, LIBVIRT_TYPE="lxc", **environment)

    @property
    def uri(self) -> str:
        """Where its libvirt is."""
        lines = (self.folder / "nova.conf").read_text().splitlines()
        return next(line for line in lines if line.startswith("--libvirt_uri=")).partition("=")[2]

    def refusal(self, *words: str) -> str:
        """Run a command of the openstack client that is refused; returns what it said."""
        lines = (self.folder / "openrc").read_text().splitlines()
        rc: dict[str, Any] = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        done = self.call(str(BIN / "openstack"), *words, **rc)
        assert done.returncode != 0
        return done.stderr

    def connects(self, address: str) -> bool:
        """Tell whether a port of a guest that no rule opens can be reached."""
        words = f"exec 3<>/dev/tcp/{address}/{PORT}"
        return self.call("timeout", "2", "bash", "-c", words).returncode == 0


@pytest.fixture
def host() -> Iterator[ContainerHost]:
    shared = TOP / "var" / "cache"
    build(shared)
    # The path of a container's disk may have no more than 63 bytes.
    with tempfile.TemporaryDirectory() as folder, namespaces(["containers"]) as (namespace,):
        (Path(folder) / "cache").symlink_to(shared)
        found = ContainerHost(namespace, Path(folder))
        yield found
        found.call(sys.executable, "-m", "tools.cloud", "stop")


def has_ended(pid: int) -> bool:
    """Tell whether a process is no more, whoever has to be told of it."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_a_container_is_booted_wronged_killed_and_found_again(host: ContainerHost) -> None:
    printed = host.cloud("run")
    login = shlex.split(next(line for line in printed.splitlines() if line.startswith("Log in:"))[8:])
    assert host.ssh(login, "hostname") == "first.novalocal"
    kernel = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert host.ssh(login, "cat /proc/sys/kernel/random/boot_id; touch marked; sync") == kernel
    shown = host.openstack("server", "show", "first", "-f", "json")
    address = shown["addresses"]["private"][0]
    assert host.ssh(login, "wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4") == address
    assert host.doctor().strip() == "Nothing is amiss."

    host.ssh(login, f"nc -ll -p {PORT} -e hostname > /dev/null 2>&1 < /dev/null &")
    assert not host.connects(address), "what no rule opens is closed"
    host.openstack("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", str(PORT), "default")
    assert eventually(lambda: host.connects(address))

    assert "hypervisor of its host cannot do that" in host.refusal("server", "suspend", "first")
    assert "Unavailable console type novnc" in host.refusal("console", "url", "show", "--novnc", "first")
    host.openstack("server", "pause", "first")
    assert eventually(lambda: host.status("first") == "PAUSED")
    assert host.ssh(login, "hostname") == ""
    host.openstack("server", "unpause", "first")
    assert eventually(lambda: host.ssh(login, "hostname") == "first.novalocal")

    described = host.namespace.run("virsh", "-c", host.uri, "dominfo", "instance-00000001")
    os.kill(int(described.split("Id:")[1].split()[0]), 9)
    assert eventually(lambda: host.status("first") == "SHUTOFF"), "killed behind the cloud's back"
    # The daemon is killed, too; it finds everything as it was.
    note = host.folder / "run/nova-all/pid"
    daemon = int(note.read_text())
    os.kill(daemon, 9)
    assert eventually(lambda: has_ended(daemon))
    note.unlink()
    host.cloud("run")
    assert host.ssh(login, "ls marked") == "marked"
    # Who asks for a name at the terminal throws away what was not read yet: the last line may be lost.
    assert eventually(lambda: host.openstack("console", "log", "show", "first").count("guest: instance") == 2)

    host.openstack("server", "reboot", "--wait", "first")
    assert eventually(lambda: host.ssh(login, "hostname") == "first.novalocal")
