"""Secrets that identity keeps, access rules of application credentials, and tags of projects."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

API = "identity"


def ask(cloud: Cloud, method: str, path: str, body: Any = None, user: str = "demo") -> requests.Response:
    return cloud.ask(method, f"/v3{path}", body, api=API, user=user)


def user_id(cloud: Cloud, name: str) -> str:
    return str(ask(cloud, "GET", f"/users?name={name}", user="admin").json()["users"][0]["id"])


def test_a_secret_is_kept_for_its_user(cloud: Cloud) -> None:
    wanted = {"type": "cert", "blob": "very secret"}
    made = ask(cloud, "POST", "/credentials", {"credential": wanted})
    assert made.status_code == 201
    credential = made.json()["credential"]
    mine, path = user_id(cloud, "demo"), f"/credentials/{credential['id']}"
    assert (credential["blob"], credential["user_id"], credential["project_id"]) == ("very secret", mine, None)
    with cloud.database.engine.connect() as connection:
        (kept,) = connection.exec_driver_sql("SELECT blob FROM credentials").scalars()
    assert "very secret" not in kept

    assert ask(cloud, "GET", path).json()["credential"] == credential
    assert ask(cloud, "GET", "/credentials?type=cert").json()["credentials"] == [credential]
    assert ask(cloud, "GET", "/credentials?type=totp").json()["credentials"] == []
    assert ask(cloud, "GET", "/credentials", user="other").json()["credentials"] == []
    assert ask(cloud, "GET", path, user="other").status_code == 404
    assert ask(cloud, "GET", f"/credentials?user_id={mine}", user="other").status_code == 403
    assert ask(cloud, "GET", "/credentials", user="admin").json()["credentials"] == [credential]
    changed = ask(cloud, "PATCH", path, {"credential": {"blob": "other"}})
    assert changed.json()["credential"]["blob"] == "other"
    assert ask(cloud, "DELETE", path, user="other").status_code == 404
    assert ask(cloud, "DELETE", path).status_code == 204
    assert ask(cloud, "GET", path).status_code == 404


def test_who_may_only_look_at_all_secrets_takes_none_over(cloud: Cloud) -> None:
    made = ask(cloud, "POST", "/credentials", {"credential": {"type": "cert", "blob": "x"}})
    path = f"/credentials/{made.json()['credential']['id']}"
    auditor = user_id(cloud, "other")
    (role,) = ask(cloud, "GET", "/roles?name=reader", user="admin").json()["roles"]
    grant = f"/system/users/{auditor}/roles/{role['id']}"
    assert ask(cloud, "PUT", grant, user="admin").status_code == 204
    user = {"id": auditor, "password": "other-secret"}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"system": {"all": True}}}
    token = requests.post(cloud.url(API, "/v3/auth/tokens"), json={"auth": auth}, timeout=20)
    headers = {"X-Auth-Token": token.headers["X-Subject-Token"]}
    url = cloud.url(API, f"/v3{path}")

    assert requests.get(url, headers=headers, timeout=20).status_code == 200
    taken = {"credential": {"user_id": auditor}}
    assert requests.patch(url, json=taken, headers=headers, timeout=20).status_code == 403
    assert ask(cloud, "GET", path).json()["credential"]["user_id"] == user_id(cloud, "demo")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"blob": "x"}, 400),
        ({"type": "ec2", "blob": "{}"}, 400),
        ({"type": "cert", "blob": "x", "user_id": "OTHER"}, 403),
        ({"type": "cert", "blob": "x", "project_id": "0" * 32}, 404),
    ],
)
def test_what_is_wrong_is_not_kept(cloud: Cloud, wanted: dict[str, str], status: int) -> None:
    body = {name: user_id(cloud, "other") if value == "OTHER" else value for name, value in wanted.items()}
    assert ask(cloud, "POST", "/credentials", {"credential": body}).status_code == status


RULES = [
    {"service": "compute", "method": "GET", "path": "/v2.1/servers/{server_id}"},
    {"service": "compute", "method": "GET", "path": "/v2.1/flavors/**"},
    {"service": "image", "method": "GET", "path": "/v2/images"},
]


@pytest.fixture
def bound(cloud: Cloud) -> Iterator[tuple[str, str]]:
    """A token that may ask for what the rules say, and the path of its application credential."""
    path = f"/users/{user_id(cloud, 'demo')}/application_credentials"
    wanted = {"name": "bound", "secret": "beep", "access_rules": RULES}
    made = ask(cloud, "POST", path, {"application_credential": wanted})
    assert made.status_code == 201, made.text
    credential = made.json()["application_credential"]
    assert [{name: rule[name] for name in RULES[0]} for rule in credential["access_rules"]] == RULES
    proof = {"id": credential["id"], "secret": "beep"}
    identity = {"methods": ["application_credential"], "application_credential": proof}
    answer = ask(cloud, "POST", "/auth/tokens", {"auth": {"identity": identity}})
    yield answer.headers["X-Subject-Token"], f"{path}/{credential['id']}"
    ask(cloud, "DELETE", f"{path}/{credential['id']}")
    for rule in ask(cloud, "GET", f"/users/{user_id(cloud, 'demo')}/access_rules").json()["access_rules"]:
        ask(cloud, "DELETE", f"/users/{user_id(cloud, 'demo')}/access_rules/{rule['id']}")


@pytest.mark.parametrize(
    ("api", "method", "path", "status"),
    [
        ("osapi_compute", "GET", "/v2.1/servers/x", 404),
        ("osapi_compute", "DELETE", "/v2.1/servers/x", 401),
        ("osapi_compute", "GET", "/v2.1/servers", 401),
        ("osapi_compute", "GET", "/v2.1/servers/x/ips", 401),
        ("osapi_compute", "GET", "/v2.1/flavors/6/os-extra_specs", 200),
        ("osapi_compute", "GET", "/v2/flavors/6", 401),
        ("image", "GET", "/v2/images", 200),
        ("image", "POST", "/v2/images", 401),
        ("network", "GET", "/v2.0/networks", 401),
        ("identity", "GET", "/v3/auth/projects", 401),
    ],
)
def test_a_bound_token_asks_for_what_its_rules_say_alone(
    cloud: Cloud, bound: tuple[str, str], api: str, method: str, path: str, status: int
) -> None:
    answer = cloud.ask(method, path, {} if method == "POST" else None, api=api, headers={"X-Auth-Token": bound[0]})
    assert answer.status_code == status, answer.text


def test_a_bound_token_leads_to_no_other(cloud: Cloud, bound: tuple[str, str]) -> None:
    auth = {"identity": {"methods": ["token"], "token": {"id": bound[0]}}}
    answer = ask(cloud, "POST", "/auth/tokens", {"auth": auth})
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}

    assert cloud.ask("GET", "/v2.1/servers", None, headers=headers).status_code == 401
    assert cloud.ask("GET", "/v2.1/servers/x", None, headers=headers).status_code == 404


def test_access_rules_are_their_users_own(cloud: Cloud, bound: tuple[str, str]) -> None:
    path = f"/users/{user_id(cloud, 'demo')}/access_rules"
    found = ask(cloud, "GET", path).json()["access_rules"]
    assert len(found) == 3
    one = f"{path}/{found[0]['id']}"
    assert ask(cloud, "GET", one).json()["access_rule"]["id"] == found[0]["id"]
    assert ask(cloud, "GET", f"{path}/x").status_code == 404
    assert ask(cloud, "GET", path, user="other").status_code == 403
    again = {"name": "again", "access_rules": [{"id": found[0]["id"]}, RULES[2]]}
    of_user = bound[1].rsplit("/", 1)[0]
    second = ask(cloud, "POST", of_user, {"application_credential": again}).json()["application_credential"]
    assert len(ask(cloud, "GET", path).json()["access_rules"]) == 3
    ask(cloud, "DELETE", bound[1])
    assert ask(cloud, "DELETE", one).status_code == 403
    ask(cloud, "DELETE", f"{of_user}/{second['id']}")
    assert ask(cloud, "DELETE", one, user="other").status_code == 403
    assert ask(cloud, "DELETE", one).status_code == 204
    assert ask(cloud, "GET", one).status_code == 404
    unknown = {"name": "unknown", "access_rules": [{"id": "x"}]}
    assert ask(cloud, "POST", of_user, {"application_credential": unknown}).status_code == 400


def test_projects_are_tagged_and_found_by_their_tags(cloud: Cloud) -> None:
    made = ask(cloud, "POST", "/projects", {"project": {"name": "tagged", "tags": ["b", "a"]}}, user="admin")
    project = made.json()["project"]
    path = f"/projects/{project['id']}"
    assert project["tags"] == ["b", "a"]

    def found(query: str) -> bool:
        listed = ask(cloud, "GET", f"/projects?{query}", user="admin").json()["projects"]
        return project["id"] in [one["id"] for one in listed]

    assert [found(f"{name}=a,b") for name in ("tags", "tags-any", "not-tags", "not-tags-any")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert [found(f"{name}=a,x") for name in ("tags", "tags-any", "not-tags", "not-tags-any")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert ask(cloud, "PUT", f"{path}/tags/c", user="admin").status_code == 201
    assert ask(cloud, "GET", f"{path}/tags", user="admin").json()["tags"] == ["b", "a", "c"]
    assert ask(cloud, "GET", f"{path}/tags/c", user="admin").status_code == 204
    assert ask(cloud, "GET", f"{path}/tags/d", user="admin").status_code == 404
    assert ask(cloud, "PUT", f"{path}/tags/d").status_code == 403
    assert ask(cloud, "PUT", f"{path}/tags", {"tags": ["x", "x"]}, user="admin").status_code == 400
    assert ask(cloud, "PUT", f"{path}/tags", {"tags": ["x"]}, user="admin").json()["tags"] == ["x"]
    assert ask(cloud, "DELETE", f"{path}/tags/x", user="admin").status_code == 204
    assert ask(cloud, "DELETE", f"{path}/tags/x", user="admin").status_code == 404
    assert ask(cloud, "DELETE", f"{path}/tags", user="admin").status_code == 204
    assert ask(cloud, "DELETE", path, user="admin").status_code == 204
