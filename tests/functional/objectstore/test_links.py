"""Links that say in their query what other requests say in headers, as some of Amazon's clients make them."""

import base64
import urllib.parse
import zlib

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.s3_site import S3Site


def link(site: S3Site, method: str, path: str, query: dict[str, str]) -> str:
    keys = site.keys["demo"]
    request = AWSRequest(method, f"{site.url}{path}?{urllib.parse.urlencode(query)}")
    S3SigV4QueryAuth(Credentials(keys.access, keys.secret), "s3", "us-east-1", expires=60).add_auth(request)
    return str(request.url)


def test_what_the_query_says_of_an_object_counts(site: S3Site, bucket: str) -> None:
    right = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    said = {"x-amz-acl": "public-read", "X-Amz-Meta-Color": "red", "x-amz-tagging": "a=1"}
    said["x-amz-checksum-crc32"] = right

    put = requests.put(link(site, "PUT", f"/{bucket}/k", said), data=b"hello", timeout=20)

    assert put.status_code == 200, put.text
    got = requests.get(f"{site.url}/{bucket}/k", timeout=20)
    assert (got.content, got.headers["x-amz-meta-color"], got.headers["x-amz-tagging-count"]) == (b"hello", "red", "1")
    wrong = requests.put(link(site, "PUT", f"/{bucket}/k2", said), data=b"other", timeout=20)
    assert (wrong.status_code, "BadDigest" in wrong.text) == (400, True)
    copy = {"x-amz-copy-source": f"/{bucket}/k", "x-amz-metadata-directive": "COPY"}
    assert "CopyObjectResult" in requests.put(link(site, "PUT", f"/{bucket}/k3", copy), timeout=20).text


@pytest.mark.parametrize("name", ["x-amz-meta-\N{EURO SIGN}", "x-amz-meta-a b", "x-amz-meta-a:b", "x-amz-meta-a\n"])
def test_what_is_no_name_of_a_header_is_none_in_a_query(site: S3Site, bucket: str, name: str) -> None:
    put = requests.put(link(site, "PUT", f"/{bucket}/k", {name: "x"}), data=b"hello", timeout=20)

    assert (put.status_code, "InvalidArgument" in put.text) == (400, True), put.text
    assert "Contents" not in site.client().list_objects_v2(Bucket=bucket)


def test_a_query_that_nobody_signed_says_nothing(site: S3Site, bucket: str) -> None:
    signed = link(site, "PUT", f"/{bucket}/k", {})

    assert requests.put(f"{signed}&x-amz-acl=public-read", data=b"x", timeout=20).status_code == 403
    headers = {"x-amz-acl": "public-read"}
    assert requests.put(signed, data=b"x", headers=headers, timeout=20).status_code == 403
    site.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    assert requests.get(f"{site.url}/{bucket}/k?x-amz-acl=public-read", timeout=20).status_code == 403


@pytest.mark.parametrize("seconds", ["604801", "0", "-1", "9" * 30, "", "1e3"])
def test_a_link_is_for_a_week_at_most(site: S3Site, bucket: str, seconds: str) -> None:
    signed = link(site, "GET", f"/{bucket}/k", {}).replace("X-Amz-Expires=60", f"X-Amz-Expires={seconds}")

    answer = requests.get(signed, timeout=20)

    assert (answer.status_code, "AuthorizationQueryParametersError" in answer.text) == (400, True)
