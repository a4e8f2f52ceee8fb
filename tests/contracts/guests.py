"""What the contract of hypervisor drivers asks for: guests that are cheap to make, and images for them."""

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_lite.core import ids
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from tools.services.namespaces import busybox

MACHINES = pytest.mark.parametrize("new_driver", ["fake", "libvirt"], indirect=True)
"""Marks what containers cannot do."""


@functools.cache
def disk() -> bytes:
    """Return a file system from which no machine boots; a container of it prints a line and waits."""
    with tempfile.TemporaryDirectory() as folder:
        top, made = Path(folder, "top"), Path(folder, "made")
        for name in ("bin", "sbin", "etc", "dev", "proc", "sys", "root"):
            (top / name).mkdir(parents=True)
        shutil.copy(busybox(), top / "bin/busybox")
        for name in ("bin/sh", "bin/mount", "bin/cat", "sbin/init"):
            (top / name).symlink_to("/bin/busybox")
        (top / "etc/inittab").write_text("::sysinit:/bin/sh /etc/rc\n::respawn:/bin/sh -c 'exec cat'\n")
        (top / "etc/rc").write_text("mount\necho begun >> /kept\necho begun\n")
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", top, made, "8M"], check=True)
        return made.read_bytes()


NewDriver = Callable[[], VirtDriver]


def a_spec() -> GuestSpec:
    uuid = ids.new_uuid()
    return GuestSpec(uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=64, vcpus=1, root_gb=0)


def an_image() -> GuestImage:
    """An image from which nothing boots: its guest runs on and hears nobody."""

    def fetch(path: Path) -> None:
        path.write_bytes(disk())

    return GuestImage(ids.new_uuid(), "raw", len(disk()), fetch)


def copying(path: Path) -> Callable[[Path], None]:
    """Return what brings the bytes that are in ``path`` now."""
    data = path.read_bytes()

    def fetch(target: Path) -> None:
        target.write_bytes(data)

    return fetch


def power_of(driver: VirtDriver, spec: GuestSpec) -> PowerState | None:
    guest = driver.guest(spec.uuid)
    return None if guest is None else guest.power_state


def spawned(driver: VirtDriver, spec: GuestSpec) -> None:
    driver.create_disks(spec, an_image())
    driver.spawn(spec)
