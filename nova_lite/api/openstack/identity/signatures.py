"""Tokens for who signs requests as Amazon's clients do: other services ask here whose a signature is."""

import base64
import binascii
import dataclasses
import datetime
import email.utils
import hmac
from collections.abc import Callable

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.tokens import issued
from nova_lite.core import signatures
from nova_lite.core.errors import InvalidInput
from nova_lite.core.signatures import ALGORITHM, Proof, SignedRequest, Validity

_BASIC = "%Y%m%dT%H%M%SZ"
_LONGEST_LIFE = 7 * 24 * 3600
"""Seconds for which a request of version 4 may be signed ahead."""


def ec2_tokens(call: Call) -> Reply:
    """Issue a token to whoever signed a request of the EC2 API (signature versions 0, 1, 2 and 4)."""
    credentials = call.body.get("credentials") or call.body["ec2Credentials"]

    request = _request(credentials)
    proof = _proof(credentials, request)
    return _issue(
        call, credentials["access"], _validity(proof), lambda secret: signatures.signs(secret, proof, request)
    )


def s3_tokens(call: Call) -> Reply:
    """Issue a token to whoever signed a request of the S3 API; ``token`` is what was signed, in base64."""
    credentials = call.body["credentials"]
    try:
        signed = base64.urlsafe_b64decode(credentials["token"])
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The signed text is not base64.") from error

    def is_signed_with(secret: str) -> bool:
        expected = _s3_signature(signed, secret)
        return hmac.compare_digest(expected.encode(), str(credentials["signature"]).encode())

    return _issue(call, credentials["access"], _s3_validity(signed), is_signed_with)


def _issue(call: Call, access: str, validity: Validity, is_signed_with: Callable[[str], bool]) -> Reply:
    return issued(call, call.cloud.identity.authenticate_signature(access, validity, is_signed_with))


def _request(credentials: Json) -> SignedRequest:
    params = {str(name): str(value) for name, value in (credentials.get("params") or {}).items()}
    params.pop("Signature", None)
    verb = str(credentials.get("verb", ""))
    return SignedRequest(
        verb=verb,
        host=str(credentials.get("host", "")),
        path=str(credentials.get("path", "")),
        # What is sent in a body is signed by the body's hash.
        query=() if verb.upper() == "POST" else tuple(params.items()),
        params=params,
        headers={str(name).lower(): str(value) for name, value in (credentials.get("headers") or {}).items()},
        body_hash=str(credentials.get("body_hash", "")),
    )


def _proof(credentials: Json, request: SignedRequest) -> Proof:
    """Return what is said of the signature; raises InvalidInput where that is not enough."""
    given, params = str(credentials["signature"]), request.params
    if version := params.get("SignatureVersion", ""):
        method = params.get("SignatureMethod", "HmacSHA256")
        moment, expires = params.get("Timestamp", ""), params.get("Expires", "")
        return Proof(version, "", given, moment, expires, method)
    by_header = signatures.authorization(request.headers.get("authorization", ""))
    found = by_header or signatures.version_4(
        params.get("X-Amz-Credential", ""), params.get("X-Amz-SignedHeaders", ""), given
    )
    moment = request.headers.get("x-amz-date") or params.get("X-Amz-Date", "")
    if found is None or not moment.startswith(found.scope[0]):
        raise InvalidInput("The signed request cannot be read: something of it is missing.")
    expires = "" if by_header else params.get("X-Amz-Expires", "")
    return dataclasses.replace(found, signature=given, moment=moment, expires=expires)


def _validity(proof: Proof) -> Validity:
    """Return for how long a signature holds; raises InvalidInput for what is no date."""
    if proof.version != "4":
        signed, until = (_moment(text) if text else None for text in (proof.moment, proof.expires))
        return Validity(signed, until=until)
    signed = _moment(proof.moment, _BASIC)
    if not proof.expires:
        return Validity(signed)
    digits = proof.expires.isascii() and proof.expires.isdigit() and len(proof.expires) < 10
    if not (digits and int(proof.expires) <= _LONGEST_LIFE):
        raise InvalidInput(f"X-Amz-Expires must be a number up to {_LONGEST_LIFE}.")
    return Validity(signed, datetime.timedelta(seconds=int(proof.expires)))


def _moment(text: str, form: str = "") -> datetime.datetime:
    try:
        moment = datetime.datetime.strptime(text, form) if form else datetime.datetime.fromisoformat(text)
        return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"The signed request has a date that is none: {text[:40]}.") from error


def _s3_validity(signed: bytes) -> Validity:
    """Return for how long the signature of a text of S3's holds; raises InvalidInput for what is no date.

    The text of version 4 is the same for a request that was signed ahead, for at most a week, and says not for
    how long: that the service knows that asks.
    """
    lines = signed.decode("utf-8", "replace").split("\n")
    if lines[0] == ALGORITHM:
        moment = _moment(lines[1] if len(lines) > 1 else "", _BASIC)
        return Validity(moment, datetime.timedelta(seconds=_LONGEST_LIFE))
    date = lines[3].strip() if len(lines) > 3 else ""
    if date.isascii() and date.isdigit() and len(date) < 12:
        return Validity(until=datetime.datetime.fromtimestamp(int(date), datetime.UTC).replace(tzinfo=None))
    amazon = next((line.partition(":")[2] for line in lines[4:] if line.startswith("x-amz-date:")), "")
    given = amazon.strip() or date
    if not given:
        return Validity()
    try:
        return Validity(email.utils.parsedate_to_datetime(given).astimezone(datetime.UTC).replace(tzinfo=None))
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"The signed text has a date that is none: {given[:40]}.") from error


def _s3_signature(signed: bytes, secret: str) -> str:
    """Sign as S3 does: by HMAC-SHA1, or by version 4 where the text to sign says so."""
    lines = signed.decode("utf-8", "replace").split("\n")
    if lines[0] != ALGORITHM:
        return base64.b64encode(hmac.digest(secret.encode(), signed, "sha1")).decode()
    scope = lines[2].split("/") if len(lines) > 2 else []
    if len(scope) != 4:
        raise InvalidInput("The signed text has no credential scope.")
    key = signatures.signing_key(secret, (scope[0], scope[1], scope[2]))
    return hmac.digest(key, signed, "sha256").hex()
