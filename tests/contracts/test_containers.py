"""What containers do beside the contract of drivers, and what they cannot do."""

import dataclasses
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.console import ConsoleType
from nova_lite.core.errors import ConfigurationError, DriverError, NotSupported
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.abilities import CachesImages, LiveMigration
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec, Injected
from nova_lite.drivers.virt.libvirt import control_groups
from nova_lite.drivers.virt.libvirt.container_disks import SEED
from nova_lite.drivers.virt.libvirt.control_groups import groups_of, remove_left
from nova_lite.drivers.virt.libvirt.driver import LibvirtDriver
from nova_lite.drivers.virt.libvirt.ext_files import ExtFiles
from tests.cloud import wait_for
from tests.contracts.guests import a_spec, an_image, copying, disk, power_of, spawned
from tools.services import Libvirtd


@pytest.fixture
def driver(libvirtd: Libvirtd, instances: Path, tmp_path: Path) -> Iterator[VirtDriver]:
    flags = ["--libvirt_type=lxc", f"--libvirt_uri={libvirtd.containers_url}", f"--instances_path={instances}"]
    flags += [f"--state_path={tmp_path}", "--host=host1", "--libvirt_inject_partition=1"]
    driver = LibvirtDriver.from_flags(load(flags, prog="nova-compute"))
    driver.start()
    yield driver
    for guest in driver.guests():
        driver.destroy(guest.uuid)
        assert groups_of(guest.name) == []
        driver.delete_disks(guest.uuid, guest.name)


def in_disk(path: Path, name: str) -> bytes | None:
    """Return a file of a container's disk."""
    return ExtFiles(Runner(), path, 0).read(name)


def typed(driver: VirtDriver, spec: GuestSpec, words: str) -> None:
    """Type a line on a container's console."""
    here, there = socket.socketpair()
    with here:
        driver.open_serial(spec.uuid)(there)  # type: ignore[attr-defined]
        here.sendall(words.encode() + b"\n")
        here.settimeout(20)
        assert here.recv(100)


def make_table(disk: Path, start: int, count: int) -> None:
    """Write a GUID table whose second partition is ``count`` sectors from ``start`` (UEFI, section 5.3)."""
    with disk.open("r+b") as stream:
        stream.seek(446)
        stream.write(struct.pack("<B3sB3sII", 0, b"", 0xEE, b"", 1, start + count).ljust(64, b"\0") + b"\x55\xaa")
        stream.write(b"EFI PART".ljust(72, b"\0") + struct.pack("<QII", 2, 128, 128).ljust(440, b"\0"))
        for first, last in ((40, 41), (start, start + count - 1)):
            stream.write(b"\1" * 32 + struct.pack("<QQ", first, last).ljust(96, b"\0"))


