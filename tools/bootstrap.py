"""Brings a bare machine to where the project can run: Debian packages (as root) and the virtual environment.

``python3 -m tools.bootstrap run | distributed | test | lint``. Uses the standard library only, for it runs
before anything is installed. What is there already costs nothing.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TOP = Path(__file__).resolve().parents[1]
VENV = TOP / ".venv"
POLICY = Path("/usr/sbin/policy-rc.d")
LEAST_DISK = 3 * 1024**3

# A program, or a file, that shows that a package is there, and the package.
BUILD = {
    "gcc": "gcc",
    "pkg-config": "pkg-config",
    "/usr/include/stdio.h": "libc6-dev",
    "/usr/include/libvirt/libvirt.h": "libvirt-dev",
}
GUESTS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "qemu-storage-daemon": "qemu-system-common",
    "openssl": "openssl",
    "libvirtd": "libvirt-daemon",
    "/etc/libvirt/libvirtd.conf": "libvirt-daemon-system",
    "virsh": "libvirt-clients",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "ping": "iputils-ping",
    "sysctl": "procps",
    "ssh": "openssh-client",
    "busybox": "busybox-static",
    "dropbear": "dropbear-bin",
    "syslinux": "syslinux",
    "/usr/lib/syslinux/mbr/mbr.bin": "syslinux-common",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
    "depmod": "kmod",
    "unshare": "util-linux",
}
CONTAINERS = {"/usr/lib/libvirt/libvirt_lxc": "libvirt-daemon-driver-lxc"}
S3_CLIENTS = {"s3cmd": "s3cmd", "rclone": "rclone"}
MARIADB = {"mariadbd": "mariadb-server-core", "my_print_defaults": "mariadb-client-core"}
RABBITMQ = {"/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server"}
POSTGRESQL = {"/usr/lib/postgresql/15/bin/postgres": "postgresql"}
BROWSER = {"chromium-headless-shell": "chromium-headless-shell"}
PAGES = VENV / "novnc"
"""Where the package novnc is unpacked: only its pages are of use, and it would bring fifty others with it."""
NAME_SERVERS = {
    "slapd": "slapd",
    "pdns_server": "pdns-server",
    "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql": "pdns-backend-sqlite3",
}
_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"

EXTRAS = {"run": ["client"], "distributed": ["client"], "test": ["test", "lint"], "lint": ["lint"]}
"""The targets, with the extras of pyproject.toml that each needs."""

_BEGAN = time.monotonic()


class Refused(Exception):
    """The machine cannot be set up; the text is one sentence that says what to mend."""


def main() -> int:
    """Set the machine up for the target that the command line names."""
    target = sys.argv[1] if len(sys.argv) == 2 else ""
    if target not in EXTRAS:
        print(f"usage: python3 -m tools.bootstrap {' | '.join(EXTRAS)}", file=sys.stderr)
        return 2
    # What was begun is put back when the program is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with _alone():
            prepare(target)
    except (Refused, KeyboardInterrupt) as refused:
        print(f"make: {refused or 'interrupted'}", file=sys.stderr)
        return 1
    return 0


def prepare(target: str) -> None:
    """Install what the target needs and is not there; raises Refused."""
    check_machine(target)
    guests = wants_guests(target)
    build = missing(build_needs(guests=guests))
    rest = [package for package in missing(needs(target, guests=guests)) if package not in build]
    extras = renewed([*EXTRAS[target], *(["libvirt"] if guests else [])])
    if build or rest:
        _say(f"Installing Debian packages: {' '.join([*build, *rest])}")
        _check_apt([*build, *rest])
    with concurrent.futures.ThreadPoolExecutor() as pool, _no_servers(at_all=bool(build or rest)):
        if build or rest:
            _apt("update")
        _install(build)
        # pip needs the packages of the first round only; on two cores both go on at once.
        others = pool.submit(_install, rest)
        if extras:
            _say("Installing Python packages into .venv")
            make_environment(extras)
        if guests:
            fetch_pages()
        others.result()


def check_machine(target: str) -> None:
    """Raise Refused where Python is too old, the disk is full, a port is taken; nothing was begun yet."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is what finds out
        raise Refused(f"Python 3.11 or later is needed, and {sys.executable} is {sys.version.split()[0]}.")
    if target in ("run", "distributed"):
        from tools.cloud import servers, settings

        try:
            wanted = settings.from_environment(distributed=target == "distributed")
            if not servers.Machinery(wanted).runs():
                settings.check_machine(wanted)
        except settings.RunError as error:
            raise Refused(str(error)) from error
    if not (VENV / "installed").exists() and shutil.disk_usage(TOP).free < LEAST_DISK:
        raise Refused(f"The disk of {TOP} has less than 3 GiB left.")


