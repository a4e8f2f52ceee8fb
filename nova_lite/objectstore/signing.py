"""What S3's clients sign: of version 4 in the header, in the query and in the parts of a body; of version 2."""

import base64
import dataclasses
import hashlib
import hmac
import urllib.parse

from nova_lite.core import signatures
from nova_lite.core.signatures import ALGORITHM, Proof
from nova_lite.objectstore.request import S3Request

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

_SUBRESOURCES = frozenset(
    {
        "accelerate", "acl", "analytics", "cors", "delete", "encryption", "inventory", "lifecycle", "location",
        "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "policyStatus",
        "publicAccessBlock", "ownershipControls", "replication", "requestPayment", "response-cache-control",
        "response-content-disposition", "response-content-encoding", "response-content-language",
        "response-content-type", "response-expires", "restore", "retention", "legal-hold", "select",
        "select-type", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions",
        "website",
    }
)  # fmt: skip
"""The query parameters that version 2 signs."""


@dataclasses.dataclass(frozen=True, slots=True)
class ChunkSigner:
    """Checks the signatures inside a body, each of which is over the one before it."""

    key: bytes
    moment: str
    scope: str
    seed: str

    def of_chunk(self, previous: str, digest: str) -> str:
        """Return the signature of a chunk whose SHA-256 is ``digest``."""
        return self._sign("AWS4-HMAC-SHA256-PAYLOAD", previous, f"{EMPTY_SHA256}\n{digest}")

    def of_trailer(self, previous: str, digest: str) -> str:
        """Return the signature of the trailer whose lines have the SHA-256 ``digest``."""
        return self._sign("AWS4-HMAC-SHA256-TRAILER", previous, digest)

    def _sign(self, what: str, previous: str, rest: str) -> str:
        text = "\n".join((what, self.moment, self.scope, previous, rest))
        return hmac.digest(self.key, text.encode(), "sha256").hex()


def signature_4(secret: str, request: S3Request, proof: Proof, payload_hash: str) -> str:
    """Return version 4's signature: the path is encoded once and nothing of it is normalised."""
    path = signatures.quote(urllib.parse.unquote(request.path), "/")
    query = [(name, value) for name, value in request.query if name != "X-Amz-Signature"]
    lines = [f"{name}:{' '.join(request.header(name).split())}" for name in proof.signed_headers]
    canonical = "\n".join(
        (
            request.method,
            path,
            signatures.canonical_query(query),
            *lines,
            "",
            ";".join(proof.signed_headers),
            payload_hash,
        )
    )
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    text = "\n".join((ALGORITHM, proof.moment, scope_text(proof), digest))
    return signatures.sign_4(secret, proof.scope, text)


def scope_text(proof: Proof) -> str:
    """Return the scope of version 4 as it is signed."""
    return "/".join((*proof.scope, "aws4_request"))


def texts_2(request: S3Request, date: str) -> list[str]:
    """Return what version 2 may sign; ``date`` is the Date header, or the moment at which a link expires.

    A bucket itself is signed by some clients with a slash after it that they do not send.
    """
    amazon = [
        f"{name}:{' '.join(value.split())}\n"
        for name, value in sorted(request.headers.items())
        if name.startswith("x-amz-")
    ]
    parameters = sorted(
        f"{name}={value}" if value else name for name, value in request.query if name in _SUBRESOURCES
    )
    first = [request.method, request.header("content-md5"), request.header("content-type"), date]
    query = "?" + "&".join(parameters) if parameters else ""
    resources = [request.resource]
    if request.bucket and not request.key:
        resources = [request.resource.rstrip("/") + ending for ending in ("", "/")]
    return ["".join((*(f"{line}\n" for line in first), *amazon, one, query)) for one in resources]


def signature_2(secret: str, text: str) -> str:
    """Return version 2's signature of a text."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def same(one: str, other: str) -> bool:
    """Compare signatures in a time that tells nothing of them."""
    return hmac.compare_digest(one.encode(), other.encode())
