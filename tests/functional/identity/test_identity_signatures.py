"""Tokens for signed requests, as other services ask for them."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
import webob
from identity_site import ADMIN, Site
from keystoneclient.contrib.ec2.utils import Ec2Signer

from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.identity import Actor

REQUEST = {"host": "cloud.example:8773", "verb": "GET", "path": "/services/Cloud/"}


@pytest.fixture
def keys(site: Site) -> Ec2Credential:
    return site.identity.create_ec2_credential(ADMIN, site.people.demo.id, site.people.demo_project.id)


def ask(site: Site, kind: str, credentials: dict[str, Any], user: str = "admin") -> webob.Response:
    return site.ask("POST", f"/v3/{kind}tokens", {"credentials": credentials}, token=site.token(user))


def signed(keys: Ec2Credential, secret: str = "", **params: str) -> dict[str, Any]:
    given = {
        "AWSAccessKeyId": keys.access, "Action": "DescribeInstances", "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2", "Timestamp": "2026-11-23T00:00:00Z", **params,
    }  # fmt: skip
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


def test_who_signs_an_s3_request_gets_a_token(site: Site, keys: Ec2Credential) -> None:
    text = b"GET\n\n\nMon, 23 Nov 2026 00:00:00 GMT\n/bucket/key"
    old = base64.b64encode(hmac.digest(keys.secret.encode(), text, "sha1")).decode()
    given = {"access": keys.access, "token": base64.urlsafe_b64encode(text).decode(), "signature": old}

    assert ask(site, "s3", given).json["token"]["user"]["name"] == "demo"
    assert ask(site, "s3", given | {"signature": "x"}).status_int == 401
    assert ask(site, "s3", given | {"token": "*"}).status_int in (400, 401)


def test_version_4_of_s3_is_understood(site: Site, keys: Ec2Credential) -> None:
    scope = "20261123/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n20261123T000000Z\n{scope}\n{hashlib.sha256(b'').hexdigest()}".encode()
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    given = {
        "access": keys.access,
        "token": base64.urlsafe_b64encode(text).decode(),
        "signature": hmac.new(key, text, "sha256").hexdigest(),
    }

    assert ask(site, "s3", given).status_int == 200
    broken = base64.urlsafe_b64encode(b"AWS4-HMAC-SHA256\nx").decode()
    assert ask(site, "s3", given | {"token": broken}).status_int == 400
