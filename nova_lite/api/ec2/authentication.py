"""Finding out who sends a request: its signature, of version 4 or 2, by header or by query, and when it was made."""

import dataclasses
import datetime
import hashlib
import urllib.parse

import webob

from nova_lite.api.app import CLOUD
from nova_lite.api.call import CONF
from nova_lite.api.ec2.errors import Ec2Error, invalid, missing
from nova_lite.api.ec2.lockout import Lockout
from nova_lite.api.metadata import callers
from nova_lite.api.middleware.faults import REQUEST_ID
from nova_lite.core import clock, signatures
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Unauthenticated
from nova_lite.core.signatures import ALGORITHM, Pairs, Proof, SignedRequest, Validity
from nova_lite.core.signer import Signer

_LONGEST_LIFE = 7 * 24 * 3600
"""Seconds that a presigned request may hold at most."""
_MOST_PARAMETERS = 10_000
_BASIC = "%Y%m%dT%H%M%SZ"


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A request taken apart: all its parameters in the order in which they came, and those of the query string."""

    parameters: Pairs
    query: Pairs
    body: bytes

    def first(self, name: str) -> str:
        """Return a parameter's value, empty where it was not sent."""
        return next((value for key, value in self.parameters if key == name), "")


def read(request: webob.Request) -> Request:
    """Read a request's parameters, of the query string and of the body; raises Ec2Error."""
    if request.method not in ("GET", "POST"):
        raise Ec2Error("InvalidRequest", f"The method {request.method} is not allowed.")
    body: bytes = request.body if request.method == "POST" else b""
    query = _pairs(request.query_string)
    try:
        sent = _pairs(body.decode("ascii"))
    except UnicodeDecodeError as error:
        raise _malformed() from error
    return Request([*query, *sent], query, body)


def authenticate(request: webob.Request, sent: Request, lockout: Lockout) -> RequestContext:
    """Return the context of the request's sender, in which it is no admin: everybody sees its own project.

    Raises Ec2Error.
    """
    proof = _proof(request, sent)
    conf = request.environ[CONF]
    if proof.version not in conf.ec2_signature_versions:
        raise Ec2Error("InvalidRequest", f"The signature version {proof.version[:20]} is not supported.")
    _check_time(proof, conf.ec2_timestamp_expiry)
    access, _, project = proof.access.partition(":")
    address = callers.address_of(request)
    if lockout.is_locked(access, address):
        raise Ec2Error("UnauthorizedOperation", "Too many failed authentications.")
    try:
        signer: Signer = request.environ[CLOUD].identity.signer(access, project)
        _check_signature(request, sent, proof, signer)
    except (Unauthenticated, Ec2Error) as error:
        lockout.count_failure(access, address)
        if isinstance(error, Ec2Error):
            raise
        raise Ec2Error(
            "AuthFailure", "The access key that signed the request is not known, or may do nothing here."
        ) from error
    context = signer.info.context(request.environ[REQUEST_ID], address)
    return dataclasses.replace(context, is_admin=False)


def _check_signature(request: webob.Request, sent: Request, proof: Proof, signer: Signer) -> None:
    signature = "X-Amz-Signature" if proof.version == "4" else "Signature"
    signed = SignedRequest(
        verb=request.method,
        host=request.headers.get("Host", ""),
        path=request.path_info,
        query=[pair for pair in sent.query if pair[0] != signature],
        params={name: value for name, value in sent.parameters if name != signature},
        headers={name.lower(): value for name, value in request.headers.items()},
        body_hash=hashlib.sha256(sent.body).hexdigest(),
    )
    if not signatures.signs(signer.secret, proof, signed):
        raise Ec2Error(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your secret "
            "key and signing method.",
        )


def _proof(request: webob.Request, sent: Request) -> Proof:
    """Return what the request says of its signature; raises Ec2Error."""
    header = request.headers.get("Authorization", "")
    if header:
        found = signatures.authorization(header)
        moment = request.headers.get("X-Amz-Date", "")
    elif sent.first("X-Amz-Algorithm") == ALGORITHM:
        found = signatures.version_4(
            sent.first("X-Amz-Credential"), sent.first("X-Amz-SignedHeaders"), sent.first("X-Amz-Signature")
        )
        moment = sent.first("X-Amz-Date")
    elif sent.first("AWSAccessKeyId"):
        return _old_proof(sent)
    else:
        raise Ec2Error("MissingAuthenticationToken", "The request has no signature.")
    if found is None or "host" not in found.signed_headers:
        raise Ec2Error("IncompleteSignature", "The request's signature cannot be read.")
    if not moment:
        raise Ec2Error(
            "MissingAuthenticationToken", "The request does not say when it was signed: X-Amz-Date."
        )
    if not moment.startswith(found.scope[0]):
        raise Ec2Error(
            "SignatureDoesNotMatch", "The date of the credential's scope is not that of the request."
        )
    expires = "" if header else sent.first("X-Amz-Expires")
    if not header and not expires:
        raise missing("X-Amz-Expires")
    return dataclasses.replace(found, moment=moment, expires=expires)


def _old_proof(sent: Request) -> Proof:
    """Return the proof of versions 0 to 2, which sign one value of each parameter: there must be no other."""
    names = [name for name, _ in sent.parameters]
    if len(names) > len(set(names)):
        raise Ec2Error("InvalidParameterCombination", "A parameter is there twice.")
    if not sent.first("Signature"):
        raise Ec2Error("MissingAuthenticationToken", "The request has no signature.")
    moment, expires = sent.first("Timestamp"), sent.first("Expires")
    if not (moment or expires):
        raise missing("Timestamp")
    if moment and expires:
        raise Ec2Error("InvalidParameterCombination", "Timestamp and Expires exclude each other.")
    version = sent.first("SignatureVersion") or "1"
    method = sent.first("SignatureMethod")
    if version == "2" and method not in ("HmacSHA256", "HmacSHA1"):
        raise invalid("SignatureMethod", method) if method else missing("SignatureMethod")
    return Proof(version, sent.first("AWSAccessKeyId"), sent.first("Signature"), moment, expires, method)


def _check_time(proof: Proof, window: int) -> None:
    """Raise Ec2Error for what was signed too long ago, or is signed for a time to come."""
    if proof.version != "4" and proof.expires:
        validity = Validity(until=_moment("Expires", proof.expires))
    else:
        signed = _moment("X-Amz-Date" if proof.version == "4" else "Timestamp", proof.moment)
        life = datetime.timedelta(seconds=_life(proof.expires)) if proof.expires else None
        validity = Validity(signed, life)
    if not validity.covers(clock.now(), datetime.timedelta(seconds=window)):
        raise Ec2Error("RequestExpired", "Request has expired.")


def _life(expires: str) -> int:
    digits = expires.isascii() and expires.isdigit() and len(expires) < 10
    if not (digits and 1 <= int(expires) <= _LONGEST_LIFE):
        raise invalid("X-Amz-Expires", expires, f"It must be from 1 to {_LONGEST_LIFE}.")
    return int(expires)


def _moment(name: str, text: str) -> datetime.datetime:
    try:
        if name == "X-Amz-Date":
            return datetime.datetime.strptime(text, _BASIC)
        moment = datetime.datetime.fromisoformat(text)
        return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise invalid(name, text, "It must be a date and time of ISO 8601.") from error


def _pairs(text: str) -> Pairs:
    try:
        return urllib.parse.parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise _malformed() from error


def _malformed() -> Ec2Error:
    return Ec2Error("MalformedQueryString", "The request's parameters are not a query string of UTF-8 text.")
