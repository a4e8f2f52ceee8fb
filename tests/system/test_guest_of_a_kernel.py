"""A real guest of a kernel, a ramdisk and a disk, asked by its own agent what it was given."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.conf import load
from nova_lite.core import hardware, ids
from nova_lite.drivers.virt.base import GuestImage, GuestSpec, Injected
from nova_lite.drivers.virt.libvirt.driver import LibvirtDriver
from tests.system.test_first_guest import TOP, eventually
from tools.guest_image.build import build
from tools.services import Libvirtd

KEY = "ssh-ed25519 AAAA user@host"


def part(path: Path, disk_format: str, **needed: GuestImage) -> GuestImage:
    """Return a file that the guest image's builder made as an image."""

    def fetch(target: Path) -> None:
        shutil.copyfile(path, target)

    return GuestImage(ids.new_uuid(), disk_format, path.stat().st_size, fetch, **needed)


@pytest.fixture
def image() -> GuestImage:
    built = build(TOP / "var" / "cache")
    kernel = part(built.with_suffix(".kernel"), "aki")
    ramdisk = part(built.with_suffix(".ramdisk"), "ari")
    return part(built.with_suffix(".root"), "ami", kernel=kernel, ramdisk=ramdisk)


class Guest:
    """A guest and what can be seen of it from outside, and by its agent from inside."""

    def __init__(self, driver: LibvirtDriver, spec: GuestSpec, libvirtd: Libvirtd) -> None:
        self.driver = driver
        self.spec = spec
        self._libvirtd = libvirtd

    def is_ready(self) -> bool:
        """Wait until it has said on its console that it runs."""
        return eventually(
            lambda: "READY after" in self.driver.console_output(self.spec.uuid, self.spec.name, None), 180
        )

    def agent(self, command: str, **arguments: Any) -> Any:
        """Ask the guest's agent."""
        asked = json.dumps({"execute": command, "arguments": arguments})
        done = subprocess.run(
            ["virsh", "-q", "-c", self._libvirtd.url, "qemu-agent-command", self.spec.uuid, asked],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return json.loads(done.stdout)["return"]

    def run(self, words: str) -> str:
        """Run a command in the guest."""
        argv = {"path": "/bin/sh", "arg": ["-c", words], "capture-output": True}
        pid = self.agent("guest-exec", **argv)["pid"]
        answers: list[Any] = []

        def is_over() -> bool:
            answers.append(self.agent("guest-exec-status", pid=pid))
            return bool(answers[-1]["exited"])

        assert eventually(is_over, 60)
        return base64.b64decode(answers[-1].get("out-data", "")).decode()


@pytest.fixture
def guest(tmp_path: Path, image: GuestImage) -> Iterator[Guest]:
    flags = [f"--state_path={tmp_path}", f"--instances_path={tmp_path / 'instances'}", "--host=host1"]
    flags += ["--libvirt_inject_partition=1", "--config_drive_format=vfat", "--soft_reboot_timeout=120"]
    wanted = hardware.of(1, {"hw:watchdog_action": "reset"}, {"hw_qemu_guest_agent": "yes", "hw_vif_model": "e1000"})
    uuid = ids.new_uuid()
    spec = GuestSpec(
        uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=128, vcpus=1, root_gb=1, ephemeral_gb=1, swap_mb=16,
        hardware=wanted, config_drive={"openstack/latest/meta_data.json": b'{"name": "everything"}'},
        injected=Injected(files={"/etc/motd": b"Welcome\n"}, key=KEY, interfaces="auto eth0\n", metadata="{}"),
    )  # fmt: skip
    with Libvirtd(tmp_path / "libvirtd") as libvirtd:
        conf = load([*flags, f"--libvirt_uri={libvirtd.url}"], prog="nova-compute")
        driver = LibvirtDriver.from_flags(conf)
        driver.start()
        driver.create_disks(spec, image)
        driver.spawn(spec)
        yield Guest(driver, spec, libvirtd)
        driver.destroy(spec.uuid)
        driver.delete_disks(spec.uuid, spec.name)
        assert (driver.guests(), driver.leftovers()) == ((), ())


def test_a_guest_of_a_kernel_has_the_disks_and_files_that_it_was_given(guest: Guest) -> None:
    assert guest.is_ready()

    assert guest.run("cat /etc/motd /etc/network/interfaces /meta.js") == "Welcome\nauto eth0\n{}"
    assert KEY in guest.run("cat /root/.ssh/authorized_keys")
    assert guest.run("mkdir /e && mount /dev/vdb /e && df -k /e | tail -1 | awk '{print ($2 > 900000)}'") == "1\n"
    assert guest.run("swapon /dev/vdc && tail -n +2 /proc/swaps | cut -d' ' -f1") == "/dev/vdc\n"
