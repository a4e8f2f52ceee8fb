"""Certificates of users, as the compute API and operators ask for them."""

import base64

from nova_lite.core.certificate import IssuedCertificate
from nova_lite.core.context import RequestContext
from nova_lite.rpc.cert import CertContract


class Certificates:
    """The operations on certificates; nova-cert does the work."""

    def __init__(self, cert: CertContract) -> None:
        self._cert = cert

    def create(
        self, context: RequestContext, user_id: str = "", project_id: str = ""
    ) -> IssuedCertificate:
        """Make a certificate of a user on a project, the caller's where none are named; raises Unavailable."""
        return self._cert.generate_x509_cert(
            context, user_id or context.user_id, project_id or context.project_id
        )

    def root(self, context: RequestContext, project_id: str = "") -> str:
        """Return the certificate of who signs for a project, the caller's where none is named; raises Unavailable."""
        return self._cert.fetch_ca(context, project_id or context.project_id)

    def crl(self, context: RequestContext, project_id: str) -> str:
        """Return the list of what is revoked of the authority that signs for a project; raises Unavailable."""
        return self._cert.fetch_crl(context, project_id)

    def decrypt(self, context: RequestContext, project_id: str, data: bytes) -> bytes:
        """Read what was encrypted for a project; raises InvalidInput, Unavailable."""
        text = base64.b64encode(data).decode()
        return base64.b64decode(self._cert.decrypt_text(context, project_id, text))

    def verifies(
        self, context: RequestContext, user_id: str, project_id: str, sha1: str, signature: str
    ) -> bool:
        """Tell whether a user signed what has this SHA-1, by a certificate on a project; raises Unavailable."""
        return self._cert.verify_signature(context, user_id, project_id, sha1, signature)

    def revoke(self, context: RequestContext, *, user_id: str = "", project_id: str = "") -> int:
        """Revoke the certificates of a user, of a project or of one on the other; returns how many were in force."""
        if user_id and project_id:
            return self._cert.revoke_certs_by_user_and_project(context, user_id, project_id)
        if user_id:
            return self._cert.revoke_certs_by_user(context, user_id)
        return self._cert.revoke_certs_by_project(context, project_id)