def wants_guests(target: str) -> bool:
    """Tell whether real guests are to run: always in tests, otherwise as root unless DRIVER says fake."""
    if target == "lint":
        return False
    return target == "test" or (os.geteuid() == 0 and os.environ.get("DRIVER") != "fake")


def build_needs(*, guests: bool) -> dict[str, str]:
    """Return what the virtual environment is made with: by program or file, the package that has it."""
    needed = dict(BUILD) if guests else {}
    if guests:
        needed[str(Path(sysconfig.get_paths()["include"]) / "Python.h")] = "python3-dev"
    if importlib.util.find_spec("ensurepip") is None and not (VENV / "bin" / "python").exists():
        needed[str(Path(sysconfig.get_paths()["stdlib"]) / "ensurepip/__init__.py")] = "python3-venv"
    return needed


def needs(target: str, *, guests: bool) -> dict[str, str]:
    """Return what the target runs with: by program or file, the package that has it."""
    needed = dict(GUESTS) if guests else {}
    if target in ("distributed", "test"):
        if target == "test" or not os.environ.get("SQL_CONNECTION"):
            needed |= MARIADB
        if target == "test" or not os.environ.get("TRANSPORT_URL"):
            needed |= RABBITMQ
    if guests and (target == "test" or os.environ.get("LIBVIRT_TYPE") == "lxc"):
        needed |= CONTAINERS
    if target == "test":
        needed |= POSTGRESQL | BROWSER | S3_CLIENTS | NAME_SERVERS
    return needed


def missing(needed: Mapping[str, str]) -> list[str]:
    """Return the packages whose program or file this machine lacks."""
    return sorted({package for name, package in needed.items() if not _present(name)})


def _present(name: str) -> bool:
    return Path(name).exists() if name.startswith("/") else shutil.which(name, path=_PATH) is not None


def renewed(extras: Iterable[str]) -> list[str]:
    """Return the extras to install, none where the virtual environment has them for these requirements."""
    lines = (VENV / "installed").read_text().split() if (VENV / "installed").exists() else []
    present = set(lines[1:]) if lines[:1] == [_requirements()] else set()
    if set(extras) <= present and (VENV / "bin" / "nova-all").exists():
        return []
    return sorted(present | set(extras))


def make_environment(extras: list[str]) -> None:
    """Make the virtual environment, or bring it up to date; raises Refused."""
    python = VENV / "bin" / "python"
    if VENV.exists() and not _works(python):
        # The interpreter that it was made with has gone.
        shutil.rmtree(VENV)
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(VENV)])
    _run([str(python), "-m", "pip", "install", "-q", "-e", f"{TOP}[{','.join(extras)}]"])
    (VENV / "installed").write_text(" ".join([_requirements(), *extras]))


def fetch_pages() -> None:
    """Unpack noVNC's pages into the virtual environment; raises Refused."""
    if (PAGES / "usr/share/novnc/vnc.html").exists():
        return
    _say("Fetching the pages of noVNC")
    with tempfile.TemporaryDirectory() as folder:
        argv = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", "novnc"]
        try:
            _run(argv, cwd=folder)
        except Refused:
            # The lists of packages may be missing, or older than what the servers have.
            _apt("update")
            _run(argv, cwd=folder)
        for package in Path(folder).glob("novnc_*.deb"):
            _run(["dpkg", "-x", str(package), str(PAGES)])


def _works(python: Path) -> bool:
    with contextlib.suppress(OSError):
        return (
            subprocess.run(
                [str(python), "-m", "pip", "--version"], capture_output=True, check=False
            ).returncode
            == 0
        )
    return False


def _requirements() -> str:
    """Return what changes when the project's requirements do."""
    return hashlib.sha256((TOP / "pyproject.toml").read_bytes()).hexdigest()


def _check_apt(packages: list[str]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Refused(
            f"These packages of Debian are needed, and only root can install them: {' '.join(packages)}."
        )


def _install(packages: list[str]) -> None:
    if packages:
        _apt("install", "--no-install-recommends", *packages)


def _apt(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", *words], environment)


@contextlib.contextmanager
def _no_servers(*, at_all: bool) -> Iterator[None]:
    """Keep Debian from starting the servers that it installs: the project starts its own, on own ports."""
    if not at_all:
        yield
        return
    kept = POLICY.with_name("policy-rc.d.kept-by-nova_lite")
    if POLICY.exists() and not kept.exists():
        POLICY.rename(kept)
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
        if kept.exists():
            kept.rename(POLICY)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other run sets this checkout up."""
    with (TOP / "Makefile").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(f"[{time.monotonic() - _BEGAN:5.1f} s] {text}", flush=True)


def _run(argv: list[str], environment: Mapping[str, str] | None = None, cwd: str | None = None) -> None:
    done = subprocess.run(
        argv, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Refused(f"{' '.join(argv[:3])} failed: {output[-1] if output else 'no reason given'}.")


if __name__ == "__main__":
    sys.exit(main())
