"""The body of a request: unpacked, measured against what the client said of it, and never whole in memory."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from nova_lite import concurrency
from nova_lite.objectstore import signing
from nova_lite.objectstore.authentication import UNSIGNED, Caller
from nova_lite.objectstore.checksums import ALGORITHMS, BY_HEADER, OF_CHECKSUMS, PREFIX, Algorithm, Checksum
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import S3Request, natural
from nova_lite.objectstore.stream import Stream

CHUNK = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_HEADER = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_LONGEST_DOCUMENT = 2 * 1024 * 1024
_MOST_TRAILERS = 16
_WORTH_A_THREAD = 64 * 1024
_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
_SIGNED_CHUNKS = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": True,
    _SIGNED_TRAILER: True,
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": False,
}
"""The bodies that come in S3's own chunks, and whether those are signed."""


class Payload:
    """A body. After ``chunks`` came to its end, ``md5`` and ``checksum`` are those of what was read.

    A checksum in the headers is the body's unless it is ``of_object``. With ``algorithm`` it must be that one, and is
    made where none was sent.
    """

    def __init__(
        self, request: S3Request, caller: Caller, *, of_object: bool = False, algorithm: str = ""
    ) -> None:
        self._request = request
        self._caller = caller
        self._expected_md5 = _expected_md5(request)
        self._expected_hash = _expected_hash(caller.payload_hash)
        self._signed = _SIGNED_CHUNKS.get(caller.payload_hash)
        self._algorithm, self._expected_sum = (None, "") if of_object else _expected_checksum(request)
        self._trails = self._algorithm is not None and not self._expected_sum
        self.is_guarded = bool(self._expected_md5 or self._algorithm)
        """Whether the client said something of the body by which damage would show."""
        if algorithm:
            self._require(ALGORITHMS[algorithm])
        self.length = self._announced()
        self._stream = Stream(request.http.environ)
        self.md5 = b""
        self.checksum: Checksum | None = None

    def _announced(self) -> int | None:
        """Return how many bytes the client says there are; raises S3Error where it must say so and does not."""
        name = "content-length"
        if self._signed is not None:
            name = "x-amz-decoded-content-length"
        text = self._request.header(name)
        if not text:
            if "transfer-encoding" in self._request.headers and self._signed is None:
                return None
            raise S3Error("MissingContentLength")
        length = natural(text)
        if length is None:
            raise S3Error("InvalidArgument", f"The header {name} is not a number.")
        return length

    def chunks(self) -> Iterator[bytes]:
        """Yield the body; raises S3Error, at the end at the latest, when it is not what was announced."""
        md5 = hashlib.md5(usedforsecurity=False)
        sha256 = hashlib.sha256() if self._expected_hash else None
        total = self._algorithm.make() if self._algorithm else None
        updates = [one.update for one in (md5, sha256, total) if one is not None]
        size = 0
        wait: Callable[[], object] = _nothing
        for chunk in self._unpacked():
            size += len(chunk)
            wait()
            # The sums are made while the chunk is stored and the next one comes.
            wait = _begin(updates, chunk)
            yield chunk
        wait()
        if self.length is not None and size != self.length:
            raise S3Error("IncompleteBody")
        if sha256 is not None and sha256.hexdigest() != self._expected_hash:
            raise S3Error("XAmzContentSHA256Mismatch", ClientComputedContentSHA256=self._expected_hash)
        self.md5 = md5.digest()
        if self._expected_md5 and self.md5 != self._expected_md5:
            raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")
        if self._algorithm and total is not None:
            self._check_sum(self._algorithm, base64.b64encode(total.digest()).decode())

    def document(self, longest: int = _LONGEST_DOCUMENT) -> bytes:
        """Return a body that is small; raises S3Error for one that is not."""
        if self.length is not None and self.length > longest:
            raise S3Error("MaxMessageLengthExceeded")
        found = b""
        for chunk in self.chunks():
            found += chunk
            if len(found) > longest:
                raise S3Error("MaxMessageLengthExceeded")
        return found

    def _require(self, algorithm: Algorithm) -> None:
        if self._algorithm not in (None, algorithm):
            raise S3Error(
                "InvalidRequest",
                f"The upload was begun with the checksum {algorithm.name}, and this one is another.",
            )
        self._algorithm = algorithm

    def _check_sum(self, algorithm: Algorithm, value: str) -> None:
        expected = self._expected_sum
        if expected and expected != value:
            raise S3Error(
                "BadDigest", f"The {algorithm.name} you specified did not match the calculated checksum."
            )
        self.checksum = Checksum(algorithm.name, value)

    def _unpacked(self) -> Iterator[bytes]:
        if self._signed is not None:
            yield from self._packed_chunks(self._signed)
            return
        while chunk := self._stream.read(CHUNK):
            yield chunk

    def _packed_chunks(self, signed: bool) -> Iterator[bytes]:
        """Yield what is in S3's chunks; their signatures are checked when each ends."""
        signer = self._caller.chunks if signed else None
        if signed and signer is None:
            raise S3Error("InvalidRequest", "Only a signed Authorization header can announce signed chunks.")
        previous = signer.seed if signer else ""
        while True:
            left, signature = self._chunk_header()
            digest = hashlib.sha256()
            last = left == 0
            while left:
                chunk = self._stream.read(min(left, CHUNK))
                if not chunk:
                    raise S3Error("IncompleteBody")
                left -= len(chunk)
                if signer:
                    concurrency.blocking(digest.update, chunk)
                yield chunk
            if signer:
                expected = signer.of_chunk(previous, digest.hexdigest())
                if not signing.same(expected, signature):
                    raise S3Error("SignatureDoesNotMatch")
                previous = expected
            if last:
                break
            if self._stream.line():
                raise S3Error("InvalidRequest", "A chunk of the body is longer than it said.")
        self._read_trailers(previous)

    def _chunk_header(self) -> tuple[int, str]:
        found = _CHUNK_HEADER.fullmatch(self._stream.line())
        if found is None:
            raise S3Error("IncompleteBody", "The body is not in chunks as its headers say.")
        return int(found.group(1), 16), (found.group(2) or b"").decode()

    def _read_trailers(self, previous: str) -> None:
        """Read what follows the last chunk: the checksum that was not known before."""
        trailers: dict[str, str] = {}
        lines = b""
        unsigned = self._caller.payload_hash == _SIGNED_TRAILER
        while line := self._stream.line():
            name, _, value = line.partition(b":")
            text = value.strip().decode("latin-1")
            if name.lower() == b"x-amz-trailer-signature":
                self._check_trailer(previous, lines, text)
                unsigned = False
                break
            lines += name.lower() + b":" + value.strip() + b"\n"
            trailers[name.decode("latin-1").lower()] = text
            if lines.count(b"\n") > _MOST_TRAILERS:
                raise S3Error("InvalidRequest", "There are too many trailers.")
        if unsigned:
            raise S3Error("SignatureDoesNotMatch", "The trailers of the body are not signed, as it said they would be.")
        if self._algorithm and self._trails:
            given = trailers.get(self._algorithm.header, "")
            if not self._algorithm.is_value(given):
                raise S3Error(
                    "InvalidRequest", f"Value for {self._algorithm.header} trailing header is invalid."
                )
            self._expected_sum = given
        elif set(trailers) - ({self._algorithm.header} if self._algorithm else set()):
            raise S3Error("InvalidRequest", "There are trailers that x-amz-trailer did not announce.")

    def _check_trailer(self, previous: str, lines: bytes, signature: str) -> None:
        signer = self._caller.chunks
        digest = hashlib.sha256(lines).hexdigest()
        if signer is None or not signing.same(signer.of_trailer(previous, digest), signature):
            raise S3Error("SignatureDoesNotMatch")


