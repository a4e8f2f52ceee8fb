"""The identity API as the unmodified clients use it, over HTTP."""

import contextlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from identity_site import ADMIN, Site
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3
from openstackclient.shell import OpenStackShell

Served = tuple[Site, str]
Openstack = Callable[..., Any]


@pytest.fixture
def openstack(served: Served, monkeypatch: pytest.MonkeyPatch) -> Openstack:
    """Run a command of the openstack client as the admin; returns its JSON, "" where it prints none."""
    _, url = served
    for name, value in {
        "OS_AUTH_URL": url,
        "OS_USERNAME": "admin",
        "OS_PASSWORD": "admin-secret",
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_IDENTITY_API_VERSION": "3",
    }.items():
        monkeypatch.setenv(name, value)

    def run(command: str, *more: str) -> Any:
        out, problems = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(problems):
            status = OpenStackShell().run([*command.split(), *more])
        if status:
            raise AssertionError(f"{command}: {problems.getvalue() or out.getvalue()}")
        text = out.getvalue()
        return json.loads(text) if text.strip().startswith(("{", "[")) else text

    return run


def as_json(*more: str) -> tuple[str, ...]:
    return (*more, "-f", "json")


def test_a_token_is_issued_and_revoked(openstack: Openstack, served: Served) -> None:
    token = openstack("token issue", *as_json())

    assert token["project_id"] == served[0].people.admin_project.id
    openstack("token revoke", token["id"])


def test_the_catalog_is_listed_and_shown(openstack: Openstack, served: Served) -> None:
    catalog = openstack("catalog list", *as_json())

    assert [entry["Name"] for entry in catalog] == ["keystone", "nova", "glance", "neutron"]
    assert "8774/v2.1" in json.dumps(openstack("catalog show compute", *as_json()))
    assert {entry["Service Type"] for entry in openstack("endpoint list", *as_json())} >= {"compute", "image"}
    assert len(openstack("service list", *as_json())) == 4
    assert openstack("region list", *as_json())[0]["Region"] == "RegionOne"
    assert openstack("domain list", *as_json())[0]["ID"] == "default"
    assert openstack("domain show default", *as_json())["name"] == "Default"
    assert openstack("service show nova", *as_json())["type"] == "compute"


def test_a_project_with_a_user_and_roles_lives_and_dies(openstack: Openstack) -> None:
    project = openstack("project create lab --description", *as_json("our lab", "--tag", "x"))
    user = openstack("user create ann --project lab --password one --email a@b.c", *as_json())
    openstack("role create cook")

    openstack("role add --project lab --user ann member")
    openstack("role add --project lab --user ann cook")
    openstack("role add --system all --user ann reader")
    openstack("role add --domain default --user ann reader")
    assigned = openstack("role assignment list --names --user ann --project lab", *as_json())
    everywhere = openstack("role assignment list --names", *as_json())
    effective = openstack("role assignment list --names --effective --user ann --project lab", *as_json())

    assert project["tags"] == ["x"]
    assert user["default_project_id"] == project["id"]
    assert {entry["Role"] for entry in assigned} == {"member", "cook"}
    assert {entry["User"] for entry in assigned} == {"ann@Default"}
    assert {entry["Project"] for entry in assigned} == {"lab@Default"}
    assert {entry["System"] for entry in everywhere} == {"", "all"}
    assert {entry["Role"] for entry in effective} == {"member", "cook", "reader"}

    openstack("role remove --project lab --user ann cook")
    openstack("role remove --system all --user ann reader")
    openstack("project set --name lab2 --disable lab")
    openstack("user set --name anna --password two ann")
    assert openstack("project show lab2", *as_json())["enabled"] is False
    assert openstack("user show anna", *as_json())["email"] == "a@b.c"
    assert "anna" in [entry["Name"] for entry in openstack("user list", *as_json())]
    assert "anna" in [entry["Name"] for entry in openstack("user list --project lab2", *as_json())]
    assert "lab2" in [entry["Name"] for entry in openstack("project list --long", *as_json())]
    assert [entry["Name"] for entry in openstack("project list --user anna", *as_json())] == []
    assert "cook" in [entry["Name"] for entry in openstack("role list", *as_json())]
    openstack("role set --name chef cook")
    assert openstack("role show chef", *as_json())["name"] == "chef"

    openstack("role delete chef")
    openstack("user delete anna")
    openstack("project delete lab2")
    assert "lab2" not in [entry["Name"] for entry in openstack("project list", *as_json())]


def test_a_domain_lives_and_dies(openstack: Openstack) -> None:
    openstack("domain create other")
    openstack("user create --domain other --password x ann")
    openstack("domain set --disable other")
    openstack("domain delete other")

    assert [entry["Name"] for entry in openstack("domain list", *as_json())] == ["Default"]


def test_a_user_changes_its_own_password(openstack: Openstack, served: Served) -> None:
    openstack("user password set --original-password admin-secret --password", "new")

    assert served[0].log_in("admin", password="new").status_int == 201


def session_for(url: str, **how: Any) -> session.Session:
    defaults = {"username": "demo", "password": "demo-secret", "user_domain_id": "default"}
    return session.Session(auth=v3.Password(auth_url=url, **{**defaults, **how}))


@pytest.mark.parametrize("suffix", ["", "/", "/v3", "/v3/"])
def test_every_form_of_the_url_leads_to_a_token(served: Served, suffix: str) -> None:
    site, url = served

    keystone = session_for(url + suffix, project_name="demo", project_domain_name="Default")

    assert keystone.get_project_id() == site.people.demo_project.id
    assert keystone.get_endpoint(service_type="compute") == "http://127.0.0.1:8774/v2.1"
    assert keystone.get_endpoint(service_type="identity", version=3).rstrip("/") == f"{url}/v3"


def test_a_revoked_token_makes_the_client_log_in_again(served: Served) -> None:
    site, url = served
    keystone = session_for(url, project_name="demo", project_domain_id="default")
    first = keystone.get_token()

    site.identity.revoke(ADMIN, first)
    answer = keystone.get("/v3/auth/projects", endpoint_filter={"service_type": "identity"})

    assert answer.status_code == 200
    assert keystone.get_token() != first


def test_a_token_is_exchanged_for_one_of_a_project(served: Served) -> None:
    site, url = served
    unscoped = session_for(url, unscoped=True).get_token()

    scoped = session.Session(
        auth=v3.Token(auth_url=url, token=unscoped, project_id=site.people.demo_project.id)
    )

    assert scoped.get_project_id() == site.people.demo_project.id


def test_a_wrong_password_is_an_unauthorized_error(served: Served) -> None:
    with pytest.raises(exceptions.Unauthorized):
        session_for(served[1], password="wrong").get_token()