def test_a_container_runs_from_a_partition_that_grows_and_has_what_is_put_into_it(
    driver: VirtDriver, spec: GuestSpec, instances: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    whole.write_bytes(b"\0" * 1024 * 1024 + disk() + b"\0" * 1024 * 1024)
    make_table(whole, 2048, len(disk()) // 512)
    image = GuestImage(ids.new_uuid(), "raw", whole.stat().st_size, copying(whole))
    spec = dataclasses.replace(
        spec, root_gb=1, ephemerals=(EphemeralDisk(1),), config_drive={"openstack/latest/user_data": b"hello"},
        injected=Injected(files={"/etc/motd": b"welcome"}),
    )  # fmt: skip

    for _ in range(2):
        driver.create_disks(spec, image)
    driver.spawn(spec)

    assert power_of(driver, spec) is PowerState.RUNNING
    folder = instances / spec.name
    assert in_disk(folder / "disk", f"{SEED}/openstack/latest/user_data") == b"hello"
    assert in_disk(folder / "disk", "/etc/motd") == b"welcome"
    assert (folder / "disk").stat().st_size == 1024**3
    assert wait_for(lambda: "begun" in driver.console_output(spec.uuid, spec.name, None))
    assert wait_for(lambda: "/mnt" in driver.console_output(spec.uuid, spec.name, None))
    assert not (folder / "disk").stat().st_blocks * 512 > 100 * 1024**2


def test_a_container_that_runs_is_copied_with_what_it_wrote(
    driver: VirtDriver, spec: GuestSpec, instances: Path
) -> None:
    spawned(driver, spec)
    typed(driver, spec, "marked")
    assert wait_for(lambda: "begun" in driver.console_output(spec.uuid, spec.name, None))
    assert wait_for(lambda: "marked" in driver.console_output(spec.uuid, spec.name, None))
    for _ in range(2):
        driver.snapshot(spec.uuid, spec.name)
    copy = driver.snapshot_file(spec.uuid, spec.name)

    assert power_of(driver, spec) is PowerState.RUNNING
    again = a_spec()
    image = GuestImage(ids.new_uuid(), copy.disk_format, copy.path.stat().st_size, copying(copy.path))
    driver.create_disks(again, image)
    assert b"begun" in (in_disk(instances / again.name / "disk", "/kept") or b"")
    driver.spawn(again)
    assert power_of(driver, again) is PowerState.RUNNING
    driver.drop_snapshot(spec.uuid, spec.name)
    assert not copy.path.exists()


def test_a_container_is_made_of_the_disks_of_another_and_they_grow(
    driver: VirtDriver, spec: GuestSpec, instances: Path
) -> None:
    spec = dataclasses.replace(spec, ephemerals=(EphemeralDisk(1),))
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.0)
    driver.pack(spec.uuid, spec.name)
    packed = driver.snapshot_file(spec.uuid, spec.name)
    image = GuestImage(ids.new_uuid(), packed.disk_format, packed.path.stat().st_size, copying(packed.path))
    driver.set_aside(spec.uuid, spec.name)

    larger = dataclasses.replace(spec, root_gb=1)
    driver.copy_aside(larger)
    received = dataclasses.replace(a_spec(), root_gb=1, ephemerals=spec.ephemerals)
    driver.receive_disks(received, image)

    for one in (larger, received):
        driver.spawn(one)
        assert power_of(driver, one) is PowerState.RUNNING
        assert (instances / one.name / "disk").stat().st_size == 1024**3
        assert (instances / one.name / "disk.local").stat().st_size == 1024**3
    driver.drop_aside(spec.name)


def test_a_container_that_a_crash_left_still_goes_on(driver: VirtDriver, spec: GuestSpec, instances: Path) -> None:
    spawned(driver, spec)
    (instances / spec.name / "frozen").touch()
    driver.pause(spec.uuid)
    for _ in range(2):
        driver.drop_snapshot(spec.uuid, spec.name)
    assert power_of(driver, spec) is PowerState.RUNNING

    driver.pause(spec.uuid)
    driver.snapshot(spec.uuid, spec.name)
    assert power_of(driver, spec) is PowerState.PAUSED


def test_a_container_tells_how_it_does_and_refuses_what_it_cannot(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    found = driver.diagnostics(spec.uuid)

    assert (found.state, found.hypervisor, [use.target for use in found.disks]) == (PowerState.RUNNING, "lxc", ["/"])
    assert 0 <= found.memory_used <= found.memory_maximum == 64
    assert not isinstance(driver, LiveMigration)
    assert driver.capabilities.cannot == {
        Verb.SUSPEND, Verb.LIVE_MIGRATE, Verb.CRASH_DUMP, Verb.CHANGE_PASSWORD,
    }  # fmt: skip
    for refused in (
        lambda: driver.suspend(spec.uuid),
        lambda: driver.inject_crash_dump(spec.uuid),
        lambda: driver.set_admin_password(spec.uuid, "secret"),
        lambda: driver.console(spec.uuid, ConsoleType.NOVNC),
    ):
        with pytest.raises(NotSupported):
            refused()
    with pytest.raises(DriverError, match="swap"):
        driver.create_disks(dataclasses.replace(a_spec(), swap_mb=16), an_image())



def test_a_container_that_is_killed_or_begins_anew_is_told_of(driver: VirtDriver, spec: GuestSpec) -> None:
    told: list[tuple[str, PowerState]] = []
    driver.watch(lambda uuid, power: told.append((uuid, power)))
    spawned(driver, spec)
    assert wait_for(lambda: (spec.uuid, PowerState.RUNNING) in told)
    assert wait_for(lambda: "begun" in driver.console_output(spec.uuid, spec.name, None))
    pid = int(driver._domains.run(spec.uuid, lambda found: found.ID()))  # type: ignore[attr-defined]
    os.kill(pid, 9)
    assert wait_for(lambda: (spec.uuid, PowerState.SHUTDOWN) in told)
    assert power_of(driver, spec) is PowerState.SHUTDOWN
    driver.power_on(spec)
    assert wait_for(lambda: driver.console_output(spec.uuid, spec.name, None).count("begun") == 2)


@pytest.mark.parametrize("version", ["", "memory"])
def test_groups_that_a_container_left_are_removed_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(control_groups, "_SECONDS", 0.2)
    machine = tmp_path / version / "machine"
    for name in ("lxc-1-instance-00000001", "lxc-2-instance-00000001", "lxc-3-instance-00000002"):
        (machine / f"{name}.libvirt-lxc" / "init.scope").mkdir(parents=True)
    in_use = machine / "lxc-2-instance-00000001.libvirt-lxc" / "process"
    in_use.touch()
    assert len(groups_of("instance-00000001", tmp_path)) == 4

    for _ in range(2):
        remove_left(Runner(), "instance-00000001", tmp_path)

    left = sorted(path.name.partition(".")[0] for path in machine.iterdir())
    assert left == ["lxc-2-instance-00000001", "lxc-3-instance-00000002"]
    assert in_use.exists()


def test_an_image_without_a_file_system_makes_no_container(driver: VirtDriver, spec: GuestSpec) -> None:
    def fetch(path: Path) -> None:
        path.write_bytes(b"\0" * 1024 * 1024)

    with pytest.raises(DriverError, match="no file system"):
        driver.create_disks(spec, GuestImage(ids.new_uuid(), "raw", 1024 * 1024, fetch))
    driver.delete_disks(spec.uuid, spec.name)
    assert isinstance(driver, CachesImages)
    driver.clean_cache()
    assert driver.leftovers() == ()


def test_an_operator_is_told_what_is_missing(libvirtd: Libvirtd, instances: Path, tmp_path: Path) -> None:
    def start(*flags: str) -> None:
        always = [f"--state_path={tmp_path}", "--libvirt_type=lxc", "--host=host1", "--libvirt_reconnect_seconds=0"]
        LibvirtDriver.from_flags(load([*always, *flags], prog="nova-compute")).start()

    # No libvirtd of Linux has that driver, and all say so in the same way.
    without = libvirtd.containers_url.replace("lxc", "bhyve", 1)
    with pytest.raises(ConfigurationError, match="libvirt-daemon-driver-lxc"):
        start(f"--libvirt_uri={without}", f"--instances_path={instances}")
    with pytest.raises(ConfigurationError, match="is not that of containers"):
        start(f"--libvirt_uri={libvirtd.url}", f"--instances_path={instances}")
    with pytest.raises(ConfigurationError, match="too long"):
        start(f"--instances_path={instances / ('x' * 60)}")
