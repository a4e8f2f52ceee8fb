"""Logging in: who gets a token, with which scope, roles and catalog."""

import pytest
from identity_site import ADMIN, Site

from nova_lite.core.identity import Actor, Changes, NewUser, Scope, ScopeKind


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
