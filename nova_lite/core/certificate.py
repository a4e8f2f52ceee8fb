"""X.509 certificates of users as values."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A new certificate with its private key, which is kept nowhere; both PEM."""

    certificate: str
    private_key: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class CertificateRecord:
    """What is kept of a certificate: its ``serial`` in hexadecimal, whose it is, and who signed it.

    ``issuer`` is the project whose authority it was, empty for the root; ``public_key`` (PEM) is not known of those
    that were issued before it was kept.
    """

    serial: str
    issuer: str
    user_id: str
    project_id: str
    created_at: datetime.datetime
    expires_at: datetime.datetime
    revoked_at: datetime.datetime | None = None
    public_key: str = ""
