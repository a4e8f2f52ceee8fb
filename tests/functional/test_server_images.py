"""Images made of servers."""

from typing import Any

import pytest

from tests.cloud import Cloud


def image_of(cloud: Cloud, image_id: str) -> Any:
    return cloud.ask("GET", f"/v2/images/{image_id}", api="image").json()


def delete_images(cloud: Cloud, *image_ids: str) -> None:
    for image_id in image_ids:
        assert cloud.ask("DELETE", f"/v2/images/{image_id}", api="image").status_code == 204


@pytest.mark.parametrize("before", [None, {"os-stop": None}, {"pause": None}, {"suspend": None}])
def test_an_image_of_a_server_boots_others(cloud: Cloud, before: Any) -> None:
    server_id = cloud.boot("original")
    if before:
        cloud.act(server_id, before)
    status = cloud.show(server_id)["status"]

    answer = cloud.act(server_id, {"createImage": {"name": "copy", "metadata": {"colour": "red"}}})

    assert answer.status_code == 202
    image_id = answer.json()["image_id"]
    image = image_of(cloud, image_id)
    assert (image["status"], image["name"], image["visibility"]) == ("active", "copy", "private")
    assert (image["instance_uuid"], image["image_type"], image["colour"]) == (server_id, "snapshot", "red")
    assert image["base_image_ref"] == cloud.image()
    assert image["size"] > 0
    assert cloud.show(server_id)["status"] == status
    data = cloud.ask("GET", f"/v2/images/{image_id}/file", api="image").content
    assert b"the disk of a simulated guest" in data
    assert cloud.show(cloud.boot("second", imageRef=image_id))["status"] == "ACTIVE"
    delete_images(cloud, image_id)


def test_old_clients_find_the_image_in_the_location(cloud: Cloud) -> None:
    answer = cloud.act(cloud.boot(), {"createImage": {"name": "copy"}}, version="2.44")
    assert (answer.status_code, answer.content) == (202, b"")
    image_id = answer.headers["Location"].rsplit("/", 1)[-1]
    assert image_of(cloud, image_id)["status"] == "active"
    delete_images(cloud, image_id)


def test_only_the_newest_backups_are_kept(cloud: Cloud) -> None:
    server_id = cloud.boot()

    def backup(kind: str) -> str:
        body = {"createBackup": {"name": kind, "backup_type": kind, "rotation": 2}}
        return str(cloud.act(server_id, body).json()["image_id"])

    weekly = backup("weekly")
    made = [backup("daily") for _ in range(4)]

    listed = cloud.ask("GET", f"/v2/images?instance_uuid={server_id}", api="image").json()["images"]
    assert {image["id"] for image in listed} == {weekly, *made[2:]}
    delete_images(cloud, weekly, *made[2:])


def test_the_image_of_a_server_that_is_deleted_at_once_leaves_nothing(cloud: Cloud) -> None:
    server_id = cloud.boot()
    answer = cloud.ask("POST", f"/v2.1/servers/{server_id}/action", {"createImage": {"name": "copy"}})
    cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
    cloud.settle()
    image_id = answer.json()["image_id"]
    found = cloud.ask("GET", f"/v2/images/{image_id}", api="image")
    assert found.status_code == 404 or found.json()["status"] == "active"
    if found.ok:
        delete_images(cloud, image_id)


def test_nobody_makes_an_image_of_anothers_or_a_failed_server(cloud: Cloud) -> None:
    server_id = cloud.boot()
    body = {"createImage": {"name": "copy"}}
    assert cloud.act(server_id, body, user="other").status_code == 404
    cloud.act(server_id, {"os-resetState": {"state": "error"}}, user="admin")
    assert cloud.act(server_id, body).status_code == 409
    assert cloud.ask("GET", "/v2/images?name=copy", api="image").json()["images"] == []
