"""Key pairs: import, generate, list, delete."""

import dataclasses
import re
import secrets

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import NameOID
from sqlalchemy.orm import Session

from nova_lite import concurrency
from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound, OverQuota
from nova_lite.core.key_pair import KeyPair
from nova_lite.core.quota import Limits
from nova_lite.db import key_pairs, quotas, resource_tags
from nova_lite.db.engine import Database
from nova_lite.operations.key_fingerprints import ED25519, RSA, SSH, X509, of_private_key

KINDS = (SSH, X509)

_NAME = re.compile(r"[\w .@()\[\]:/+-]{1,255}", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Created:
    """A new key pair, with the private key where we made it; that is kept nowhere."""

    pair: KeyPair
    private_key: str = dataclasses.field(default="", repr=False)


class KeyPairs:
    """The operations on key pairs; each belongs to a user."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def create(
        self,
        context: RequestContext,
        name: str,
        *,
        public_key: str = "",
        kind: str = SSH,
        algorithm: str = ED25519,
        user_id: str = "",
        for_ec2: bool = False,
    ) -> Created:
        """Keep a public key, or make a pair where none is given.

        One that is made ``for_ec2`` has the private key in the form and with the fingerprint of Amazon's.

        Raises InvalidInput for a bad name or key, OverQuota, Conflict for a name in use.
        """
        if not _NAME.fullmatch(name) or name != name.strip():
            raise InvalidInput("Keypair name contains unsafe characters.")
        private_key = private_fingerprint = ""
        if not public_key and for_ec2:
            private_key, public_key, private_fingerprint = concurrency.blocking(_generate_for_ec2, algorithm)
        elif not public_key:
            private_key, public_key = concurrency.blocking(_generate, kind, name)
        pair = KeyPair(
            id=0,
            user_id=user_id or context.user_id,
            name=name,
            kind=kind,
            public_key=public_key,
            fingerprint=fingerprint(public_key, kind),
            created_at=clock.now(),
            private_fingerprint=private_fingerprint,
        )

        def work(session: Session) -> KeyPair:
            self._check_quota(session, context, pair.user_id)
            return key_pairs.insert(session, pair)

        def landed(session: Session) -> KeyPair | None:
            found = key_pairs.get(session, pair.user_id, name)
            return found if found is not None and found.fingerprint == pair.fingerprint else None

        return Created(self._database.run("key_pair.create", work, landed=landed), private_key)

    def get(self, context: RequestContext, name: str, user_id: str = "") -> KeyPair:
        """Return a key pair; raises NotFound."""
        owner = user_id or context.user_id
        found = self._database.read("key_pair.get", lambda session: key_pairs.get(session, owner, name))
        if found is None:
            raise NotFound(f"Keypair {name} not found for user {owner}")
        return found

    def listing(
        self, context: RequestContext, *, user_id: str = "", marker: str = "", limit: int = 1000
    ) -> list[KeyPair]:
        """Return a user's key pairs by name; raises InvalidInput for an unknown marker."""
        owner = user_id or context.user_id

        def work(session: Session) -> list[KeyPair]:
            if marker and key_pairs.get(session, owner, marker) is None:
                raise InvalidInput(f"The marker {marker} could not be found.")
            return key_pairs.listing(session, owner, marker=marker, limit=limit)

        return self._database.read("key_pair.list", work)

    def delete(self, context: RequestContext, name: str, user_id: str = "") -> None:
        """Remove a key pair; raises NotFound."""
        owner = user_id or context.user_id

        def work(session: Session) -> bool:
            pair = key_pairs.get(session, owner, name)
            if pair is not None:
                resource_tags.forget(session, pair.uuid)
            return key_pairs.delete(session, owner, name)

        if not self._database.run("key_pair.delete", work):
            raise NotFound(f"Keypair {name} not found for user {owner}")

    def _check_quota(self, session: Session, context: RequestContext, user_id: str) -> None:
        quotas.lock(session, context.project_id)
        limits = quotas.effective(session, context.project_id, self._limits)
        if limits["key_pairs"] >= 0 and key_pairs.count(session, user_id) >= limits["key_pairs"]:
            raise OverQuota("Quota exceeded, too many key pairs.")


def fingerprint(public_key: str, kind: str) -> str:
    """Return the MD5 of an SSH key's blob, or the SHA-1 of a certificate, as pairs of hex digits with colons.

    Raises InvalidInput for what is not a public key.
    """
    try:
        if kind == X509:
            certificate = x509.load_pem_x509_certificate(public_key.encode())
            digest = certificate.fingerprint(hashes.SHA1())
        else:
            key = serialization.load_ssh_public_identity(" ".join(public_key.split()[:2]).encode())
            if isinstance(key, serialization.SSHCertificate):
                raise ValueError("a certificate is not a key")
            digest = serialization.ssh_key_fingerprint(key, hashes.MD5())
    except (ValueError, UnsupportedAlgorithm, IndexError) as error:
        raise InvalidInput("Keypair data is invalid: failed to generate fingerprint") from error
    return ":".join(f"{byte:02x}" for byte in digest)


def _generate(kind: str, name: str) -> tuple[str, str]:
    """Return a new private key (PEM) and its public half: an OpenSSH line, or a certificate for x509."""
    if kind == X509:
        return _generate_certificate(name)
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()} Generated-by-Nova"


def _generate_for_ec2(algorithm: str) -> tuple[str, str, str]:
    """Return a new private key (PEM), its public half (OpenSSH) and its fingerprint."""
    if algorithm == RSA:
        key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = rsa.generate_private_key(65537, 2048)
        form = serialization.PrivateFormat.TraditionalOpenSSL
    else:
        key, form = ed25519.Ed25519PrivateKey.generate(), serialization.PrivateFormat.OpenSSH
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode(), of_private_key(key)


def _generate_certificate(name: str) -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(secrets.randbits(128) + 1)
        .not_valid_before(now)
        .not_valid_after(now.replace(year=now.year + 10, day=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
