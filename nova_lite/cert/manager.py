"""nova-cert's work: certificates of users, the list of revoked ones, and reading what is encrypted for the cloud."""

import base64
import binascii
import datetime
from pathlib import Path
from typing import Any

from nova_lite import concurrency
from nova_lite.cert import signing
from nova_lite.cert.authority import Authority, parse_subject
from nova_lite.cert.settings import CertSettings
from nova_lite.core import clock, ids
from nova_lite.core.certificate import CertificateRecord, IssuedCertificate
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import ConfigurationError, InvalidInput
from nova_lite.db import certificates
from nova_lite.db.engine import Database
from nova_lite.rpc.cert import CertContract


class CertManager(CertContract):
    """Signs for all projects, or with ``use_project_ca`` by an authority of each."""

    def __init__(self, database: Database, settings: CertSettings) -> None:
        self._database = database
        self._settings = settings
        self._folder = Path(settings.folder)
        self._root = Authority(self._folder)

    @classmethod
    def from_flags(cls, conf: Any, database: Database) -> "CertManager":
        """Build the manager from the daemon's flags."""
        return cls(database, CertSettings.from_flags(conf))

    def start(self) -> None:
        """Make the root authority where it is missing; raises ConfigurationError."""
        parse_subject(self._settings.subject_of_user("project", "user", "time"))
        parse_subject(self._settings.subject_of_project("project", "time"))
        self._make_root()

    def generate_x509_cert(self, context: RequestContext, user_id: str, project_id: str) -> IssuedCertificate:
        """Sign a new key, and remember the certificate so that it can be revoked."""
        authority = self._authority(project_id)
        now = clock.now()
        subject = parse_subject(self._settings.subject_of_user(project_id, user_id, clock.iso8601(now)))
        issued, serial, expires_at = concurrency.blocking(authority.issue, subject, self._settings.days)
        record = CertificateRecord(
            f"{serial:x}",
            self._issuer(project_id),
            user_id,
            project_id,
            now,
            expires_at,
            public_key=signing.public_key_of(issued.certificate),
        )
        self._database.run(
            "cert.generate",
            lambda session: certificates.insert(session, record),
            landed=lambda session: certificates.get(session, record.serial),
        )
        return issued

    def fetch_ca(self, context: RequestContext, project_id: str) -> str:
        """Return the chain of the project's authority."""
        return self._authority(project_id).chain()

    def fetch_crl(self, context: RequestContext, project_id: str) -> str:
        """Return the list of the project's authority, made anew of what is revoked now."""
        authority, issuer = self._authority(project_id), self._issuer(project_id)
        revoked = self._database.read(
            "cert.revoked", lambda session: certificates.revoked(session, issuer, clock.now())
        )
        return concurrency.blocking(authority.crl, revoked, self._settings.crl_days)

    def revoke_certs_by_user(self, context: RequestContext, user_id: str) -> int:
        """Revoke all of a user."""
        return self._revoke(user_id=_required(user_id))

    def revoke_certs_by_project(self, context: RequestContext, project_id: str) -> int:
        """Revoke all of a project."""
        return self._revoke(project_id=_required(project_id))

    def revoke_certs_by_user_and_project(self, context: RequestContext, user_id: str, project_id: str) -> int:
        """Revoke all of a user on a project."""
        return self._revoke(user_id=_required(user_id), project_id=_required(project_id))

    def decrypt_text(self, context: RequestContext, project_id: str, text: str) -> str:
        """Decrypt with the key of the project's authority, the root's where there is none of the project."""
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInput("The text is not base64.") from error
        return base64.b64encode(self._authority(project_id).decrypt(data)).decode()

    def verify_signature(
        self, context: RequestContext, user_id: str, project_id: str, sha1: str, signature: str
    ) -> bool:
        """Try the keys of the user's certificates."""
        try:
            digest, signed = bytes.fromhex(sha1), bytes.fromhex(signature)
        except ValueError:
            return False
        keys = self._database.read(
            "cert.keys", lambda session: certificates.public_keys(session, user_id, project_id, clock.now())
        )
        return any(concurrency.blocking(signing.signs, key, digest, signed) for key in keys)

    def forget_expired(self) -> None:
        """Forget certificates that are of no use to anybody any more."""
        before = clock.now() - datetime.timedelta(days=1)
        self._database.run("cert.expired", lambda session: certificates.delete_expired(session, before))

    def _revoke(self, *, user_id: str = "", project_id: str = "") -> int:
        now = clock.now()
        return self._database.run(
            "cert.revoke",
            lambda session: certificates.revoke(session, now, user_id=user_id, project_id=project_id),
        )

    def _make_root(self) -> None:
        try:
            concurrency.blocking(self._root.make, parse_subject(self._settings.root_subject))
        except OSError as error:
            raise ConfigurationError(f"cannot use ca_path {self._folder}: {error.strerror}") from error

    def _issuer(self, project_id: str) -> str:
        return project_id if self._settings.of_projects else ""

    def _authority(self, project_id: str) -> Authority:
        """Return who signs for a project, made when it is first needed."""
        if not self._root.exists:
            self._make_root()
        if not self._settings.of_projects:
            return self._root
        authority = self._of_project(project_id)
        if not authority.exists:
            name = self._settings.subject_of_project(project_id, clock.iso8601(clock.now()))
            concurrency.blocking(authority.make, parse_subject(name))
        return authority

    def _of_project(self, project_id: str) -> Authority:
        if not ids.is_uuid(project_id):
            raise InvalidInput("A project is named by its id.")
        return Authority(self._folder / "projects" / project_id, self._root)


def _required(value: str) -> str:
    if not value:
        raise InvalidInput("Whose certificates are revoked must be said.")
    return value
