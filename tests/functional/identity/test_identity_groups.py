"""Groups of users and the roles that they have together."""

from typing import Any

from identity_site import Site


def make(site: Site, name: str = "crew", **fields: Any) -> str:
    answer = site.ask("POST", "/v3/groups", {"group": {"name": name} | fields}, token=site.token("admin"))
    assert answer.status_int == 201, answer.text
    group_id: str = answer.json["group"]["id"]
    return group_id


def test_a_group_is_made_changed_and_deleted(site: Site) -> None:
    admin = site.token("admin")
    path = f"/v3/groups/{make(site, description='ours', colour='red')}"
    changed = site.ask("PATCH", path, {"group": {"name": "team", "colour": None}}, token=admin).json["group"]
    assert (changed["name"], changed["description"], changed["domain_id"]) == ("team", "ours", "default")
    assert "colour" not in changed
    assert [row["name"] for row in site.ask("GET", "/v3/groups?name=team", token=admin).json["groups"]] == [
        "team"
    ]
    again = site.ask("POST", "/v3/groups", {"group": {"name": "team"}}, token=admin)
    assert again.status_int == 409
    assert site.ask("DELETE", path, token=admin).status_int == 204
    assert site.ask("GET", path, token=admin).status_int == 404


def test_users_come_and_go(site: Site) -> None:
    admin, demo = site.token("admin"), site.people.demo.id
    member = f"/v3/groups/{make(site)}/users/{demo}"
    assert site.ask("GET", member, token=admin).status_int == 404
    for _ in range(2):
        assert site.ask("PUT", member, token=admin).status_int == 204
    assert site.ask("HEAD", member, token=admin).status_int == 204
    listed = site.ask("GET", member.rsplit("/", 1)[0], token=admin).json["users"]
    assert [row["name"] for row in listed] == ["demo"]
    mine = site.ask("GET", f"/v3/users/{demo}/groups", token=site.token("demo")).json["groups"]
    assert [row["name"] for row in mine] == ["crew"]
    assert site.ask("DELETE", member, token=admin).status_int == 204
    assert site.ask("DELETE", member, token=admin).status_int == 404


def test_a_role_of_a_group_is_that_of_its_users(site: Site) -> None:
    admin, demo = site.token("admin"), site.people.demo.id
    group_id = make(site)
    project = site.people.admin_project.id
    site.ask("PUT", f"/v3/groups/{group_id}/users/{demo}", token=admin)
    closed = site.log_in("demo", scope={"project": {"id": project}})
    assert closed.status_int == 401
    grant = f"/v3/projects/{project}/groups/{group_id}/roles/{site.role('member')}"
    assert site.ask("PUT", grant, token=admin).status_int == 204
    assert site.ask("HEAD", grant, token=admin).status_int == 204

    opened = site.log_in("demo", scope={"project": {"id": project}})

    assert {role["name"] for role in opened.json["token"]["roles"]} == {"member", "reader"}
    projects = site.ask("GET", "/v3/auth/projects", token=site.token("demo")).json["projects"]
    assert {row["name"] for row in projects} == {"admin", "demo"}
    plain = site.ask("GET", f"/v3/role_assignments?group.id={group_id}", token=admin).json["role_assignments"]
    assert [row["group"]["id"] for row in plain] == [group_id]
    query = f"/v3/role_assignments?effective&include_names&user.id={demo}&scope.project.id={project}"
    effective = site.ask("GET", query, token=admin).json["role_assignments"]
    assert sorted(row["role"]["name"] for row in effective) == ["member", "reader"]
    assert {row["user"]["name"] for row in effective} == {"demo"}
    assert site.ask("DELETE", grant, token=admin).status_int == 204
    token = opened.headers["X-Subject-Token"]
    assert site.ask("GET", "/v3/auth/projects", token=token).status_int == 401


def test_a_group_that_goes_takes_its_roles_along(site: Site) -> None:
    admin = site.token("admin")
    group_id = make(site)
    site.ask("PUT", f"/v3/groups/{group_id}/users/{site.people.demo.id}", token=admin)
    site.ask("PUT", f"/v3/system/groups/{group_id}/roles/{site.role('reader')}", token=admin)
    assert site.log_in("demo", scope={"system": {"all": True}}).status_int == 201
    site.ask("DELETE", f"/v3/groups/{group_id}", token=admin)
    assert site.log_in("demo", scope={"system": {"all": True}}).status_int == 401
