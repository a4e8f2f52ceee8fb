"""What a token is good for, and until when."""

import dataclasses

import pytest
from identity_site import ADMIN, Site

from nova_lite.core.errors import Unauthenticated
from nova_lite.core.identity import SYSTEM_SCOPE, Actor, Changes, Named, PasswordProof, Scope, ScopeKind
from nova_lite.operations.identity import Identity, IdentitySettings


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


def test_a_token_tells_the_application_who_calls(site: Site) -> None:
    context = site.identity.validate(site.token("admin")).context("req-1", "192.0.2.7")

    assert (context.user_name, context.project_name) == ("admin", "admin")
    assert context.project_id == site.people.admin_project.id
    assert context.is_admin and not context.system_scope
    assert (context.request_id, context.remote_address) == ("req-1", "192.0.2.7")
    system = site.identity.validate(site.token("admin", {"system": {"all": True}}))
    assert system.scope == SYSTEM_SCOPE
    assert system.context("req-2").system_scope
