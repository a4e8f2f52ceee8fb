"""Logging in and what a token is good for."""

import concurrent.futures
import dataclasses

import pytest
from identity_site import ADMIN, Site

from nova_lite.core.errors import Unauthenticated
from nova_lite.core.identity import (
    SYSTEM_SCOPE,
    Actor,
    Changes,
    Named,
    NewUser,
    PasswordProof,
    Scope,
    ScopeKind,
)
from nova_lite.operations.identity import Identity, IdentitySettings


def test_the_root_offers_version_3_and_says_where(site: Site) -> None:
    answer = site.ask("GET", "/")

    assert answer.status_int == 300
    assert answer.headers["Location"] == "http://cloud.example:5000/v3/"
    (version,) = answer.json["versions"]["values"]
    assert (version["id"], version["status"]) == ("v3.14", "stable")
    assert version["links"] == [{"rel": "self", "href": "http://cloud.example:5000/v3/"}]


@pytest.mark.parametrize("path", ["/v3", "/v3/"])
def test_version_3_is_described_with_and_without_a_slash(site: Site, path: str) -> None:
    answer = site.ask("GET", path)

    assert answer.status_int == 200
    assert answer.json["version"]["id"] == "v3.14"


def test_a_password_gets_a_token_scoped_to_the_project_named(site: Site) -> None:
    answer = site.log_in("demo")

    assert answer.status_int == 201
    assert len(answer.headers["X-Subject-Token"]) >= 43
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    token = answer.json["token"]
    assert token["methods"] == ["password"]
    assert token["user"]["name"] == "demo"
    assert token["user"]["domain"] == {"id": "default", "name": "Default"}
    assert token["project"]["id"] == site.people.demo_project.id
    assert token["is_domain"] is False
    assert len(token["audit_ids"]) == 1
    assert token["expires_at"].endswith("Z") and token["issued_at"].endswith("Z")


def test_implied_roles_are_in_the_token(site: Site) -> None:
    assert [role["name"] for role in site.log_in("demo").json["token"]["roles"]] == ["member", "reader"]
    assert [role["name"] for role in site.log_in("admin").json["token"]["roles"]] == [
        "admin",
        "manager",
        "member",
        "reader",
    ]


def test_the_catalog_has_the_host_by_which_the_client_came(site: Site) -> None:
    catalog = site.log_in("demo").json["token"]["catalog"]

    urls = {entry["type"]: {endpoint["url"] for endpoint in entry["endpoints"]} for entry in catalog}
    assert urls == {
        "identity": {"http://cloud.example:5000"},
        "compute": {"http://cloud.example:8774/v2.1"},
        "image": {"http://cloud.example:9292"},
        "network": {"http://cloud.example:9696"},
    }
    endpoints = catalog[0]["endpoints"]
    assert [endpoint["interface"] for endpoint in endpoints] == ["public", "internal", "admin"]
    assert {endpoint["region_id"] for endpoint in endpoints} == {"RegionOne"}


def test_a_token_without_catalog_can_be_asked_for(site: Site) -> None:
    assert "catalog" not in site.log_in("demo", query="?nocatalog").json["token"]


def test_without_scope_a_user_gets_its_default_project(site: Site) -> None:
    changes = Changes(default_project_id=site.people.demo_project.id)
    site.identity.update_user(ADMIN, site.people.demo.id, changes)

    token = site.log_in("demo", scope=None).json["token"]

    assert token["project"]["name"] == "demo"


@pytest.mark.parametrize("scope", [None, "unscoped", {"unscoped": {}}])
def test_without_default_project_a_token_has_no_scope_roles_or_catalog(site: Site, scope: object) -> None:
    token = site.log_in("demo", scope=scope).json["token"]

    assert not {"project", "domain", "system", "roles", "catalog"} & token.keys()


def test_a_default_project_that_is_gone_leaves_the_token_without_scope(site: Site) -> None:
    site.identity.update_user(ADMIN, site.people.demo.id, Changes(default_project_id="gone"))

    answer = site.log_in("demo", scope=None)

    assert answer.status_int == 201
    assert "project" not in answer.json["token"]


