"""Giving and taking roles, and listing who has which."""

from typing import Any

import pytest
from identity_site import Site


def grant_path(site: Site, role: str = "reader", target: str = "") -> str:
    place = target or f"projects/{site.people.admin_project.id}"
    path = f"/v3/{place}/users/{site.people.demo.id}/roles/{site.role(role)}"
    return f"{path}/inherited_to_projects" if place.startswith("OS-INHERIT") else path


@pytest.mark.parametrize("target", ["", "domains/default", "system", "OS-INHERIT/domains/default"])
def test_a_role_is_given_checked_listed_and_taken(site: Site, target: str) -> None:
    admin, path = site.token("admin"), grant_path(site, target=target)

    assert site.ask("HEAD", path, token=admin).status_int == 404
    assert site.ask("PUT", path, token=admin).status_int == 204
    assert site.ask("PUT", path, token=admin).status_int == 204
    for method in ("HEAD", "GET"):
        answer = site.ask(method, path, token=admin)
        assert (answer.status_int, answer.body) == (204, b"")
    given = path.replace(f"/{site.role('reader')}", "")
    roles = site.ask("GET", given, token=admin).json["roles"]
    assert [role["name"] for role in roles] == ["reader"]
    assert site.ask("DELETE", path, token=admin).status_int == 204
    assert site.ask("DELETE", path, token=admin).status_int == 404


@pytest.mark.parametrize("part", [2, 4, 6])
def test_a_role_is_not_given_where_something_is_unknown(site: Site, part: int) -> None:
    parts = grant_path(site).lstrip("/").split("/")
    parts[part] = "unknown"

    answer = site.ask("PUT", "/" + "/".join(parts), token=site.token("admin"))

    assert answer.status_int == 404
    assert "unknown" in answer.json["error"]["message"]


def listed(site: Site, query: str = "") -> list[dict[str, Any]]:
    answer = site.ask("GET", f"/v3/role_assignments{query}", token=site.token("admin"))
    assert answer.status_int == 200, answer.text
    entries: list[dict[str, Any]] = answer.json["role_assignments"]
    return entries


def test_assignments_are_listed_by_id(site: Site) -> None:
    people = site.people
    path = f"/v3/projects/{people.demo_project.id}/users/{people.demo.id}/roles/{site.role('member')}"

    entries = listed(site, f"?user.id={people.demo.id}")

    assert entries == [
        {
            "role": {"id": site.role("member")},
            "user": {"id": people.demo.id},
            "scope": {"project": {"id": people.demo_project.id}},
            "links": {"assignment": f"http://cloud.example:5000{path}"},
        }
    ]


def test_assignments_are_listed_with_names(site: Site) -> None:
    (entry,) = listed(site, f"?include_names=True&user.id={site.people.demo.id}")

    domain = {"id": "default", "name": "Default"}
    assert entry["role"]["name"] == "member"
    assert (entry["user"]["name"], entry["user"]["domain"]) == ("demo", domain)
    project = entry["scope"]["project"]
    assert (project["name"], project["domain"]) == ("demo", domain)


def test_assignments_can_be_narrowed(site: Site) -> None:
    admin, people = site.people.admin.id, site.people

    assert len(listed(site)) == 5
    assert len(listed(site, f"?user.id={admin}")) == 2
    assert [entry["scope"] for entry in listed(site, "?scope.system=all")] == [{"system": {"all": True}}]
    assert len(listed(site, f"?scope.project.id={people.admin_project.id}")) == 1
    assert listed(site, "?scope.domain.id=default") == []
    assert len(listed(site, f"?role.id={site.role('member')}")) == 1
    assert listed(site, "?group.id=x") == []


def test_effective_assignments_have_what_roles_imply(site: Site) -> None:
    entries = listed(site, f"?effective&include_names&user.id={site.people.demo.id}")

    assert [entry["role"]["name"] for entry in entries] == ["member", "reader"]
    reader = f"?effective&role.id={site.role('reader')}&user.id={site.people.demo.id}"
    assert len(listed(site, reader)) == 1


def test_two_targets_at_once_are_refused(site: Site) -> None:
    query = "?scope.project.id=x&scope.domain.id=y"

    assert site.ask("GET", f"/v3/role_assignments{query}", token=site.token("admin")).status_int == 400


def test_a_deleted_role_is_taken_from_all(site: Site) -> None:
    admin = site.token("admin")
    role = site.ask("POST", "/v3/roles", {"role": {"name": "cook"}}, token=admin).json["role"]
    assert site.ask("PUT", grant_path(site, "cook"), token=admin).status_int == 204

    assert site.ask("DELETE", f"/v3/roles/{role['id']}", token=admin).status_int == 204

    assert listed(site, f"?role.id={role['id']}") == []


def test_a_reader_of_the_system_sees_all_and_changes_nothing(site: Site) -> None:
    admin = site.token("admin")
    site.ask("PUT", grant_path(site, "reader", "system"), token=admin)
    token = site.token("demo", {"system": {"all": True}})

    assert site.ask("GET", "/v3/users", token=token).status_int == 200
    assert site.ask("GET", f"/v3/users/{site.people.admin.id}", token=token).status_int == 200
    assert site.ask("DELETE", f"/v3/users/{site.people.admin.id}", token=token).status_int == 403


def names_of(answer: Any) -> list[str]:
    return [role["name"] for role in answer.json["token"]["roles"]]


