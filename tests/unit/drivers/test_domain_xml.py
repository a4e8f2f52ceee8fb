"""Guests' hardware in the words of libvirt."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nova_lite.core import hardware
from nova_lite.drivers.virt.guest import GuestInterface, GuestSpec
from nova_lite.drivers.virt.libvirt import xml
from nova_lite.drivers.virt.libvirt.files import Disk, Files

FILES = Files(
    (Disk(Path("/i/disk"), "qcow2", "vda"), Disk(Path("/i/disk.config"), "raw", "vdz", readonly=True)),
    Path("/i/console.log"),
)


def domain(
    specs: dict[str, str], properties: dict[str, str], files: Files = FILES, kind: str = "qemu",
    plugs: dict[str, hardware.Plug] | None = None,
) -> ET.Element:
    found = hardware.of(2, specs, properties)
    interface = GuestInterface(
        "02:00:00:00:00:01", "tap1", "br100", "10.0.0.2", model=found.vif_model, limits=found.vif_limits
    )
    spec = GuestSpec(
        uuid="u", name="instance-00000001", memory_mb=64, vcpus=2, root_gb=1, interfaces=(interface,),
        hardware=found, root_device=hardware.root_device(properties), plugs=plugs or {},
    )  # fmt: skip
    return ET.fromstring(xml.domain(spec, files, xml.Machine(kind, "none", "127.0.0.1")))


@pytest.mark.parametrize(
    ("specs", "properties", "path", "expected"),
    [
        ({"quota:cpu_shares": "512"}, {}, "cputune/shares", "512"),
        ({"quota:cpu_period": "100000", "quota:cpu_quota": "-1"}, {}, "cputune/quota", "-1"),
        ({"quota:disk_read_bytes_sec": "1048576"}, {}, "devices/disk/iotune/read_bytes_sec", "1048576"),
        ({}, {"hw_machine_type": "q35"}, "os/type[@machine='q35']", "hvm"),
    ],
)
def test_a_value_is_the_text_of_an_element(
    specs: dict[str, str], properties: dict[str, str], path: str, expected: str
) -> None:
    assert domain(specs, properties).findtext(path) == expected


@pytest.mark.parametrize(
    ("specs", "properties", "path"),
    [
        ({"hw:cpu_cores": "2"}, {}, "cpu/topology[@sockets='1'][@cores='2'][@threads='1']"),
        ({"hw:watchdog_action": "poweroff"}, {}, "devices/watchdog[@action='poweroff']"),
        ({"hw_rng:rate_bytes": "64"}, {}, "devices/rng/rate[@bytes='64'][@period='1000']"),
        ({"hw:mem_page_size": "large"}, {}, "memoryBacking/hugepages"),
        ({"hw:mem_page_size": "2MB"}, {}, "memoryBacking/hugepages/page[@size='2048']"),
        ({"quota:vif_outbound_average": "128"}, {}, "devices/interface/bandwidth/outbound[@average='128']"),
        ({}, {"hw_disk_bus": "sata"}, "devices/disk/target[@dev='sdf'][@bus='sata']"),
        ({}, {"hw_disk_bus": "ide"}, "devices/disk/target[@dev='hdd'][@bus='ide']"),
        ({}, {"hw_disk_bus": "scsi"}, "devices/controller[@model='virtio-scsi']"),
        ({}, {"hw_vif_model": "e1000"}, "devices/interface/model[@type='e1000']"),
        ({}, {"hw_video_model": "cirrus"}, "devices/video/model[@type='cirrus']"),
        ({"hw_video:ram_max_mb": "64"}, {"hw_video_ram": "16"}, "devices/video/model[@vram='16384']"),
        ({}, {"hw_qemu_guest_agent": "yes"}, "devices/channel/target[@name='org.qemu.guest_agent.0']"),
        ({}, {"hw_pointer_model": "usbtablet"}, "devices/input[@type='tablet']"),
        ({}, {"hw_firmware_type": "uefi"}, "os[@firmware='efi']"),
        ({}, {"os_type": "windows"}, "clock[@offset='localtime']"),
        ({"hw:boot_menu": "true"}, {}, "os/bootmenu[@enable='yes']"),
    ],
)
def test_what_is_asked_for_is_in_the_definition(
    specs: dict[str, str], properties: dict[str, str], path: str
) -> None:
    assert domain(specs, properties).find(path) is not None


def test_a_config_drive_is_not_slowed_down_and_no_random_numbers_come_where_none_are_allowed() -> None:
    found = domain({"quota:disk_read_iops_sec": "10", "hw_rng:allowed": "false"}, {})
    assert len(found.findall("devices/disk/iotune")) == 1
    assert found.find("devices/rng") is None


def test_a_cd_is_not_written_and_a_disk_is_on_the_bus_that_was_said() -> None:
    disks = (FILES.disks[0], Disk(Path("/i/disk.local"), "qcow2", "vdb"), FILES.disks[1])
    files = Files(disks, FILES.console_log, Path("/i/kernel"), Path("/i/ramdisk"))
    sata, scsi = hardware.Plug(hardware.DiskBus.SATA, is_cd=True), hardware.Plug(hardware.DiskBus.SCSI)
    found = domain({}, {}, files, plugs={"root": sata, "ephemeral0": scsi})

    assert [element.get("device") for element in found.findall("devices/disk")] == ["cdrom", "disk", "disk"]
    assert [(one.get("dev"), one.get("bus")) for one in found.findall("devices/disk/target")] == [
        ("sda", "sata"), ("sdb", "scsi"), ("vdz", "virtio"),
    ]  # fmt: skip
    assert [disk.find("readonly") is not None for disk in found.findall("devices/disk")] == [True, False, True]
    assert found.find("devices/controller[@model='virtio-scsi']") is not None
    assert str(found.findtext("os/cmdline")).startswith("root=/dev/sda ")
    assert domain({}, {}, plugs={"root": sata}).find("os/boot[@dev='cdrom']") is not None


def test_a_kernel_is_told_of_its_root_disk_or_what_its_image_says() -> None:
    files = Files(FILES.disks, FILES.console_log, Path("/i/kernel"), Path("/i/ramdisk"))
    plain = domain({}, {"hw_disk_bus": "scsi"}, files)
    assert plain.findtext("os/cmdline") == "root=/dev/sda console=tty0 console=ttyS0"
    assert (plain.findtext("os/kernel"), plain.findtext("os/initrd")) == ("/i/kernel", "/i/ramdisk")
    assert domain({}, {"os_command_line": "quiet"}, files).findtext("os/cmdline") == "quiet"


@pytest.mark.parametrize(
    ("bus", "device", "root"),
    [("virtio", "/dev/sda1", "/dev/vda"), ("virtio", "/dev/vda1", "/dev/vda1"), ("scsi", "/dev/sda1", "/dev/sda1")],
)
def test_a_kernel_is_told_of_no_disk_of_a_bus_that_the_guest_has_not(bus: str, device: str, root: str) -> None:
    files = Files(FILES.disks, FILES.console_log, Path("/i/kernel"), Path("/i/ramdisk"))
    found = domain({}, {"hw_disk_bus": bus, "root_device_name": device}, files).findtext("os/cmdline")
    assert found == f"root={root} console=tty0 console=ttyS0"
