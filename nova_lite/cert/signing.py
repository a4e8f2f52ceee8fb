"""Signatures of users, whose keys are known from the certificates that were issued to them."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

_SHA1_BYTES = 20


def public_key_of(certificate: str) -> str:
    """Return the public key (PEM) of a certificate (PEM)."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def signs(public_key: str, sha1: bytes, signature: bytes) -> bool:
    """Tell whether a signature (RSA, PKCS #1 version 1.5) of what has a SHA-1 was made with the other half of a key."""
    key = serialization.load_pem_public_key(public_key.encode())
    if not isinstance(key, rsa.RSAPublicKey) or len(sha1) != _SHA1_BYTES:
        return False
    try:
        # The tools of bundles sign so, and nothing else.
        key.verify(signature, sha1, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))
    except InvalidSignature:
        return False
    return True