@pytest.mark.parametrize("above", ["project", "domain"])
def test_a_role_is_inherited_by_the_projects_below_and_not_by_what_is_above(site: Site, above: str) -> None:
    admin, people = site.token("admin"), site.people
    projects = {"default": "default"}
    for name, parent in (("top", "default"), ("middle", "top"), ("low", "middle")):
        body = {"project": {"name": name, "parent_id": projects[parent]}}
        created = site.ask("POST", "/v3/projects", body, token=admin).json["project"]
        projects[name] = created["id"]
    place = "domains/default" if above == "domain" else f"projects/{projects['top']}"
    path = grant_path(site, "member", f"OS-INHERIT/{place}")
    low = {"project": {"id": projects["low"]}}
    assert site.log_in("demo", low).status_int == 401

    assert site.ask("PUT", path, token=admin).status_int == 204

    token = site.token("demo", low)
    assert names_of(site.ask("GET", "/v3/auth/tokens", token=token, X_Subject_Token=token)) == ["member", "reader"]
    itself = {"domain": {"id": "default"}} if above == "domain" else {"project": {"id": projects["top"]}}
    assert site.log_in("demo", itself).status_int == 401
    mine = site.ask("GET", "/v3/auth/projects", token=site.token("demo")).json["projects"]
    everywhere = {"admin", "demo", "low", "middle", "service", "top"}
    assert {one["name"] for one in mine} == (everywhere if above == "domain" else {"demo", "low", "middle"})
    keys = site.ask(
        "POST", f"/v3/users/{people.demo.id}/credentials/OS-EC2", {"tenant_id": projects["low"]}, token=token
    )
    assert keys.status_int == 201

    (entry,) = listed(site, "?scope.OS-INHERIT:inherited_to=projects")
    assert entry["scope"]["OS-INHERIT:inherited_to"] == "projects"
    assert entry["links"]["assignment"] == f"http://cloud.example:5000{path}"
    query = f"?effective&include_names&user.id={people.demo.id}&scope.project.id={projects['low']}"
    effective = listed(site, query)
    assert [one["role"]["name"] for one in effective] == ["member", "reader"]
    assert effective[0]["scope"]["project"]["name"] == "low"
    assert effective[0]["links"]["assignment"] == f"http://cloud.example:5000{path}"

    assert site.ask("DELETE", path, token=admin).status_int == 204
    assert site.log_in("demo", low).status_int == 401
    assert site.ask("GET", "/v3/auth/projects", token=token).status_int == 401


def test_a_group_has_what_its_domain_lets_projects_inherit(site: Site) -> None:
    admin, people = site.token("admin"), site.people
    crew = site.ask("POST", "/v3/groups", {"group": {"name": "crew"}}, token=admin).json["group"]["id"]
    site.ask("PUT", f"/v3/groups/{crew}/users/{people.demo.id}", token=admin)
    path = f"/v3/OS-INHERIT/domains/default/groups/{crew}/roles/{site.role('manager')}/inherited_to_projects"

    assert site.ask("PUT", path, token=admin).status_int == 204

    scope = {"project": {"id": people.admin_project.id}}
    assert names_of(site.log_in("demo", scope)) == ["manager", "member", "reader"]
    assert names_of(site.log_in("demo")) == ["manager", "member", "reader"]


def test_the_assignments_of_a_project_are_listed_with_those_of_the_projects_below(site: Site) -> None:
    admin, people = site.token("admin"), site.people
    projects = {"default": "default"}
    for name, parent in (("top", "default"), ("middle", "top"), ("low", "middle"), ("aside", "default")):
        body = {"project": {"name": name, "parent_id": projects[parent]}}
        projects[name] = site.ask("POST", "/v3/projects", body, token=admin).json["project"]["id"]
    for role, place in (
        ("reader", f"projects/{projects['low']}"),
        ("member", f"OS-INHERIT/projects/{projects['top']}"),
        ("reader", f"projects/{projects['aside']}"),
        ("reader", "OS-INHERIT/domains/default"),
    ):
        assert site.ask("PUT", grant_path(site, role, place), token=admin).status_int == 204

    def seen(query: str, root: str = "middle") -> list[tuple[str, str]]:
        found = listed(site, f"?include_names&scope.project.id={projects[root]}&{query}")
        return sorted((one["scope"]["project"]["name"], one["role"]["name"]) for one in found)

    assert seen("include_subtree=False") == []
    assert seen("include_subtree") == [("low", "reader")]
    assert seen("include_subtree", "top") == [("low", "reader"), ("top", "member")]
    assert seen("include_subtree&scope.OS-INHERIT:inherited_to=projects", "top") == [("top", "member")]
    mine = f"include_subtree&effective&user.id={people.demo.id}"
    by_middle = [("middle", "member"), ("middle", "reader"), ("middle", "reader")]
    by_low = [("low", "member"), ("low", "reader"), ("low", "reader"), ("low", "reader")]
    assert seen(mine) == by_low + by_middle
    assert seen(mine, "low") == by_low
    assert seen(mine, "top") == [*by_low, *by_middle, ("top", "reader")]
    assert seen(f"include_subtree&group.id={people.demo.id}", "top") == []
    unknown = "?include_subtree=1&scope.project.id=x"
    assert site.ask("GET", f"/v3/role_assignments{unknown}", token=admin).status_int == 404


@pytest.mark.parametrize(
    "query",
    [
        "include_subtree",
        "include_subtree&scope.domain.id=default",
        "user.id=x&group.id=y",
        "effective&group.id=x",
        "effective&scope.domain.id=default&scope.OS-INHERIT:inherited_to=projects",
    ],
)
def test_filters_that_exclude_each_other_are_refused(site: Site, query: str) -> None:
    assert site.ask("GET", f"/v3/role_assignments?{query}", token=site.token("admin")).status_int == 400
