"""A private libvirtd: its folders are its own, whatever else runs on the machine."""

import contextlib
import dataclasses
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from tools.services.process import SYSTEM_PATH, Service

_PLACES = {"etc": "/etc/libvirt", "run": "/run/libvirt", "lib": "/var/lib/libvirt", "log": "/var/log/libvirt",
           "cache": "/var/cache/libvirt"}  # fmt: skip
"""Folders that are compiled into libvirtd, and where ours lie in the service's folder."""

_CAPABILITIES = Path(__file__).resolve().parents[2] / "var" / "cache" / "libvirt-capabilities"
"""What libvirt found out of QEMU. It takes seconds, and libvirt itself sees whether it still holds."""

_QEMU = """user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
"""


_CGROUPS = """
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t tmpfs cgroup /sys/fs/cgroup
    for name in cpu cpuacct memory devices freezer blkio cpuset; do
        mkdir "/sys/fs/cgroup/$name"
        mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name" || rmdir "/sys/fs/cgroup/$name"
    done
    mkdir /sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd || rmdir /sys/fs/cgroup/systemd
fi
"""
"""Shows the control groups, which containers need and a network namespace hides: of either version, not both."""


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """The host that a libvirtd stands for.

    It is a network namespace, with a name of its own where one is given: then others reach its libvirtd by
    TCP. ``binds`` are folders (by the place where they are to be seen) that only this host has.
    """

    namespace: str = ""
    name: str = ""
    binds: Mapping[Path, Path] = dataclasses.field(default_factory=dict)


class Libvirtd(Service):
    """A libvirtd of root in a mount namespace, and in a network namespace if one is named."""

    name = "libvirtd"

    def __init__(self, folder: Path, host: Host = Host()) -> None:
        super().__init__(folder)
        self._host = host

    @property
    def url(self) -> str:
        """The URI by which clients reach it, from any namespace."""
        return self._url("qemu")

    @property
    def containers_url(self) -> str:
        """The same for those who want containers."""
        return self._url("lxc")

    def _url(self, driver: str) -> str:
        return f"{driver}+unix:///system?socket={self.folder / 'run' / 'libvirt-sock'}"

    def start(self) -> None:
        """Write its settings, start it, and wait until it answers."""
        for name in _PLACES:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("etc/qemu/networks/autostart", "etc/nwfilter", "lib/qemu", "lib/images", "lib/boot", "cache/qemu"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        kept = self.folder / "cache/qemu/capabilities"
        if _CAPABILITIES.exists() and not kept.exists():
            shutil.copytree(_CAPABILITIES, kept)
        (self.folder / "etc/qemu.conf").write_text(_QEMU)
        (self.folder / "etc/libvirtd.conf").write_text(self._settings())
        (self.folder / "start").write_text(self._script())
        inside = ["/usr/bin/unshare", "--mount", "--uts", "sh", str(self.folder / "start")]
        if self._host.namespace:
            ip = shutil.which("ip", path=SYSTEM_PATH) or "/usr/sbin/ip"
            inside = [ip, "netns", "exec", self._host.namespace, *inside]
        self._launch(inside, self._ready, {"PATH": SYSTEM_PATH})
        if kept.exists() and not _CAPABILITIES.exists():
            _keep(kept)

    def inside(self) -> list[str]:
        """Return the words before a program that let it run on this host."""
        return ["/usr/bin/nsenter", "-t", str(self.pid), "--mount", "--uts", "--net", "--"]

    def _settings(self) -> str:
        identity = self.folder / "identity"
        if not identity.exists():
            identity.write_text(str(uuid.uuid4()))
        settings = f'auth_unix_rw = "none"\nunix_sock_rw_perms = "0700"\nhost_uuid = "{identity.read_text()}"\n'
        if self._host.name:
            settings += 'listen_tls = 0\nlisten_tcp = 1\nauth_tcp = "none"\n'
        return settings

    def _script(self) -> str:
        """Return what gives the libvirtd its own view of the machine, and becomes it."""
        places = {Path(place): self.folder / name for name, place in _PLACES.items()}
        binds = "".join(
            f"[ -e '{place}' ] || mkdir -p '{place}'; mount --bind '{folder}' '{place}'\n"
            for place, folder in {**places, **self._host.binds}.items()
        )
        named = f"hostname {self._host.name}\n" if self._host.name else ""
        listens = " -l" if self._host.name else ""
        pid_file = self.folder / "libvirtd.pid"
        prepared = f"set -e\nmount --make-rprivate /\n{_CGROUPS}{binds}{named}"
        return f"{prepared}exec libvirtd{listens} --pid-file '{pid_file}'\n"

    def _ready(self) -> bool:
        virsh = shutil.which("virsh", path=SYSTEM_PATH) or "virsh"
        if not (self.folder / "run" / "libvirt-sock").exists():
            return False
        argv = [virsh, "-q", "-c", self.url, "version"]
        return subprocess.run(argv, capture_output=True, timeout=30, check=False).returncode == 0


def _keep(found: Path) -> None:
    """Keep what was found out for the next libvirtd; somebody else may be faster."""
    new = _CAPABILITIES.with_name(f"{_CAPABILITIES.name}.{uuid.uuid4().hex}")
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(found, new)
    try:
        new.rename(_CAPABILITIES)
    except OSError:
        with contextlib.suppress(OSError):
            shutil.rmtree(new)
