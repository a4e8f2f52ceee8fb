"""Images that are shared, deactivated, imported, bounded: the image API beyond upload and download."""

import contextlib
import http.server
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cloud import Cloud, running

BYTES = b"a disk" * 1000
RAW = {"name": "disk", "disk_format": "raw", "container_format": "bare"}
OCTETS = {"Content-Type": "application/octet-stream"}


def ask(cloud: Cloud, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
    """Send a request to the image API and return the JSON of an answer that has the status."""
    answer = cloud.ask(method, f"/v2{path}", body, api="image", **more)
    assert answer.status_code == status, answer.text
    with contextlib.suppress(ValueError):
        return answer.json()
    return answer.content


def put(cloud: Cloud, image_id: str, status: int = 204, place: str = "file", data: bytes = BYTES) -> Any:
    return ask(cloud, "PUT", f"/images/{image_id}/{place}", data=data, headers=OCTETS, status=status)


@pytest.fixture
def image(cloud: Cloud) -> Iterator[str]:
    """A queued image of demo's."""
    image_id = ask(cloud, "POST", "/images", RAW, status=201)["id"]
    yield image_id
    answer = cloud.ask("DELETE", f"/v2/images/{image_id}", api="image")
    assert answer.status_code in (204, 404)


def test_a_client_that_accepts_nothing_is_told_what_is_wrong_in_a_form_that_it_shows(cloud: Cloud) -> None:
    image_id = ask(cloud, "POST", "/images", RAW | {"disk_format": "qcow2"}, status=201)["id"]
    answer = cloud.ask(
        "PUT", f"/v2/images/{image_id}/file", api="image", data=BYTES, headers=OCTETS | {"Accept": ""}
    )
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (400, "text/html")
    assert "The data is not in the declared format qcow2." in answer.text
    ask(cloud, "DELETE", f"/images/{image_id}", status=204)


def test_a_shared_image_comes_in_a_members_list_when_it_is_accepted(cloud: Cloud, image: str) -> None:
    other = requests.get(
        cloud.url("identity", "/v3/auth/tokens"),
        headers={"X-Auth-Token": cloud.token("other"), "X-Subject-Token": cloud.token("other")},
        timeout=10,
    ).json()["token"]["project"]["id"]
    members = f"/images/{image}/members"

    def listed(query: str = "") -> list[str]:
        return [found["id"] for found in ask(cloud, "GET", f"/images{query}", user="other")["images"]]

    ask(cloud, "GET", f"/images/{image}", user="other", status=404)
    added = ask(cloud, "POST", members, {"member": other})
    assert (added["member_id"], added["status"], added["schema"]) == (other, "pending", "/v2/schemas/member")
    ask(cloud, "POST", members, {"member": other}, status=409)
    ask(cloud, "POST", members, {"member": "more"}, user="other", status=403)

    assert ask(cloud, "GET", f"/images/{image}", user="other")["id"] == image
    assert image not in listed()
    assert image in listed("?member_status=pending&visibility=shared")
    ask(cloud, "PUT", f"{members}/{other}", {"status": "accepted"}, status=403)
    assert (
        ask(cloud, "PUT", f"{members}/{other}", {"status": "accepted"}, user="other")["status"] == "accepted"
    )
    assert image in listed()
    assert image not in listed("?member_status=rejected")
    assert [one["member_id"] for one in ask(cloud, "GET", members, user="other")["members"]] == [other]
    assert ask(cloud, "GET", f"{members}/{other}")["status"] == "accepted"
    ask(cloud, "PATCH", f"/images/{image}", [], user="other", status=403, headers=patch_type("2.1"))

    ask(cloud, "DELETE", f"{members}/{other}", user="other", status=403)
    ask(cloud, "DELETE", f"{members}/{other}", status=204)
    ask(cloud, "DELETE", f"{members}/{other}", status=404)
    ask(cloud, "GET", f"/images/{image}", user="other", status=404)


def test_only_shared_images_have_members(cloud: Cloud, image: str) -> None:
    change = [{"op": "replace", "path": "/visibility", "value": "private"}]
    ask(cloud, "PATCH", f"/images/{image}", change, headers=patch_type("2.1"))

    ask(cloud, "POST", f"/images/{image}/members", {"member": "somebody"}, status=403)
    ask(cloud, "GET", f"/images/{image}/members", status=403)


def test_a_deactivated_image_is_for_administrators_only(cloud: Cloud, image: str) -> None:
    ask(cloud, "POST", f"/images/{image}/actions/deactivate", status=403)
    put(cloud, image)
    for _ in range(2):
        ask(cloud, "POST", f"/images/{image}/actions/deactivate", status=204)

    assert ask(cloud, "GET", f"/images/{image}")["status"] == "deactivated"
    ask(cloud, "GET", f"/images/{image}/file", status=403)
    assert ask(cloud, "GET", f"/images/{image}/file", user="admin") == BYTES
    boot = {"name": "x", "flavorRef": "6", "imageRef": image, "networks": "none"}
    assert cloud.ask("POST", "/v2.1/servers", {"server": boot}).status_code == 400

    ask(cloud, "POST", f"/images/{image}/actions/reactivate", status=204)
    assert ask(cloud, "GET", f"/images/{image}/file") == BYTES
    ask(cloud, "POST", f"/images/{uuid.uuid4()}/actions/reactivate", status=404)


def patch_type(version: str) -> dict[str, str]:
    return {"Content-Type": f"application/openstack-images-v{version}-json-patch"}


def test_both_forms_of_patches_are_understood(cloud: Cloud, image: str) -> None:
    old = [{"replace": "/name", "value": "old"}, {"add": "/colour", "value": "red"}]
    new = [{"op": "replace", "path": "/name", "value": "new"}, {"op": "remove", "path": "/colour"}]

    changed = ask(cloud, "PATCH", f"/images/{image}", old, headers=patch_type("2.0"))
    assert (changed["name"], changed["colour"]) == ("old", "red")
    changed = ask(cloud, "PATCH", f"/images/{image}", new, headers=patch_type("2.1"))
    assert changed["name"] == "new" and "colour" not in changed
    ask(cloud, "PATCH", f"/images/{image}", [{"move": "/name"}], headers=patch_type("2.0"), status=400)


def test_what_was_staged_is_imported(cloud: Cloud, image: str) -> None:
    direct = {"method": {"name": "glance-direct"}}
    ask(cloud, "POST", f"/images/{image}/import", direct, status=409)
    put(cloud, image, place="stage")
    staged = ask(cloud, "GET", f"/images/{image}")
    assert (staged["status"], staged["size"]) == ("uploading", len(BYTES))
    assert cloud.ask("GET", f"/v2/images/{image}/file", api="image").status_code in (204, 409)

    ask(cloud, "POST", f"/images/{image}/import", direct, status=202)
    cloud.settle()
    assert ask(cloud, "GET", f"/images/{image}")["status"] == "active"
    assert ask(cloud, "GET", f"/images/{image}/file") == BYTES
    (task,) = ask(cloud, "GET", f"/images/{image}/tasks")["tasks"]
    assert (task["status"], task["image_id"]) == ("success", image)
    assert ask(cloud, "GET", f"/tasks/{task['id']}")["input"]["import_req"] == direct
    ask(cloud, "GET", f"/tasks/{task['id']}", user="other", status=404)
    assert task["id"] in [one["id"] for one in ask(cloud, "GET", "/tasks")["tasks"]]


def test_a_staged_image_that_is_not_what_was_declared_waits_again(cloud: Cloud) -> None:
    image = ask(cloud, "POST", "/images", RAW | {"disk_format": "qcow2"}, status=201)["id"]
    put(cloud, image, place="stage")

    ask(cloud, "POST", f"/images/{image}/import", {"method": {"name": "glance-direct"}}, status=202)
    cloud.settle()
    assert ask(cloud, "GET", f"/images/{image}")["status"] == "uploading"
    (task,) = ask(cloud, "GET", f"/images/{image}/tasks")["tasks"]
    assert task["status"] == "failure" and "qcow2" in task["message"]
    ask(cloud, "DELETE", f"/images/{image}", status=204)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/disk", "http://169.254.169.254/latest", "https://[::1]/", "http://10.1.2.3/x",
        "ftp://example.org/x", "http://93.184.215.14:22/x", "http:///x", "nothing", "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/", "bundle:bucket/key",
    ],
)  # fmt: skip
def test_users_do_not_reach_what_is_not_public(cloud: Cloud, image: str, uri: str) -> None:
    wish = {"method": {"name": "web-download", "uri": uri}}

    ask(cloud, "POST", f"/images/{image}/import", wish, status=400)
    assert ask(cloud, "GET", f"/images/{image}")["status"] == "queued"


