"""The unmodified cloud-init program of Debian, run in a guest that is a network namespace.

The package is unpacked, never installed: installed, it would take this machine for a new guest at its next
start. It runs as in a container of Nova's: in namespaces of processes, mounts and host names of its own, on a copy
of this machine's files that vanishes at the end, as the children of a process 1 that says "OpenStack Nova".
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.services.namespaces import Namespace

_SANDBOX = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/inner" "$WORK/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/inner" "$WORK/root"
for place in /proc /dev /sys; do mount --rbind "$place" "$WORK/root$place"; done
# They may be on file systems of their own, which are not in a copy of the one that is mounted at /.
for place in "$TREE" "$PREFIX"; do mkdir -p "$WORK/root$place"; mount --bind "$place" "$WORK/root$place"; done
mount -t tmpfs tmpfs "$WORK/root/run"
rm -rf "$WORK/root/etc/cloud" "$WORK/root/var/lib/cloud" "$WORK/root/etc/network/interfaces.d"
mkdir -p "$WORK/root/etc/network/interfaces.d"
cp -r "$TREE/etc/cloud" "$WORK/root/etc/cloud"
cp "$FOLDER/cloud.cfg" "$WORK/root/etc/cloud/cloud.cfg"
mkdir -p "$WORK/root/var/lib/cloud" "$FOLDER/seed"
cp -r "$FOLDER/seed" "$WORK/root/var/lib/cloud/seed"
touch "$WORK/root/etc/network/interfaces"
# The guest has Debian's ifupdown, for which the configuration is written; nobody runs it here.
for program in ifup ifdown ifquery; do ln -sf /bin/true "$WORK/root/usr/sbin/$program"; done
echo cleared > "$WORK/root/etc/hostname"
: > "$WORK/root/etc/resolv.conf"
rm -rf "$WORK/root/root/.ssh"
while read -r stage; do
    chroot "$WORK/root" "$PYTHON" "$TREE/usr/bin/cloud-init" $stage >> "$FOLDER/output" 2>&1 || true
done < "$FOLDER/stages"
cp "$WORK/root/run/cloud-init/instance-data.json" "$FOLDER/" || true
cp -r "$WORK/root/var/log/cloud-init.log" "$FOLDER/" || true
cp -r "$WORK/root/etc/network/interfaces.d" "$FOLDER/interfaces.d"
cp "$WORK/root/root/.ssh/authorized_keys" "$FOLDER/" || true
cp "$WORK/root/run/proof" "$FOLDER/" || true
hostname > "$FOLDER/hostname"
"""

_CONFIG: Mapping[str, Any] = {
    "disable_root": False,
    "cloud_init_modules": ["set_hostname", "ssh"],
    "cloud_config_modules": [],
    "cloud_final_modules": ["scripts-vendor", "scripts-user"],
    "system_info": {"distro": "debian", "network": {"renderers": ["eni"]}},
}


def unpack(folder: Path) -> Path:
    """Fetch Debian's package as it is, and return the folder that its files are in."""
    subprocess.run(
        ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", "cloud-init"],
        cwd=folder, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    tree = folder / "tree"
    subprocess.run(["dpkg", "-x", str(next(folder.glob("cloud-init_*.deb"))), str(tree)], check=True)
    return tree


class Guest:
    """One start of a guest with cloud-init in it."""

    def __init__(self, namespace: Namespace, tree: Path, folder: Path) -> None:
        self._namespace = namespace
        self._tree = tree
        self.folder = folder

    def start(self, sources: Sequence[str], settings: Mapping[str, Any], stages: Sequence[str]) -> None:
        """Let cloud-init do what it does at a start, with these sources of data and their settings."""
        config = {**_CONFIG, "datasource_list": list(sources), "datasource": dict(settings)}
        (self.folder / "cloud.cfg").write_text(json.dumps(config))
        (self.folder / "stages").write_text("".join(f"{stage}\n" for stage in stages))
        work = self.folder / "work"
        work.mkdir()
        packages = str(self._tree / "usr/lib/python3/dist-packages")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": packages,
            "product_name": "OpenStack Nova",
            "WORK": str(work),
            "TREE": str(self._tree),
            "FOLDER": str(self.folder),
            "PREFIX": sys.prefix,
            "PYTHON": sys.executable,
        }
        inside = ["unshare", "--pid", "--mount", "--uts", "--fork", "--mount-proc", "sh", "-c", _SANDBOX]
        done = subprocess.run(
            ["ip", "netns", "exec", self._namespace.name, *inside],
            env=environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def log(self) -> str:
        """Return what cloud-init wrote."""
        return (self.folder / "cloud-init.log").read_text()

    def found(self) -> dict[str, Any]:
        """Return all that it found out about its instance."""
        document: dict[str, Any] = json.loads((self.folder / "instance-data.json").read_text())
        return document

    def read(self, name: str) -> str:
        """Return a file that is left of the guest, empty for none."""
        file = self.folder / name
        return file.read_text() if file.exists() else ""
