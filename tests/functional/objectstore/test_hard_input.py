"""What is broken, too much or meant badly: the proper code, and nothing lost or left over."""

import base64
import hashlib
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cloud import wait_for
from tests.s3_site import S3Site, running


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Site]:
    """An object store with little room."""
    flags = ("--s3_put_cap=100000", "--quota_object_bytes=150000", "--quota_buckets=2")
    with running(tmp_path_factory.mktemp("small"), *flags) as site:
        yield site


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("<")[0]


@pytest.mark.parametrize(
    ("headers", "payload", "code"),
    [
        ({"Content_MD5": base64.b64encode(b"0" * 16).decode()}, "", (400, "BadDigest")),
        ({"Content_MD5": "nonsense"}, "", (400, "InvalidDigest")),
        ({"Content_MD5": ""}, "", (400, "InvalidDigest")),
        ({}, hashlib.sha256(b"other").hexdigest(), (400, "XAmzContentSHA256Mismatch")),
        ({}, "nonsense", (400, "InvalidArgument")),
        ({"x_amz_checksum_sha256": "nonsense"}, "", (400, "InvalidRequest")),
        ({"x_amz_checksum_crc32": "AAAAAA=="}, "", (400, "BadDigest")),
        ({"x_amz_checksum_md5": base64.b64encode(b"0" * 16).decode()}, "", (400, "BadDigest")),
        (
            {"x_amz_checksum_crc32": "AAAAAA==", "x_amz_checksum_crc32c": "AAAAAA=="},
            "",
            (400, "InvalidRequest"),
        ),
        ({"x_amz_meta_long": "x" * 2100}, "", (400, "MetadataTooLarge")),
        ({"x_amz_server_side_encryption": "AES256"}, "", (501, "NotImplemented")),
        ({"x_amz_storage_class": "FROZEN"}, "", (400, "InvalidArgument")),
        ({"x_amz_acl": "everybody"}, "", (400, "InvalidArgument")),
        ({"x_amz_tagging": "a=1&a=2"}, "", (400, "InvalidTag")),
    ],
)
def test_a_put_that_is_not_right_leaves_nothing(
    site: S3Site, bucket: str, headers: dict[str, str], payload: str, code: tuple[int, str]
) -> None:
    before = site.blobs()

    assert code_of(site.ask("PUT", f"/{bucket}/k", b"hello", payload=payload, **headers)) == code
    assert site.ask("GET", f"/{bucket}/k").status_code == 404
    assert site.blobs() == before


def test_what_is_too_large_is_refused_before_it_is_sent(small: S3Site) -> None:
    bucket, url = small.bucket(), small.url
    headers = small.signed("PUT", f"{url}/{bucket}/k", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=20)
    connection.putrequest("PUT", f"/{bucket}/k", skip_host=True)
    for name, value in (headers | {"Host": f"127.0.0.1:{small.port}", "Content-Length": str(10**15)}).items():
        connection.putheader(name, value)
    connection.putheader("Expect", "100-continue")
    connection.endheaders()

    answer = connection.getresponse()

    assert (answer.status, b"EntityTooLarge" in answer.read()) == (400, True)
    chunked = requests.put(f"{url}/{bucket}/k", data=iter([b"x" * 60_000] * 2), headers=headers, timeout=20)
    assert code_of(chunked) == (400, "EntityTooLarge")


def test_a_project_stores_no_more_than_its_quota(small: S3Site) -> None:
    bucket = small.bucket("other")
    assert small.ask("PUT", f"/{bucket}/a", b"x" * 90_000, user="other").status_code == 200

    assert code_of(small.ask("PUT", f"/{bucket}/b", b"x" * 90_000, user="other")) == (403, "QuotaExceeded")
    headers = {"x_amz_copy_source": f"/{bucket}/a"}
    assert code_of(small.ask("PUT", f"/{bucket}/b", user="other", **headers)) == (403, "QuotaExceeded")
    small.bucket("other")
    assert code_of(small.ask("PUT", "/one-too-many", user="other")) == (400, "TooManyBuckets")


