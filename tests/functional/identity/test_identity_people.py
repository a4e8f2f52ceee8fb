"""Users, projects, domains and roles as clients manage them."""

from typing import Any

import pytest
from identity_site import Site


def make(site: Site, noun: str, **fields: Any) -> Any:
    answer = site.ask("POST", f"/v3/{noun}s", {noun: fields}, token=site.token("admin"))
    assert answer.status_int == 201, answer.text
    return answer.json[noun]


def test_a_project_is_created_shown_changed_and_deleted(site: Site) -> None:
    admin = site.token("admin")

    project = make(site, "project", name="lab", description="ours", enabled=True, colour="blue")
    path = f"/v3/projects/{project['id']}"

    assert project["domain_id"] == project["parent_id"] == "default"
    assert project["is_domain"] is False
    assert project["tags"] == [] and project["options"] == {}
    assert project["colour"] == "blue"
    assert project["links"]["self"] == f"http://cloud.example:5000{path}"
    assert site.ask("GET", path, token=admin).json["project"] == project

    body = {"project": {"name": "lab2", "description": None, "colour": None, "enabled": False}}
    changed = site.ask("PATCH", path, body, token=admin)
    assert changed.status_int == 200
    assert changed.json["project"]["name"] == "lab2"
    assert changed.json["project"]["description"] == ""
    assert changed.json["project"]["enabled"] is False
    assert "colour" not in changed.json["project"]

    assert site.ask("DELETE", path, token=admin).status_int == 204
    assert site.ask("GET", path, token=admin).status_int == 404
    assert site.ask("DELETE", path, token=admin).status_int == 404


def test_a_project_with_others_below_it_stays(site: Site) -> None:
    admin = site.token("admin")
    parent = make(site, "project", name="parent")
    child = make(site, "project", name="child", parent_id=parent["id"])

    assert child["parent_id"] == parent["id"]
    assert site.ask("DELETE", f"/v3/projects/{parent['id']}", token=admin).status_int == 403
    assert site.ask("DELETE", f"/v3/projects/{child['id']}", token=admin).status_int == 204
    assert site.ask("DELETE", f"/v3/projects/{parent['id']}", token=admin).status_int == 204


@pytest.mark.parametrize("noun", ["project", "user", "role", "domain"])
def test_a_name_is_given_once(site: Site, noun: str) -> None:
    make(site, noun, name="twin")
    other = make(site, noun, name="other")
    admin = site.token("admin")

    again = site.ask("POST", f"/v3/{noun}s", {noun: {"name": "twin"}}, token=admin)
    renamed = site.ask("PATCH", f"/v3/{noun}s/{other['id']}", {noun: {"name": "twin"}}, token=admin)

    assert again.status_int == renamed.status_int == 409
    assert again.json["error"]["title"] == "Conflict"


@pytest.mark.parametrize("noun", ["project", "user", "role", "domain"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": "x" * 256},
        {"name": "a\nb"},
        {"name": "ab\n"},
        {"name": "a\0"},
        {"name": 7},
        {"name": "\ud800"},
        {"name": "x", "description": 7},
    ],
)
def test_a_bad_body_creates_nothing(site: Site, noun: str, fields: dict[str, Any]) -> None:
    admin = site.token("admin")
    before = site.ask("GET", f"/v3/{noun}s", token=admin).json

    answer = site.ask("POST", f"/v3/{noun}s", {noun: fields}, token=admin)

    assert answer.status_int == 400
    assert answer.json["error"]["code"] == 400
    assert site.ask("GET", f"/v3/{noun}s", token=admin).json == before


def test_a_list_can_be_had_by_name_and_in_parts(site: Site) -> None:
    admin = site.token("admin")

    named = site.ask("GET", "/v3/users?name=demo", token=admin).json
    first = site.ask("GET", "/v3/users?limit=2", token=admin).json
    second = site.ask("GET", first["links"]["next"], token=admin).json

    assert [user["name"] for user in named["users"]] == ["demo"]
    assert named["links"] == {
        "self": "http://cloud.example:5000/v3/users",
        "next": None,
        "previous": None,
    }
    assert [user["name"] for user in first["users"]] == ["admin", "demo"]
    assert [user["name"] for user in second["users"]] == ["nova"]
    assert second["links"]["next"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=-1", "marker=unknown", "name=%00", "name=%FF"]
)
def test_a_bad_query_is_refused(site: Site, query: str) -> None:
    assert site.ask("GET", f"/v3/users?{query}", token=site.token("admin")).status_int == 400


