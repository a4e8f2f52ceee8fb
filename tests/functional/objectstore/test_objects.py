"""Objects through boto3: what is put is what is got, whole, in part and under conditions."""

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from nova_lite.objectstore import checksums
from tests.s3_site import S3Site

BYTES = bytes(range(256)) * 1000


def fails(code: str, status: int, call: Any, **arguments: Any) -> dict[str, Any]:
    """Make a call that has to fail, and return the answer."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer: dict[str, Any] = dict(caught.value.response)
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    return answer


@pytest.fixture(params=["s3v4", "s3"])
def client(request: pytest.FixtureRequest, site: S3Site) -> Any:
    """A client of each version of signatures."""
    return site.client(signature_version=request.param)


@pytest.mark.parametrize(
    "key",
    [
        "plain",
        "a/b//c/",
        "/leading",
        "a/../../../etc/passwd",
        "..",
        "sp ace+plus%25",
        "ünï/\U0001f600",
        "q?a=b&c#d",
        "k" * 1024,
    ],
)
def test_any_key_comes_back(client: Any, bucket: str, key: str) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=key.encode())

    assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    client.delete_object(Bucket=bucket, Key=key)
    fails("NoSuchKey", 404, client.get_object, Bucket=bucket, Key=key)


def test_a_key_that_is_too_long_is_refused(client: Any, bucket: str) -> None:
    fails("KeyTooLongError", 400, client.put_object, Bucket=bucket, Key="k" * 1025, Body=b"")


def test_an_object_keeps_what_is_said_of_it(client: Any, bucket: str) -> None:
    said = {
        "ContentType": "text/html; charset=utf-8", "CacheControl": "no-cache", "ContentDisposition": "attachment",
        "ContentEncoding": "gzip", "ContentLanguage": "de", "Metadata": {"colour": "blue", "size": "9"},
    }  # fmt: skip
    put = client.put_object(
        Bucket=bucket, Key="k", Body=BYTES, Expires="Thu, 01 Jan 2037 00:00:00 GMT", **said
    )
    head = client.head_object(Bucket=bucket, Key="k")

    assert put["ETag"] == head["ETag"] == f'"{hashlib.md5(BYTES).hexdigest()}"'
    assert {name: head[name] for name in said} == said
    assert (head["ContentLength"], head["AcceptRanges"]) == (len(BYTES), "bytes")
    assert "VersionId" not in head


def test_an_empty_object_is_one(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"")

    answer = client.get_object(Bucket=bucket, Key="k")
    assert (answer["Body"].read(), answer["ContentLength"]) == (b"", 0)


@pytest.mark.parametrize(
    ("wanted", "offset", "length"),
    [("bytes=0-9", 0, 10), ("bytes=10-10", 10, 1), ("bytes=255990-", 255990, 10), ("bytes=-5", 255995, 5),
     ("bytes=255990-999999", 255990, 10), ("bytes=-999999", 0, 256000)],
)  # fmt: skip
def test_a_range_is_a_part(site: S3Site, bucket: str, wanted: str, offset: int, length: int) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="k", Body=BYTES)

    answer = client.get_object(Bucket=bucket, Key="k", Range=wanted, ChecksumMode="ENABLED")

    assert answer["Body"].read() == BYTES[offset : offset + length]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == f"bytes {offset}-{offset + length - 1}/{len(BYTES)}"
    assert "ChecksumCRC32" not in answer


@pytest.mark.parametrize("wanted", ["bytes=5-3", "bytes=a-b", "chunks=0-1", "bytes=0-1,3-4"])
def test_what_is_no_range_is_ignored(site: S3Site, bucket: str, wanted: str) -> None:
    site.client().put_object(Bucket=bucket, Key="k", Body=b"hello")

    answer = site.ask("GET", f"/{bucket}/k", Range=wanted)
    assert (answer.status_code, answer.content) == (200, b"hello")


@pytest.mark.parametrize("wanted", ["bytes=5-", "bytes=99-100", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_had(site: S3Site, bucket: str, wanted: str) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"hello")

    fails("InvalidRange", 416, client.get_object, Bucket=bucket, Key="k", Range=wanted)


def test_conditions_on_reading(client: Any, bucket: str) -> None:
    put = client.put_object(Bucket=bucket, Key="k", Body=b"x")
    where: dict[str, Any] = {"Bucket": bucket, "Key": "k"}
    head = client.head_object(**where)

    client.get_object(**where, IfMatch=put["ETag"])
    client.get_object(**where, IfNoneMatch='"other"')
    client.get_object(**where, IfUnmodifiedSince=head["LastModified"])
    fails("PreconditionFailed", 412, client.get_object, **where, IfMatch='"other"')
    fails("304", 304, client.head_object, **where, IfNoneMatch=put["ETag"])
    fails("304", 304, client.get_object, **where, IfNoneMatch=put["ETag"])
    fails("304", 304, client.get_object, **where, IfModifiedSince=head["LastModified"])
    fails("PreconditionFailed", 412, client.get_object, **where, IfUnmodifiedSince="2001-01-01")
    fails("412", 412, client.head_object, **where, IfUnmodifiedSince="2001-01-01")


def test_conditions_on_writing(site: S3Site, bucket: str) -> None:
    client, where = site.client(), {"Bucket": bucket, "Key": "k"}
    fails("NoSuchKey", 404, client.put_object, **where, Body=b"", IfMatch='"any"')
    put = client.put_object(**where, Body=b"one", IfNoneMatch="*")
    fails("PreconditionFailed", 412, client.put_object, **where, Body=b"two", IfNoneMatch="*")
    fails("PreconditionFailed", 412, client.put_object, **where, Body=b"two", IfMatch='"other"')
    client.put_object(**where, Body=b"two", IfMatch=put["ETag"])
    fails("PreconditionFailed", 412, client.delete_object, **where, IfMatch=put["ETag"])

    assert client.get_object(**where)["Body"].read() == b"two"


def test_a_link_may_be_used_by_anybody_until_it_expires(client: Any, bucket: str) -> None:
    link = client.generate_presigned_url(
        "put_object", {"Bucket": bucket, "Key": "a b", "ContentType": "text/plain"}
    )
    put = requests.put(link, data=b"hello", headers={"Content-Type": "text/plain"}, timeout=20)
    assert put.status_code == 200, put.text
    parameters = {
        "Bucket": bucket,
        "Key": "a b",
        "ResponseContentType": "image/png",
        "ResponseContentDisposition": "x",
    }
    got = requests.get(client.generate_presigned_url("get_object", parameters), timeout=20)

    assert (got.content, got.headers["Content-Type"]) == (b"hello", "image/png")
    assert got.headers["Content-Disposition"] == "x"
    other = requests.get(link.replace("a%20b", "other"), timeout=20)
    assert (other.status_code, "SignatureDoesNotMatch" in other.text) == (403, True)


def test_a_copy_takes_all_or_only_the_bytes(client: Any, bucket: str) -> None:
    client.put_object(
        Bucket=bucket, Key="from ü", Body=BYTES, Metadata={"a": "1"}, ContentType="text/plain", Tagging="t=1"
    )
    source = {"Bucket": bucket, "Key": "from ü"}
    client.copy_object(Bucket=bucket, Key="same", CopySource=source)
    client.copy_object(
        Bucket=bucket, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"},
        TaggingDirective="REPLACE", Tagging="u=2",
    )  # fmt: skip

    same, new = (client.get_object(Bucket=bucket, Key=key) for key in ("same", "new"))
    assert same["Body"].read() == new["Body"].read() == BYTES
    assert (same["Metadata"], same["ContentType"]) == ({"a": "1"}, "text/plain")
    assert (new["Metadata"], new["ContentType"]) == ({"b": "2"}, "binary/octet-stream")
    tags = [client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in ("same", "new")]
    assert tags == [[{"Key": "t", "Value": "1"}], [{"Key": "u", "Value": "2"}]]
    fails("InvalidRequest", 400, client.copy_object, Bucket=bucket, Key="from ü", CopySource=source)
    fails("NoSuchKey", 404, client.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/nothing")
    fails("PreconditionFailed", 412, client.copy_object, Bucket=bucket, Key="x", CopySource=source,
          CopySourceIfMatch='"other"')  # fmt: skip


def test_versions_are_kept_hidden_and_found_again(client: Any, bucket: str) -> None:
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = client.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    second = client.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]
    hidden = client.delete_object(Bucket=bucket, Key="k")

    assert hidden["DeleteMarker"] is True
    missing = fails("NoSuchKey", 404, client.get_object, Bucket=bucket, Key="k")
    assert missing["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert client.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"one"
    fails("MethodNotAllowed", 405, client.get_object, Bucket=bucket, Key="k", VersionId=hidden["VersionId"])
    fails("NoSuchVersion", 404, client.get_object, Bucket=bucket, Key="k", VersionId="nothing")
    listed = client.list_object_versions(Bucket=bucket)
    assert [one["VersionId"] for one in listed["Versions"]] == [second, first]
    assert [one["IsLatest"] for one in listed["DeleteMarkers"]] == [True]
    client.delete_object(Bucket=bucket, Key="k", VersionId=hidden["VersionId"])
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"
    client.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": first})
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"
    fails("BucketNotEmpty", 409, client.delete_bucket, Bucket=bucket)


def test_tags_are_set_told_and_removed(client: Any, bucket: str) -> None:
    tags = [{"Key": "a", "Value": "ü"}, {"Key": "b", "Value": ""}]
    client.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="x=1")
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})

    assert client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    assert client.head_object(Bucket=bucket, Key="k")["TagCount"] == 2
    assert client.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    client.delete_object_tagging(Bucket=bucket, Key="k")
    client.delete_bucket_tagging(Bucket=bucket)
    assert client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    fails("NoSuchTagSet", 404, client.get_bucket_tagging, Bucket=bucket)
    many = [{"Key": str(number), "Value": ""} for number in range(11)]
    fails("InvalidTag", 400, client.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": many})


def test_many_are_deleted_at_once(client: Any, bucket: str) -> None:
    for key in ("a", "b"):
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    wanted = [{"Key": key} for key in ("a", "b", "nothing")]

    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": wanted})

    assert [one["Key"] for one in answer["Deleted"]] == ["a", "b", "nothing"]
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    quiet = client.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True})
    assert "Deleted" not in quiet


# The client cannot make MD5 sums for this.
@pytest.mark.parametrize("algorithm", sorted(checksums.ALGORITHMS.keys() - {"MD5"}))
def test_checksums_are_checked_kept_and_told(site: S3Site, bucket: str, algorithm: str) -> None:
    client = site.client()
    put = client.put_object(Bucket=bucket, Key="k", Body=BYTES, ChecksumAlgorithm=algorithm)
    answer = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")

    name = f"Checksum{algorithm}"
    assert answer["Body"].read() == BYTES
    assert answer[name] == put[name]
    attributes = client.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"]
    )
    assert (attributes["Checksum"][name], attributes["ObjectSize"]) == (put[name], len(BYTES))
    copied = client.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k", ChecksumAlgorithm="SHA256",
                                MetadataDirective="REPLACE")["CopyObjectResult"]  # fmt: skip
    assert copied["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    wrong = {name: put[name][:-2] + ("A=" if put[name][-2:] != "A=" else "E=")}
    with pytest.raises(ClientError):
        client.put_object(Bucket=bucket, Key="k2", Body=BYTES + b"!", **wrong)
    fails("404", 404, client.head_object, Bucket=bucket, Key="k2")


def test_a_file_of_many_parts_goes_up_and_comes_down(site: S3Site, bucket: str) -> None:
    client, content = site.client(), BYTES * 100
    client.upload_fileobj(io.BytesIO(content), bucket, "big")
    target = io.BytesIO()
    client.download_fileobj(bucket, "big", target)

    assert target.getvalue() == content
    head = client.head_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-4"')
    assert head["ChecksumType"] == "COMPOSITE"
    asked = {"Bucket": bucket, "Key": "big", "ObjectAttributes": ["ObjectParts"], "MaxParts": 3}
    told = client.get_object_attributes(**asked)["ObjectParts"]
    rest = client.get_object_attributes(**asked, PartNumberMarker=told["NextPartNumberMarker"])["ObjectParts"]
    assert (told["TotalPartsCount"], told["IsTruncated"], rest["IsTruncated"]) == (4, True, False)
    parts = [content[at : at + 8 * 2**20] for at in range(0, len(content), 8 * 2**20)]
    assert [(one["PartNumber"], one["Size"], one["ChecksumCRC32"]) for one in told["Parts"] + rest["Parts"]] == [
        (number, len(part), base64.b64encode(zlib.crc32(part).to_bytes(4, "big")).decode())
        for number, part in enumerate(parts, 1)
    ]
    part = client.get_object(Bucket=bucket, Key="big", PartNumber=2)
    assert part["PartsCount"] == 4
    assert part["Body"].read() == content[8 * 2**20 : 16 * 2**20]
    client.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/big", ChecksumAlgorithm="SHA256")
    told = client.get_object_attributes(**asked | {"Key": "copy"})["ObjectParts"]
    assert [sorted(one) for one in told["Parts"]] == [["PartNumber", "Size"]] * 3
