"""What every hypervisor driver promises of disks: rescued from, copied, kept aside and come back."""

import dataclasses
import json
import subprocess
from pathlib import Path

import pycdlib
import pytest

from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.errors import DriverError, NotFound, NovaError
from nova_lite.core.instance_states import PowerState
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.guest import BUNDLE, GuestImage, GuestSpec, aside, ephemeral_file
from nova_lite.drivers.virt.libvirt import xml
from nova_lite.drivers.virt.libvirt.disks import Disks
from tests.contracts.guests import MACHINES, a_spec, an_image, copying, power_of, spawned


@pytest.mark.parametrize("before", ["power_on", "power_off"])
def test_a_rescued_guest_runs_from_another_disk(
    driver: VirtDriver, spec: GuestSpec, instances: Path, before: str
) -> None:
    def files() -> set[str]:
        return {path.name for path in (instances / spec.name).iterdir()}

    spawned(driver, spec)
    arguments = {"power_on": (spec,), "power_off": (spec.uuid, 0.2)}[before]
    getattr(driver, before)(*arguments)
    usual = files()
    for _ in range(2):
        driver.rescue(spec, an_image())
    assert power_of(driver, spec) is PowerState.RUNNING
    assert files() - usual == {"disk.rescue"}

    for _ in range(2):
        driver.unrescue(spec)
    assert power_of(driver, spec) is PowerState.RUNNING
    assert files() == usual


def test_a_guest_without_disks_is_not_rescued(driver: VirtDriver, spec: GuestSpec) -> None:
    with pytest.raises(NovaError):
        driver.rescue(spec, an_image())
    assert driver.guests() == ()
    driver.delete_disks(spec.uuid, spec.name)


@MACHINES
@pytest.mark.parametrize("before", ["power_on", "power_off", "pause", "suspend"])
def test_a_snapshot_is_a_whole_copy_and_the_guest_goes_on(
    driver: VirtDriver, spec: GuestSpec, before: str
) -> None:
    spawned(driver, spec)
    arguments = {"power_on": (spec,), "power_off": (spec.uuid, 0.2)}.get(before, (spec.uuid,))
    getattr(driver, before)(*arguments)
    power = power_of(driver, spec)
    for _ in range(2):
        driver.snapshot(spec.uuid, spec.name)
    copy = driver.snapshot_file(spec.uuid, spec.name)
    assert power_of(driver, spec) is power
    assert copy.virtual_size >= copy.path.stat().st_size if copy.disk_format == "raw" else copy.virtual_size

    # a guest can be made from it where nothing else is
    again = a_spec()
    image = GuestImage(ids.new_uuid(), copy.disk_format, copy.path.stat().st_size, copying(copy.path))
    for _ in range(2):
        driver.drop_snapshot(spec.uuid, spec.name)
    assert not copy.path.exists()
    driver.create_disks(again, image)
    driver.spawn(again)
    assert power_of(driver, again) is PowerState.RUNNING


def test_what_is_not_there_has_no_snapshot(driver: VirtDriver, spec: GuestSpec) -> None:
    with pytest.raises(NotFound):
        driver.snapshot(spec.uuid, spec.name)
    with pytest.raises(DriverError):
        driver.snapshot_file(spec.uuid, spec.name)
    driver.drop_snapshot(spec.uuid, spec.name)