@pytest.mark.parametrize("length", [1000, None])
def test_an_upload_that_breaks_off_leaves_nothing(site: S3Site, bucket: str, length: int | None) -> None:
    before = site.blobs()
    headers = site.signed("PUT", f"{site.url}/{bucket}/k", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
    lines = [f"PUT /{bucket}/k HTTP/1.1", f"Host: 127.0.0.1:{site.port}", framing]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + b"5\r\nhello\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)

    assert b" 400 " in answer.splitlines()[0]
    assert wait_for(lambda: site.blobs() == before)
    assert site.ask("GET", f"/{bucket}/k").status_code == 404


def test_no_key_leads_out_of_the_store(site: S3Site, bucket: str) -> None:
    secret = Path(site.folder) / "nova.sqlite"
    for key in ("../../nova.sqlite", "..%2f..%2fnova.sqlite", "%2e%2e/%2e%2e/nova.sqlite", str(secret)):
        assert site.ask("GET", f"/{bucket}/{key}").status_code in (403, 404)
        site.ask("PUT", f"/{bucket}/{key}", b"x")
    assert secret.read_bytes().startswith(b"SQLite format 3")
    assert site.ask("GET", "/..%2fbuckets/index.sqlite").status_code in (403, 404)


@pytest.mark.parametrize("path", ["/%ff", "/bucket/%c3%28", "/?prefix=%ff"])
def test_what_is_no_text_is_refused(site: S3Site, path: str) -> None:
    assert code_of(requests.get(site.url + path, timeout=20)) == (400, "InvalidURI")


def test_headers_cannot_be_slipped_into_an_answer(site: S3Site, bucket: str) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    link = client.generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k", "ResponseContentType": "a\r\nSet-Cookie: b"}
    )

    answer = requests.get(link, timeout=20)
    assert code_of(answer) == (400, "InvalidArgument")
    assert "Set-Cookie" not in answer.headers


def test_a_document_that_is_too_long_is_refused(site: S3Site, bucket: str) -> None:
    assert code_of(site.ask("PUT", f"/{bucket}?tagging", b"<a>" * 10**6)) == (400, "MaxMessageLengthExceeded")


def test_readers_see_one_version_whole_while_writers_replace_it(site: S3Site, bucket: str) -> None:
    versions = [bytes([number]) * 200_000 for number in range(8)]
    client = site.client()
    client.put_object(Bucket=bucket, Key="k", Body=versions[0])

    def write(content: bytes) -> None:
        own = site.client()
        for _ in range(5):
            own.put_object(Bucket=bucket, Key="k", Body=content)

    writers = [threading.Thread(target=write, args=(content,)) for content in versions]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert client.get_object(Bucket=bucket, Key="k")["Body"].read() in versions
    assert len(site.blobs()) == len({*site.blobs()})


def test_a_form_has_not_any_number_of_fields(site: S3Site, bucket: str) -> None:
    fields = "".join(
        f'--b\r\nContent-Disposition: form-data; name="field{number}"\r\n\r\n\r\n' for number in range(10_000)
    )
    form = f'{fields}--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n'
    sent = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = requests.post(f"{site.url}/{bucket}", data=form.encode(), headers=sent, timeout=20)

    assert code_of(answer) == (400, "MaxMessageLengthExceeded")


@pytest.mark.parametrize(
    "query",
    [
        "AWSAccessKeyId=KEY&Signature=x&Expires=999999999999",
        "AWSAccessKeyId=KEY&Signature=x&Expires=%C2%B2",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY/20260101/r/s3/aws4_request"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature=x&X-Amz-Date=20260101T000000Z&X-Amz-Expires=%C2%B2",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY/20260101/r/s3/aws4_request"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature=x&X-Amz-Date=20260101T000000Z&X-Amz-Expires=--5",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY/20260101/r/s3/aws4_request"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature=x&X-Amz-Date=20260101T000000Z&X-Amz-Expires=" + "1" * 5000,
    ],
)
def test_odd_times_of_links_are_never_the_servers_fault(site: S3Site, bucket: str, query: str) -> None:
    url = f"{site.url}/{bucket}/k?{query.replace('KEY', site.keys['demo'].access)}"

    assert requests.get(url, timeout=20).status_code in (400, 403)


NINES = "9" * 5000


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        (f"?list-type=2&max-keys={NINES}", {}, (400, "InvalidArgument")),
        (f"?uploads&max-uploads={NINES}", {}, (400, "InvalidArgument")),
        (f"/k?partNumber={NINES}", {}, (400, "InvalidArgument")),
        ("/k", {"Range": f"bytes={NINES}-"}, (200, "")),
        ("/k", {"If_Modified_Since": "Mon, 31 Dec 9999 23:59:59 -2300"}, (200, "")),
        ("/k", {"If_Modified_Since": "Mon, 23 Nov 99999999999999999999 00:00:00 GMT"}, (200, "")),
    ],
)
def test_odd_numbers_and_dates_are_never_the_servers_fault(
    site: S3Site, bucket: str, query: str, headers: dict[str, str], code: tuple[int, str]
) -> None:
    site.client().put_object(Bucket=bucket, Key="k", Body=b"x")

    assert code_of(site.ask("GET", f"/{bucket}{query}", **headers)) == code
