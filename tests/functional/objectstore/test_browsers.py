"""What browsers send: forms with a signed policy, and requests for pages of other sites."""

import base64
import hmac
import json
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.s3_site import S3Site

PAGE = "https://page.example"


def post(
    site: S3Site, bucket: str, fields: dict[str, str], content: bytes = b"hello", **options: Any
) -> requests.Response:
    return requests.post(
        f"{site.url}/{bucket}", data=fields, files={"file": ("my ü.txt", content, "text/plain")}, timeout=20,
        allow_redirects=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_a_form_with_a_signed_policy_uploads(site: S3Site, bucket: str, signature: str) -> None:
    client = site.client(signature_version=signature)
    form = client.generate_presigned_post(
        bucket, "up/${filename}", {"acl": "public-read", "x-amz-meta-a": "b", "success_action_status": "201"},
        [{"acl": "public-read"}, ["starts-with", "$x-amz-meta-a", ""], {"success_action_status": "201"},
         ["content-length-range", 1, 10]],
    )  # fmt: skip
    answer = post(site, bucket, form["fields"])

    assert answer.status_code == 201, answer.text
    assert "<Key>up/my ü.txt</Key>" in answer.content.decode()
    got = client.get_object(Bucket=bucket, Key="up/my ü.txt")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"hello", {"a": "b"}, "text/plain")
    assert site.ask("GET", f"/{bucket}/up/my%20%C3%BC.txt", user="").content == b"hello"


@pytest.mark.parametrize(
    ("change", "content", "code"),
    [
        ({"key": "other"}, b"hello", (403, "AccessDenied")),
        ({"x-amz-meta-b": "not said"}, b"hello", (403, "AccessDenied")),
        ({"Content-Type": "text/html"}, b"hello", (403, "AccessDenied")),
        ({"x-amz-signature": "0" * 64}, b"hello", (403, "SignatureDoesNotMatch")),
        ({"policy": base64.b64encode(b"{}").decode()}, b"hello", (403, "SignatureDoesNotMatch")),
        ({}, b"hello, this is long", (400, "EntityTooLarge")),
        ({}, b"", (400, "EntityTooSmall")),
    ],
)
def test_a_form_that_is_not_as_its_policy_says_is_refused(
    site: S3Site, bucket: str, change: dict[str, str], content: bytes, code: tuple[int, str]
) -> None:
    before = site.blobs()
    form = site.client().generate_presigned_post(bucket, "k", {}, [["content-length-range", 1, 10]])

    answer = post(site, bucket, form["fields"] | change, content)

    assert (answer.status_code, f"<Code>{code[1]}</Code>" in answer.text) == (code[0], True), answer.text
    assert site.blobs() == before


def signed_form(site: S3Site, policy: bytes) -> dict[str, str]:
    """Return the fields of a form with any policy, signed by version 2."""
    keys, text = site.keys["demo"], base64.b64encode(policy).decode()
    signature = base64.b64encode(hmac.digest(keys.secret.encode(), text.encode(), "sha1")).decode()
    return {"key": "k", "policy": text, "AWSAccessKeyId": keys.access, "signature": signature}


def test_a_policy_is_for_the_bucket_that_it_names(site: S3Site, bucket: str) -> None:
    def policy(*conditions: object) -> bytes:
        return json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": conditions}).encode()

    assert post(site, bucket, signed_form(site, policy({"key": "k"}, {"bucket": bucket}))).status_code == 204
    for conditions in (({"key": "k"},), ({"key": "k"}, {"bucket": "other"})):
        answer = post(site, bucket, signed_form(site, policy(*conditions)))
        assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)
    deep = post(site, bucket, signed_form(site, b"[" * 40_000))
    assert (deep.status_code, "InvalidPolicyDocument" in deep.text) == (400, True)


def test_a_form_without_a_policy_is_for_buckets_that_all_may_write(site: S3Site, bucket: str) -> None:
    assert post(site, bucket, {"key": "k"}).status_code == 403
    site.client().put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    answer = post(site, bucket, {"key": "k", "success_action_redirect": "https://page.example/done?x=1"})

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"https://page.example/done?x=1&bucket={bucket}&key=k&etag=")
    assert post(site, bucket, {}).status_code == 400
    nothing = requests.post(f"{site.url}/{bucket}", data={"key": "k"}, timeout=20)
    assert nothing.status_code in (400, 403)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (
        requests.post(f"{site.url}/{bucket}", data=b"no form", headers=broken, timeout=20).status_code == 400
    )


def test_a_policy_that_expired_is_refused(site: S3Site, bucket: str) -> None:
    form = site.client().generate_presigned_post(bucket, "k", ExpiresIn=-10)

    assert "Policy expired" in post(site, bucket, form["fields"]).text
    assert json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]


@pytest.fixture
def open_bucket(site: S3Site, bucket: str) -> str:
    """A bucket whose rules let one page in."""
    rule = {
        "AllowedOrigins": [PAGE, "https://*.example.org"], "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["x-amz-*", "content-type"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 300, "ID": "one",
    }  # fmt: skip
    site.client().put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert site.client().get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    return bucket


def preflight(site: S3Site, bucket: str, origin: str, method: str, headers: str = "") -> requests.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return requests.options(f"{site.url}/{bucket}/k", headers=asked, timeout=20)


def test_a_browser_is_told_what_it_may_send(site: S3Site, open_bucket: str) -> None:
    answer = preflight(site, open_bucket, PAGE, "PUT", "X-Amz-Date, Content-Type")

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-amz-date, content-type"
    assert answer.headers["Access-Control-Max-Age"] == "300"
    assert preflight(site, open_bucket, "https://a.example.org", "GET").status_code == 200
    for origin, method, headers in (
        ("https://evil.example", "GET", ""),
        (PAGE, "DELETE", ""),
        (PAGE, "PUT", "x-other"),
    ):
        assert preflight(site, open_bucket, origin, method, headers).status_code == 403


def test_answers_to_a_page_say_that_it_may_see_them(site: S3Site, open_bucket: str) -> None:
    site.client().put_object(Bucket=open_bucket, Key="k", Body=b"x", ACL="public-read")

    answer = site.ask("GET", f"/{open_bucket}/k", user="", Origin=PAGE)
    assert (
        answer.headers["Access-Control-Allow-Origin"],
        answer.headers["Access-Control-Expose-Headers"],
    ) == (PAGE, "ETag")
    assert (
        "Access-Control-Allow-Origin" in site.ask("GET", f"/{open_bucket}/none", user="", Origin=PAGE).headers
    )
    other = site.ask("GET", f"/{open_bucket}/k", user="", Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in other.headers


def test_rules_are_checked_and_removed(site: S3Site, open_bucket: str) -> None:
    client = site.client()
    for rule in (
        {"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]},
        {"AllowedOrigins": ["*a*"], "AllowedMethods": ["GET"]},
    ):
        with pytest.raises(ClientError):
            client.put_bucket_cors(Bucket=open_bucket, CORSConfiguration={"CORSRules": [rule]})
    client.delete_bucket_cors(Bucket=open_bucket)
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        client.get_bucket_cors(Bucket=open_bucket)