@MACHINES
def test_disks_that_are_kept_aside_come_back(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    for _ in range(2):
        driver.set_aside(spec.uuid, spec.name)
    assert driver.guest(spec.uuid) is None
    assert driver.is_aside(spec.name)
    assert driver.leftovers() == (aside(spec.name),)

    for _ in range(2):
        driver.put_back(spec.uuid, spec.name)
        driver.define(spec)
    assert not driver.is_aside(spec.name)
    assert power_of(driver, spec) is PowerState.SHUTDOWN
    driver.power_on(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


def _kind(disk: Path) -> str:
    return "qcow2" if disk.open("rb").read(4) == b"QFI\xfb" else "raw"


def write_mark(disk: Path, number: int) -> None:
    """Write into a disk, as a guest does, what tells it from others."""
    words = f"write -q -P {number + 1} 0 512"
    subprocess.run(["qemu-io", "-f", _kind(disk), "-c", words, str(disk)], check=True, capture_output=True)


def has_mark(disk: Path, number: int) -> bool:
    argv = ["qemu-io", "-r", "-U", "-f", _kind(disk), "-c", f"read -q -P {number + 1} 0 512", str(disk)]
    done = subprocess.run(argv, check=False, capture_output=True)
    return done.returncode == 0 and not done.stdout


def size_gb(disk: Path) -> int:
    argv = ["qemu-img", "info", "--output=json", "-U", str(disk)]
    found = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return int(found["virtual-size"]) // 1024**3


@MACHINES
@pytest.mark.parametrize("disks", [(), (EphemeralDisk(1), EphemeralDisk(1))], ids=["root", "several"])
def test_a_guest_is_made_of_a_copy_of_anothers_disks(
    driver: VirtDriver, spec: GuestSpec, instances: Path, disks: tuple[EphemeralDisk, ...]
) -> None:
    spec = dataclasses.replace(spec, ephemerals=disks, swap_mb=16)
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)
    folder = instances / spec.name
    for number in range(len(disks)):
        write_mark(folder / ephemeral_file(number), number)
    for _ in range(2):
        driver.pack(spec.uuid, spec.name)
    copy = driver.snapshot_file(spec.uuid, spec.name)
    image = GuestImage(ids.new_uuid(), copy.disk_format, copy.path.stat().st_size, copying(copy.path))
    for _ in range(2):
        driver.drop_snapshot(spec.uuid, spec.name)
    assert not copy.path.exists()
    driver.set_aside(spec.uuid, spec.name)
    grown = tuple(dataclasses.replace(disk, size_gb=2) for disk in disks)
    larger = dataclasses.replace(spec, root_gb=1, ephemerals=(*grown, EphemeralDisk(1)), memory_mb=96, swap_mb=32)

    for _ in range(2):
        driver.receive_disks(larger, image)
    for number in range(len(disks)):
        assert has_mark(folder / ephemeral_file(number), number)
    assert [size_gb(folder / ephemeral_file(number)) for number in range(len(disks) + 1)] == [2] * len(disks) + [1]
    for _ in range(2):
        driver.spawn(larger)
    assert power_of(driver, spec) is PowerState.RUNNING
    assert driver.is_aside(spec.name)
    for _ in range(2):
        driver.drop_aside(spec.name)
    assert driver.leftovers() == (spec.name,)
    assert power_of(driver, spec) is PowerState.RUNNING


def test_a_copy_that_is_damaged_is_refused(driver: VirtDriver, spec: GuestSpec) -> None:
    damaged = dataclasses.replace(an_image(), disk_format=BUNDLE)
    with pytest.raises(DriverError, match="damaged"):
        driver.receive_disks(dataclasses.replace(spec, ephemerals=(EphemeralDisk(1),)), damaged)
    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


@MACHINES
def test_a_guest_is_made_of_a_copy_of_what_is_kept_aside(
    driver: VirtDriver, spec: GuestSpec, instances: Path
) -> None:
    spec = dataclasses.replace(spec, ephemerals=(EphemeralDisk(1),), swap_mb=16)
    spawned(driver, spec)
    with pytest.raises(DriverError):
        driver.copy_aside(spec)
    driver.power_off(spec.uuid, 0.2)
    folder = instances / spec.name
    write_mark(folder / "disk.local", 5)
    driver.set_aside(spec.uuid, spec.name)
    larger = dataclasses.replace(spec, root_gb=1, ephemerals=(EphemeralDisk(2), EphemeralDisk(1)), memory_mb=96)

    for _ in range(2):
        driver.copy_aside(larger)
        assert has_mark(folder / "disk.local", 5)
        assert [size_gb(folder / ephemeral_file(number)) for number in range(2)] == [2, 1]
        driver.spawn(larger)
    assert power_of(driver, spec) is PowerState.RUNNING
    assert driver.is_aside(spec.name)
    driver.destroy(spec.uuid)
    driver.put_back(spec.uuid, spec.name)
    driver.spawn(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
def test_a_config_drive_is_made_with_the_disks_and_ends_with_them(
    driver: VirtDriver, spec: GuestSpec, instances: Path
) -> None:
    told = {"openstack/latest/meta_data.json": b"{}", "openstack/latest/user_data": b"#!/bin/sh\n"}
    with_drive = dataclasses.replace(spec, config_drive=told)
    driver.create_disks(with_drive, an_image())
    driver.create_disks(dataclasses.replace(spec, config_drive={"other": b""}), an_image())
    assert (instances / spec.name / "disk.config").stat().st_mode & 0o077 == 0
    driver.spawn(spec)
    assert power_of(driver, spec) is PowerState.RUNNING

    drive = pycdlib.PyCdlib()
    drive.open(str(instances / spec.name / "disk.config"))
    assert drive.pvd.volume_identifier.strip() == b"config-2"
    assert [child.rock_ridge.name() for child in drive.list_children(rr_path="/openstack/latest")][2:] == [
        b"meta_data.json",
        b"user_data",
    ]
    drive.close()
    driver.destroy(spec.uuid)
    driver.define(spec)
    for _ in range(2):
        driver.renew_config_drive(dataclasses.replace(spec, config_drive={"renewed": b""}))
    drive.open(str(instances / spec.name / "disk.config"))
    assert [child.rock_ridge.name() for child in drive.list_children(rr_path="/")][2:] == [b"renewed"]
    drive.close()
    driver.spawn(spec)
    assert power_of(driver, spec) is PowerState.RUNNING
    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


@MACHINES
def test_what_comes_back_takes_the_place_of_what_was_made_since(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.set_aside(spec.uuid, spec.name)
    spawned(driver, spec)

    driver.put_back(spec.uuid, spec.name)

    assert driver.guest(spec.uuid) is None
    assert driver.leftovers() == (spec.name,)
    driver.spawn(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


def test_disks_that_hosts_share_are_not_cached_by_one_of_them(tmp_path: Path, spec: GuestSpec) -> None:
    def drive(host: str) -> str:
        flags = [f"--state_path={tmp_path}", f"--instances_path={tmp_path}", f"--host={host}"]
        disks = Disks.from_flags(load(flags, prog="nova-compute"))
        disks.start()
        disks.create(spec, an_image())
        return xml.domain(spec, disks.files(spec.name), xml.Machine("qemu", "none"))

    assert 'cache="writeback"' in drive("host1")
    assert 'cache="none"' in drive("host2")
