"""What this store does not do is refused, and never done otherwise than it was asked for."""

import datetime
import hashlib
from typing import Any

import pytest
import requests

from tests.s3_site import S3Site


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("<")[0]


def body_of(site: S3Site, bucket: str) -> bytes:
    return bytes(site.client().get_object(Bucket=bucket, Key="k")["Body"].read())


@pytest.mark.parametrize(
    ("method", "query", "headers", "code"),
    [
        ("DELETE", "?annotation=a", {}, (501, "NotImplemented")),
        ("PUT", "?annotation=a", {}, (501, "NotImplemented")),
        ("PUT", "?renameObject", {"x_amz_rename_source": "other"}, (501, "NotImplemented")),
        ("PUT", "", {"x_amz_write_offset_bytes": "3"}, (501, "NotImplemented")),
        ("PUT", "", {"x_amz_checksum_surprise": "AAAA"}, (400, "InvalidRequest")),
        ("PUT", "", {"x_amz_expected_bucket_owner": "somebody"}, (403, "AccessDenied")),
        ("PUT", "", {"x_amz_copy_source": "/BUCKET/%ff"}, (400, "InvalidArgument")),
        ("PUT", "", {"x_amz_copy_source": "/BUCKET/k?versionId="}, (400, "InvalidArgument")),
        (
            "PUT", "", {"x_amz_copy_source": "/BUCKET/other", "x_amz_source_expected_bucket_owner": "somebody"},
            (403, "AccessDenied"),
        ),
        ("DELETE", "", {"x_amz_if_match_size": "9"}, (501, "NotImplemented")),
        ("DELETE", "", {"x_amz_if_match_last_modified_time": "Mon, 23 Nov 2026 00:00:00 GMT"}, (501, "NotImplemented")),
        ("DELETE", "", {"x_amz_expected_bucket_owner": "somebody"}, (403, "AccessDenied")),
        ("DELETE", "?versionId=", {}, (400, "InvalidArgument")),
        ("GET", "?versionId=", {}, (400, "InvalidArgument")),
    ],
)  # fmt: skip
def test_an_object_stays_as_it_is(
    site: S3Site, bucket: str, method: str, query: str, headers: dict[str, str], code: tuple[int, str]
) -> None:
    client = site.client()
    for key in ("k", "other"):
        client.put_object(Bucket=bucket, Key=key, Body=f"of {key}".encode())
    headers = {name: value.replace("BUCKET", bucket) for name, value in headers.items()}

    assert code_of(site.ask(method, f"/{bucket}/k{query}", **headers)) == code

    assert body_of(site, bucket) == b"of k"
    owner = client.list_buckets()["Owner"]["ID"]
    assert site.ask("PUT", f"/{bucket}/k", b"mine", x_amz_expected_bucket_owner=owner).status_code == 200


@pytest.mark.parametrize("condition", [{"Size": 9}, {"LastModifiedTime": datetime.datetime(2026, 11, 23)}])
def test_an_object_among_many_is_not_deleted_on_a_condition(site: S3Site, bucket: str, condition: Any) -> None:
    client = site.client()
    for key in ("k", "other"):
        client.put_object(Bucket=bucket, Key=key, Body=b"of it")

    told = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", **condition}, {"Key": "other"}]})

    assert [one["Key"] for one in told["Deleted"]] == ["other"]
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [("k", "NotImplemented")]
    assert body_of(site, bucket) == b"of it"


def test_a_bucket_is_not_removed_by_what_wants_something_of_it(site: S3Site, bucket: str) -> None:
    for query in ("metadataConfiguration", "metadataTable", "policy", "lifecycle", "encryption"):
        assert code_of(site.ask("DELETE", f"/{bucket}?{query}")) == (501, "NotImplemented")
    named = site.ask("DELETE", f"/{bucket}", x_amz_expected_bucket_owner="somebody")

    assert code_of(named) == (403, "AccessDenied")
    assert site.ask("HEAD", f"/{bucket}").status_code == 200


def test_an_upload_keeps_the_checksum_that_it_began_with(site: S3Site, bucket: str) -> None:
    client = site.client()
    begun = client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    path, body = f"/{bucket}/k?partNumber=1&uploadId={begun}", b"part"

    other = site.ask("PUT", path, body, x_amz_checksum_crc32="Hyb07g==")
    without = site.ask("PUT", path, body)

    assert code_of(other)[0] == 400
    assert without.status_code == 200
    (part,) = client.list_parts(Bucket=bucket, Key="k", UploadId=begun)["Parts"]
    assert part["ETag"].strip('"') == hashlib.md5(body).hexdigest()
    assert part["ChecksumSHA256"], "made here where it was not sent"
