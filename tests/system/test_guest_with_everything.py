"""One real guest of a kernel, a ramdisk and a disk, with all that a host gives guests beside a network."""

import base64
import dataclasses
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.conf import load
from nova_lite.core import hardware, ids
from nova_lite.core.errors import DriverError
from nova_lite.core.instance_states import PowerState
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.virt.base import RebootKind
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec, Injected
from nova_lite.drivers.virt.libvirt.driver import LibvirtDriver
from tests.contracts.test_libvirt_events import qemu_of
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

    def is_ready(self, times: int = 1) -> bool:
        """Wait until it has said so often on its console that it runs."""
        return eventually(lambda: self.console().count("READY after") >= times, 180)

    def console(self) -> str:
        return self.driver.console_output(self.spec.uuid, self.spec.name, None)

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
        uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=128, vcpus=1, root_gb=1, swap_mb=16,
        hardware=wanted, ephemerals=(EphemeralDisk(1),),
        config_drive={"openstack/latest/meta_data.json": b'{"name": "everything"}'},
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


def test_a_guest_has_what_it_was_given_and_outlives_what_happens_to_it(
    guest: Guest, image: GuestImage, tmp_path: Path
) -> None:
    driver, spec = guest.driver, guest.spec
    told: list[tuple[str, PowerState]] = []
    driver.watch(lambda uuid, power: told.append((uuid, power)))
    assert guest.is_ready()

    # What was written into its disk, its other disks, and its config drive.
    assert guest.run("cat /etc/motd /etc/network/interfaces /meta.js") == "Welcome\nauto eth0\n{}"
    assert KEY in guest.run("cat /root/.ssh/authorized_keys")
    assert guest.run("mkdir /e && mount /dev/vdb /e && df -k /e | tail -1 | awk '{print ($2 > 900000)}'") == "1\n"
    assert guest.run("swapon /dev/vdc && tail -n +2 /proc/swaps | cut -d' ' -f1") == "/dev/vdc\n"
    drive = "mkdir /c && mount -t vfat -o ro /dev/vdd /c && cat /c/openstack/latest/meta_data.json"
    assert guest.run(drive) == '{"name": "everything"}'
    assert guest.run("cat /proc/cmdline").strip() == "root=/dev/vda console=tty0 console=ttyS0"

    # The administrator's password, by the guest's own agent.
    driver.set_admin_password(spec.uuid, "a new word")
    assert guest.run("head -1 /etc/shadow").split(":")[1] not in ("", "*")
    assert driver.diagnostics(spec.uuid).memory_maximum == 128

    # Killed behind our back: told at once, and started again on the same disk.
    guest.run("touch /marked; sync")
    os.kill(qemu_of(spec), signal.SIGKILL)
    assert eventually(lambda: (spec.uuid, PowerState.SHUTDOWN) in told, 20)
    driver.power_on(spec)
    assert guest.is_ready(2)
    assert guest.run("ls /marked") == "/marked\n"
    first = guest.run("cat /proc/sys/kernel/random/boot_id")

    # libvirtd dies in the middle: the guest goes on, and so does what is asked of it.
    guest._libvirtd.kill()
    guest._libvirtd.start()
    assert guest.run("cat /proc/sys/kernel/random/boot_id") == first
    driver.reboot(spec, RebootKind.SOFT)
    assert guest.is_ready(3)
    assert guest.run("cat /proc/sys/kernel/random/boot_id") != first

    # A copy of it stands for itself.
    driver.snapshot(spec.uuid, spec.name)
    copy = driver.snapshot_file(spec.uuid, spec.name)
    listed = subprocess.run(
        ["qemu-img", "info", "--output=json", str(copy.path)], check=True, capture_output=True, text=True
    ).stdout
    assert "backing-filename" not in json.loads(listed)
    driver.drop_snapshot(spec.uuid, spec.name)

    # Rescued with the kernel of the rescue image, the own disk beside it.
    driver.rescue(spec, dataclasses.replace(image, id=ids.new_uuid()))
    assert guest.is_ready(4)
    assert guest.run("mkdir /own && mount /dev/vdb /own && ls /own/marked; ls /marked 2>&1").startswith("/own/marked\n")
    driver.unrescue(spec)
    assert not [*(tmp_path / "instances" / spec.name).glob("*.rescue")]


def test_a_guest_without_an_agent_says_so(guest: Guest) -> None:
    plain = dataclasses.replace(guest.spec, hardware=hardware.Hardware())
    guest.driver.destroy(plain.uuid)
    guest.driver.spawn(plain)

    with pytest.raises(DriverError, match="agent"):
        guest.driver.set_admin_password(plain.uuid, "word")
