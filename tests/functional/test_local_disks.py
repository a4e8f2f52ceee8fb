"""The disks that servers ask for: an image to boot from, and empty ones on the host; volumes there are none."""

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db import instances
from tests.cloud import Cloud
from tests.functional.test_guest_hardware import image

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROOT = {"source_type": "image", "destination_type": "local", "boot_index": 0, "delete_on_termination": True}
EPHEMERAL = {"source_type": "blank", "destination_type": "local", "boot_index": -1, "volume_size": 1}
SWAP = EPHEMERAL | {"guest_format": "swap", "volume_size": 64}


@pytest.fixture(scope="module")
def flavor(shared_cloud: Cloud) -> Iterator[str]:
    wanted = {"name": "disks", "id": "disks", "ram": 64, "vcpus": 1, "disk": 1, "swap": 128}
    body = {"flavor": wanted | {"OS-FLV-EXT-DATA:ephemeral": 2}}
    assert shared_cloud.ask("POST", "/v2.1/flavors", body, user="admin").status_code == 200
    yield "disks"
    shared_cloud.ask("DELETE", "/v2.1/flavors/disks", user="admin")


def disks(cloud: Cloud, server_id: str) -> tuple[int, ...]:
    """Return the sizes of the ephemeral disks in GiB and of the swap disk in MiB that the simulated host made."""
    folder = cloud.folder / "instances" / cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:instance_name"]
    ephemerals = [path.stat().st_size // 1024**3 for path in (folder / "disk.local", *folder.glob("disk.eph*"))]
    return (*ephemerals, (folder / "disk.swap").stat().st_size // 1024**2)


@pytest.mark.parametrize(
    ("devices", "made"),
    [
        ({}, (2, 128)),
        ({"block_device_mapping_v2": [EPHEMERAL]}, (1, 128)),
        ({"block_device_mapping_v2": [EPHEMERAL | {"guest_format": "ext4"}, EPHEMERAL, SWAP]}, (1, 1, 64)),
        ({"block_device_mapping_v2": [{"source_type": "blank", "destination_type": "local"}]}, (2, 128)),
        ({"block_device_mapping_v2": [SWAP]}, (2, 64)),
        ({"block_device_mapping_v2": [ROOT, EPHEMERAL, SWAP], "imageRef": ""}, (1, 64)),
        ({"block_device_mapping_v2": [ROOT, EPHEMERAL | {"volume_size": "2"}, SWAP | {"no_device": True}]}, (2, 128)),
        ({"block_device_mapping": [{"device_name": "vdb", "virtual_name": "ephemeral0", "volume_size": 1}]}, (1, 128)),
        ({"block_device_mapping": [{"device_name": "vdc", "virtual_name": "swap", "volume_size": 32}]}, (2, 32)),
        ({"block_device_mapping": [{"device_name": "vdb", "virtual_name": "NoDevice"}]}, (2, 128)),
    ],
)
def test_a_server_has_the_disks_that_it_asked_for(
    cloud: Cloud, flavor: str, devices: dict[str, Any], made: tuple[int, ...]
) -> None:
    for device in devices.get("block_device_mapping_v2", ()):
        if device["source_type"] == "image":
            device["uuid"] = cloud.image()
    server_id = cloud.boot(flavorRef=flavor, **devices)

    shown = cloud.show(server_id)
    assert (shown["status"], shown["image"]["id"]) == ("ACTIVE", cloud.image())
    assert (shown["flavor"]["ephemeral"], shown["flavor"]["swap"]) == (2, 128)
    assert disks(cloud, server_id) == made


def test_disks_are_plugged_in_as_was_asked_for(cloud: Cloud, flavor: str) -> None:
    root = ROOT | {"uuid": cloud.image(), "disk_bus": "scsi", "device_type": "disk", "device_name": "/dev/xvda"}
    cd = EPHEMERAL | {"device_type": "cdrom", "disk_bus": None, "tag": "cd"}
    asked = {"block_device_mapping_v2": [root, cd, SWAP | {"disk_bus": "usb", "tag": "swap"}]}
    server_id = cloud.boot(flavorRef=flavor, **asked)

    assert cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:root_device_name"] == "/dev/sda"
    kept = cloud.database.read("test", lambda session: instances.get(session, server_id))
    assert kept is not None
    assert [(one.name, one.path) for one in kept.devices] == [("ephemeral0", "/dev/hda"), ("swap", "/dev/sdb")]
    body = {"rebuild": {"imageRef": cloud.image()}}
    assert cloud.ask("POST", f"/v2.1/servers/{server_id}/action", body).status_code == 202
    cloud.settle()
    assert cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:root_device_name"] == "/dev/sda"


IMAGE = {"source_type": "image", "destination_type": "local", "boot_index": 0, "uuid": "IMAGE"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"block_device_mapping_v2": [{"source_type": "volume", "uuid": "v", "boot_index": 0}]}, "failed to get volume v"),
    ({"block_device_mapping_v2": [{"source_type": "snapshot", "uuid": "s"}]}, "failed to get snapshot s"),
    ({"block_device_mapping_v2": [IMAGE | {"destination_type": "volume"}]}, "there is no volume service"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"destination_type": "volume"}]}, "there is no volume service"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"volume_size": 3}]}, "larger than the instance type allows"),
    ({"block_device_mapping_v2": [SWAP | {"volume_size": 129}]}, "Swap drive requested is larger"),
    ({"block_device_mapping_v2": [SWAP, SWAP]}, "More than one swap drive"),
    ({"block_device_mapping_v2": [EPHEMERAL, EPHEMERAL, EPHEMERAL]}, "larger than the instance type allows"),
    ({"block_device_mapping_v2": [EPHEMERAL, {"source_type": "blank"}]}, "larger than the instance type allows"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"guest_format": "fat"}]}, "fat format is not supported"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"boot_index": 0}]}, "an empty disk cannot be booted from"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"uuid": "x"}]}, "an empty disk has no uuid"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"disk_bus": "lxc"}]}, "disk_bus lxc is not one of virtio, scsi"),
    ({"block_device_mapping_v2": [IMAGE | {"device_type": "floppy"}]}, "device_type floppy is not one of disk, cdrom"),
    ({"block_device_mapping_v2": [IMAGE | {"device_type": "cdrom", "disk_bus": "virtio"}]}, "no cdrom can be on"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"disk_bus": "ide"}] * 5}, "larger than the instance type allows"),
    ({"block_device_mapping_v2": [IMAGE | {"boot_index": 1}]}, "mapping image to local is not supported"),
    ({"block_device_mapping_v2": [IMAGE, IMAGE]}, "boot sequence"),
    ({"block_device_mapping_v2": [IMAGE | {"uuid": "other"}]}, "name different images"),
    ({"block_device_mapping_v2": [], "imageRef": ""}, "an image to boot from"),
    ({"block_device_mapping_v2": [{"uuid": "x"}]}, "source_type"),
    ({"block_device_mapping_v2": [{"source_type": "tape"}]}, "tape"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"volume_size": 0}]}, "volume_size"),
    ({"block_device_mapping_v2": [EPHEMERAL | {"unheard-of": 0}]}, "unheard-of"),
    ({"block_device_mapping": [{"device_name": "vda", "volume_id": "v"}]}, "failed to get volume v"),
    ({"block_device_mapping": [{"device_name": "vda", "snapshot_id": "s"}]}, "failed to get snapshot s"),
    ({"block_device_mapping": [{"device_name": "vdb"}]}, "neither a volume nor a snapshot"),
    (
        {"block_device_mapping": [{"virtual_name": "swap"}], "block_device_mapping_v2": [SWAP]},
        "different block_device_mapping syntaxes",
    ),
]


@pytest.mark.parametrize(("devices", "words"), REFUSED)
def test_what_cannot_be_had_is_refused(cloud: Cloud, flavor: str, devices: dict[str, Any], words: str) -> None:
    server = {"name": "vm", "flavorRef": flavor, "imageRef": cloud.image(), "networks": "none"} | devices
    for device in server.get("block_device_mapping_v2", ()):
        if device.get("uuid") == "IMAGE":
            device["uuid"] = cloud.image()
    answer = cloud.ask("POST", "/v2.1/servers", {"server": server})

    assert answer.status_code == 400
    assert words in answer.json()["badRequest"]["message"]
    assert cloud.ask("GET", "/v2.1/servers").json()["servers"] == []


def test_a_server_has_as_many_disks_as_its_bus_has_room_for(cloud: Cloud, flavor: str) -> None:
    server = {"name": "vm", "flavorRef": flavor, "imageRef": image(cloud, hw_disk_bus="ide"), "networks": "none"}
    answer = cloud.ask("POST", "/v2.1/servers", {"server": server | {"block_device_mapping_v2": [EPHEMERAL] * 2}})
    assert (answer.status_code, "room for 1 ephemeral disks on its bus ide" in answer.text) == (400, True)
