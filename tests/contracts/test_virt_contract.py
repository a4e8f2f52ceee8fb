"""What every hypervisor driver promises: the simulated one, and libvirt with QEMU's guests."""

import dataclasses
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pycdlib
import pytest

from nova_lite.conf import load
from nova_lite.core import hardware, ids
from nova_lite.core.console import ConsoleType
from nova_lite.core.devices import DeviceKind
from nova_lite.core.errors import DriverError, NotFound, NotSupported, NovaError
from nova_lite.core.instance_states import PowerState
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.core.server_migration import Progress
from nova_lite.drivers.virt.base import (
    BUNDLE,
    CachesImages,
    GuestImage,
    GuestInterface,
    GuestSpec,
    LiveMigration,
    RebootKind,
    SerialConsole,
    VirtDriver,
    aside,
    ephemeral_file,
)
from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.drivers.virt.libvirt import xml
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.driver import LibvirtDriver
from tests.cloud import wait_for
from tests.contracts import hostile_images
from tools.services import Libvirtd
from tools.services.namespaces import busybox

KINDS = {"fake": FakeVirtDriver, "libvirt": LibvirtDriver, "lxc": LibvirtDriver}
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


@pytest.fixture(scope="module")
def libvirtd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libvirtd]:
    with Libvirtd(tmp_path_factory.mktemp("libvirtd")) as libvirtd:
        yield libvirtd


NewDriver = Callable[[], VirtDriver]