def test_a_token_can_be_scoped_to_a_domain_and_to_the_system(site: Site) -> None:
    site.identity.grant_role(
        ADMIN, Actor(site.people.admin.id), site.role("reader"), Scope(ScopeKind.DOMAIN, "default")
    )

    domain = site.log_in("admin", scope={"domain": {"name": "Default"}}).json["token"]
    system = site.log_in("admin", scope={"system": {"all": True}}).json["token"]

    assert domain["domain"] == {"id": "default", "name": "Default"}
    assert [role["name"] for role in domain["roles"]] == ["reader"]
    assert system["system"] == {"all": True}
    assert "project" not in system


def test_a_token_gets_another_token_that_lives_no_longer(site: Site) -> None:
    first = site.log_in("demo", scope="unscoped")
    auth = {
        "identity": {"methods": ["token"], "token": {"id": first.headers["X-Subject-Token"]}},
        "scope": {"project": {"id": site.people.demo_project.id}},
    }

    second = site.ask("POST", "/v3/auth/tokens", {"auth": auth})

    assert second.status_int == 201
    token = second.json["token"]
    assert token["methods"] == ["token", "password"]
    assert token["expires_at"] == first.json["token"]["expires_at"]
    assert token["audit_ids"][1] == first.json["token"]["audit_ids"][0]


REFUSED = {
    "wrong password": {"password": "wrong"},
    "unknown project": {"scope": {"project": {"id": "0" * 32}}},
    "project of another": {"scope": {"project": {"name": "admin", "domain": {"id": "default"}}}},
    "domain without a role": {"scope": {"domain": {"id": "default"}}},
    "system without a role": {"scope": {"system": {"all": True}}},
}


@pytest.mark.parametrize("how", REFUSED)
def test_every_refusal_says_the_same(site: Site, how: str) -> None:
    answer = site.log_in("demo", **REFUSED[how])

    assert answer.status_int == 401
    assert answer.json == {
        "error": {
            "code": 401,
            "title": "Unauthorized",
            "message": "The request you have made requires authentication.",
        }
    }
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://cloud.example:5000"'


def test_an_unknown_user_and_one_without_password_are_refused(site: Site) -> None:
    site.identity.create_user(ADMIN, NewUser("mute"))

    assert site.log_in("nobody").status_int == 401
    assert site.log_in("mute", password="x").status_int == 401


def test_a_disabled_user_project_or_domain_lets_nobody_in(site: Site) -> None:
    people = site.people
    assert site.log_in("demo").status_int == 201

    site.identity.update_project(ADMIN, people.demo_project.id, Changes(enabled=False))
    assert site.log_in("demo").status_int == 401
    assert site.log_in("demo", scope=None).status_int == 201

    site.identity.update_user(ADMIN, people.demo.id, Changes(enabled=False))
    assert site.log_in("demo", scope=None).status_int == 401


MALFORMED = {
    "no auth": {},
    "no identity": {"auth": {}},
    "no methods": {"auth": {"identity": {"methods": []}}},
    "data of the method missing": {"auth": {"identity": {"methods": ["password"]}}},
    "no password": {"auth": {"identity": {"methods": ["password"], "password": {"user": {"id": "x"}}}}},
    "name without domain": {
        "auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "x", "password": "y"}}}}
    },
    "NUL in a name": {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "x\0", "domain": {"id": "default"}, "password": "y"}},
            }
        }
    },
    "half a surrogate pair in the password": {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "x", "domain": {"id": "default"}, "password": "\ud800"}},
            }
        }
    },
    "two scopes": {
        "auth": {
            "identity": {"methods": ["token"], "token": {"id": "x"}},
            "scope": {"domain": {"id": "default"}, "system": {"all": True}},
        }
    },
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_is_refused_as_such(site: Site, what: str) -> None:
    assert site.ask("POST", "/v3/auth/tokens", MALFORMED[what]).status_int == 400


def test_a_body_that_is_not_json_is_refused(site: Site) -> None:
    answer = site.ask("POST", "/v3/auth/tokens", b"{")

    assert answer.status_int == 400
    assert answer.json["error"]["title"] == "Bad Request"