def test_a_name_that_stands_for_a_private_address_is_refused_when_it_is_resolved(
    cloud: Cloud, image: str
) -> None:
    wish = {"method": {"name": "web-download", "uri": "http://localhost/disk"}}

    ask(cloud, "POST", f"/images/{image}/import", wish, status=202)
    cloud.settle()
    (task,) = ask(cloud, "GET", f"/images/{image}/tasks")["tasks"]
    assert "public" in task["message"]
    assert ask(cloud, "GET", f"/images/{image}")["status"] == "queued"


@pytest.mark.parametrize(
    "wish",
    [{}, {"method": {"name": "copy-image"}}, {"method": {"name": "web-download"}},
     {"method": {"name": "glance-direct", "uri": "http://example.org/"}},
     {"method": {"name": "glance-direct"}, "stores": ["attic"]}],
)  # fmt: skip
def test_odd_imports_are_refused(cloud: Cloud, image: str, wish: Any) -> None:
    ask(cloud, "POST", f"/images/{image}/import", wish, status=400)


def test_documents_about_the_service(cloud: Cloud) -> None:
    for name in ("image", "images", "member", "members", "task", "tasks"):
        assert ask(cloud, "GET", f"/schemas/{name}")["name"] == name
    ask(cloud, "GET", "/schemas/nothing", status=404)
    assert ask(cloud, "GET", "/info/import")["import-methods"]["value"] == ["glance-direct", "web-download"]
    assert ask(cloud, "GET", "/info/stores")["stores"] == [{"id": "files", "default": "true"}]