@pytest.mark.parametrize("part", ["%00", "%FF"])
def test_a_path_that_is_no_text_is_refused(site: Site, part: str) -> None:
    assert site.ask("GET", f"/v3/users/{part}", token=site.token("admin")).status_int == 400


def test_enabled_narrows_a_list(site: Site) -> None:
    make(site, "user", name="gone", enabled=False)
    admin = site.token("admin")

    off = site.ask("GET", "/v3/users?enabled=False", token=admin).json["users"]
    on = site.ask("GET", "/v3/users?enabled", token=admin).json["users"]

    assert [user["name"] for user in off] == ["gone"]
    assert "gone" not in [user["name"] for user in on]


def test_a_user_is_created_with_a_password_that_is_never_shown(site: Site) -> None:
    user = make(site, "user", name="ann", password="pass", email="ann@example.org")

    assert user["email"] == "ann@example.org"
    assert user["domain_id"] == "default"
    assert not [key for key in user if "password" in key and key != "password_expires_at"]
    assert site.log_in("ann", scope=None, password="pass").status_int == 201


def test_a_password_longer_than_bcrypt_reads_counts_whole(site: Site) -> None:
    make(site, "user", name="ann", password="p" * 80 + "a")

    assert site.log_in("ann", scope=None, password="p" * 80 + "a").status_int == 201
    assert site.log_in("ann", scope=None, password="p" * 80 + "b").status_int == 401


def test_who_knows_the_old_password_sets_a_new_one(site: Site) -> None:
    path, token = f"/v3/users/{site.people.demo.id}/password", site.token("demo")

    def change(old: str, new: str) -> int:
        return site.ask("POST", path, {"user": {"original_password": old, "password": new}}).status_int

    assert change("wrong", "new") == 401
    assert change("demo-secret", "demo-secret") == 400
    assert change("demo-secret", "new") == 204
    assert site.log_in("demo", password="new").status_int == 201
    assert site.log_in("demo").status_int == 401
    assert site.ask("GET", "/v3/auth/projects", token=token).status_int == 401


def test_the_password_of_nobody_cannot_be_changed(site: Site) -> None:
    body = {"user": {"original_password": "x", "password": "y"}}

    assert site.ask("POST", "/v3/users/nobody/password", body).status_int == 401


def test_an_admin_sets_a_password(site: Site) -> None:
    path = f"/v3/users/{site.people.demo.id}"

    answer = site.ask("PATCH", path, {"user": {"password": "new"}}, token=site.token("admin"))

    assert answer.status_int == 200
    assert site.log_in("demo", password="new").status_int == 201
    assert site.log_in("demo").status_int == 401


def test_a_user_cannot_be_moved_to_another_domain(site: Site) -> None:
    other = make(site, "domain", name="other")
    path = f"/v3/users/{site.people.demo.id}"

    answer = site.ask("PATCH", path, {"user": {"domain_id": other["id"]}}, token=site.token("admin"))

    assert answer.status_int == 400


def test_names_are_separate_in_each_domain(site: Site) -> None:
    other = make(site, "domain", name="other")

    user = make(site, "user", name="demo", domain_id=other["id"], password="theirs")
    project = make(site, "project", name="demo", domain_id=other["id"])

    assert user["domain_id"] == project["domain_id"] == other["id"]
    assert site.log_in("demo", password="theirs").status_int == 401
    assert site.log_in("demo").status_int == 201


def test_a_domain_goes_with_all_in_it_once_it_is_disabled(site: Site) -> None:
    admin = site.token("admin")
    domain = make(site, "domain", name="other")
    user = make(site, "user", name="ann", domain_id=domain["id"])
    project = make(site, "project", name="theirs", domain_id=domain["id"])
    path = f"/v3/domains/{domain['id']}"
    grant = f"/v3/projects/{project['id']}/users/{user['id']}/roles/{site.role('reader')}"
    assert site.ask("PUT", grant, token=admin).status_int == 204

    assert site.ask("DELETE", path, token=admin).status_int == 403
    assert site.ask("PATCH", path, {"domain": {"enabled": False}}, token=admin).status_int == 200
    assert site.ask("DELETE", path, token=admin).status_int == 204

    assert site.ask("GET", f"/v3/users/{user['id']}", token=admin).status_int == 404
    assert site.ask("GET", f"/v3/projects/{project['id']}", token=admin).status_int == 404
    assignments = site.ask("GET", "/v3/role_assignments", token=admin).json["role_assignments"]
    assert user["id"] not in [entry["user"]["id"] for entry in assignments]


