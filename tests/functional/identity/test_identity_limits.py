"""Limits that identity keeps for services."""

from typing import Any

import pytest
from identity_site import Site


@pytest.fixture
def service(site: Site) -> str:
    found = site.ask("GET", "/v3/services?type=compute", token=site.token("admin")).json["services"]
    return str(found[0]["id"])


def register(site: Site, service: str, **more: Any) -> Any:
    body = {"service_id": service, "resource_name": "cores", "default_limit": 10} | more
    return site.ask("POST", "/v3/registered_limits", {"registered_limits": [body]}, token=site.token("admin"))


def limit(site: Site, service: str, **more: Any) -> Any:
    body = {"service_id": service, "resource_name": "cores", "resource_limit": 5} | more
    return site.ask("POST", "/v3/limits", {"limits": [body]}, token=site.token("admin"))


def test_a_limit_of_everybody_is_added_changed_and_removed(site: Site, service: str) -> None:
    admin, demo = site.token("admin"), site.token("demo")

    answer = register(site, service, description="of threads", region_id="RegionOne")

    assert answer.status_int == 201, answer.text
    (made,) = answer.json["registered_limits"]
    path = f"/v3/registered_limits/{made['id']}"
    assert made == {
        "id": made["id"],
        "service_id": service,
        "region_id": "RegionOne",
        "resource_name": "cores",
        "default_limit": 10,
        "description": "of threads",
        "links": {"self": f"http://cloud.example:5000{path}"},
    }
    assert site.ask("GET", path, token=demo).json["registered_limit"] == made
    changed = site.ask("PATCH", path, {"registered_limit": {"default_limit": 20}}, token=admin)
    assert changed.json["registered_limit"] == made | {"default_limit": 20}
    for query, count in (("", 1), ("?resource_name=ram", 0), (f"?service_id={service}&region_id=RegionOne", 1)):
        found = site.ask("GET", f"/v3/registered_limits{query}", token=demo).json["registered_limits"]
        assert len(found) == count
    assert site.ask("DELETE", path, token=demo).status_int == 403
    assert site.ask("DELETE", path, token=admin).status_int == 204
    assert site.ask("GET", path, token=demo).status_int == 404


def test_limits_of_what_is_not_there_or_there_already_are_refused(site: Site, service: str) -> None:
    assert register(site, "0" * 32).status_int == 400
    assert register(site, service, region_id="nowhere").status_int == 400
    assert register(site, service, default_limit=-2).status_int == 400
    assert register(site, service, colour="red").status_int == 400
    assert limit(site, service, project_id=site.people.demo_project.id).status_int == 403
    assert register(site, service).status_int == 201
    assert register(site, service).status_int == 409
    assert limit(site, service).status_int == 400
    assert limit(site, service, project_id="0" * 32).status_int == 400
    assert limit(site, service, project_id=site.people.demo_project.id, domain_id="default").status_int == 400


def test_a_project_sees_its_limits_and_an_admin_those_of_all(site: Site, service: str) -> None:
    admin, demo, people = site.token("admin"), site.token("demo"), site.people
    base = register(site, service).json["registered_limits"][0]["id"]

    answers = [
        limit(site, service, project_id=people.demo_project.id, description="less"),
        limit(site, service, project_id=people.admin_project.id),
        limit(site, service, domain_id="default"),
    ]

    assert [answer.status_int for answer in answers] == [201, 201, 201]
    mine, other, of_domain = (answer.json["limits"][0] for answer in answers)
    assert (mine["project_id"], mine["domain_id"], mine["resource_limit"]) == (people.demo_project.id, None, 5)
    assert (of_domain["project_id"], of_domain["domain_id"]) == (None, "default")
    assert limit(site, service, domain_id="default").status_int == 409
    assert site.ask("GET", "/v3/limits", token=demo).json["limits"] == [mine]
    assert len(site.ask("GET", "/v3/limits", token=admin).json["limits"]) == 3
    query = f"?project_id={people.admin_project.id}"
    assert site.ask("GET", f"/v3/limits{query}", token=admin).json["limits"] == [other]
    assert site.ask("GET", f"/v3/limits/{mine['id']}", token=demo).json["limit"] == mine
    assert site.ask("GET", f"/v3/limits/{other['id']}", token=demo).status_int == 403
    assert site.ask("GET", "/v3/limits/none", token=demo).status_int == 403
    assert site.ask("GET", "/v3/limits/none", token=admin).status_int == 404
    assert site.ask("GET", "/v3/limits/model", token=demo).json["model"]["name"] == "flat"

    path = f"/v3/limits/{mine['id']}"
    changed = site.ask("PATCH", path, {"limit": {"resource_limit": 6}}, token=admin)
    assert changed.json["limit"] == mine | {"resource_limit": 6}
    assert site.ask("PATCH", path, {"limit": {"resource_name": "ram"}}, token=admin).status_int == 400
    for method, body in (("DELETE", None), ("PATCH", {"registered_limit": {"default_limit": 1}})):
        refused = site.ask(method, f"/v3/registered_limits/{base}", body, token=admin)
        assert (refused.status_int, base in refused.json["error"]["message"]) == (403, True)
    site.ask("DELETE", f"/v3/projects/{people.demo_project.id}", token=admin)
    assert site.ask("GET", path, token=admin).status_int == 404
    assert site.ask("DELETE", f"/v3/limits/{other['id']}", token=admin).status_int == 204
    assert site.ask("DELETE", f"/v3/limits/{of_domain['id']}", token=admin).status_int == 204
    assert site.ask("DELETE", f"/v3/registered_limits/{base}", token=admin).status_int == 204


def test_the_limits_of_a_service_go_with_it(site: Site) -> None:
    admin = site.token("admin")
    made = site.ask("POST", "/v3/services", {"service": {"type": "dns"}}, token=admin).json["service"]["id"]
    region = site.ask("POST", "/v3/regions", {"region": {"id": "west"}}, token=admin)
    assert region.status_int == 201
    assert register(site, made, region_id="west").status_int == 201
    assert limit(site, made, region_id="west", project_id=site.people.demo_project.id).status_int == 201

    assert site.ask("DELETE", "/v3/regions/west", token=admin).status_int == 403
    assert site.ask("DELETE", f"/v3/services/{made}", token=admin).status_int == 204

    assert site.ask("GET", "/v3/limits", token=admin).json["limits"] == []
    assert site.ask("GET", "/v3/registered_limits", token=admin).json["registered_limits"] == []
    assert site.ask("DELETE", "/v3/regions/west", token=admin).status_int == 204