@pytest.fixture
def instances() -> Iterator[Path]:
    """A folder for guests, whose path is not longer than containers allow."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(params=KINDS)
def new_driver(request: pytest.FixtureRequest, tmp_path: Path, instances: Path) -> NewDriver:
    """Makes drivers of the same host, as a daemon that starts again does."""
    flags = [f"--state_path={tmp_path}", f"--instances_path={instances}", "--host=host1"]
    # What no guest uses leaves the cache at once.
    flags += ["--remove_unused_original_minimum_age_seconds=0", "--remove_unused_resized_minimum_age_seconds=0"]
    flags += ["--soft_reboot_timeout=1", "--vnc_enabled", "--my_ip=127.0.0.1"]
    if request.param == "libvirt":
        flags.append(f"--libvirt_uri={request.getfixturevalue('libvirtd').url}")
    if request.param == "lxc":
        flags += ["--libvirt_type=lxc", f"--libvirt_uri={request.getfixturevalue('libvirtd').containers_url}"]
    conf = load(flags, prog="nova-compute")

    def make() -> VirtDriver:
        driver: VirtDriver = KINDS[request.param].from_flags(conf)
        driver.start()
        return driver

    return make


@pytest.fixture
def driver(new_driver: NewDriver) -> Iterator[VirtDriver]:
    driver = new_driver()
    yield driver
    for guest in driver.guests():
        driver.destroy(guest.uuid)
        driver.delete_disks(guest.uuid, guest.name)


@pytest.fixture
def spec() -> GuestSpec:
    return a_spec()


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


def test_the_host_says_how_large_it_is(driver: VirtDriver) -> None:
    found = driver.host_resources()

    assert found.hypervisor_hostname
    assert found.vcpus >= 1
    assert found.memory_mb > 64
    assert 0 <= found.disk_available_least <= found.local_gb
    assert json.loads(found.cpu_info)["arch"]
    assert driver.capabilities.hypervisor_type


@MACHINES
def test_the_host_says_since_when_it_runs(driver: VirtDriver) -> None:
    # The openstack client takes the line apart by this expression.
    assert re.match(r"\s*(.+)\sup\s+(.+),\s+(.+)\susers?,\s+load average:\s(.+)", driver.host_uptime())


def test_a_guest_is_there_from_spawn_to_destroy(driver: VirtDriver, spec: GuestSpec) -> None:
    assert driver.guest(spec.uuid) is None
    spawned(driver, spec)
    assert power_of(driver, spec) is PowerState.RUNNING
    assert [(guest.uuid, guest.name) for guest in driver.guests()] == [(spec.uuid, spec.name)]
    assert driver.leftovers() == (spec.name,)

    driver.destroy(spec.uuid)
    assert driver.guests() == ()
    assert driver.leftovers() == (spec.name,)
    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


def test_everything_may_be_done_twice(driver: VirtDriver, spec: GuestSpec) -> None:
    image = an_image()
    for _ in range(2):
        driver.create_disks(spec, image)
    for _ in range(2):
        driver.spawn(spec)
    assert len(driver.guests()) == 1
    for _ in range(2):
        driver.power_off(spec.uuid, 0.2)
    for _ in range(2):
        driver.power_on(spec)
    assert power_of(driver, spec) is PowerState.RUNNING
    for _ in range(2):
        driver.destroy(spec.uuid)
    for _ in range(2):
        driver.delete_disks(spec.uuid, spec.name)
    assert (driver.guests(), driver.leftovers()) == ((), ())


@MACHINES
def test_spawn_leaves_a_running_guest_alone(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    before = driver.console_output(spec.uuid, spec.name, None)
    driver.spawn(spec)

    assert driver.console_output(spec.uuid, spec.name, None).startswith(before)
    assert power_of(driver, spec) is PowerState.RUNNING


def test_guests_outlive_the_daemon(driver: VirtDriver, new_driver: NewDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)

    assert power_of(new_driver(), spec) is PowerState.RUNNING


def test_a_guest_that_ignores_the_power_button_is_stopped(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)
    assert power_of(driver, spec) is PowerState.SHUTDOWN

    driver.power_on(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


def test_power_on_defines_a_guest_again_that_was_forgotten(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.destroy(spec.uuid)
    driver.power_on(spec)

    assert power_of(driver, spec) is PowerState.RUNNING


@pytest.mark.parametrize("kind", RebootKind)
def test_a_rebooted_guest_runs(driver: VirtDriver, spec: GuestSpec, kind: RebootKind) -> None:
    spawned(driver, spec)
    driver.reboot(spec, kind)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
def test_a_hard_reboot_starts_a_guest_that_is_off(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)
    driver.reboot(spec, RebootKind.HARD)

    assert power_of(driver, spec) is PowerState.RUNNING


def test_a_paused_guest_stands_still_until_it_is_unpaused(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    for _ in range(2):
        driver.pause(spec.uuid)
    assert power_of(driver, spec) is PowerState.PAUSED
    for _ in range(2):
        driver.unpause(spec.uuid)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
def test_a_suspended_guest_is_off_until_it_is_resumed(
    driver: VirtDriver, new_driver: NewDriver, spec: GuestSpec
) -> None:
    spawned(driver, spec)
    driver.suspend(spec.uuid)
    assert power_of(driver, spec) is PowerState.SHUTDOWN
    again = new_driver()
    again.suspend(spec.uuid)
    assert power_of(again, spec) is PowerState.SHUTDOWN
    for _ in range(2):
        driver.resume(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
@pytest.mark.parametrize("before", ["pause", "suspend"])
def test_a_hard_reboot_starts_a_guest_that_stands_still(
    driver: VirtDriver, spec: GuestSpec, before: str
) -> None:
    spawned(driver, spec)
    getattr(driver, before)(spec.uuid)
    driver.reboot(spec, RebootKind.HARD)
    assert power_of(driver, spec) is PowerState.RUNNING

    # what was kept for going on is gone with it
    driver.power_off(spec.uuid, 0.2)
    with pytest.raises(DriverError):
        driver.suspend(spec.uuid)


@MACHINES
@pytest.mark.parametrize("verb", ["pause", "unpause", "suspend"])
def test_a_guest_that_is_off_cannot_stand_still(driver: VirtDriver, spec: GuestSpec, verb: str) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)

    with pytest.raises(DriverError):
        getattr(driver, verb)(spec.uuid)


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


@pytest.fixture
def interface(request: pytest.FixtureRequest) -> Iterator[GuestInterface]:
    """An interface in a bridge that is there for real guests."""
    name = f"nlc{os.getpid()}"[:14]
    if "fake" not in request.node.name:
        subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    yield GuestInterface(mac="52:54:00:aa:bb:01", tap=f"{name}t", bridge=name, address="10.9.8.7")
    if "fake" not in request.node.name:
        subprocess.run(["ip", "link", "delete", name], check=True)


def test_an_interface_is_attached_once_and_detached_for_good(
    driver: VirtDriver, spec: GuestSpec, interface: GuestInterface
) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.0)
    for _ in range(2):
        driver.attach_interface(spec.uuid, interface)
    with_it = dataclasses.replace(spec, interfaces=(interface,))
    driver.power_on(with_it)

    assert [nic.mac for nic in driver.diagnostics(spec.uuid).nics] == [interface.mac]

    driver.power_off(spec.uuid, 0.0)
    for _ in range(2):
        driver.detach_interface(spec.uuid, interface)
    driver.power_on(spec)
    assert driver.diagnostics(spec.uuid).nics == ()
    driver.detach_interface(ids.new_uuid(), interface)


@MACHINES
def test_an_interface_is_plugged_into_a_guest_that_runs(
    driver: VirtDriver, spec: GuestSpec, interface: GuestInterface
) -> None:
    spawned(driver, spec)
    for _ in range(2):
        driver.attach_interface(spec.uuid, interface)

    assert [nic.mac for nic in driver.diagnostics(spec.uuid).nics] == [interface.mac]
    (nic,) = (device for device in driver.devices(spec.uuid) if device.kind is DeviceKind.NIC)
    assert (nic.name, nic.bus) == (interface.mac, "pci")
    assert re.fullmatch("0000:[0-9a-f]{2}:[0-9a-f]{2}[.]0", nic.address)
    with pytest.raises(NotFound):
        driver.devices(ids.new_uuid())


@MACHINES
def test_a_guest_that_runs_tells_how_it_does(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    found = driver.diagnostics(spec.uuid)

    assert found.state is PowerState.RUNNING
    assert [cpu.id for cpu in found.cpus] == [0]
    assert [disk.target for disk in found.disks] == ["vda"]
    driver.inject_crash_dump(spec.uuid)
    driver.power_off(spec.uuid, 0.0)
    with pytest.raises(DriverError):
        driver.diagnostics(spec.uuid)
    with pytest.raises(DriverError):
        driver.inject_crash_dump(spec.uuid)
    with pytest.raises(DriverError):
        driver.set_admin_password(spec.uuid, "secret")


@MACHINES
def test_a_console_is_somewhere_while_the_guest_runs(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)

    address = driver.console(spec.uuid, ConsoleType.NOVNC)

    assert address.host == "127.0.0.1"
    assert address.port > 0
    with pytest.raises(NotSupported):
        driver.console(spec.uuid, ConsoleType.RDP)
    driver.power_off(spec.uuid, 0.0)
    with pytest.raises(DriverError):
        driver.console(spec.uuid, ConsoleType.NOVNC)
    with pytest.raises(NotFound):
        driver.console(ids.new_uuid(), ConsoleType.NOVNC)


@pytest.mark.parametrize("new_driver", ["libvirt"], indirect=True)
def test_a_screen_of_libvirt_speaks_rfb(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    address = driver.console(spec.uuid, ConsoleType.NOVNC)

    with socket.create_connection((address.host, address.port), timeout=10) as screen:
        # RFC 6143, section 7.1.1
        assert screen.recv(12).startswith(b"RFB 003.")


def test_a_serial_port_is_open_for_one_until_it_ends(driver: VirtDriver, spec: GuestSpec) -> None:
    assert isinstance(driver, SerialConsole)
    spawned(driver, spec)
    lines = []
    for _ in range(2):
        here, there = socket.socketpair()
        here.settimeout(20)
        driver.open_serial(spec.uuid)(there)
        lines.append(here)
    lines[1].sendall(b"hello\r")
    lines[1].shutdown(socket.SHUT_RDWR)
    for line in lines:
        line.close()

    here, there = socket.socketpair()
    here.settimeout(20)
    driver.open_serial(spec.uuid)(there)
    driver.power_off(spec.uuid, 0.0)
    if not isinstance(driver, FakeVirtDriver):
        while here.recv(4096):
            pass
    here.close()
    with pytest.raises(DriverError):
        driver.open_serial(spec.uuid)
    with pytest.raises(NotFound):
        driver.open_serial(ids.new_uuid())


def test_the_console_gives_as_many_lines_as_are_asked_for(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)

    assert driver.console_output(spec.uuid, spec.name, 0) == ""
    assert len(driver.console_output(spec.uuid, spec.name, 1).splitlines()) <= 1
    assert isinstance(driver.console_output(spec.uuid, spec.name, None), str)


def test_a_guest_that_is_not_there_is_not_found(driver: VirtDriver, spec: GuestSpec) -> None:
    with pytest.raises(NotFound):
        driver.power_off(spec.uuid, 0.2)
    with pytest.raises(NotFound):
        driver.console_output(spec.uuid, spec.name, None)
    for verb in (driver.pause, driver.unpause, driver.suspend, driver.inject_crash_dump, driver.diagnostics):
        with pytest.raises(NotFound):
            verb(spec.uuid)
    with pytest.raises(NotFound):
        driver.resume(spec)
    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)


def test_an_image_that_does_not_fit_is_refused(driver: VirtDriver, spec: GuestSpec) -> None:
    small = dataclasses.replace(spec, root_gb=1)
    large = 2 * 1024**3

    def fetch(path: Path) -> None:
        path.touch()
        os.truncate(path, large)

    with pytest.raises(NovaError, match=r"larger than the flavor's disk"):
        driver.create_disks(small, GuestImage(ids.new_uuid(), "raw", large, fetch))

    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


def test_a_guest_without_disks_does_not_start(driver: VirtDriver, spec: GuestSpec) -> None:
    with pytest.raises(NovaError):
        driver.spawn(spec)

    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)
    assert (driver.guests(), driver.leftovers()) == ((), ())


@MACHINES
def test_guests_do_not_touch_each_other(driver: VirtDriver, spec: GuestSpec) -> None:
    other = a_spec()
    spawned(driver, spec)
    spawned(driver, other)
    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)

    assert [guest.uuid for guest in driver.guests()] == [other.uuid]
    assert power_of(driver, other) is PowerState.RUNNING
    assert driver.leftovers() == (other.name,)


def test_disks_that_hosts_share_are_not_cached_by_one_of_them(tmp_path: Path, spec: GuestSpec) -> None:
    def drive(host: str) -> str:
        flags = [f"--state_path={tmp_path}", f"--instances_path={tmp_path}", f"--host={host}"]
        disks = Disks.from_flags(load(flags, prog="nova-compute"))
        disks.start()
        disks.create(spec, an_image())
        return xml.domain(spec, disks.files(spec.name), xml.Machine("qemu", "none"))

    assert 'cache="writeback"' in drive("host1")
    assert 'cache="none"' in drive("host2")


class TestLiveMigration:
    """Two drivers of the kind, on hosts of their own."""

    @pytest.fixture(params=[False, True], ids=["own disks", "shared disks"])
    def pair(self, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[VirtDriver, VirtDriver, bool]:
        drivers = []
        for host in ("host1", "host2"):
            folder = tmp_path / ("shared" if request.param else host)
            flags = [f"--state_path={tmp_path}", f"--instances_path={folder}", f"--host={host}"]
            driver: VirtDriver = FakeVirtDriver.from_flags(load(flags, prog="nova-compute"))
            driver.start()
            drivers.append(driver)
        return drivers[0], drivers[1], request.param

    def test_hosts_know_who_shares_their_disks(self, pair: tuple[VirtDriver, VirtDriver, bool]) -> None:
        here, there, shared = pair
        assert here.sharers() == ({"host1", "host2"} if shared else {"host1"})
        assert there.sharers() == ({"host1", "host2"} if shared else {"host2"})

    @pytest.mark.parametrize("paused", [False, True])
    def test_a_guest_moves_as_it_is(
        self, pair: tuple[VirtDriver, VirtDriver, bool], spec: GuestSpec, paused: bool
    ) -> None:
        here, there, shared = pair
        assert isinstance(here, LiveMigration) and isinstance(there, LiveMigration)
        spawned(here, spec)
        if paused:
            here.pause(spec.uuid)
        power = power_of(here, spec)
        for _ in range(2):
            uri = there.expect(spec, an_image(), here.traveller(spec.uuid, spec.name), shared=shared)
        assert not there.has_arrived(spec.uuid, spec.name)
        seen: list[Progress] = []
        here.move(spec, uri, shared=shared, watch=lambda progress: bool(seen.append(progress)))

        assert here.guest(spec.uuid) is None
        assert seen[-1].memory_remaining == 0
        assert there.has_arrived(spec.uuid, spec.name)
        for _ in range(2):
            there.take_over(spec)
        assert power_of(there, spec) is power
        there.destroy(spec.uuid)
        there.delete_disks(spec.uuid, spec.name)
        here.delete_disks(spec.uuid, spec.name)

    def test_a_guest_that_is_called_back_stays(
        self, pair: tuple[VirtDriver, VirtDriver, bool], spec: GuestSpec
    ) -> None:
        here, there, shared = pair
        assert isinstance(here, LiveMigration) and isinstance(there, LiveMigration)
        spawned(here, spec)
        uri = there.expect(spec, an_image(), here.traveller(spec.uuid, spec.name), shared=shared)

        def call_back(progress: Progress) -> bool:
            raise DriverError("the migration was aborted.")

        with pytest.raises(DriverError, match="aborted"):
            here.move(spec, uri, shared=shared, watch=call_back)
        assert power_of(here, spec) is PowerState.RUNNING
        assert not there.has_arrived(spec.uuid, spec.name)
        for _ in range(2):
            there.turn_away(spec.uuid, spec.name, shared=shared)
        assert there.leftovers() == ((spec.name,) if shared else ())
        here.power_off(spec.uuid, 0.2)
        with pytest.raises(DriverError):
            here.move(spec, uri, shared=shared, watch=lambda _: False)


@MACHINES
@pytest.mark.parametrize("name", hostile_images.REFUSED)
def test_an_image_that_is_not_what_it_says_is_refused(
    driver: VirtDriver, spec: GuestSpec, tmp_path: Path, instances: Path, name: str
) -> None:
    make, reason = hostile_images.REFUSED[name]
    (tmp_path / "made").mkdir()
    image = make(tmp_path / "made")

    with pytest.raises(DriverError, match=reason):
        driver.create_disks(dataclasses.replace(spec, root_gb=1), image)

    assert driver.leftovers() == ()
    kept = [path.name for path in instances.glob("_base/*") if path.suffix != ".lock"]
    assert kept == []


@MACHINES
def test_a_guest_has_every_disk_of_its_flavor_and_the_kernel_of_its_image(
    driver: VirtDriver, spec: GuestSpec, instances: Path
) -> None:
    kernel, ramdisk = an_image(), an_image()
    image = dataclasses.replace(an_image(), disk_format="ami", kernel=kernel, ramdisk=ramdisk)
    spec = dataclasses.replace(spec, root_gb=1, ephemerals=(EphemeralDisk(1), EphemeralDisk(1, "ext3")), swap_mb=16)
    for _ in range(2):
        driver.create_disks(spec, image)

    names = {path.name for path in (instances / spec.name).iterdir()}
    assert names >= {"disk", "disk.local", "disk.eph1", "disk.swap", "kernel", "ramdisk"}
    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


@MACHINES
def test_an_image_is_kept_while_a_guest_uses_it_and_fetched_once(driver: VirtDriver) -> None:
    assert isinstance(driver, CachesImages)
    image, fetched = an_image(), []

    def fetch(path: Path) -> None:
        fetched.append(path)
        image.fetch(path)

    counted = dataclasses.replace(image, fetch=fetch)
    first, second = a_spec(), a_spec()
    driver.create_disks(first, counted)
    driver.create_disks(second, counted)
    assert len(fetched) == 1

    driver.delete_disks(first.uuid, first.name)
    kept = driver.clean_cache()
    driver.delete_disks(second.uuid, second.name)
    gone = driver.clean_cache()
    assert not [name for name in kept if not name.endswith(".lock")]
    assert [name for name in gone if not name.endswith(".lock")]
    driver.create_disks(first, counted)
    assert len(fetched) == 2


def test_an_image_is_brought_ahead_of_its_guests(driver: VirtDriver, spec: GuestSpec) -> None:
    assert isinstance(driver, CachesImages)
    image, fetched = an_image(), []

    def fetch(path: Path) -> None:
        fetched.append(path)
        image.fetch(path)

    counted = dataclasses.replace(image, fetch=fetch)
    for _ in range(2):
        driver.cache_image(counted)
    driver.create_disks(spec, counted)
    assert len(fetched) == 1

    damaged = dataclasses.replace(an_image(), disk_format="qcow2")
    for _ in range(2):
        with pytest.raises(DriverError):
            driver.cache_image(damaged)
    assert driver.leftovers() == (spec.name,)


@MACHINES
@pytest.mark.parametrize("bus", hardware.DiskBus)
def test_a_guest_runs_on_a_machine_of_its_own(driver: VirtDriver, spec: GuestSpec, bus: hardware.DiskBus) -> None:
    specs = {"hw:cpu_cores": "2", "hw:watchdog_action": "reset", "hw_rng:rate_bytes": "64"}
    properties = {
        "hw_disk_bus": bus, "hw_qemu_guest_agent": "yes", "hw_video_model": "cirrus", "hw_pointer_model": "usbtablet",
    }  # fmt: skip
    spec = dataclasses.replace(
        spec, vcpus=2, swap_mb=16, ephemerals=(EphemeralDisk(1),), config_drive={"a": b"b"},
        hardware=hardware.of(2, specs, properties),
    )  # fmt: skip
    spawned(driver, spec)

    assert power_of(driver, spec) is PowerState.RUNNING
    driver.snapshot(spec.uuid, spec.name)
    assert driver.snapshot_file(spec.uuid, spec.name).virtual_size
    found = driver.devices(spec.uuid)
    assert [device.name for device in found] == ["root", "ephemeral0", "swap"]
    assert {device.bus for device in found} <= {"pci", str(bus)}
    assert len({(device.bus, device.address) for device in found} - {("none", "none")}) == 3
    assert [device.path[-1] for device in found] == ["a", "b", "c"]


def test_a_driver_tells_at_once_of_guests_that_change(driver: VirtDriver, spec: GuestSpec) -> None:
    told: list[tuple[str, PowerState]] = []
    driver.watch(lambda uuid, power: told.append((uuid, power)))
    spawned(driver, spec)
    assert wait_for(lambda: (spec.uuid, PowerState.RUNNING) in told)
    driver.pause(spec.uuid)
    assert wait_for(lambda: (spec.uuid, PowerState.PAUSED) in told)
    driver.power_off(spec.uuid, 0.0)
    assert wait_for(lambda: (spec.uuid, PowerState.SHUTDOWN) in told)
    driver.destroy(spec.uuid)
    assert wait_for(lambda: (spec.uuid, PowerState.NOSTATE) in told)


@MACHINES
def test_a_boot_of_the_host_is_noticed_until_that_is_noted(driver: VirtDriver, instances: Path) -> None:
    assert not driver.was_rebooted()
    driver.note_boot()
    assert not driver.was_rebooted()
    (instances / "_hosts" / "host1" / "boot_id").write_text("another boot")
    assert [driver.was_rebooted(), driver.was_rebooted()] == [True, True]
    driver.note_boot()
    assert not driver.was_rebooted()
