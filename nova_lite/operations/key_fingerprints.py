"""Fingerprints of keys as Amazon computes them, which are others than ssh-keygen's.

Of an RSA key that was made there: SHA-1 of the private key (DER, PKCS #8). Of one that was imported: MD5 of the
public key (DER). Of an Ed25519 key always: SHA-256 of the public key as OpenSSH has it, in Base64.
"""

import base64
import hashlib
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

SSH, X509 = "ssh", "x509"
RSA, ED25519 = "rsa", "ed25519"

_PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


def algorithm(public_key: str, kind: str) -> str:
    """Return the name of a key's algorithm."""
    if kind == X509:
        return RSA
    word = public_key.split(" ", 1)[0].removeprefix("ssh-")
    return word if word in (RSA, ED25519) else word.partition("-")[0]


def check_importable(public_key: str) -> None:
    """Raise ValueError for what is no RSA or Ed25519 key of OpenSSH."""
    try:
        known = isinstance(_loaded(public_key), _PublicKey)
    except UnsupportedAlgorithm:
        known = False
    if not known:
        raise ValueError("The key is neither RSA nor Ed25519.")


def of_public_key(public_key: str, kind: str) -> str | None:
    """Return the fingerprint of a public key that was imported, None for a kind that Amazon does not know."""
    try:
        return _of_public_key(public_key, kind)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _of_public_key(public_key: str, kind: str) -> str:
    key: Any = (
        x509.load_pem_x509_certificate(public_key.encode()).public_key()
        if kind == X509
        else _loaded(public_key)
    )
    if isinstance(key, ed25519.Ed25519PublicKey):
        return _of_openssh(key)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _pairs(hashlib.md5(der, usedforsecurity=False).digest())


def of_private_key(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """Return the fingerprint of a key that was made here."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _of_openssh(key.public_key())
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _pairs(hashlib.sha1(der, usedforsecurity=False).digest())


def _of_openssh(key: ed25519.Ed25519PublicKey) -> str:
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64encode(hashlib.sha256(base64.b64decode(line.split()[1])).digest()).decode()


def _loaded(public_key: str) -> Any:
    return serialization.load_ssh_public_key(" ".join(public_key.split()[:2]).encode())


def _pairs(digest: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in digest)