def test_an_unknown_method_is_refused(site: Site) -> None:
    body = {"auth": {"identity": {"methods": ["magic"], "magic": {}}}}

    assert site.ask("POST", "/v3/auth/tokens", body).status_int == 401


def test_the_owner_sees_checks_and_ends_its_token(site: Site) -> None:
    token = site.token("demo")

    shown = site.ask("GET", "/v3/auth/tokens", token=token, X_Subject_Token=token)
    checked = site.ask("HEAD", "/v3/auth/tokens", token=token, X_Subject_Token=token)
    ended = site.ask("DELETE", "/v3/auth/tokens", token=token, X_Subject_Token=token)
    after = site.ask("GET", "/v3/auth/tokens", token=token, X_Subject_Token=token)

    assert shown.status_int == 200
    assert shown.json["token"]["user"]["name"] == "demo"
    assert shown.headers["X-Subject-Token"] == token
    assert (checked.status_int, checked.body) == (200, b"")
    assert (ended.status_int, ended.body) == (204, b"")
    assert after.status_int == 401


def test_another_token_is_for_its_owner_and_for_admins(site: Site) -> None:
    admins, demos = site.token("admin"), site.token("demo")

    assert site.ask("GET", "/v3/auth/tokens", token=demos, X_Subject_Token=admins).status_int == 403
    assert site.ask("DELETE", "/v3/auth/tokens", token=demos, X_Subject_Token=admins).status_int == 403
    assert site.ask("GET", "/v3/auth/tokens", token=demos, X_Subject_Token="x").status_int == 404
    assert site.ask("GET", "/v3/auth/tokens", token=admins, X_Subject_Token=demos).status_int == 200
    assert site.ask("DELETE", "/v3/auth/tokens", token=admins, X_Subject_Token=demos).status_int == 204


def test_the_catalog_and_what_one_can_log_in_to(site: Site) -> None:
    token, unscoped = site.token("admin"), site.token("admin", "unscoped")

    assert len(site.ask("GET", "/v3/auth/catalog", token=token).json["catalog"]) == 4
    assert site.ask("GET", "/v3/auth/catalog", token=unscoped).status_int == 403
    projects = site.ask("GET", "/v3/auth/projects", token=unscoped).json["projects"]
    assert [project["name"] for project in projects] == ["admin"]
    assert site.ask("GET", "/v3/auth/domains", token=unscoped).json["domains"] == []
    assert site.ask("GET", "/v3/auth/system", token=unscoped).json["system"] == [{"all": True}]


def test_a_missing_or_false_token_is_refused(site: Site) -> None:
    assert site.ask("GET", "/v3/users").status_int == 401
    assert site.ask("GET", "/v3/users", token="x").status_int == 401


def test_checking_a_token_costs_one_statement_and_none_again(site: Site, settings: IdentitySettings) -> None:
    warming, token = site.token("demo"), site.token("demo")
    elsewhere = Identity(site.database, settings, site.identity.catalog)
    elsewhere.validate(warming)
    before = site.statements()

    elsewhere.validate(token)
    first = site.statements()
    elsewhere.validate(token)

    assert first - before == 1
    assert site.statements() == first


def test_a_token_is_not_kept_in_clear(site: Site) -> None:
    token = site.token("demo")

    with site.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("select * from tokens").all()

    assert rows
    assert all(token not in str(column) for row in rows for column in row)


def test_what_changes_for_the_user_changes_for_its_tokens_at_once(site: Site) -> None:
    people, identity = site.people, site.identity
    scope = Scope(ScopeKind.PROJECT, people.demo_project.id)

    token = site.token("demo")
    identity.grant_role(ADMIN, Actor(people.demo.id), site.role("admin"), scope)
    assert identity.validate(token).context("req-x").is_admin

    identity.revoke_role(ADMIN, Actor(people.demo.id), site.role("admin"), scope)
    assert not identity.validate(token).context("req-x").is_admin

    identity.revoke_role(ADMIN, Actor(people.demo.id), site.role("member"), scope)
    with pytest.raises(Unauthenticated):
        identity.validate(token)


