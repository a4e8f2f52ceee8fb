"""Tokens for who signs requests as Amazon's clients do: other services ask here whose a signature is."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

from keystoneclient.contrib.ec2 import utils

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.tokens import issued
from nova_lite.core.errors import InvalidInput

_V4 = "AWS4-HMAC-SHA256"


def ec2_tokens(call: Call) -> Reply:
    """Issue a token to whoever signed a request of the EC2 API (signature versions 0, 1, 2 and 4)."""
    credentials = call.body.get("credentials") or call.body["ec2Credentials"]

    def is_signed_with(secret: str) -> bool:
        given = str(credentials["signature"])
        try:
            expected = utils.Ec2Signer(secret).generate(_plain(credentials))
        # Of a signature version that it does not know, the library says so by a plain Exception.
        except Exception as error:
            raise InvalidInput("The signed request cannot be read: something of it is missing.") from error
        return hmac.compare_digest(expected.encode(), given.encode())

    return _issue(call, credentials["access"], is_signed_with)


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

    return _issue(call, credentials["access"], is_signed_with)


def _issue(call: Call, access: str, is_signed_with: Callable[[str], bool]) -> Reply:
    return issued(call, call.cloud.identity.authenticate_signature(access, is_signed_with))


def _plain(credentials: Json) -> Json:
    """Return what is signed, the port that clients leave out left out of the host."""
    known = {"access", "host", "verb", "path", "params", "headers", "body_hash", "signature"}
    plain = {name: value for name, value in credentials.items() if name in known}
    return {"params": {}, "headers": {}, "body_hash": ""} | plain


def _s3_signature(signed: bytes, secret: str) -> str:
    """Sign as S3 does: by HMAC-SHA1, or by version 4 where the text to sign says so."""
    lines = signed.decode("utf-8", "replace").split("\n")
    if lines[0] != _V4:
        return base64.b64encode(hmac.digest(secret.encode(), signed, "sha1")).decode()
    scope = lines[2].split("/") if len(lines) > 2 else []
    if len(scope) != 4:
        raise InvalidInput("The signed text has no credential scope.")
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
