"""What flavors and images ask for of machines, checked before a server is made, made anew or made larger."""

import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cloud import Cloud


def flavor(cloud: Cloud, **specs: str) -> str:
    """Make a flavor with two processors and these extra specs."""
    name = uuid.uuid4().hex
    body = {"name": name, "ram": 64, "vcpus": 2, "disk": 1, "id": name}
    made = cloud.ask("POST", "/v2.1/flavors", {"flavor": body}, user="admin")
    assert made.ok, made.text
    wanted = specs or {"quota:cpu_shares": "512"}
    answer = cloud.ask(
        "POST", f"/v2.1/flavors/{name}/os-extra_specs", {"extra_specs": wanted}, user="admin", version="2.85"
    )
    assert answer.ok, answer.text
    return name


def image(cloud: Cloud, **properties: str) -> str:
    """Upload an image with these properties."""
    body = {"name": "special", "disk_format": "raw", "container_format": "bare", **properties}
    made = cloud.ask("POST", "/v2/images", body, api="image")
    assert made.ok, made.text
    image_id = str(made.json()["id"])
    sent = requests.put(
        cloud.url("image", f"/v2/images/{image_id}/file"), data=b"disk" * 256, timeout=20,
        headers={"X-Auth-Token": cloud.token("demo"), "Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert sent.status_code == 204, sent.text
    return image_id


def create(cloud: Cloud, **wanted: Any) -> Any:
    body = {"name": "vm", "flavorRef": "6", "imageRef": cloud.image(), "networks": "none", **wanted}
    answer = cloud.ask("POST", "/v2.1/servers", {"server": body})
    cloud.settle()
    return answer


@pytest.mark.parametrize(
    ("specs", "properties", "word"),
    [
        ({"hw:cpu_sockets": "3"}, {}, "3 sockets"),
        ({"hw:watchdog_action": "bark"}, {}, "hw:watchdog_action"),
        ({}, {"hw_disk_bus": "floppy"}, "hw_disk_bus"),
        ({}, {"root_device_name": "/etc/passwd"}, "root_device_name"),
        ({}, {"kernel_id": "00000000-0000-4000-8000-000000000000"}, "could not be found"),
    ],
)
def test_a_machine_that_cannot_be_is_refused_at_once(
    cloud: Cloud, specs: dict[str, str], properties: dict[str, str], word: str
) -> None:
    answer = create(cloud, flavorRef=flavor(cloud, **specs), imageRef=image(cloud, **properties))

    assert answer.status_code == 400
    assert word in answer.json()["badRequest"]["message"]
    assert cloud.ask("GET", "/v2.1/servers").json()["servers"] == []


def test_a_server_keeps_what_its_image_said_and_a_new_size_has_to_go_with_it(cloud: Cloud) -> None:
    server_id = create(cloud, flavorRef=flavor(cloud), imageRef=image(cloud, hw_cpu_cores="2")).json()["server"]["id"]
    body = {"name": uuid.uuid4().hex, "ram": 64, "vcpus": 3, "disk": 1}
    three = cloud.ask("POST", "/v2.1/flavors", {"flavor": body}, user="admin").json()["flavor"]["id"]

    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/action", {"resize": {"flavorRef": three}})
    assert (answer.status_code, "2 cores" in answer.text) == (400, True)
    other = image(cloud, hw_disk_bus="floppy")
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/action", {"rebuild": {"imageRef": other}})
    assert (answer.status_code, "hw_disk_bus" in answer.text) == (400, True)

    other = image(cloud, hw_disk_bus="scsi")
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/action", {"rebuild": {"imageRef": other}})
    assert answer.status_code == 202
    cloud.settle()
    shown = cloud.show(server_id, user="admin")
    assert (shown["status"], shown["OS-EXT-SRV-ATTR:root_device_name"]) == ("ACTIVE", "/dev/sda")


def test_a_server_of_an_image_with_a_kernel_has_both_and_is_rescued_with_its_own(cloud: Cloud) -> None:
    kernel = image(cloud, disk_format="aki", container_format="aki")
    disk = image(cloud, kernel_id=kernel, ramdisk_id=kernel, disk_format="ami", container_format="ami")
    server_id = create(cloud, imageRef=disk).json()["server"]["id"]
    assert cloud.show(server_id)["status"] == "ACTIVE"
    name = cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:instance_name"]
    folder = Path(cloud.conf.instances_path, name)
    assert {"kernel", "ramdisk"} <= {path.name for path in folder.iterdir()}

    cloud.act(server_id, {"rescue": {"rescue_image_ref": cloud.image()}})
    cloud.settle()
    assert cloud.show(server_id)["status"] == "RESCUE"
    assert [path.name for path in folder.glob("*.rescue")] == ["disk.rescue"]
