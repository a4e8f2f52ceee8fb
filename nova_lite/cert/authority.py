"""Certificate authorities in a folder: the root, and where it is wanted one a project that the root signed.

Each is a folder with ``cacert.pem``, ``private/cakey.pem`` and, for operators' programs, ``crl.pem``.
"""

import contextlib
import datetime
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from nova_lite.core import clock
from nova_lite.core.certificate import CertificateRecord, IssuedCertificate
from nova_lite.core.errors import ConfigurationError, DriverError, InvalidInput

_KEY_BITS = 2048
_AUTHORITY_DAYS = 3650
_ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME, "ST": NameOID.STATE_OR_PROVINCE_NAME, "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "CN": NameOID.COMMON_NAME,
}  # fmt: skip
_SLACK = datetime.timedelta(minutes=5)


def parse_subject(text: str) -> x509.Name:
    """Return a name written as ``/C=US/O=OpenStack/CN=cloud``; raises ConfigurationError for another."""
    try:
        pairs = [part.split("=", 1) for part in text.strip("/").split("/")]
        return x509.Name([x509.NameAttribute(_ATTRIBUTES[name], value) for name, value in pairs])
    except (KeyError, ValueError) as error:
        raise ConfigurationError(f"The name {text} of a certificate's subject cannot be used.") from error


class Authority:
    """One authority: its key signs, and reads what was encrypted for it."""

    def __init__(self, folder: Path, parent: "Authority | None" = None) -> None:
        self._folder = folder
        self._parent = parent

    @property
    def _key_file(self) -> Path:
        return self._folder / "private" / "cakey.pem"

    @property
    def _certificate_file(self) -> Path:
        return self._folder / "cacert.pem"

    @property
    def exists(self) -> bool:
        """Whether the authority was made."""
        return self._certificate_file.exists()

    def make(self, subject: x509.Name) -> None:
        """Make key and certificate where they are missing; raises OSError."""
        self._key_file.parent.mkdir(parents=True, exist_ok=True)
        self._key_file.parent.chmod(0o700)
        with _alone(self._folder / "lock"):
            if self.exists:
                return
            key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
            signer = key if self._parent is None else self._parent.key()
            issuer = subject if self._parent is None else self._parent.certificate().subject
            builder = _builder(subject, issuer, key.public_key(), _AUTHORITY_DAYS)
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            builder = builder.add_extension(_usage(authority=True), critical=True)
            _write(self._key_file, _pem_of_key(key), 0o600)
            # The certificate comes last: with it the authority is there.
            _write(self._certificate_file, _pem(builder.sign(signer, hashes.SHA256())), 0o644)

    def key(self) -> rsa.RSAPrivateKey:
        """Return the private key; raises DriverError."""
        with _reading(self._key_file):
            key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise DriverError(f"The key {self._key_file} is not an RSA key.")
        return key

    def certificate(self) -> x509.Certificate:
        """Return the certificate; raises DriverError."""
        with _reading(self._certificate_file):
            return x509.load_pem_x509_certificate(self._certificate_file.read_bytes())

    def chain(self) -> str:
        """Return the certificate, and after it that of who signed it; raises DriverError."""
        mine = _pem(self.certificate()).decode()
        return mine if self._parent is None else mine + self._parent.chain()

    def issue(self, subject: x509.Name, days: int) -> tuple[IssuedCertificate, int, datetime.datetime]:
        """Make a key and sign it; returns also the serial number and when it ends. Raises DriverError."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        builder = _builder(subject, self.certificate().subject, key.public_key(), days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(authority=False), critical=True)
        signed = builder.sign(self.key(), hashes.SHA256())
        issued = IssuedCertificate(_pem(signed).decode(), _pem_of_key(key).decode())
        return issued, signed.serial_number, signed.not_valid_after_utc.replace(tzinfo=None)

    def crl(self, revoked: Iterable[CertificateRecord], days: int) -> str:
        """Sign the list of what is revoked, and keep it beside the certificate; raises DriverError."""
        now = clock.now()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate().subject)
            .last_update(now - _SLACK)
            .next_update(now + datetime.timedelta(days=days))
        )
        for record in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(record.serial, 16))
                .revocation_date(record.revoked_at or now)
                .build()
            )
        signed = builder.sign(self.key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        with _reading(self._folder):
            _write(self._folder / "crl.pem", signed, 0o644)
        return signed.decode()

    def decrypt(self, data: bytes) -> bytes:
        """Read what was encrypted with the certificate's key (PKCS #1 version 1.5, as bundles are).

        Raises InvalidInput for what cannot be. What was encrypted otherwise comes out as noise, so that nobody can
        find out by trying what a text would be (RFC 8017, section 7.2.2).
        """
        try:
            return self.key().decrypt(data, padding.PKCS1v15())
        except ValueError as error:
            raise InvalidInput("The text was not encrypted for this cloud.") from error


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, days: int
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=True, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write(file: Path, content: bytes, mode: int) -> None:
    """Put a file there whole, never readable for others before its mode is set."""
    # Each writer has a name of its own: several may write the same file.
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as target:
            os.fchmod(target.fileno(), mode)
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep other processes from making the same authority."""
    with file.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise DriverError(f"cannot use {file} of the certificate authority: {error}.") from error