class _Disks(http.server.BaseHTTPRequestHandler):
    """Serves a disk, a way to it, a way to a private place, and an endless road."""

    def do_GET(self) -> None:
        ways = {"/way": "/disk", "/trap": "http://10.255.255.1/", "/round": "/round"}
        if self.path in ways:
            self.send_response(302)
            self.send_header("Location", ways[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        found = self.path.startswith("/disk")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(BYTES) + 5 * (self.path == "/disk-cut")))
        self.end_headers()
        self.wfile.write(BYTES)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Disks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def open_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that imports from the loopback, and where everything is scarce."""
    folder: Path = tmp_path_factory.mktemp("open")
    flags = [
        "--import_allowed_networks=127.0.0.0/8", "--import_allowed_ports=", "--image_member_quota=1",
        "--image_property_quota=2", "--image_tag_quota=2", f"--user_storage_quota={len(BYTES) * 3}",
    ]  # fmt: skip
    with running(folder, f"sqlite:///{folder}/nova.sqlite", *flags) as cloud:
        yield cloud


@pytest.mark.parametrize("path", ["/disk", "/way"])
def test_an_image_is_imported_from_a_web_server(open_cloud: Cloud, web: str, path: str) -> None:
    image = ask(open_cloud, "POST", "/images", RAW, status=201)["id"]
    wish = {"method": {"name": "web-download", "uri": web + path}}

    ask(open_cloud, "POST", f"/images/{image}/import", wish, status=202)
    open_cloud.settle()
    assert ask(open_cloud, "GET", f"/images/{image}")["status"] == "active"
    assert ask(open_cloud, "GET", f"/images/{image}/file") == BYTES
    ask(open_cloud, "DELETE", f"/images/{image}", status=204)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/none", "404"), ("/trap", "public"), ("/round", "redirections"), ("/disk-cut", "could not be read")],
)
def test_what_cannot_be_imported_leaves_the_image_waiting(
    open_cloud: Cloud, web: str, path: str, reason: str
) -> None:
    image = ask(open_cloud, "POST", "/images", RAW, status=201)["id"]
    wish = {"method": {"name": "web-download", "uri": web + path}}

    ask(open_cloud, "POST", f"/images/{image}/import", wish, status=202)
    open_cloud.settle()
    assert ask(open_cloud, "GET", f"/images/{image}")["status"] == "queued"
    (task,) = ask(open_cloud, "GET", f"/images/{image}/tasks")["tasks"]
    assert task["status"] == "failure" and reason in task["message"]
    ask(open_cloud, "DELETE", f"/images/{image}", status=204)


def test_no_image_takes_the_place_that_another_has_in_the_ec2_api(cloud: Cloud) -> None:
    image = ask(cloud, "POST", "/images", RAW, status=201)["id"]
    like = f"{image[:20]}{'0' * 3}-{'0' * 12}"

    ask(cloud, "POST", "/images", RAW | {"id": like}, user="other", status=409)
    ask(cloud, "DELETE", f"/images/{image}", status=204)


def test_images_are_bounded_in_everything(open_cloud: Cloud) -> None:
    image = ask(open_cloud, "POST", "/images", RAW | {"a": "1", "b": "2", "tags": ["x", "y"]}, status=201)[
        "id"
    ]
    ask(open_cloud, "POST", "/images", RAW | {"a": "1", "b": "2", "c": "3"}, status=413)
    ask(open_cloud, "PUT", f"/images/{image}/tags/z", status=413)
    ask(open_cloud, "POST", f"/images/{image}/members", {"member": "one"})
    ask(open_cloud, "POST", f"/images/{image}/members", {"member": "two"}, status=413)

    put(open_cloud, image, data=BYTES * 2)
    second = ask(open_cloud, "POST", "/images", RAW, status=201)["id"]
    put(open_cloud, second, data=BYTES * 2, status=413)
    assert ask(open_cloud, "GET", f"/images/{second}")["status"] == "queued"
    put(open_cloud, second)
    for image_id in (image, second):
        ask(open_cloud, "DELETE", f"/images/{image_id}", status=204)
