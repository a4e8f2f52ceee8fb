"""Objects that come in parts, through boto3."""

import base64
import hashlib
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.s3_site import S3Site

MIB = 2**20
PARTS = [bytes([number]) * (5 * MIB) for number in (1, 2)] + [b"the end"]
WHOLE = b"".join(PARTS)


def code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


class Sender:
    """An upload under way."""

    def __init__(self, site: S3Site, bucket: str, **options: Any) -> None:
        self.client = site.client()
        self.where: dict[str, Any] = {"Bucket": bucket, "Key": "k/ü"}
        started = self.client.create_multipart_upload(**self.where, **options)
        self.named = {**self.where, "UploadId": started["UploadId"]}

    def send(self, parts: list[bytes], **options: Any) -> list[dict[str, Any]]:
        made = []
        for number, body in enumerate(parts, 1):
            answer = self.client.upload_part(**self.named, PartNumber=number, Body=body, **options)
            sums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
            made.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
        return made

    def complete(self, parts: list[dict[str, Any]], **options: Any) -> Any:
        return self.client.complete_multipart_upload(
            **self.named, MultipartUpload={"Parts": parts}, **options
        )


def test_parts_become_an_object(site: S3Site, bucket: str) -> None:
    sender = Sender(site, bucket, Metadata={"a": "b"}, ContentType="text/plain")
    made = sender.send(PARTS)
    assert code(sender.client.head_object, **sender.where) == "404"
    listed = sender.client.list_parts(**sender.named)
    assert [(one["PartNumber"], one["Size"]) for one in listed["Parts"]] == [
        (1, 5 * MIB),
        (2, 5 * MIB),
        (3, 7),
    ]
    assert len(sender.client.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1

    done = sender.complete(made)

    digests = b"".join(hashlib.md5(part).digest() for part in PARTS)
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    got = sender.client.get_object(**sender.where)
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (WHOLE, {"a": "b"}, "text/plain")
    middle = sender.client.get_object(**sender.where, Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    assert middle["Body"].read() == b"\1\1\2\2"
    assert "Uploads" not in sender.client.list_multipart_uploads(Bucket=bucket)
    assert sender.complete(made)["ETag"] == done["ETag"]
    assert code(sender.client.upload_part, **sender.named, PartNumber=1, Body=b"") == "NoSuchUpload"


def test_parts_may_be_copied(site: S3Site, bucket: str) -> None:
    sender = Sender(site, bucket)
    sender.client.put_object(Bucket=bucket, Key="source", Body=PARTS[0] + PARTS[1])
    source = {"Bucket": bucket, "Key": "source"}
    made = []
    for number, wanted in ((1, f"bytes=0-{5 * MIB - 1}"), (2, f"bytes={5 * MIB}-{5 * MIB + 4}")):
        copied = sender.client.upload_part_copy(
            **sender.named, PartNumber=number, CopySource=source, CopySourceRange=wanted
        )
        made.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    sender.complete(made)

    assert sender.client.get_object(**sender.where)["Body"].read() == PARTS[0] + b"\2" * 5
    beyond = {"CopySource": source, "CopySourceRange": "bytes=0-99999999"}
    other = Sender(site, bucket)
    assert code(other.client.upload_part_copy, **other.named, PartNumber=1, **beyond) == "InvalidArgument"


def test_a_completion_that_is_not_right_leaves_the_upload(site: S3Site, bucket: str) -> None:
    sender = Sender(site, bucket)
    made = sender.send([b"small", b"small"])
    first, second = made

    for parts, expected in (
        (made, "EntityTooSmall"),
        ([second, first], "InvalidPartOrder"),
        ([first, first], "InvalidPartOrder"),
        ([{**first, "ETag": '"' + "0" * 32 + '"'}], "InvalidPart"),
        ([{**first, "PartNumber": 7}], "InvalidPart"),
    ):
        assert code(sender.complete, parts=parts) == expected
    assert code(sender.complete, parts=[first], IfMatch='"x"') == "NoSuchKey"
    sender.complete([first], IfNoneMatch="*")
    assert sender.client.get_object(**sender.where)["Body"].read() == b"small"


def test_an_abort_leaves_nothing(site: S3Site, bucket: str) -> None:
    before = site.blobs()
    sender = Sender(site, bucket)
    made = sender.send([b"x"])
    sender.client.abort_multipart_upload(**sender.named)

    assert site.blobs() == before
    assert code(sender.complete, parts=made) == "NoSuchUpload"
    assert code(sender.client.abort_multipart_upload, **sender.named) == "NoSuchUpload"


@pytest.mark.parametrize("number", [0, 10_001, -1])
def test_a_part_has_a_number(site: S3Site, bucket: str, number: int) -> None:
    sender = Sender(site, bucket)

    assert code(sender.client.upload_part, **sender.named, PartNumber=number, Body=b"") == "InvalidArgument"


def test_the_checksum_of_the_whole_is_put_together_from_the_parts(site: S3Site, bucket: str) -> None:
    options = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    sender = Sender(site, bucket, **options)
    made = sender.send(PARTS, ChecksumAlgorithm="CRC32")
    right = base64.b64encode(zlib.crc32(WHOLE).to_bytes(4, "big")).decode()
    assert (
        code(sender.complete, parts=made, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT") == "BadDigest"
    )

    done = sender.complete(made, ChecksumCRC32=right, ChecksumType="FULL_OBJECT", MpuObjectSize=len(WHOLE))

    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (right, "FULL_OBJECT")
    got = sender.client.get_object(**sender.where, ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ChecksumCRC32"]) == (WHOLE, right)


def test_an_upload_belongs_to_who_began_it(site: S3Site, bucket: str) -> None:
    site.client().put_bucket_acl(Bucket=bucket, GrantFullControl=f"id={site.projects['other']}")
    theirs, ours = site.client("other"), Sender(site, bucket)
    made = ours.send([b"ours"])
    began = theirs.create_multipart_upload(Bucket=bucket, Key="theirs")["UploadId"]
    named = {"Bucket": bucket, "Key": "theirs", "UploadId": began}
    theirs.upload_part(**named, PartNumber=1, Body=b"theirs")

    assert code(theirs.upload_part, **ours.named, PartNumber=2, Body=b"x") == "AccessDenied"
    assert code(theirs.list_parts, **ours.named) == "AccessDenied"
    assert code(theirs.abort_multipart_upload, **ours.named) == "AccessDenied"
    parts = {"Parts": made}
    assert code(theirs.complete_multipart_upload, **ours.named, MultipartUpload=parts) == "AccessDenied"
    # The bucket's owner looks at all uploads in it and ends them, but goes on with none.
    assert len(ours.client.list_parts(**named)["Parts"]) == 1
    assert code(ours.client.upload_part, **named, PartNumber=2, Body=b"x") == "AccessDenied"
    ours.client.abort_multipart_upload(**named)
    assert ours.complete(made)["ETag"]
