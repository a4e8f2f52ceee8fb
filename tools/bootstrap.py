"""Brings a bare machine to where the project can run: Debian packages (as root) and the virtual environment.

Uses the standard library only, for it runs before anything is installed. What is there already costs nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
VENV = TOP / ".venv"
LEAST_DISK = 3 * 1024**3

# A program that shows that a package is there, and the package.
GUESTS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "libvirtd": "libvirt-daemon",
    "virsh": "libvirt-clients",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
    "busybox": "busybox-static",
    "dropbear": "dropbear-bin",
    "syslinux": "syslinux",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
    "depmod": "kmod",
    "unshare": "util-linux",
    "gcc": "gcc",
    "pkg-config": "pkg-config",
}
FILES = {
    "/usr/lib/syslinux/mbr/mbr.bin": "syslinux-common",
    "/usr/lib/libvirt/connection-driver/libvirt_driver_qemu.so": "libvirt-daemon-driver-qemu",
    "/usr/include/libvirt/libvirt.h": "libvirt-dev",
    "/etc/libvirt/libvirtd.conf": "libvirt-daemon-system",
}
SERVERS = {"mariadbd": "mariadb-server"}
SERVER_FILES = {"/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server"}
POSTGRESQL = {"/usr/lib/postgresql/15/bin/postgres": "postgresql"}
_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"

EXTRAS = {"run": ["client"], "distributed": ["client"], "test": ["test", "lint"]}


def main() -> int:
    """Set the machine up for a target: run, distributed or test."""
    target = sys.argv[1] if len(sys.argv) == 2 else ""
    if target not in EXTRAS:
        print(f"usage: bootstrap.py {' | '.join(EXTRAS)}", file=sys.stderr)
        return 2
    try:
        _check()
        real = target == "test" or (os.geteuid() == 0 and os.environ.get("DRIVER") != "fake")
        if real or target == "distributed":
            _install(_missing(target, guests=real))
        _environment(EXTRAS[target] + (["libvirt"] if real else []))
    except Refused as refused:
        print(f"make: {refused}", file=sys.stderr)
        return 1
    return 0


class Refused(Exception):
    """The machine cannot be set up; the text is one sentence that says what to mend."""


def _check() -> None:
    if sys.version_info < (3, 11):
        raise Refused(f"Python 3.11 or later is needed, and {sys.executable} is {sys.version.split()[0]}.")
    if shutil.disk_usage(TOP).free < LEAST_DISK:
        raise Refused(f"The disk of {TOP} has less than 3 GiB left.")


def _missing(target: str, *, guests: bool) -> list[str]:
    """Return the Debian packages that the target needs and this machine lacks."""
    programs = dict(GUESTS) if guests else {}
    files = dict(FILES) if guests else {}
    if target in ("distributed", "test"):
        if not os.environ.get("SQL_CONNECTION"):
            programs |= SERVERS
        if not os.environ.get("TRANSPORT_URL"):
            files |= SERVER_FILES
    if target == "test":
        files |= POSTGRESQL
    lacking = [package for name, package in programs.items() if shutil.which(name, path=_PATH) is None]
    return sorted({*lacking, *(package for file, package in files.items() if not Path(file).exists())})


def _install(packages: list[str]) -> None:
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Refused(
            f"These packages are needed: apt-get install {' '.join(packages)} (as root, on Debian)."
        )
    print(f"Installing Debian packages: {' '.join(packages)}", flush=True)
    policy = Path("/usr/sbin/policy-rc.d")
    kept = policy.read_bytes() if policy.exists() else None
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        # No server is started: the project starts its own, on ports of its own.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-q", "-y"], environment)
        _run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], environment)
    finally:
        if kept is None:
            policy.unlink()
        else:
            policy.write_bytes(kept)


def _environment(extras: list[str]) -> None:
    """Make the virtual environment, or renew it when the project's requirements changed."""
    stamp = VENV / "installed"
    wanted = hashlib.sha256((TOP / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    lines = stamp.read_text().split() if stamp.exists() else []
    present = set(lines[1:]) if lines[:1] == [wanted] else set()
    if set(extras) <= present and (VENV / "bin" / "nova-all").exists():
        return
    extras = sorted(present | set(extras))
    print("Installing Python packages into .venv", flush=True)
    if not (VENV / "bin" / "python").exists():
        _make_environment()
    _run(
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "-q", "-e", f"{TOP}[{','.join(extras)}]"], None
    )
    stamp.write_text(" ".join([wanted, *extras]))


def _make_environment() -> None:
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, check=False).returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        _install(["python3-venv"])
        _run([sys.executable, "-m", "venv", str(VENV)], None)


def _run(argv: list[str], environment: "dict[str, str] | None") -> None:
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Refused(f"{' '.join(argv[:2])} failed: {output[-1] if output else 'no reason given'}.")


if __name__ == "__main__":
    sys.exit(main())
