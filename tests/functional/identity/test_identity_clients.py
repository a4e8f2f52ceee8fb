"""The identity API as the unmodified clients use it, over HTTP."""

import contextlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from identity_site import ADMIN, Site
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v2, v3
from openstackclient.common.clientmanager import ClientManager
from openstackclient.shell import OpenStackShell
from osc_lib import clientmanager

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

    for client in [*vars(ClientManager).values(), *vars(clientmanager.ClientManager).values()]:
        # A process of the client speaks to one cloud only, and remembers which.
        if isinstance(client, clientmanager.ClientCache):
            monkeypatch.setattr(client, "_handle", None)

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


def test_a_group_lives_and_dies(openstack: Openstack) -> None:
    openstack("user create bob --password secret")
    made = openstack("group create --description", *as_json("all of us", "crew"))
    assert made["description"] == "all of us"
    openstack("group add user crew bob")
    assert "in group" in openstack("group contains user crew bob")
    assert [row["Name"] for row in openstack("group list --user bob", *as_json())] == ["crew"]
    assert [row["Name"] for row in openstack("user list --group crew", *as_json())] == ["bob"]
    openstack("role add --project admin --group crew member")
    assigned = openstack("role assignment list --group crew --names", *as_json())
    assert [(row["Role"], row["Group"]) for row in assigned] == [("member", "crew@Default")]
    effective = openstack("role assignment list --user bob --effective --names", *as_json())
    assert sorted(row["Role"] for row in effective) == ["member", "reader"]
    openstack("role remove --project admin --group crew member")
    openstack("group set --name team crew")
    openstack("group remove user team bob")
    openstack("group delete team")
    openstack("user delete bob")


def test_credentials_live_and_die(openstack: Openstack, served: Served) -> None:
    made = openstack("application credential create --role reader robot", *as_json())
    assert [row["Name"] for row in openstack("application credential list", *as_json())] == ["robot"]
    shown = openstack("application credential show robot", *as_json())
    assert shown["Name"] == made["Name"] == "robot"
    auth = v3.ApplicationCredential(
        auth_url=served[1], application_credential_id=made["ID"], application_credential_secret=made["Secret"]
    )
    token = auth.get_access(session.Session())
    assert (token.role_names, token.project_name) == (["reader"], "admin")
    openstack("application credential delete robot")
    auth.invalidate()
    with pytest.raises(exceptions.Unauthorized):
        auth.get_access(session.Session())
    keys = openstack("ec2 credentials create", *as_json())
    assert openstack("ec2 credentials show", *as_json(keys["access"]))["secret"] == keys["secret"]
    assert [row["Access"] for row in openstack("ec2 credentials list", *as_json())] == [keys["access"]]
    openstack("ec2 credentials delete", keys["access"])


def test_an_operator_adds_to_the_catalog(openstack: Openstack) -> None:
    openstack("region create --description", "far", "West")
    openstack("region set --description", "farther", "West")
    openstack("service create --name heat --description", "stacks", "orchestration")
    made = openstack(
        "endpoint create --region West heat public", *as_json("http://heat.example/v1/%(tenant_id)s")
    )
    project = openstack("project show admin", *as_json())["id"]
    shown = openstack("catalog show orchestration", *as_json())
    assert f"http://heat.example/v1/{project}" in json.dumps(shown)
    openstack("endpoint set --disable", made["id"])
    assert openstack("endpoint show", *as_json(made["id"]))["enabled"] is False
    assert "orchestration" not in json.dumps(openstack("catalog list", *as_json()))
    openstack("endpoint delete", made["id"])
    openstack("service set --name warm heat")
    openstack("service delete warm")
    openstack("region delete West")
    with pytest.raises(AssertionError, match="built in"):
        openstack("service delete nova")


def test_roles_imply_others(openstack: Openstack) -> None:
    openstack("role create cook")
    openstack("implied role create cook --implied-role reader")
    pairs = {
        (row["Prior Role Name"], row["Implied Role Name"])
        for row in openstack("implied role list", *as_json())
    }
    assert pairs >= {("admin", "manager"), ("cook", "reader")}
    openstack("implied role delete cook --implied-role reader")
    with pytest.raises(AssertionError, match="implies"):
        openstack("implied role create reader --implied-role member")
    openstack("role delete cook")


def test_clients_of_version_2_log_in(served: Served) -> None:
    access = v2.Password(served[1] + "/v2.0", "demo", "demo-secret", tenant_name="demo").get_access(
        session.Session()
    )

    assert (access.username, access.project_name) == ("demo", "demo")
    assert access.service_catalog.url_for(service_type="compute", interface="public").endswith("/v2.1")
    again = v2.Token(served[1] + "/v2.0", access.auth_token, tenant_id=access.project_id)
    assert again.get_access(session.Session()).project_id == access.project_id
    with pytest.raises(exceptions.Unauthorized):
        v2.Password(served[1] + "/v2.0", "demo", "wrong").get_access(session.Session())


def test_clients_of_version_1_log_in(served: Served) -> None:
    headers = {"X-Auth-User": "demo", "X-Auth-Key": "demo-secret"}
    answer = requests.get(served[1] + "/v1.1", headers=headers, timeout=10)

    assert answer.status_code == 204
    assert answer.headers["X-Server-Management-Url"].endswith("/v2.1")
    mine = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
    assert (
        requests.get(served[1] + "/v2.0/tenants", headers=mine, timeout=10).json()["tenants"][0]["name"]
        == "demo"
    )
    refused = requests.get(served[1] + "/v1.1", headers=headers | {"X-Auth-Key": "wrong"}, timeout=10)
    assert refused.status_code == 401
