"""Who asks: the signature in a request's header or query, checked against the secret of its access key."""

import dataclasses
import datetime
from collections.abc import Callable

from nova_lite.core import clock, signatures
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Unauthenticated
from nova_lite.core.signatures import ALGORITHM, Proof
from nova_lite.core.signer import Signer
from nova_lite.objectstore import signing
from nova_lite.objectstore.conditions import http_date
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import S3Request, natural
from nova_lite.objectstore.signing import ChunkSigner

SKEW = datetime.timedelta(minutes=15)
LONGEST_LINK = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"
_COMPACT = "%Y%m%dT%H%M%SZ"

FindSigner = Callable[[str, str], Signer]
"""Returns whom an access key belongs to, on a project or on that of the key; raises Unauthenticated."""


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; nobody in particular has no ``context``.

    ``payload_hash`` is what the signature says of the body: a SHA-256, one of S3's words for bodies that are
    signed otherwise, or nothing. ``chunks`` checks what is signed inside the body.
    """

    context: RequestContext | None = None
    payload_hash: str = ""
    chunks: ChunkSigner | None = None


def authenticate(request: S3Request, find: FindSigner) -> Caller:
    """Return who asks; raises S3Error for a signature that is not right, and nothing for none at all."""
    header = request.header("authorization")
    if header.startswith(ALGORITHM):
        return _header_4(request, header, find)
    if header.startswith("AWS "):
        return _header_2(request, header, find)
    if header:
        raise S3Error("InvalidArgument", "Unsupported Authorization Type")
    if request.has("X-Amz-Algorithm") or request.has("X-Amz-Signature"):
        return _query_4(request, find)
    if request.has("Signature") and request.has("AWSAccessKeyId"):
        return _query_2(request, find)
    return Caller()


def signer_of(find: FindSigner, access: str) -> Signer:
    """Return the owner of an access key, with or without ``:project`` after it; raises S3Error."""
    key, _, project = access.partition(":")
    try:
        return find(key, project)
    except Unauthenticated as error:
        raise S3Error("InvalidAccessKeyId", AWSAccessKeyId=access) from error


def _header_4(request: S3Request, header: str, find: FindSigner) -> Caller:
    proof = signatures.authorization(header)
    if proof is None:
        raise S3Error("AuthorizationHeaderMalformed")
    moment = request.header("x-amz-date")
    sent = _moment(moment) or http_date(request.header("date"))
    if sent is None:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
    moment = sent.strftime(_COMPACT)
    if not moment.startswith(proof.scope[0]):
        raise S3Error("AuthorizationHeaderMalformed", "The credential's date is not that of the request.")
    _require_now(sent)
    payload_hash = request.header("x-amz-content-sha256")
    if not payload_hash:
        raise S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    _require_signed(request, proof)
    proof = dataclasses.replace(proof, moment=moment)
    signer = signer_of(find, proof.access)
    _compare(signing.signature_4(signer.secret, request, proof, payload_hash), proof)
    key = signatures.signing_key(signer.secret, proof.scope)
    chunks = ChunkSigner(key, moment, signing.scope_text(proof), proof.signature)
    return Caller(_context(signer), payload_hash, chunks)


def _query_4(request: S3Request, find: FindSigner) -> Caller:
    if request.parameter("X-Amz-Algorithm") != ALGORITHM:
        raise S3Error("AuthorizationQueryParametersError", f"X-Amz-Algorithm only supports {ALGORITHM}")
    proof = signatures.version_4(
        request.parameter("X-Amz-Credential"),
        request.parameter("X-Amz-SignedHeaders"),
        request.parameter("X-Amz-Signature"),
    )
    sent = _moment(request.parameter("X-Amz-Date"))
    seconds = _seconds(request.parameter("X-Amz-Expires").removeprefix("-"))
    if proof is None or sent is None or seconds is None:
        raise S3Error("AuthorizationQueryParametersError")
    if request.parameter("X-Amz-Expires").startswith("-") or not 1 <= seconds <= LONGEST_LINK:
        raise S3Error(
            "AuthorizationQueryParametersError", f"X-Amz-Expires must be from 1 to {LONGEST_LINK} seconds."
        )
    if not request.parameter("X-Amz-Date").startswith(proof.scope[0]):
        raise S3Error(
            "AuthorizationQueryParametersError", "The credential's date is not that of the request."
        )
    now = clock.now()
    if sent > now + SKEW:
        raise S3Error("AccessDenied", "Request is not yet valid")
    _require_not_expired(sent + datetime.timedelta(seconds=seconds))
    _require_signed(request, proof)
    proof = dataclasses.replace(proof, moment=request.parameter("X-Amz-Date"))
    signer = signer_of(find, proof.access)
    payload_hash = (
        request.parameter("X-Amz-Content-Sha256") or request.header("x-amz-content-sha256") or UNSIGNED
    )
    _compare(signing.signature_4(signer.secret, request, proof, payload_hash), proof)
    return Caller(_context(signer), payload_hash)


def _header_2(request: S3Request, header: str, find: FindSigner) -> Caller:
    access, colon, signature = header.removeprefix("AWS ").rpartition(":")
    if not colon or not access:
        raise S3Error(
            "InvalidArgument", "AWS authorization header is invalid: expected AwsAccessKeyId:signature"
        )
    amazon_date = request.header("x-amz-date")
    sent = http_date(amazon_date or request.header("date")) or _moment(amazon_date)
    if sent is None:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
    _require_now(sent)
    signer = signer_of(find, access.strip())
    texts = signing.texts_2(request, "" if amazon_date else request.header("date"))
    _compare_2(signer, Proof("2", access, signature), texts)
    return Caller(_context(signer), request.header("x-amz-content-sha256"))


def _query_2(request: S3Request, find: FindSigner) -> Caller:
    expires = request.parameter("Expires")
    seconds = _seconds(expires)
    if seconds is None:
        raise S3Error("AccessDenied", "Invalid date (should be seconds since epoch)")
    access = request.parameter("AWSAccessKeyId")
    signer = signer_of(find, access)
    _require_not_expired(datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None))
    proof = Proof("2", access, request.parameter("Signature"))
    _compare_2(signer, proof, signing.texts_2(request, expires))
    return Caller(_context(signer))


def _compare(expected: str, proof: Proof) -> None:
    if not signing.same(expected, proof.signature):
        raise S3Error("SignatureDoesNotMatch", AWSAccessKeyId=proof.access, SignatureProvided=proof.signature)


def _compare_2(signer: Signer, proof: Proof, texts: list[str]) -> None:
    if not any(signing.same(signing.signature_2(signer.secret, text), proof.signature) for text in texts):
        raise S3Error(
            "SignatureDoesNotMatch",
            AWSAccessKeyId=proof.access,
            SignatureProvided=proof.signature,
            StringToSign=texts[0],
        )


def _context(signer: Signer) -> RequestContext:
    return signer.info.context("")


def _require_signed(request: S3Request, proof: Proof) -> None:
    """Raise S3Error unless the host and every header of Amazon's is signed."""
    missing = [
        name
        for name in request.headers
        if (name == "host" or name.startswith("x-amz-"))
        and name not in proof.signed_headers
        and name not in request.from_query
    ]
    if missing:
        raise S3Error(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(sorted(missing)),
        )


def _require_now(sent: datetime.datetime) -> None:
    now = clock.now()
    if abs(now - sent) > SKEW:
        raise S3Error(
            "RequestTimeTooSkewed",
            RequestTime=sent.strftime(_COMPACT),
            ServerTime=clock.iso8601(now),
            MaxAllowedSkewMilliseconds=str(int(SKEW.total_seconds() * 1000)),
        )


def _require_not_expired(until: datetime.datetime) -> None:
    now = clock.now()
    if now > until:
        raise S3Error(
            "AccessDenied", "Request has expired", Expires=clock.iso8601(until), ServerTime=clock.iso8601(now)
        )


def _seconds(text: str) -> int | None:
    """Return a number of seconds that can be reckoned with as a moment, too; None for what is none."""
    return natural(text) if len(text) < 12 else None


def _moment(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, _COMPACT)
    except ValueError:
        return None