@pytest.mark.parametrize("change", [Changes(password="other"), Changes(enabled=False)])
def test_a_new_password_and_being_disabled_end_all_tokens_for_good(site: Site, change: Changes) -> None:
    token = site.token("demo")

    site.identity.update_user(ADMIN, site.people.demo.id, change)
    site.identity.update_user(ADMIN, site.people.demo.id, Changes(enabled=True))

    with pytest.raises(Unauthenticated):
        site.identity.validate(token)


def test_deleting_the_project_or_the_user_ends_the_token(site: Site) -> None:
    of_project, of_user = site.token("demo"), site.token("admin")

    site.identity.delete_project(ADMIN, site.people.demo_project.id)
    site.identity.delete_user(ADMIN, site.people.admin.id)

    for token in (of_project, of_user):
        with pytest.raises(Unauthenticated):
            site.identity.validate(token)


def test_another_process_sees_a_revocation_after_the_cache_time(
    site: Site, settings: IdentitySettings
) -> None:
    forgetful = dataclasses.replace(settings, token_cache_seconds=0)
    other = Identity(site.database, forgetful, site.identity.catalog)
    token = site.token("demo")
    assert other.validate(token).user.name == "demo"

    site.identity.revoke(ADMIN, token)

    with pytest.raises(Unauthenticated):
        other.validate(token)


def test_a_revoked_token_that_is_still_remembered_begets_no_other(site: Site) -> None:
    token = site.token("demo")
    elsewhere = Identity(site.database, IdentitySettings(password_rounds=4), site.identity.catalog)
    elsewhere.update_user(ADMIN, site.people.demo.id, Changes(password="other"))
    auth = {"identity": {"methods": ["token"], "token": {"id": token}}}

    assert site.identity.validate(token)
    assert site.ask("POST", "/v3/auth/tokens", {"auth": auth}).status_int == 401


def test_expired_tokens_are_refused_and_purged(site: Site) -> None:
    brief = Identity(
        site.database,
        IdentitySettings(password_rounds=4, token_seconds=0, token_cache_seconds=60),
        site.identity.catalog,
    )
    with pytest.raises(Unauthenticated):
        brief.authenticate((PasswordProof(Named(id=site.people.demo.id), "demo-secret"),))
    living = site.token("demo")
    with site.database.engine.begin() as connection:
        connection.exec_driver_sql("update tokens set expires_at = '2020-01-01 00:00:00.000000'")
    still = site.token("demo")

    assert site.identity.purge_tokens() == 1
    assert site.identity.validate(still)
    elsewhere = Identity(site.database, IdentitySettings(password_rounds=4), brief.catalog)
    with pytest.raises(Unauthenticated):
        elsewhere.validate(living)


def test_daemons_get_a_token_without_a_password(site: Site) -> None:
    info = site.identity.validate(site.identity.issue_service_token().secret)

    assert info.user.name == "nova"
    assert {role.name for role in info.roles} >= {"admin", "service"}
    assert (info.expires_at - info.issued_at).total_seconds() <= 601


def test_bootstrapping_again_changes_nothing(site: Site) -> None:
    before = site.identity.list_roles(ADMIN)

    site.identity.bootstrap()

    assert site.identity.list_roles(ADMIN) == before
    assert {role.name for role in before} == {"admin", "manager", "member", "reader", "service"}


def test_bootstrapping_from_several_processes_at_once_is_no_harm(site: Site) -> None:
    site.identity.delete_user(ADMIN, site.identity.find_user("nova").id)
    processes = [Identity(site.database, IdentitySettings(), site.identity.catalog) for _ in range(4)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda identity: identity.bootstrap(), processes))

    assert [user.name for user in site.identity.list_users(ADMIN)] == ["admin", "demo", "nova"]
    assert site.identity.issue_service_token().info.user.name == "nova"


def test_a_token_tells_the_application_who_calls(site: Site) -> None:
    context = site.identity.validate(site.token("admin")).context("req-1", "192.0.2.7")

    assert (context.user_name, context.project_name) == ("admin", "admin")
    assert context.project_id == site.people.admin_project.id
    assert context.is_admin and not context.system_scope
    assert (context.request_id, context.remote_address) == ("req-1", "192.0.2.7")
    system = site.identity.validate(site.token("admin", {"system": {"all": True}}))
    assert system.scope == SYSTEM_SCOPE
    assert system.context("req-2").system_scope
