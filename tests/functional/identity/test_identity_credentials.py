"""Application credentials and EC2 credentials as clients use them."""

import datetime
import hashlib
import json
from typing import Any

import pytest
import webob
from identity_site import ADMIN, Site

from nova_lite.core import clock
from nova_lite.core.signatures import Validity
from nova_lite.db import ec2_credentials

SECRET = "a very long secret"


def path_of(site: Site) -> str:
    return f"/v3/users/{site.people.demo.id}/application_credentials"


def make(site: Site, token: str = "", **fields: Any) -> webob.Response:
    absent = {"description": None, "expires_at": None, "secret": None, "roles": [], "access_rules": []}
    body = {"application_credential": absent | {"name": "robot", "unrestricted": False} | fields}
    return site.ask("POST", path_of(site), body, token=token or site.token("demo"))


def log_in(site: Site, scope: Any = None, **credential: Any) -> webob.Response:
    identity = {"methods": ["application_credential"], "application_credential": credential}
    auth = {"identity": identity} | ({"scope": scope} if scope else {})
    return site.ask("POST", "/v3/auth/tokens", {"auth": auth})


def made(site: Site, **fields: Any) -> Any:
    answer = make(site, **fields)
    assert answer.status_int == 201, answer.text
    return answer.json["application_credential"]


def roles_of(site: Site) -> dict[str, str]:
    listed = site.ask("GET", "/v3/roles", token=site.token("admin")).json["roles"]
    return {role["name"]: role["id"] for role in listed}


def test_a_secret_is_told_once_and_opens_the_project(site: Site) -> None:
    credential = made(site)
    assert credential["secret"] and credential["project_id"] == site.people.demo_project.id
    assert [role["name"] for role in credential["roles"]] == ["member"]
    shown = site.ask("GET", f"{path_of(site)}/{credential['id']}", token=site.token("demo")).json
    assert "secret" not in shown["application_credential"]

    by_id = log_in(site, id=credential["id"], secret=credential["secret"])
    user = {"name": "demo", "domain": {"id": "default"}}
    by_name = log_in(site, name="robot", user=user, secret=credential["secret"])

    for answer in (by_id, by_name):
        assert answer.status_int == 201, answer.text
        token = answer.json["token"]
        assert token["project"]["id"] == site.people.demo_project.id
        assert {role["name"] for role in token["roles"]} == {"member", "reader"}
        assert token["methods"] == ["application_credential"]
        told = {"id": credential["id"], "name": "robot", "restricted": True}
        assert token["application_credential"] == told
        secret = answer.headers["X-Subject-Token"]
        shown = site.ask("GET", "/v3/auth/tokens", token=secret, X_Subject_Token=secret).json["token"]
        assert shown["application_credential"] == told
        again = {"identity": {"methods": ["token"], "token": {"id": secret}}}
        next_one = site.ask("POST", "/v3/auth/tokens", {"auth": again}).json["token"]
        assert next_one["application_credential"] == told
    assert "application_credential" not in site.log_in("demo").json["token"]


def test_a_credential_has_only_the_roles_that_it_was_given(site: Site) -> None:
    credential = made(site, roles=[{"name": "reader"}], secret=SECRET)
    token = log_in(site, id=credential["id"], secret=SECRET).json["token"]
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert make(site, name="more", roles=[{"name": "admin"}]).status_int == 400


def test_a_credential_loses_the_roles_that_its_user_loses(site: Site) -> None:
    admin, people = site.token("admin"), site.people
    member = roles_of(site)["member"]
    extra = site.ask("POST", "/v3/roles", {"role": {"name": "extra"}}, token=admin).json["role"]["id"]
    grants = f"/v3/projects/{people.demo_project.id}/users/{people.demo.id}/roles"
    assert site.ask("PUT", f"{grants}/{extra}", token=admin).status_int == 204
    both = made(site, name="both", roles=[{"id": extra}, {"id": member}], secret=SECRET)
    alone = made(site, name="alone", roles=[{"id": extra}], secret=SECRET)
    secret = log_in(site, id=alone["id"], secret=SECRET).headers["X-Subject-Token"]

    assert site.ask("DELETE", f"{grants}/{extra}", token=admin).status_int == 204

    token = log_in(site, id=both["id"], secret=SECRET).json["token"]
    assert {role["name"] for role in token["roles"]} == {"member", "reader"}
    assert log_in(site, id=alone["id"], secret=SECRET).status_int == 401
    assert site.ask("GET", "/v3/auth/projects", token=secret).status_int == 401


