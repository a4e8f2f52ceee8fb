"""Files and facts that guests find on their config drive, and from the metadata service."""

import base64
import contextlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pycdlib
import pytest

from tests.cloud import Cloud, running
from tests.functional.two_hosts import two_hosts

SCRIPT = base64.b64encode(b"#!/bin/sh\necho hello\n").decode()
MOTD = {"path": "/etc/motd", "contents": base64.b64encode(b"Welcome").decode()}


def drive_of(cloud: Cloud, name: str) -> Path:
    return Path(cloud.conf.instances_path, name, "disk.config")


def read(path: Path, name: str) -> bytes:
    """Return a file of a config drive."""
    image = pycdlib.PyCdlib()
    image.open(str(path))
    found = BytesIO()
    image.get_file_from_iso_fp(found, rr_path=f"/{name}")
    label = image.pvd.volume_identifier.strip()
    image.close()
    assert label == b"config-2"
    return found.getvalue()


def guest_name(cloud: Cloud, server_id: str) -> str:
    return str(cloud.show(server_id, user="admin")["OS-EXT-SRV-ATTR:instance_name"])


def create(cloud: Cloud, version: str = "2.96", **wanted: Any) -> tuple[int, Any]:
    body = {"name": "one", "imageRef": cloud.image(), "flavorRef": "6", **wanted}
    if int(version[2:]) >= 37:
        body["networks"] = "auto"
    answer = cloud.ask("POST", "/v2.1/servers", {"server": body}, version=version)
    cloud.settle()
    return answer.status_code, answer.json()


def test_a_drive_tells_where_tagged_devices_are(cloud: Cloud) -> None:
    network = cloud.ask("GET", "/v2.1/os-networks", version="2.1").json()["networks"][0]["id"]
    server_id = cloud.boot(config_drive=True, networks=[{"uuid": network, "tag": "front"}])

    document = json.loads(read(drive_of(cloud, guest_name(cloud, server_id)), "openstack/latest/meta_data.json"))
    (told,) = document["devices"]
    assert (told["bus"], told["address"], told["tags"]) == ("pci", "0000:00:03.0", ["front"])


def test_a_guest_finds_on_its_drive_what_it_was_given(cloud: Cloud) -> None:
    status, body = create(
        cloud, "2.56", config_drive=True, personality=[MOTD], user_data=SCRIPT, metadata={"role": "web"}
    )
    assert status == 202
    server_id = body["server"]["id"]
    assert cloud.show(server_id)["config_drive"] == "True"

    drive = drive_of(cloud, guest_name(cloud, server_id))
    document = json.loads(read(drive, "openstack/latest/meta_data.json"))
    assert (document["uuid"], document["meta"]) == (server_id, {"role": "web"})
    assert document["files"] == [{"content_path": "/content/0000", "path": "/etc/motd"}]
    assert read(drive, "openstack/content/0000") == b"Welcome"
    assert read(drive, "openstack/latest/user_data") == base64.b64decode(SCRIPT)
    (address,) = cloud.show(server_id)["addresses"]["private"]
    assert json.loads(read(drive, "ec2/latest/meta-data.json"))["local-ipv4"] == address["addr"]


def test_a_server_made_anew_has_a_drive_that_tells_of_it(cloud: Cloud) -> None:
    _, body = create(cloud, "2.56", config_drive="true", personality=[MOTD])
    server_id = body["server"]["id"]
    other = {"path": "/etc/issue", "contents": base64.b64encode(b"Other").decode()}
    rebuild = {"rebuild": {"imageRef": cloud.image(), "name": "two", "personality": [other]}}
    assert cloud.act(server_id, rebuild, version="2.56").status_code == 202

    drive = drive_of(cloud, guest_name(cloud, server_id))
    assert json.loads(read(drive, "openstack/latest/meta_data.json"))["name"] == "two"
    assert read(drive, "openstack/content/0000") == b"Other"


def test_a_drive_goes_where_its_server_goes(tmp_path: Path) -> None:
    with contextlib.contextmanager(two_hosts)(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite") as cloud:
        server_id = create(cloud, config_drive=True)[1]["server"]["id"]
        name = guest_name(cloud, server_id)

        def drives() -> list[str]:
            """Return the server that is named on each drive of that guest, on either host."""
            folders = [tmp_path / host / name / "disk.config" for host in ("instances", "instances2")]
            files = [read(file, "openstack/latest/meta_data.json") for file in folders if file.exists()]
            return [json.loads(file)["uuid"] for file in files]

        for verb, left in (("migrate", 1), ("confirmResize", 1), ("shelve", 0), ("unshelve", 1)):
            assert cloud.act(server_id, {verb: None}, user="admin").status_code in (202, 204)
            assert drives() == [server_id] * left


def test_without_one_there_is_none(cloud: Cloud) -> None:
    _, body = create(cloud)
    assert cloud.show(body["server"]["id"])["config_drive"] == ""
    assert not drive_of(cloud, guest_name(cloud, body["server"]["id"])).exists()


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([{"path": "/a", "contents": "no base 64!"}], 400),
        ([{"path": "/a"}], 400),
        ([MOTD] * 6, 403),
        ([{"path": "/a", "contents": base64.b64encode(b"x" * 10241).decode()}], 403),
        ([{"path": "/" + "ä" * 130, "contents": ""}], 403),
    ],
)
def test_files_that_cannot_be_had_are_refused(cloud: Cloud, files: list[Any], status: int) -> None:
    assert create(cloud, "2.56", personality=files)[0] == status
    assert cloud.ask("GET", "/v2.1/servers").json()["servers"] == []


def test_files_are_no_more_since_2_57(cloud: Cloud) -> None:
    assert create(cloud, "2.57", personality=[MOTD])[0] == 400


def test_an_operator_or_an_image_may_ask_for_drives(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", "--force_config_drive") as cloud:
        assert cloud.show(cloud.boot())["config_drive"] == "True"
    (tmp_path / "second").mkdir()
    with running(tmp_path / "second", f"sqlite:///{tmp_path}/second.sqlite", "--use_forwarded_for") as cloud:
        patch = [{"op": "add", "path": "/img_config_drive", "value": "mandatory"}]
        headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        path = f"/v2/images/{cloud.image()}"
        changed = cloud.ask("PATCH", path, user="admin", api="image", data=json.dumps(patch), headers=headers)
        assert changed.status_code == 200, changed.text
        _, body = create(cloud, "2.56", personality=[MOTD])
        server = cloud.show(body["server"]["id"])
        assert server["config_drive"] == "True"

        as_guest = {"X-Forwarded-For": server["addresses"]["private"][0]["addr"]}

        def told(path: str) -> Any:
            return cloud.ask("GET", path, api="metadata", headers=as_guest)

        assert told("/openstack/content/0000").text == "Welcome"
        assert told("/openstack/latest/meta_data.json").json()["files"][0]["path"] == "/etc/motd"
        assert told("/openstack/content/0001").status_code == 404
        assert told("/openstack/content").status_code == 404