def test_the_default_domain_and_the_standard_roles_stay(site: Site) -> None:
    admin = site.token("admin")
    role = f"/v3/roles/{site.role('member')}"

    assert site.ask("DELETE", "/v3/domains/default", token=admin).status_int == 403
    disabled = {"domain": {"enabled": False}}
    assert site.ask("PATCH", "/v3/domains/default", disabled, token=admin).status_int == 403
    assert site.ask("DELETE", role, token=admin).status_int == 403
    assert site.ask("PATCH", role, {"role": {"name": "x"}}, token=admin).status_int == 403
    assert site.ask("GET", role, token=admin).json["role"]["options"] == {"immutable": True}


def test_services_endpoints_and_regions_tell_what_the_catalog_is_made_of(site: Site) -> None:
    admin = site.token("admin")
    services = site.ask("GET", "/v3/services", token=admin).json["services"]
    compute = next(service for service in services if service["type"] == "compute")

    endpoints = site.ask("GET", f"/v3/endpoints?service_id={compute['id']}", token=admin).json["endpoints"]

    assert [service["name"] for service in services] == ["keystone", "nova", "glance", "neutron"]
    assert {endpoint["url"] for endpoint in endpoints} == {"http://cloud.example:8774/v2.1"}
    assert site.ask("GET", f"/v3/services/{compute['id']}", token=admin).json["service"] == compute
    one = site.ask("GET", f"/v3/endpoints/{endpoints[0]['id']}", token=admin).json["endpoint"]
    assert one == endpoints[0]
    assert site.ask("GET", "/v3/regions/RegionOne", token=admin).json["region"]["id"] == "RegionOne"
    assert len(site.ask("GET", "/v3/regions", token=admin).json["regions"]) == 1
    for path in ("services", "endpoints", "regions"):
        assert site.ask("GET", f"/v3/{path}/x", token=admin).status_int == 404


FOR_ADMINS = [
    ("GET", "/v3/users"),
    ("GET", "/v3/projects"),
    ("GET", "/v3/roles"),
    ("GET", "/v3/domains"),
    ("GET", "/v3/role_assignments"),
    ("GET", "/v3/services"),
    ("GET", "/v3/users/unknown"),
    ("GET", "/v3/projects/unknown"),
    ("GET", "/v3/domains/unknown"),
    ("GET", "/v3/users/unknown/projects"),
    ("DELETE", "/v3/users/unknown"),
    ("DELETE", "/v3/projects/unknown"),
    ("PUT", "/v3/projects/unknown/users/unknown/roles/unknown"),
]


@pytest.mark.parametrize(("method", "path"), FOR_ADMINS)
def test_an_ordinary_user_learns_nothing_about_others(site: Site, method: str, path: str) -> None:
    answer = site.ask(method, path, token=site.token("demo"))

    assert answer.status_int == 403
    assert answer.json["error"]["title"] == "Forbidden"


def test_an_ordinary_user_sees_itself_and_its_projects(site: Site) -> None:
    token, people = site.token("demo"), site.people

    assert site.ask("GET", f"/v3/users/{people.demo.id}", token=token).status_int == 200
    assert site.ask("GET", f"/v3/users/{people.admin.id}", token=token).status_int == 403
    assert site.ask("GET", f"/v3/projects/{people.demo_project.id}", token=token).status_int == 200
    assert site.ask("GET", f"/v3/projects/{people.admin_project.id}", token=token).status_int == 403
    mine = site.ask("GET", f"/v3/users/{people.demo.id}/projects", token=token).json["projects"]
    assert [project["name"] for project in mine] == ["demo"]
    assert site.ask("GET", f"/v3/users/{people.admin.id}/projects", token=token).status_int == 403
    unscoped = site.token("demo", "unscoped")
    assert site.ask("GET", f"/v3/projects/{people.demo_project.id}", token=unscoped).status_int == 200


def test_an_admin_asking_for_what_is_not_there_gets_not_found(site: Site) -> None:
    admin = site.token("admin")

    for path in ("users/x", "projects/x", "roles/x", "domains/x", "users/x/projects", "nothing"):
        answer = site.ask("GET", f"/v3/{path}", token=admin)
        assert (answer.status_int, answer.json["error"]["title"]) == (404, "Not Found"), path
    assert site.ask("PUT", "/v3/users", {}, token=admin).status_int == 405