def test_a_wrong_secret_and_another_project_are_refused(site: Site) -> None:
    credential = made(site, secret=SECRET)
    elsewhere = {"project": {"id": site.people.admin_project.id}}
    nobody = {"name": "nobody", "domain": {"id": "default"}}
    for answer in (
        log_in(site, id=credential["id"], secret="wrong"),
        log_in(site, id="0" * 32, secret=SECRET),
        log_in(site, name="robot", user=nobody, secret=SECRET),
        log_in(site, scope=elsewhere, id=credential["id"], secret=SECRET),
        log_in(site, scope={"system": {"all": True}}, id=credential["id"], secret=SECRET),
    ):
        assert answer.status_int == 401


def test_a_token_does_not_outlive_its_credential(site: Site) -> None:
    credential = made(site, secret=SECRET)
    token = log_in(site, id=credential["id"], secret=SECRET).headers["X-Subject-Token"]
    assert site.ask("GET", "/v3/auth/projects", token=token).status_int == 200
    gone = site.ask("DELETE", f"{path_of(site)}/{credential['id']}", token=site.token("demo"))
    assert gone.status_int == 204
    assert site.ask("GET", "/v3/auth/projects", token=token).status_int == 401
    assert log_in(site, id=credential["id"], secret=SECRET).status_int == 401


def test_a_credential_that_expired_opens_nothing(site: Site) -> None:
    soon = (clock.now() + datetime.timedelta(seconds=0.5)).isoformat()
    credential = made(site, secret=SECRET, expires_at=soon)
    while clock.now() < datetime.datetime.fromisoformat(soon):
        pass
    assert log_in(site, id=credential["id"], secret=SECRET).status_int == 401
    assert make(site, name="late", expires_at="2001-01-01T00:00:00").status_int == 400


@pytest.mark.parametrize("unrestricted", [False, True])
def test_only_an_unrestricted_credential_makes_others(site: Site, unrestricted: bool) -> None:
    credential = made(site, secret=SECRET, unrestricted=unrestricted)
    token = log_in(site, id=credential["id"], secret=SECRET).headers["X-Subject-Token"]

    answer = make(site, token, name="child")
    rescoped = {"methods": ["token"], "token": {"id": token}}
    again = site.ask("POST", "/v3/auth/tokens", {"auth": {"identity": rescoped}})
    by_token = make(site, again.headers["X-Subject-Token"], name="grandchild")

    assert (answer.status_int == by_token.status_int == 201) is unrestricted
    gone = site.ask("DELETE", f"{path_of(site)}/{credential['id']}", token=token)
    assert (gone.status_int == 204) is unrestricted


def test_what_an_unrestricted_credential_makes_has_no_more_roles_than_it(site: Site) -> None:
    credential = made(site, secret=SECRET, unrestricted=True, roles=[{"name": "reader"}])
    token = log_in(site, id=credential["id"], secret=SECRET).headers["X-Subject-Token"]

    child = make(site, token, name="child").json["application_credential"]
    assert [role["name"] for role in child["roles"]] == ["reader"]
    assert make(site, token, name="more", roles=[{"name": "member"}]).status_int == 400


def test_what_a_bound_credential_makes_is_bound_as_well(site: Site) -> None:
    path = path_of(site)
    making = {"service": "identity", "method": "POST", "path": path}
    asking = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    credential = made(site, secret=SECRET, unrestricted=True, access_rules=[making, asking])
    token = log_in(site, id=credential["id"], secret=SECRET).headers["X-Subject-Token"]
    rules = credential["access_rules"]
    other = made(site, name="other", access_rules=[asking | {"method": "DELETE"}])["access_rules"]

    child = make(site, token, name="child", unrestricted=True).json["application_credential"]
    assert child["access_rules"] == rules
    by_words, by_id = (
        make(site, token, name=name, access_rules=[rule]).json["application_credential"]
        for name, rule in (("words", asking), ("id", {"id": rules[1]["id"]}))
    )
    assert by_words["access_rules"] == by_id["access_rules"] == rules[1:]
    for more in ({"id": other[0]["id"]}, asking | {"path": "**"}):
        assert make(site, token, name="more", access_rules=[making, more]).status_int == 400
    assert len(site.ask("GET", path, token=site.token("demo")).json["application_credentials"]) == 5


