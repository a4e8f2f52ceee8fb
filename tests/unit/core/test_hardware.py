"""What flavors and images ask for of a guest's machine."""

import pytest

from nova_lite.core import hardware
from nova_lite.core.errors import InvalidInput
from nova_lite.core.hardware import Topology

BAD_SPECS = [
    ("hw:cpu_sockets", "many"), ("hw:cpu_sockets", "3"), ("hw:cpu_cores", "-1"), ("quota:cpu_shares", "half"),
    ("quota:cpu_quota", "-2"), ("quota:disk_read_iops_sec", "x"), ("quota:vif_inbound_average", "1.5"),
    ("hw:watchdog_action", "bark"), ("hw_rng:allowed", "maybe"), ("hw_rng:rate_bytes", "9999999999999"),
    ("hw:mem_page_size", "huge"), ("hw:mem_page_size", "0"), ("hw:boot_menu", "perhaps"), ("hw_video:ram_max_mb", "x"),
]  # fmt: skip
BAD_PROPERTIES = [
    ("hw_disk_bus", "floppy"), ("hw_vif_model", "carrier-pigeon"), ("hw_video_model", "'/><x"),
    ("hw_watchdog_action", "bark"), ("hw_qemu_guest_agent", "sometimes"), ("hw_machine_type", "a b"),
    ("hw_firmware_type", "coreboot"), ("hw_pointer_model", "finger"), ("hw_video_ram", "16"),
    ("os_command_line", "a\nb"), ("hw_cpu_threads", "3"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_SPECS)
def test_an_extra_spec_that_means_nothing_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        hardware.of(4, {name: value}, {})
    assert value in str(refused.value) or name in str(refused.value)


@pytest.mark.parametrize(("name", "value"), BAD_PROPERTIES)
def test_a_property_that_means_nothing_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        hardware.of(4, {}, {name: value})
    assert value in str(refused.value) or name in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"hw:cpu_sockets": "2"}, Topology(2, 2, 1)),
        ({"hw:cpu_cores": "4"}, Topology(1, 4, 1)),
        ({"hw:cpu_threads": "2"}, Topology(2, 1, 2)),
        ({"hw:cpu_cores": "2", "hw:cpu_threads": "2"}, Topology(1, 2, 2)),
        ({"hw:cpu_sockets": "1", "hw:cpu_cores": "2", "hw:cpu_threads": "2"}, Topology(1, 2, 2)),
        ({}, None),
    ],
)
def test_processors_that_are_not_arranged_are_arranged_so_that_all_are_there(
    asked: dict[str, str], expected: Topology | None
) -> None:
    assert hardware.of(4, asked, {}).topology == expected


def test_the_image_chooses_the_watchdog_before_the_flavor() -> None:
    found = hardware.of(1, {"hw:watchdog_action": "reset"}, {"hw_watchdog_action": "pause"})
    assert found.watchdog == "pause"


@pytest.mark.parametrize(("text", "expected"), [("2048", "2048"), ("2MB", "2048"), ("1GiB", "1048576"), ("any", "")])
def test_the_size_of_pages_has_a_unit_or_is_in_kib(text: str, expected: str) -> None:
    assert hardware.of(1, {"hw:mem_page_size": text}, {}).pages == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, "/dev/vda"),
        ({"hw_disk_bus": "scsi"}, "/dev/sda"),
        ({"hw_disk_bus": "ide"}, "/dev/hda"),
        ({"root_device_name": "sda1"}, "/dev/sda1"),
    ],
)
def test_the_root_disk_is_called_as_its_bus_or_its_image_says(
    properties: dict[str, str], expected: str
) -> None:
    assert hardware.root_device(properties) == expected


@pytest.mark.parametrize(
    ("properties", "plug", "expected"),
    [
        ({"hw_disk_bus": "ide"}, hardware.Plug(hardware.DiskBus.SCSI), "/dev/sda"),
        ({}, hardware.Plug(is_cd=True), "/dev/hda"),
        ({"hw_machine_type": "pc-q35-7.2"}, hardware.Plug(is_cd=True), "/dev/sda"),
        ({"hw_disk_bus": "scsi"}, hardware.Plug(is_cd=True), "/dev/sda"),
        ({"root_device_name": "vda"}, hardware.Plug(hardware.DiskBus.SCSI), "/dev/vda"),
    ],
)
def test_the_root_disk_is_called_as_it_is_plugged_in(
    properties: dict[str, str], plug: hardware.Plug, expected: str
) -> None:
    assert hardware.root_device(properties, plug) == expected


def test_a_root_disk_that_is_no_disk_is_refused() -> None:
    with pytest.raises(InvalidInput, match="root_device_name"):
        hardware.root_device({"root_device_name": "/dev/sda init=/bin/sh"})
