"""Buckets, and lists of what is in them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from nova_lite.objectstore import probes
from tests.s3_site import S3Site


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_a_bucket_is_made_found_and_removed(site: S3Site) -> None:
    client, name = site.client(), "made-found.removed"
    client.create_bucket(Bucket=name)
    client.create_bucket(Bucket=name)

    assert name in [one["Name"] for one in client.list_buckets()["Buckets"]]
    client.head_bucket(Bucket=name)
    assert client.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    client.put_object(Bucket=name, Key="k", Body=b"")
    assert code(client.delete_bucket, Bucket=name) == (409, "BucketNotEmpty")
    client.delete_object(Bucket=name, Key="k")
    client.delete_bucket(Bucket=name)
    assert code(client.head_bucket, Bucket=name) == (404, "404")
    assert code(client.get_object, Bucket=name, Key="k") == (404, "NoSuchBucket")


def test_a_bucket_remembers_its_region(site: S3Site) -> None:
    client = site.client()
    where = {"LocationConstraint": "nova"}
    client.create_bucket(Bucket="in-a-region", CreateBucketConfiguration=where)

    assert client.get_bucket_location(Bucket="in-a-region")["LocationConstraint"] == "nova"
    assert client.head_bucket(Bucket="in-a-region")["BucketRegion"] == "nova"
    assert code(client.create_bucket, Bucket="in-a-region", CreateBucketConfiguration=where) == (
        409, "BucketAlreadyOwnedByYou",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["ab", "UPPER", "under_score", "-dash", "a..b", "192.168.1.1", "x" * 64, ".."]
)
def test_a_name_that_is_none_is_refused(site: S3Site, name: str) -> None:
    answer = site.ask("PUT", f"/{name}")

    assert (answer.status_code, "InvalidBucketName" in answer.text) == (
        400,
        True,
    )


def test_buckets_are_listed_in_pages(site: S3Site) -> None:
    client = site.client("other")
    for number in range(3):
        client.create_bucket(Bucket=f"paged-{number}")
    first = client.list_buckets(MaxBuckets=2, Prefix="paged-")
    second = client.list_buckets(MaxBuckets=2, Prefix="paged-", ContinuationToken=first["ContinuationToken"])

    assert [one["Name"] for one in (*first["Buckets"], *second["Buckets"])] == [
        f"paged-{n}" for n in range(3)
    ]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_objects_are_listed_in_pages_with_what_is_rolled_up(
    site: S3Site, bucket: str, operation: str
) -> None:
    client = site.client()
    names = ["a", "a b+c", "dir/1", "dir/2", "dir/sub/3", "ü", "z\n"]
    for name in names:
        client.put_object(Bucket=bucket, Key=name, Body=name.encode())
    pages = client.get_paginator(operation)

    whole = [
        one
        for page in pages.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        for one in page["Contents"]
    ]
    assert [one["Key"] for one in whole] == sorted(names, key=str.encode)
    assert [one["Size"] for one in whole] == [len(name.encode()) for name in sorted(names, key=str.encode)]
    found: list[str] = []
    for page in pages.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}):
        found += [one["Key"] for one in page.get("Contents", [])]
        found += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
    assert sorted(found) == sorted(["a", "a b+c", "dir/", "ü", "z\n"])
    below = getattr(client, operation)(Bucket=bucket, Prefix="dir/", Delimiter="/")
    assert [one["Key"] for one in below["Contents"]] == ["dir/1", "dir/2"]
    assert [one["Prefix"] for one in below["CommonPrefixes"]] == ["dir/sub/"]
    assert getattr(client, operation)(Bucket=bucket, MaxKeys=0)["IsTruncated"] is False


def test_a_list_begins_after_a_key_and_tells_owners_when_asked(site: S3Site, bucket: str) -> None:
    client = site.client()
    for name in ("a", "b", "c"):
        client.put_object(Bucket=bucket, Key=name, Body=b"")

    answer = client.list_objects_v2(Bucket=bucket, StartAfter="a", FetchOwner=True)

    assert [one["Key"] for one in answer["Contents"]] == ["b", "c"]
    assert answer["Contents"][0]["Owner"] == {"ID": site.projects["demo"], "DisplayName": "demo"}
    assert code(client.list_objects_v2, Bucket=bucket, ContinuationToken="!") == (400, "InvalidArgument")
    assert site.ask("GET", f"/{bucket}?max-keys=x").status_code == 400


@pytest.mark.parametrize(("name", "expected"), probes.ABSENT.items())
def test_what_is_not_there_is_said_not_to_be(site: S3Site, bucket: str, name: str, expected: str) -> None:
    answer = site.ask("GET", f"/{bucket}?{name}")

    assert (answer.status_code, f"<Code>{expected}</Code>" in answer.text) == (404, True)
    assert site.ask("PUT", f"/{bucket}?{name}", b"<x/>").status_code == 501


@pytest.mark.parametrize("name", [*probes.EMPTY, "requestPayment", "versioning"])
def test_what_says_nothing_is_told(site: S3Site, bucket: str, name: str) -> None:
    assert site.ask("GET", f"/{bucket}?{name}").status_code == 200


@pytest.mark.parametrize("name", probes.REFUSED)
def test_what_cannot_be_done_is_refused(site: S3Site, bucket: str, name: str) -> None:
    assert site.ask("GET", f"/{bucket}?{name}").status_code == 501


def test_versions_are_kept_or_not_and_nothing_else(site: S3Site, bucket: str) -> None:
    answer = site.ask(
        "PUT",
        f"/{bucket}?versioning",
        b"<VersioningConfiguration><Status>Maybe</Status></VersioningConfiguration>",
    )
    assert "IllegalVersioningConfigurationException" in answer.text
    assert (
        site.ask("PUT", f"/{bucket}?versioning", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>").status_code
        == 400
    )
    assert site.ask("POST", "/").status_code == 405