def test_credentials_are_their_users_own(site: Site) -> None:
    credential = made(site)
    other = site.token("admin", scope="own")
    assert (
        site.ask("POST", path_of(site), {"application_credential": {"name": "x"}}, token=other).status_int
        == 403
    )
    assert make(site).status_int == 409
    listed = site.ask("GET", path_of(site), token=other).json["application_credentials"]
    assert [row["id"] for row in listed] == [credential["id"]]


def test_ec2_keys_are_kept_encrypted_and_shown_to_their_user(site: Site) -> None:
    path = f"/v3/users/{site.people.demo.id}/credentials/OS-EC2"
    project = site.people.demo_project.id
    answer = site.ask("POST", path, {"tenant_id": project}, token=site.token("demo"))
    assert answer.status_int == 201
    keys = answer.json["credential"]
    assert len(keys["access"]) == len(keys["secret"]) == 32

    stored = site.database.read("test", lambda session: ec2_credentials.get(session, keys["access"]))
    assert stored is not None and keys["secret"] not in stored.secret
    shown = site.ask("GET", f"{path}/{keys['access']}", token=site.token("demo")).json["credential"]
    assert shown == keys
    assert len(site.ask("GET", path, token=site.token("demo")).json["credentials"]) == 1
    foreign = site.ask("POST", path, {"tenant_id": site.people.admin_project.id}, token=site.token("demo"))
    assert foreign.status_int == 403
    assert site.ask("DELETE", f"{path}/{keys['access']}", token=site.token("demo")).status_int == 204
    assert site.ask("GET", f"{path}/{keys['access']}", token=site.token("demo")).status_int == 404


def test_a_token_with_access_rules_is_shown_to_who_keeps_to_them_alone(site: Site) -> None:
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    credential = made(site, secret=SECRET, access_rules=[rule])
    answer = log_in(site, id=credential["id"], secret=SECRET)
    told = answer.json["token"]["application_credential"]["access_rules"]
    assert told == [rule | {"id": credential["access_rules"][0]["id"]}]
    secret, admin = answer.headers["X-Subject-Token"], site.token("admin")

    unaware = site.ask("GET", "/v3/auth/tokens", token=admin, X_Subject_Token=secret)
    aware = site.ask(
        "GET", "/v3/auth/tokens", token=admin, X_Subject_Token=secret, OpenStack_Identity_Access_Rules="1.0"
    )

    assert (unaware.status_int, aware.status_int) == (404, 200)
    assert aware.json["token"]["application_credential"]["access_rules"] == told


def test_ec2_keys_are_stored_credentials_with_one_store_for_both(site: Site) -> None:
    demo, mine, project = site.token("demo"), site.people.demo.id, site.people.demo_project.id
    of_ec2 = f"/v3/users/{mine}/credentials/OS-EC2"
    keys = site.ask("POST", of_ec2, {"tenant_id": project}, token=demo).json["credential"]
    path = f"/v3/credentials/{hashlib.sha256(keys['access'].encode()).hexdigest()}"

    shown = site.ask("GET", path, token=demo).json["credential"]
    assert (shown["type"], shown["user_id"], shown["project_id"]) == ("ec2", mine, project)
    told = {"access": keys["access"], "secret": keys["secret"], "trust_id": None}
    assert json.loads(shown["blob"]) == told
    assert site.ask("GET", "/v3/credentials?type=ec2", token=demo).json["credentials"] == [shown]
    assert site.ask("GET", "/v3/credentials?type=cert", token=demo).json["credentials"] == []
    body = {"credential": {"blob": json.dumps(told | {"secret": "another"})}}
    assert site.ask("PATCH", path, body, token=demo).status_int == 200
    assert site.ask("GET", f"{of_ec2}/{keys['access']}", token=demo).json["credential"]["secret"] == "another"
    assert site.identity.signer(keys["access"]).secret == "another"
    for wrong in ({"blob": json.dumps(told | {"access": "x"})}, {"type": "cert"}, {"blob": "{"}, {"project_id": None}):
        assert site.ask("PATCH", path, {"credential": wrong}, token=demo).status_int == 400
    assert site.ask("DELETE", path, token=demo).status_int == 204
    assert site.ask("GET", f"{of_ec2}/{keys['access']}", token=demo).status_int == 404

    own = {"type": "ec2", "project_id": project, "blob": json.dumps({"access": "mine", "secret": "hush"})}
    made = site.ask("POST", "/v3/credentials", {"credential": own}, token=demo)
    assert (made.status_int, made.json["credential"]["id"]) == (201, hashlib.sha256(b"mine").hexdigest())
    assert site.ask("POST", "/v3/credentials", {"credential": own}, token=demo).status_int == 409
    assert [one["access"] for one in site.ask("GET", of_ec2, token=demo).json["credentials"]] == ["mine"]
    assert site.ask("DELETE", f"{of_ec2}/mine", token=demo).status_int == 204
    assert site.ask("GET", "/v3/credentials", token=demo).json["credentials"] == []
    odd = ({"project_id": None}, {"blob": "{}"}, {"blob": '{"access": "a/b", "secret": "c"}'}, {"blob": "[]"})
    for wrong in odd:
        assert site.ask("POST", "/v3/credentials", {"credential": own | wrong}, token=demo).status_int == 400
    foreign = own | {"project_id": site.people.admin_project.id}
    assert site.ask("POST", "/v3/credentials", {"credential": foreign}, token=demo).status_int == 403


