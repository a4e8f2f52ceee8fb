"""What an operator can rule of passwords, and who is locked out."""

import dataclasses
import datetime

import pytest
import sqlalchemy as sa
import webob
from identity_site import Site

from nova_lite.core import clock
from nova_lite.core.errors import ConfigurationError
from nova_lite.db.engine import Database
from nova_lite.db.users import TABLE
from nova_lite.operations.identity import IdentitySettings
from nova_lite.operations.identity_passwords import PasswordRules


def ruled(database: Database, settings: IdentitySettings, **rules: object) -> Site:
    rules_of = PasswordRules(**rules)  # type: ignore[arg-type]
    return Site(database, dataclasses.replace(settings, password_rules=rules_of), ports={})


def long_ago(site: Site, column: str, **age: float) -> None:
    """Have something of the demo user have happened a while ago."""
    with site.database.engine.begin() as connection:
        moment = clock.now() - datetime.timedelta(**age)
        connection.execute(sa.update(TABLE).where(TABLE.c.name == "demo").values({column: moment}))


def change(site: Site, old: str, new: str) -> webob.Response:
    body = {"user": {"original_password": old, "password": new}}
    return site.ask("POST", f"/v3/users/{site.people.demo.id}/password", body)


def test_who_fails_too_often_is_locked_out_for_a_while(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, attempts=3, lockout_seconds=600)
    assert [site.log_in("demo", password="wrong").status_int for _ in range(2)] == [401, 401]
    assert site.log_in("demo").status_int == 201

    for _ in range(3):
        assert site.log_in("demo", password="wrong").status_int == 401

    refused = site.log_in("demo")
    assert refused.status_int == 401
    assert refused.json == site.log_in("demo", password="wrong").json
    assert change(site, "demo-secret", "another").status_int == 401
    assert site.log_in("admin").status_int == 201
    long_ago(site, "failed_at", seconds=601)
    assert site.log_in("demo").status_int == 201


def test_an_admin_lets_a_user_in_again(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, attempts=1)
    site.log_in("demo", password="wrong")
    assert site.log_in("demo").status_int == 401

    path = f"/v3/users/{site.people.demo.id}"
    site.ask("PATCH", path, {"user": {"enabled": True}}, token=site.token("admin"))

    assert site.log_in("demo").status_int == 201


def test_a_failure_of_long_ago_counts_no_more(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, attempts=2, lockout_seconds=600)
    site.log_in("demo", password="wrong")
    long_ago(site, "failed_at", seconds=601)
    site.log_in("demo", password="wrong")

    assert site.log_in("demo").status_int == 201


def test_a_password_has_to_be_as_the_pattern_says(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, pattern="^.{8,}$", description="eight characters")
    token = site.token("admin")

    made = site.ask("POST", "/v3/users", {"user": {"name": "new", "password": "short"}}, token=token)
    assert made.status_int == 400
    assert "eight characters" in made.json["error"]["message"]
    path = f"/v3/users/{site.people.demo.id}"
    assert site.ask("PATCH", path, {"user": {"password": "short"}}, token=token).status_int == 400
    assert change(site, "demo-secret", "short").status_int == 400
    assert change(site, "demo-secret", "long enough").status_int == 204
    with pytest.raises(ConfigurationError):
        PasswordRules(pattern="(")


def test_a_password_is_none_of_the_last(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, unique=2)
    assert change(site, "demo-secret", "second").status_int == 204

    assert change(site, "second", "demo-secret").status_int == 400
    assert change(site, "second", "third").status_int == 204
    assert change(site, "third", "second").status_int == 400
    assert change(site, "third", "demo-secret").status_int == 204


def test_a_password_is_changed_not_too_often(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, least_days=1)
    assert change(site, "demo-secret", "second").status_int == 400
    long_ago(site, "password_set_at", days=2)
    assert change(site, "demo-secret", "second").status_int == 204


def test_a_password_expires(database: Database, settings: IdentitySettings) -> None:
    site = ruled(database, settings, days=30)
    login = site.log_in("demo")
    expires_at = login.json["token"]["user"]["password_expires_at"]
    assert expires_at > clock.iso8601_micro(clock.now() + datetime.timedelta(days=29))
    shown = site.ask("GET", f"/v3/users/{site.people.demo.id}", token=login.headers["X-Subject-Token"])
    assert shown.json["user"]["password_expires_at"] == expires_at

    long_ago(site, "password_set_at", days=31)

    refused = site.log_in("demo")
    assert refused.status_int == 401
    assert "expired" in refused.json["error"]["message"]
    assert "expired" not in site.log_in("demo", password="wrong").json["error"]["message"]
    assert change(site, "demo-secret", "another").status_int == 204
    assert site.log_in("demo", password="another").status_int == 201