def _begin(updates: list[Callable[[bytes], Any]], chunk: bytes) -> Callable[[], object]:
    if len(chunk) < _WORTH_A_THREAD:
        for update in updates:
            update(chunk)
        return _nothing
    waits = [concurrency.beside(update, chunk) for update in updates]

    def wait() -> None:
        for each in waits:
            each()

    return wait


def _nothing() -> None:
    pass


def _expected_md5(request: S3Request) -> bytes:
    text = request.header("content-md5")
    if "content-md5" not in request.headers:
        return b""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise S3Error("InvalidDigest") from error
    if len(found) != 16:
        raise S3Error("InvalidDigest")
    return found


def _expected_hash(payload_hash: str) -> str:
    if payload_hash in ("", UNSIGNED) or payload_hash in _SIGNED_CHUNKS:
        return ""
    if _SHA256.fullmatch(payload_hash):
        return payload_hash
    if payload_hash.startswith("STREAMING-"):
        raise S3Error("NotImplemented", f"Bodies signed as {payload_hash} are not supported.")
    raise S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.")


def _expected_checksum(request: S3Request) -> tuple[Algorithm | None, str]:
    """Return which checksum the client sends, and its value where that comes before the body."""
    given = [name for name in request.headers if name.startswith(PREFIX) and name not in OF_CHECKSUMS]
    trailer = request.header("x-amz-trailer").strip().lower()
    if len(given) + bool(trailer) > 1:
        raise S3Error(
            "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple are not allowed."
        )
    if trailer:
        if trailer not in BY_HEADER:
            raise S3Error("InvalidRequest", f"The trailer {trailer} is not supported.")
        return BY_HEADER[trailer], ""
    if given:
        if given[0] not in BY_HEADER:
            raise S3Error("InvalidRequest", f"The checksum {given[0]} is not supported.")
        algorithm = BY_HEADER[given[0]]
        if not algorithm.is_value(request.header(given[0])):
            raise S3Error("InvalidRequest", f"Value for {given[0]} header is invalid.")
        return algorithm, request.header(given[0])
    named = request.header("x-amz-sdk-checksum-algorithm").upper()
    if named and named not in ALGORITHMS:
        raise S3Error("InvalidRequest", f"The checksum algorithm {named} is not supported.")
    return None, ""