@pytest.mark.parametrize("unrestricted", [False, True])
def test_who_came_by_an_application_credential_sees_and_makes_no_secrets(site: Site, unrestricted: bool) -> None:
    demo, elsewhere = site.people.demo.id, site.people.admin_project.id
    grant = f"/v3/projects/{elsewhere}/users/{demo}/roles/{site.role('member')}"
    assert site.ask("PUT", grant, token=site.token("admin")).status_int == 204
    credential = made(site, secret=SECRET, unrestricted=unrestricted)

    may_not_touch_secrets(site, log_in(site, id=credential["id"], secret=SECRET).headers["X-Subject-Token"])


def may_not_touch_secrets(site: Site, token: str) -> None:
    """Check that a token that stands in for its user neither sees nor makes what opens more than it does."""
    demo = site.people.demo.id
    keys = site.identity.create_ec2_credential(ADMIN, demo, site.people.demo_project.id)
    of_ec2 = f"/v3/users/{demo}/credentials/OS-EC2"
    for path in (of_ec2, f"{of_ec2}/{keys.access}", "/v3/credentials", f"/v3/credentials/{keys.id}"):
        assert site.ask("GET", path, token=token).status_int == 403
    for project_id in (site.people.demo_project.id, site.people.admin_project.id):
        assert site.ask("POST", of_ec2, {"tenant_id": project_id}, token=token).status_int == 403
        kept = {"type": "ec2", "project_id": project_id, "blob": json.dumps({"access": "mine", "secret": "s"})}
        assert site.ask("POST", "/v3/credentials", {"credential": kept}, token=token).status_int == 403
    changed = {"credential": {"blob": json.dumps({"access": keys.access, "secret": "s"})}}
    assert site.ask("PATCH", f"/v3/credentials/{keys.id}", changed, token=token).status_int == 403
    for path in (f"{of_ec2}/{keys.access}", f"/v3/credentials/{keys.id}"):
        assert site.ask("DELETE", path, token=token).status_int == 403


def test_who_signed_a_request_gets_no_further_by_its_token(site: Site) -> None:
    demo, elsewhere = site.people.demo.id, site.people.admin_project.id
    grant = f"/v3/projects/{elsewhere}/users/{demo}/roles/{site.role('member')}"
    assert site.ask("PUT", grant, token=site.token("admin")).status_int == 204
    keys = site.identity.create_ec2_credential(ADMIN, demo, site.people.demo_project.id)
    signed = site.identity.authenticate_signature(keys.access, Validity(clock.now()), keys.secret.__eq__)

    may_not_touch_secrets(site, signed.secret)
    assert make(site, signed.secret).status_int == 403
    identity = {"methods": ["token"], "token": {"id": signed.secret}}
    for scope, status in ((elsewhere, 401), (site.people.demo_project.id, 201)):
        auth = {"identity": identity, "scope": {"project": {"id": scope}}}
        assert site.ask("POST", "/v3/auth/tokens", {"auth": auth}).status_int == status
    again = site.ask("POST", "/v3/auth/tokens", {"auth": {"identity": identity}})
    assert again.json["token"]["project"]["id"] == site.people.demo_project.id
    may_not_touch_secrets(site, again.headers["X-Subject-Token"])
