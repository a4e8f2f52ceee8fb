"""Images through the compute API, as clients of before 2.36 see them."""

from typing import Any

import pytest
import requests

from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(cloud: Cloud, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
    return cloud.ask(method, f"/v2.1/images{path}", body, **({"version": "2.35"} | options))


@pytest.fixture
def snapshot(cloud: Cloud) -> tuple[str, str]:
    """A server, and an image of it."""
    server_id = cloud.boot()
    cloud.act(server_id, {"createImage": {"name": "shot", "metadata": {"proxied": "1"}}})
    (image,) = ask(cloud, "GET", "?name=shot").json()["images"]
    return server_id, image["id"]


def test_an_image_tells_of_its_server_and_goes(cloud: Cloud, snapshot: tuple[str, str]) -> None:
    server_id, image_id = snapshot

    image = ask(cloud, "GET", f"/{image_id}").json()["image"]

    assert (image["status"], image["progress"], image["name"]) == ("ACTIVE", 100, "shot")
    assert image["server"]["id"] == server_id
    assert image["metadata"]["proxied"] == "1"
    assert {link["rel"] for link in image["links"]} == {"self", "bookmark", "alternate"}
    assert ask(cloud, "DELETE", f"/{image_id}", user="other").status_code == 404
    assert ask(cloud, "DELETE", f"/{image_id}").status_code == 204
    assert ask(cloud, "GET", f"/{image_id}").status_code == 404
    assert ask(cloud, "GET", "", version="2.36").status_code == 404


def test_lists_are_filtered_and_paged(cloud: Cloud, snapshot: tuple[str, str]) -> None:
    server_id, image_id = snapshot

    def names(query: str) -> list[str]:
        answer = ask(cloud, "GET", f"/detail?{query}")
        assert answer.status_code == 200, answer.text
        return [image["name"] for image in answer.json()["images"]]

    assert names(f"server={server_id}") == ["shot"]
    assert names("type=snapshot") == ["shot"]
    assert names("property-proxied=1") == ["shot"]
    assert names("property-proxied=2") == []
    assert names("status=ACTIVE&name=shot") == ["shot"]
    assert names("name=shot&minDisk=99") == []
    assert names("status=SAVING") == []
    assert names("changes-since=2999-01-01T00:00:00Z") == []
    pages = cloud.pages("/v2.1/images?limit=1", "images", version="2.35")
    seen = [image["name"] for page in pages for image in page["images"]]
    assert sorted(seen) == sorted(names(""))
    for query in ("marker=none", "limit=x", "minRam=x", "changes-since=x"):
        assert ask(cloud, "GET", f"?{query}").status_code == 400
    ask(cloud, "DELETE", f"/{image_id}")


def test_metadata_is_changed_like_a_servers(cloud: Cloud, snapshot: tuple[str, str]) -> None:
    image_id = snapshot[1]
    path = f"/{image_id}/metadata"

    assert ask(cloud, "PUT", path, {"metadata": {"a": "1"}}).json() == {"metadata": {"a": "1"}}
    assert ask(cloud, "POST", path, {"metadata": {"b": "2"}}).json() == {"metadata": {"a": "1", "b": "2"}}
    assert ask(cloud, "PUT", f"{path}/c", {"meta": {"c": "3"}}).json() == {"meta": {"c": "3"}}
    assert ask(cloud, "GET", f"{path}/c").json() == {"meta": {"c": "3"}}
    assert ask(cloud, "DELETE", f"{path}/c").status_code == 204
    assert ask(cloud, "DELETE", f"{path}/c").status_code == 404
    assert ask(cloud, "PUT", f"{path}/c", {"meta": {"d": "3"}}).status_code == 400
    many = {f"k{number}": "v" for number in range(200)}
    assert ask(cloud, "PUT", path, {"metadata": many}).status_code == 403
    assert ask(cloud, "GET", path, version="2.38").json() == {"metadata": {"a": "1", "b": "2"}}
    assert ask(cloud, "GET", path, version="2.39").status_code == 404
    assert ask(cloud, "PUT", path, {"metadata": {}}, user="other").status_code == 404
    ask(cloud, "DELETE", f"/{image_id}")
