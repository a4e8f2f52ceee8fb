"""A compute driver whose guests are network namespaces: real interfaces on the host's bridges, nothing else.

It is named by its import string, as a driver of a third party is. A guest is a process that sleeps, in a network
namespace of its own; like a hypervisor's process it lives on when the daemon dies.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.drivers.virt.guest import GuestInterface, GuestSpec


class NamespaceDriver(FakeVirtDriver):
    """Simulated guests with real interfaces."""

    def spawn(self, spec: GuestSpec) -> None:
        """Start the process that holds the namespace, and plug its interfaces in."""
        pid = self.pid(spec.name) or self._hold(spec.name)
        for interface in spec.interfaces:
            _plug_in(pid, interface)
        super().spawn(spec)

    def destroy(self, uuid: str) -> None:
        """End the process; its interfaces go with it."""
        self._end(uuid)
        super().destroy(uuid)

    def power_off(self, uuid: str, timeout: float) -> None:
        """End the process."""
        self._end(uuid)
        super().power_off(uuid, timeout)

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Plug an interface into a guest that runs."""
        guest = self.guest(uuid)
        pid = None if guest is None else self.pid(guest.name)
        if pid is not None:
            _plug_in(pid, interface)
        super().attach_interface(uuid, interface)

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Take an interface out."""
        _ip("link", "del", interface.tap, check=False)
        super().detach_interface(uuid, interface)

    def pid(self, name: str) -> int | None:
        """Return the process of a guest, None where it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._pid_file(name).read_text())
            if b"guest-of-nova" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    def _hold(self, name: str) -> int:
        sleeper = subprocess.Popen(
            ["unshare", "--net", "bash", "-c", f"exec -a guest-of-nova-{name} sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        while b"guest-of-nova" not in Path(f"/proc/{sleeper.pid}/cmdline").read_bytes().split(b"\0")[0]:
            assert sleeper.poll() is None, "the guest's process ended"
        self._pid_file(name).write_text(str(sleeper.pid))
        _inside(sleeper.pid, "link", "set", "lo", "up")
        return sleeper.pid

    def _end(self, uuid: str) -> None:
        guest = self.guest(uuid)
        pid = None if guest is None else self.pid(guest.name)
        if guest is None or pid is None:
            return
        for link in _inside(pid, "-br", "link", "show", "type", "veth").split():
            if link.startswith("eth"):
                # The kernel removes a namespace some time after its last process; the other end must go now.
                _inside(pid, "link", "del", link.partition("@")[0])
        end_guest(pid)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        self._pid_file(guest.name).unlink(missing_ok=True)

    def _pid_file(self, name: str) -> Path:
        return self._guests.definitions / f"{name}.pid"


def end_guest(pid: int) -> None:
    """End the process of a guest, and all that was started in its namespace."""
    for one in _all_in(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _plug_in(pid: int, interface: GuestInterface) -> None:
    """Give a guest an interface; one that is there is left alone."""
    if Path(f"/sys/class/net/{interface.tap}").exists():
        return
    present = _inside(pid, "-br", "link", "show", "type", "veth").splitlines()
    name = f"eth{len(present)}"
    _ip("link", "add", interface.tap, "type", "veth", "peer", "name", name, "netns", str(pid))
    _inside(pid, "link", "set", name, "address", interface.mac, "mtu", str(interface.mtu), "up")
    _ip("link", "set", interface.tap, "master", interface.bridge, "up")


def _all_in(pid: int) -> list[int]:
    """Return the processes that are in the network namespace of one."""
    found: list[int] = []
    try:
        namespace = os.readlink(f"/proc/{pid}/ns/net")
        if b"guest-of-nova" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return found
    except OSError:
        return found
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(process / "ns/net") == namespace:
                found.append(int(process.name))
    return found


def _inside(pid: int, *words: str) -> str:
    done = subprocess.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *words], capture_output=True, text=True, check=True
    )
    return done.stdout


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=check)
