"""What every hypervisor driver promises of what a guest has beside disks: interfaces, consoles, a machine."""

import dataclasses
import os
import re
import socket
import subprocess
from collections.abc import Iterator

import pytest

from nova_lite.core import hardware, ids
from nova_lite.core.console import ConsoleType
from nova_lite.core.devices import DeviceKind
from nova_lite.core.errors import DriverError, NotFound, NotSupported
from nova_lite.core.instance_states import PowerState
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.virt.abilities import SerialConsole
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.drivers.virt.guest import GuestInterface, GuestSpec
from tests.contracts.guests import MACHINES, power_of, spawned


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


@MACHINES
def test_each_disk_is_on_the_bus_that_was_said_and_named_after_it(driver: VirtDriver, spec: GuestSpec) -> None:
    plugs = {
        "root": hardware.Plug(is_cd=True),
        "ephemeral0": hardware.Plug(hardware.DiskBus.SCSI),
        "ephemeral1": hardware.Plug(hardware.DiskBus.SATA),
    }
    ephemerals = (EphemeralDisk(1), EphemeralDisk(1), EphemeralDisk(1))
    spec = dataclasses.replace(spec, ephemerals=ephemerals, swap_mb=16, config_drive={"a": b"b"}, plugs=plugs)
    spawned(driver, spec)

    assert power_of(driver, spec) is PowerState.RUNNING
    assert [(device.name, device.bus, device.path) for device in driver.devices(spec.uuid)] == [
        ("root", "ide", "/dev/hda"), ("ephemeral0", "scsi", "/dev/sda"), ("ephemeral1", "sata", "/dev/sdb"),
        ("ephemeral2", "pci", "/dev/vda"), ("swap", "pci", "/dev/vdb"),
    ]  # fmt: skip


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
