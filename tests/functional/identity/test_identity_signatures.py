"""Tokens for signed requests, as other services ask for them."""

import base64
import datetime
import email.utils
import hashlib
import hmac
from typing import Any

import pytest
import webob
from identity_site import ADMIN, Site
from keystoneclient.contrib.ec2.utils import Ec2Signer

from nova_lite.core import clock
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.identity import Actor

REQUEST = {"host": "cloud.example:8773", "verb": "GET", "path": "/services/Cloud/"}


def moment(minutes: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Return the moment some minutes from now."""
    return (clock.now() + datetime.timedelta(minutes=minutes)).strftime(form)


@pytest.fixture
def keys(site: Site) -> Ec2Credential:
    return site.identity.create_ec2_credential(ADMIN, site.people.demo.id, site.people.demo_project.id)


def ask(site: Site, kind: str, credentials: dict[str, Any], user: str = "admin") -> webob.Response:
    return site.ask("POST", f"/v3/{kind}tokens", {"credentials": credentials}, token=site.token(user))


def signed(keys: Ec2Credential, secret: str = "", **params: str) -> dict[str, Any]:
    given = {
        "AWSAccessKeyId": keys.access, "Action": "DescribeInstances", "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2", "Timestamp": moment(0), **params,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value}
    request = REQUEST | {"params": given}
    signature = Ec2Signer(secret or keys.secret).generate(dict(request))
    return request | {"access": keys.access, "signature": signature}


def test_who_signs_an_ec2_request_gets_a_token(site: Site, keys: Ec2Credential) -> None:
    answer = ask(site, "ec2", signed(keys))

    assert answer.status_int == 200, answer.text
    token = answer.json["token"]
    assert (token["user"]["name"], token["project"]["name"]) == ("demo", "demo")
    assert token["methods"] == ["ec2credential"]
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    mine = site.ask("GET", "/v3/auth/projects", token=answer.headers["X-Subject-Token"])
    assert [project["name"] for project in mine.json["projects"]] == ["demo"]


def test_a_wrong_signature_an_unknown_key_and_a_closed_project_are_refused(site: Site, keys: Ec2Credential) -> None:
    assert ask(site, "ec2", signed(keys, secret="0" * 32)).status_int == 401
    assert ask(site, "ec2", signed(keys) | {"access": "none"}).status_int == 401
    changed = signed(keys)
    changed["params"]["Action"] = "TerminateInstances"
    assert ask(site, "ec2", changed).status_int == 401
    site.identity.revoke_role(
        ADMIN, Actor(site.people.demo.id), site.role("member"),
        site.identity.validate(site.token("demo")).scope,
    )  # fmt: skip
    assert ask(site, "ec2", signed(keys)).status_int == 401


def test_only_services_may_ask(site: Site, keys: Ec2Credential) -> None:
    assert ask(site, "ec2", signed(keys), user="demo").status_int == 403
    assert site.ask("POST", "/v3/ec2tokens", {"credentials": signed(keys)}).status_int == 401


@pytest.mark.parametrize(
    "missing", [{"params": {}}, {"params": {"SignatureVersion": "2"}}, {"params": {"SignatureVersion": "7"}}]
)
def test_a_request_that_cannot_be_read_is_400(site: Site, keys: Ec2Credential, missing: dict[str, Any]) -> None:
    assert ask(site, "ec2", signed(keys) | missing).status_int in (400, 401)


def s3_date(minutes: float) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    return email.utils.format_datetime(moment, usegmt=True)


def s3_signed(keys: Ec2Credential, text: str) -> dict[str, str]:
    signature = base64.b64encode(hmac.digest(keys.secret.encode(), text.encode(), "sha1")).decode()
    return {
        "access": keys.access, "token": base64.urlsafe_b64encode(text.encode()).decode(), "signature": signature,
    }  # fmt: skip


def test_who_signs_an_s3_request_gets_a_token(site: Site, keys: Ec2Credential) -> None:
    given = s3_signed(keys, f"GET\n\n\n{s3_date(0)}\n/bucket/key")

    assert ask(site, "s3", given).json["token"]["user"]["name"] == "demo"
    assert ask(site, "s3", given | {"signature": "x"}).status_int == 401
    assert ask(site, "s3", given | {"token": "*"}).status_int in (400, 401)


def s3_signed_4(keys: Ec2Credential, minutes: float) -> dict[str, str]:
    scope = f"{moment(minutes, '%Y%m%d')}/us-east-1/s3/aws4_request"
    signed_at = moment(minutes, "%Y%m%dT%H%M%SZ")
    text = f"AWS4-HMAC-SHA256\n{signed_at}\n{scope}\n{hashlib.sha256(b'').hexdigest()}".encode()
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return {
        "access": keys.access,
        "token": base64.urlsafe_b64encode(text).decode(),
        "signature": hmac.new(key, text, "sha256").hexdigest(),
    }


def test_version_4_of_s3_is_understood(site: Site, keys: Ec2Credential) -> None:
    given = s3_signed_4(keys, 0)

    assert ask(site, "s3", given).status_int == 200
    broken = base64.urlsafe_b64encode(b"AWS4-HMAC-SHA256\nx").decode()
    assert ask(site, "s3", given | {"token": broken}).status_int == 400


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({"Timestamp": -14}, 200),
        ({"Timestamp": -16}, 401),
        ({"Timestamp": 14}, 200),
        ({"Timestamp": 16}, 401),
        ({"Timestamp": None, "Expires": 1000}, 200),
        ({"Timestamp": None, "Expires": -1}, 401),
        ({"Timestamp": None}, 401),
    ],
)
def test_a_signature_of_ec2_holds_for_a_while(
    site: Site, keys: Ec2Credential, times: dict[str, float | None], status: int
) -> None:
    told = {name: "" if minutes is None else moment(minutes) for name, minutes in times.items()}

    assert ask(site, "ec2", signed(keys, **told)).status_int == status


@pytest.mark.parametrize(
    ("minutes", "params", "status"),
    [(-14, {}, 200), (-16, {}, 401), (16, {}, 401), (-50, {"X-Amz-Expires": "3600"}, 200),
     (-70, {"X-Amz-Expires": "3600"}, 401), (0, {"X-Amz-Expires": "x"}, 400)],
)  # fmt: skip
def test_version_4_of_ec2_holds_for_a_while(
    site: Site, keys: Ec2Credential, minutes: float, params: dict[str, str], status: int
) -> None:
    signed_at = moment(minutes, "%Y%m%dT%H%M%SZ")
    scope = f"{signed_at[:8]}/east/ec2/aws4_request"
    given = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{keys.access}/{scope}",
        "X-Amz-Date": signed_at, "X-Amz-SignedHeaders": "host", "Action": "DescribeInstances", **params,
    }  # fmt: skip
    request = REQUEST | {"params": given, "headers": {"host": REQUEST["host"]}, "body_hash": "x"}
    signature = Ec2Signer(keys.secret).generate(dict(request))

    answer = ask(site, "ec2", request | {"access": keys.access, "signature": signature})

    assert answer.status_int == status, answer.text


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("{old}\n/b", 401),
        ("\nx-amz-date:{new}\n/b", 200),
        ("\nx-amz-date:{old}\n/b", 401),
        ("{new}\nx-amz-date:{old}\n/b", 401),
        ("4000000000\n/b", 200),
        ("1000000000\n/b", 401),
        ("\n/b", 401),
        ("yesterday\n/b", 400),
    ],
)
def test_a_signature_of_s3_holds_for_a_while(site: Site, keys: Ec2Credential, lines: str, status: int) -> None:
    text = "GET\n\n\n" + lines.format(old=s3_date(-16), new=s3_date(-14))

    assert ask(site, "s3", s3_signed(keys, text)).status_int == status


def test_version_4_of_s3_holds_for_a_week(site: Site, keys: Ec2Credential) -> None:
    week = 7 * 24 * 60
    expected = [(1 - week, 200), (-week - 1, 401), (16, 401)]
    assert [(at, ask(site, "s3", s3_signed_4(keys, at)).status_int) for at, _ in expected] == expected
