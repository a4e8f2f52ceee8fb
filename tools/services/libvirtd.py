"""A private libvirtd: its folders are its own, whatever else runs on the machine."""

import shutil
import subprocess
import uuid
from pathlib import Path

from tools.services.process import SYSTEM_PATH, Service

_PLACES = {"etc": "/etc/libvirt", "run": "/run/libvirt", "lib": "/var/lib/libvirt", "log": "/var/log/libvirt",
           "cache": "/var/cache/libvirt"}  # fmt: skip
"""Folders that are compiled into libvirtd, and where ours lie in the service's folder."""

_QEMU = """user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
"""


class Libvirtd(Service):
    """A libvirtd of root in a mount namespace, and in a network namespace if one is named."""

    name = "libvirtd"

    def __init__(self, folder: Path, namespace: str = "") -> None:
        super().__init__(folder)
        self._namespace = namespace

    @property
    def url(self) -> str:
        """The URI by which clients reach it, from any namespace."""
        return f"qemu+unix:///system?socket={self.folder / 'run' / 'libvirt-sock'}"

    def start(self) -> None:
        """Write its settings, start it, and wait until it answers."""
        for name in _PLACES:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("etc/qemu/networks/autostart", "etc/nwfilter", "lib/qemu", "lib/images", "lib/boot"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "etc/qemu.conf").write_text(_QEMU)
        identity = self.folder / "identity"
        if not identity.exists():
            identity.write_text(str(uuid.uuid4()))
        (self.folder / "etc/libvirtd.conf").write_text(
            f'auth_unix_rw = "none"\nunix_sock_rw_perms = "0700"\nhost_uuid = "{identity.read_text()}"\n'
        )
        binds = "".join(
            f"mkdir -p {place}; mount --bind '{self.folder / name}' {place}\n"
            for name, place in _PLACES.items()
        )
        script = f"set -e\nmount --make-rprivate /\n{binds}exec libvirtd --pid-file '{self.folder}/libvirtd.pid'\n"
        (self.folder / "start").write_text(script)
        inside = ["/usr/bin/unshare", "--mount", "sh", str(self.folder / "start")]
        if self._namespace:
            ip = shutil.which("ip", path=SYSTEM_PATH) or "/usr/sbin/ip"
            inside = [ip, "netns", "exec", self._namespace, *inside]
        self._launch(inside, self._ready, {"PATH": SYSTEM_PATH})

    def _ready(self) -> bool:
        virsh = shutil.which("virsh", path=SYSTEM_PATH) or "virsh"
        if not (self.folder / "run" / "libvirt-sock").exists():
            return False
        argv = [virsh, "-q", "-c", self.url, "version"]
        return subprocess.run(argv, capture_output=True, timeout=30, check=False).returncode == 0
