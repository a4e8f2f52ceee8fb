"""Tags of servers: putting them on, and finding servers by them."""

import pytest

from tests.cloud import Cloud


def test_tags_are_added_replaced_and_removed(cloud: Cloud) -> None:
    path = f"/v2.1/servers/{cloud.boot(tags=['web', 'blue'])}/tags"
    assert cloud.ask("GET", path).json() == {"tags": ["web", "blue"]}

    made = cloud.ask("PUT", f"{path}/new one")
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["Location"].endswith("/tags/new one")
    assert cloud.ask("PUT", f"{path}/web").status_code == 204
    assert cloud.ask("GET", f"{path}/web").status_code == 204
    assert cloud.ask("DELETE", f"{path}/web").status_code == 204
    assert cloud.ask("DELETE", f"{path}/web").status_code == 404
    assert cloud.ask("GET", f"{path}/web").status_code == 404
    assert cloud.ask("GET", path).json() == {"tags": ["blue", "new one"]}

    assert cloud.ask("PUT", path, {"tags": ["a", "b", "a"]}).json() == {"tags": ["a", "b"]}
    assert cloud.ask("DELETE", path).status_code == 204
    assert cloud.ask("GET", path).json() == {"tags": []}


def test_tags_are_where_their_versions_say(cloud: Cloud) -> None:
    server_id = cloud.boot(tags=["web"])
    assert cloud.show(server_id, version="2.26")["tags"] == ["web"]
    assert "tags" not in cloud.show(server_id, version="2.25")
    assert cloud.ask("GET", f"/v2.1/servers/{server_id}/tags", version="2.25").status_code == 404
    body = {
        "server": {
            "name": "x",
            "flavorRef": "6",
            "imageRef": cloud.image(),
            "networks": "auto",
            "tags": ["a"],
        }
    }
    assert cloud.ask("POST", "/v2.1/servers", body, version="2.51").status_code == 400


@pytest.mark.parametrize("tags", [["a,b"], ["a/b"], [""], ["x" * 61], [f"t{number}" for number in range(51)]])
def test_bad_tags_are_refused_and_change_nothing(cloud: Cloud, tags: list[str]) -> None:
    path = f"/v2.1/servers/{cloud.boot(tags=['kept'])}/tags"
    assert cloud.ask("PUT", path, {"tags": tags}).status_code == 400
    assert cloud.ask("GET", path).json() == {"tags": ["kept"]}


def test_no_server_has_more_tags_than_allowed(cloud: Cloud) -> None:
    path = f"/v2.1/servers/{cloud.boot(tags=[f't{number}' for number in range(50)])}/tags"
    assert cloud.ask("PUT", f"{path}/t7").status_code == 204
    assert cloud.ask("PUT", f"{path}/another").status_code == 400
    assert len(cloud.ask("GET", path).json()["tags"]) == 50


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tags=web", ["one", "two"]),
        ("tags=web,blue", ["one"]),
        ("tags-any=blue,50%25", ["one", "two"]),
        ("not-tags=web,blue", ["three", "two"]),
        ("not-tags-any=web", ["three"]),
        ("tags=web&not-tags-any=blue", ["two"]),
        ("tags=we", []),
        ("tags=5%25", []),
        ('tags=a"b', ["three"]),
        ("tags=\N{SNOWMAN}", ["three"]),
    ],
)
def test_servers_are_found_by_their_tags(cloud: Cloud, query: str, names: list[str]) -> None:
    cloud.boot("one", tags=["web", "blue"])
    cloud.boot("two", tags=["web", "50%"])
    cloud.boot("three", tags=['a"b', "\N{SNOWMAN}"])
    found = cloud.ask("GET", f"/v2.1/servers?{query}").json()["servers"]
    assert sorted(server["name"] for server in found) == names


def test_a_server_that_failed_is_not_tagged(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.act(server_id, {"os-resetState": {"state": "error"}}, user="admin")
    assert cloud.ask("PUT", f"/v2.1/servers/{server_id}/tags/late").status_code == 409
