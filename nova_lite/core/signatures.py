"""Signatures of requests as Amazon's clients make them: versions 0, 1, 2 and 4.

Nothing here knows HTTP or who has which secret: a front door reads what was signed, and asks whether a secret
signed it.
"""

import base64
import dataclasses
import datetime
import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping, Sequence

ALGORITHM = "AWS4-HMAC-SHA256"

Pairs = Sequence[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """What a request says of its signature.

    ``moment`` is when it was signed and ``expires`` how long it holds, both as they were sent, empty where they
    were not. ``scope`` (date, region, service) and ``signed_headers`` are version 4's.
    """

    version: str
    access: str
    signature: str
    moment: str = ""
    expires: str = ""
    method: str = ""
    scope: tuple[str, str, str] = ("", "", "")
    signed_headers: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class SignedRequest:
    """What is signed of a request. Header names are in lower case, ``path`` is decoded.

    ``query`` is the query string's part that is signed, ``params`` all parameters wherever they were sent: both
    without the signature itself.
    """

    verb: str
    host: str
    path: str
    query: Pairs
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body_hash: str


@dataclasses.dataclass(frozen=True, slots=True)
class Validity:
    """When a request was signed, and how long or until when its signer lets it hold; None where it does not say."""

    signed: datetime.datetime | None = None
    life: datetime.timedelta | None = None
    until: datetime.datetime | None = None

    def covers(self, now: datetime.datetime, slack: datetime.timedelta) -> bool:
        """Tell whether the signature holds now, where clocks may differ by ``slack`` and one without end holds as long.

        One that says nothing does not.
        """
        if self.signed is not None and self.signed > now + slack:
            return False
        if self.until is not None:
            return now <= self.until
        return self.signed is not None and now <= self.signed + (self.life or slack)


def authorization(text: str) -> Proof | None:
    """Read an ``Authorization`` header of version 4, with or without blanks; None for anything else."""
    algorithm, _, rest = text.strip().partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm != ALGORITHM:
        return None
    return version_4(parts.get("Credential", ""), parts.get("SignedHeaders", ""), parts.get("Signature", ""))


def version_4(credential: str, signed_headers: str, signature: str) -> Proof | None:
    """Return the proof of version 4 with this credential (access key, date, region, service); None for a bad one."""
    # An access key may hold a project's name, and that a slash.
    access, *scope = credential.rsplit("/", 4)
    if len(scope) != 4 or scope[3] != "aws4_request" or not (access and signature and signed_headers):
        return None
    headers = tuple(signed_headers.lower().split(";"))
    return Proof("4", access, signature, scope=(scope[0], scope[1], scope[2]), signed_headers=headers)


def signs(secret: str, proof: Proof, request: SignedRequest) -> bool:
    """Tell whether ``secret`` signed the request; False too for a version or method that there is not."""
    if proof.version == "4":
        candidates = [_signature_4(secret, proof, request)]
    elif proof.version == "2":
        # Clients of old sign the host without its port.
        hosts = dict.fromkeys((request.host, request.host.rpartition(":")[0] or request.host))
        candidates = [_signature_2(secret, proof.method, request, host) for host in hosts]
    elif proof.version in ("0", "1"):
        candidates = [_signature_old(secret, proof.version, request.params)]
    else:
        return False
    given = proof.signature.encode()
    return any(hmac.compare_digest(candidate.encode(), given) for candidate in candidates)


def signing_key(secret: str, scope: tuple[str, str, str]) -> bytes:
    """Return the key that version 4 derives for a scope (date, region, service)."""
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign_4(secret: str, scope: tuple[str, str, str], text: str) -> str:
    """Return version 4's signature of a text to sign."""
    return hmac.digest(signing_key(secret, scope), text.encode(), "sha256").hex()


def quote(text: str, safe: str = "") -> str:
    """Encode as version 2 and 4 want it (RFC 3986, section 2.3)."""
    return urllib.parse.quote(text, safe=f"-_.~{safe}")


def canonical_query(pairs: Pairs) -> str:
    """Return a query string encoded and in the order in which it is signed."""
    encoded = sorted((quote(name), quote(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _signature_4(secret: str, proof: Proof, request: SignedRequest) -> str:
    lines = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in proof.signed_headers]
    canonical = "\n".join(
        (
            request.verb,
            quote(request.path, "/"),
            canonical_query(request.query),
            *lines,
            "",
            ";".join(proof.signed_headers),
            request.body_hash,
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join((ALGORITHM, proof.moment, "/".join((*proof.scope, "aws4_request")), digest))
    return sign_4(secret, proof.scope, text)


def _signature_2(secret: str, method: str, request: SignedRequest, host: str) -> str:
    query = canonical_query(list(request.params.items()))
    text = "\n".join((request.verb, host.lower(), request.path or "/", query))
    digest = {"HmacSHA256": "sha256", "HmacSHA1": "sha1"}.get(method)
    return _base64_hmac(secret, text, digest) if digest else ""


def _signature_old(secret: str, version: str, params: Mapping[str, str]) -> str:
    if version == "0":
        text = params.get("Action", "") + params.get("Timestamp", "")
    else:
        text = "".join(name + params[name] for name in sorted(params, key=str.lower))
    return _base64_hmac(secret, text, "sha1")


def _base64_hmac(secret: str, text: str, digest: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), digest)).decode()
