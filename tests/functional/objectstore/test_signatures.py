"""Signatures: in the header, in the query, inside the body, and what becomes of wrong ones."""

import base64
import datetime
import hashlib
import hmac
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests

from nova_lite.core import signatures
from tests.s3_site import S3Site

BODY = b"hello world, " * 10_000


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("<")[0]


class Chunker:
    """Makes bodies in signed chunks, as the Java SDK does."""

    def __init__(self, site: S3Site, headers: dict[str, str]) -> None:
        credential = headers["Authorization"].partition("Credential=")[2].partition(",")[0].split("/")
        self._key = signatures.signing_key(
            site.keys["demo"].secret, (credential[1], credential[2], credential[3])
        )
        self._head = "\n".join((headers["X-Amz-Date"], "/".join(credential[1:])))
        self._previous = headers["Authorization"].partition("Signature=")[2]

    def _sign(self, what: str, rest: str) -> str:
        text = "\n".join((what, self._head, self._previous, rest))
        self._previous = hmac.digest(self._key, text.encode(), "sha256").hex()
        return self._previous

    def chunk(self, data: bytes) -> bytes:
        empty, digest = hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()
        signature = self._sign("AWS4-HMAC-SHA256-PAYLOAD", f"{empty}\n{digest}")
        head = f"{len(data):x};chunk-signature={signature}\r\n".encode()
        return head + data + b"\r\n" if data else head

    def trailer(self, name: str, value: str) -> bytes:
        signature = self._sign(
            "AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(f"{name}:{value}\n".encode()).hexdigest()
        )
        return f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def put_chunked(
    site: S3Site,
    path: str,
    mode: str,
    make: Callable[[Chunker], bytes],
    *,
    length: int = len(BODY),
    **headers: str,
) -> requests.Response:
    """Put an object in S3's own chunks inside those of HTTP, so that no length is told outside."""
    sent = {
        "x-amz-content-sha256": mode, "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(length),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    sent = site.signed("PUT", site.url + path, sent)
    body = make(Chunker(site, sent))
    pieces = (body[at : at + 7000] for at in range(0, len(body), 7000))
    return requests.put(site.url + path, data=pieces, headers=sent, timeout=20)


def signed_chunks(chunker: Chunker) -> bytes:
    return chunker.chunk(BODY[:70_000]) + chunker.chunk(BODY[70_000:]) + chunker.chunk(b"") + b"\r\n"


def test_a_body_in_signed_chunks_is_stored_without_its_frame(site: S3Site, bucket: str) -> None:
    answer = put_chunked(site, f"/{bucket}/k", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", signed_chunks)

    assert answer.status_code == 200, answer.text
    got = site.client().get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == BODY
    assert "ContentEncoding" not in got


def test_a_signed_trailer_tells_the_checksum(site: S3Site, bucket: str) -> None:
    def make(chunker: Chunker) -> bytes:
        return chunker.chunk(BODY) + chunker.chunk(b"") + chunker.trailer("x-amz-checksum-crc32", crc32(BODY))

    answer = put_chunked(
        site,
        f"/{bucket}/k",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        make,
        x_amz_trailer="x-amz-checksum-crc32",
    )

    assert (answer.status_code, answer.headers["x-amz-checksum-crc32"]) == (200, crc32(BODY))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("no signature", (403, "SignatureDoesNotMatch")), ("a wrong one", (403, "SignatureDoesNotMatch")),
        ("one before the checksum", (400, "InvalidRequest")),
    ],
)  # fmt: skip
def test_a_trailer_that_is_not_signed_as_it_is_to_be_is_refused(
    site: S3Site, bucket: str, change: str, code: tuple[int, str]
) -> None:
    line = f"x-amz-checksum-crc32:{crc32(BODY)}\r\n"

    def make(chunker: Chunker) -> bytes:
        chunks = chunker.chunk(BODY) + chunker.chunk(b"")
        signature = chunker._sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(b"").hexdigest())
        of_nothing = f"x-amz-trailer-signature:{signature}\r\n"
        lines = {"no signature": line, "a wrong one": line + of_nothing}.get(change, of_nothing + line)
        return chunks + lines.encode() + b"\r\n"

    before = site.blobs()
    mode = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    answer = put_chunked(site, f"/{bucket}/k", mode, make, x_amz_trailer="x-amz-checksum-crc32")

    assert code_of(answer) == code
    assert site.blobs() == before


def unsigned(checksum: str) -> Callable[[Chunker], bytes]:
    def make(chunker: Chunker) -> bytes:
        size = f"{len(BODY):x}\r\n".encode()
        return size + BODY + b"\r\n0\r\nx-amz-checksum-crc32:" + checksum.encode() + b"\r\n\r\n"

    return make


UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def test_an_unsigned_trailer_tells_the_checksum(site: S3Site, bucket: str) -> None:
    answer = put_chunked(
        site, f"/{bucket}/k", UNSIGNED, unsigned(crc32(BODY)), x_amz_trailer="x-amz-checksum-crc32"
    )

    assert answer.status_code == 200, answer.text
    got = site.client().get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ChecksumCRC32"]) == (BODY, crc32(BODY))


def flipped(make: Callable[[Chunker], bytes]) -> Callable[[Chunker], bytes]:
    return lambda chunker: make(chunker).replace(b"hello", b"jello", 1)


@pytest.mark.parametrize(
    ("mode", "make", "headers", "code"),
    [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", flipped(signed_chunks), {}, (403, "SignatureDoesNotMatch")),
        (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            lambda chunker: signed_chunks(chunker)[:-200],
            {},
            (400, "IncompleteBody"),
        ),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", lambda _: b"no chunks\r\n" * 99, {}, (400, "IncompleteBody")),
        (
            UNSIGNED,
            flipped(unsigned(crc32(BODY))),
            {"x_amz_trailer": "x-amz-checksum-crc32"},
            (400, "BadDigest"),
        ),
        (UNSIGNED, unsigned("nonsense"), {"x_amz_trailer": "x-amz-checksum-crc32"}, (400, "InvalidRequest")),
        (
            UNSIGNED,
            unsigned(crc32(BODY)),
            {"x_amz_trailer": "x-amz-checksum-nothing"},
            (400, "InvalidRequest"),
        ),
        (
            UNSIGNED,
            unsigned(crc32(BODY) + f"\r\nx-amz-checksum-crc32:{crc32(BODY)}" * 20),
            {"x_amz_trailer": "x-amz-checksum-crc32"},
            (400, "InvalidRequest"),
        ),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", signed_chunks, {}, (501, "NotImplemented")),
    ],
)
def test_a_body_that_is_not_as_it_says_is_refused(
    site: S3Site, bucket: str, mode: str, make: Any, headers: dict[str, str], code: tuple[int, str]
) -> None:
    before = site.blobs()

    assert code_of(put_chunked(site, f"/{bucket}/k", mode, make, **headers)) == code
    assert site.ask("GET", f"/{bucket}/k").status_code == 404
    assert site.blobs() == before


def test_chunks_that_are_fewer_than_was_said_are_refused(site: S3Site, bucket: str) -> None:
    answer = put_chunked(
        site, f"/{bucket}/k", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", signed_chunks, length=len(BODY) + 1
    )

    assert code_of(answer) == (400, "IncompleteBody")


def test_who_signs_with_another_secret_is_told_so(site: S3Site, bucket: str) -> None:
    good = site.signed("GET", f"{site.url}/{bucket}", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    bad = good["Authorization"][:-4] + "0000"

    answer = requests.get(f"{site.url}/{bucket}", headers=good | {"Authorization": bad}, timeout=20)

    assert code_of(answer) == (403, "SignatureDoesNotMatch")
    assert answer.headers["x-amz-request-id"] in answer.text


def test_nobody_knows_an_unknown_key(site: S3Site, bucket: str) -> None:
    headers = site.signed("GET", f"{site.url}/{bucket}", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    headers["Authorization"] = headers["Authorization"].replace(site.keys["demo"].access, "nobody")

    answer = requests.get(f"{site.url}/{bucket}", headers=headers, timeout=20)
    assert code_of(answer) == (403, "InvalidAccessKeyId")


def test_an_access_key_may_name_its_project(site: S3Site, bucket: str) -> None:
    for project, status in (("demo", 200), (site.projects["demo"], 200), ("other", 403)):
        keys = site.keys["demo"]
        site.keys["affixed"] = type(keys)(f"{keys.access}:{project}", keys.secret)
        assert site.ask("GET", f"/{bucket}", user="affixed").status_code == status


def test_every_header_of_amazon_must_be_signed(site: S3Site, bucket: str) -> None:
    headers = site.signed("PUT", f"{site.url}/{bucket}/k", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})

    answer = requests.put(
        f"{site.url}/{bucket}/k", data=b"x", headers=headers | {"x-amz-acl": "public-read"}, timeout=20
    )
    assert code_of(answer) == (403, "AccessDenied")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_request_of_another_time_is_refused(
    site: S3Site, bucket: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: moment)

    answer = site.ask("GET", f"/{bucket}")

    assert code_of(answer) == (403, "RequestTimeTooSkewed")
    assert "<MaxAllowedSkewMilliseconds>900000<" in answer.text


def test_a_link_that_expired_is_refused(site: S3Site, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    where = {"Bucket": bucket, "Key": "k"}
    assert code_of(
        requests.get(client.generate_presigned_url("get_object", where, ExpiresIn=604801), timeout=20)
    ) == (
        400, "AuthorizationQueryParametersError",
    )  # fmt: skip
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    monkeypatch.setattr("botocore.crt.auth.get_current_datetime", lambda remove_tzinfo: moment)
    old = client.generate_presigned_url("get_object", where, ExpiresIn=3600)

    answer = requests.get(old, timeout=20)
    assert code_of(answer) == (403, "AccessDenied")
    assert "Request has expired" in answer.text


def test_buckets_have_host_names_of_their_own(site: S3Site, bucket: str) -> None:
    host = f"{bucket}.s3.test:{site.port}"
    for method, path in (("PUT", "/a/b"), ("GET", "/a/b"), ("GET", "/?list-type=2")):
        headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        signed = site.signed(method, f"http://{host}{path}", headers)
        answer = requests.request(
            method, site.url + path, data=b"hello" if method == "PUT" else None, headers=signed | {"Host": host},
            timeout=20,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
    assert "<Key>a/b</Key>" in answer.text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("AWS4-HMAC-SHA256 nonsense", (400, "AuthorizationHeaderMalformed")),
        ("AWS nonsense", (400, "InvalidArgument")),
        ("Bearer x", (400, "InvalidArgument")),
    ],
)
def test_a_header_that_is_no_signature_is_refused(
    site: S3Site, bucket: str, header: str, code: tuple[int, str]
) -> None:
    answer = requests.get(f"{site.url}/{bucket}", headers={"Authorization": header}, timeout=20)

    assert code_of(answer) == code
