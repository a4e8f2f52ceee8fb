"""What nova-cert can be asked."""

import abc

from nova_lite.core.certificate import IssuedCertificate
from nova_lite.core.context import RequestContext
from nova_lite.rpc.contract import Contract, call
from nova_lite.rpc.transport import Transport, caller


class CertContract(Contract):
    """Filled by nova-cert and by its proxy."""

    topic = "cert"
    version = "1.1"

    @call
    @abc.abstractmethod
    def generate_x509_cert(self, context: RequestContext, user_id: str, project_id: str) -> IssuedCertificate:
        """Make a key and a certificate with which a user is known on a project."""

    @call
    @abc.abstractmethod
    def fetch_ca(self, context: RequestContext, project_id: str) -> str:
        """Return the certificate (PEM) of the authority that signs for a project, what signed it after it."""

    @call
    @abc.abstractmethod
    def fetch_crl(self, context: RequestContext, project_id: str) -> str:
        """Return the list (PEM) of what that authority signed and is revoked."""

    @call
    @abc.abstractmethod
    def revoke_certs_by_user(self, context: RequestContext, user_id: str) -> int:
        """Revoke every certificate of a user; returns how many were in force."""

    @call
    @abc.abstractmethod
    def revoke_certs_by_project(self, context: RequestContext, project_id: str) -> int:
        """Revoke every certificate of a project; returns how many were in force."""

    @call
    @abc.abstractmethod
    def revoke_certs_by_user_and_project(self, context: RequestContext, user_id: str, project_id: str) -> int:
        """Revoke every certificate of a user on a project; returns how many were in force."""

    @call
    @abc.abstractmethod
    def decrypt_text(self, context: RequestContext, project_id: str, text: str) -> str:
        """Decrypt what was encrypted with the key of a project's authority (RSA, PKCS #1 version 1.5).

        ``text`` and the answer are base64; what was encrypted for another comes out as noise. Raises InvalidInput.
        """


    @call
    @abc.abstractmethod
    def verify_signature(
        self, context: RequestContext, user_id: str, project_id: str, sha1: str, signature: str
    ) -> bool:
        """Tell whether a user signed what has this SHA-1 with the key of a certificate on a project that is in force.

        Both are hexadecimal; signatures are of RSA, PKCS #1 version 1.5, as those of bundles are.
        """


class CertProxy(CertContract):
    """Speaks to any nova-cert."""

    def __init__(self, transport: Transport) -> None:
        self._caller = caller(transport, CertContract)

    def generate_x509_cert(self, context: RequestContext, user_id: str, project_id: str) -> IssuedCertificate:
        """Ask for a certificate; raises MessagingTimeout, Unavailable."""
        made: IssuedCertificate = self._caller.call(
            "generate_x509_cert", context, user_id=user_id, project_id=project_id
        )
        return made

    def fetch_ca(self, context: RequestContext, project_id: str) -> str:
        """Ask for the authority's certificate; raises MessagingTimeout, Unavailable."""
        return str(self._caller.call("fetch_ca", context, project_id=project_id))

    def fetch_crl(self, context: RequestContext, project_id: str) -> str:
        """Ask for the list of what is revoked; raises MessagingTimeout, Unavailable."""
        return str(self._caller.call("fetch_crl", context, project_id=project_id))

    def revoke_certs_by_user(self, context: RequestContext, user_id: str) -> int:
        """Ask for a revocation; raises MessagingTimeout, Unavailable."""
        return int(self._caller.call("revoke_certs_by_user", context, user_id=user_id))

    def revoke_certs_by_project(self, context: RequestContext, project_id: str) -> int:
        """Ask for a revocation; raises MessagingTimeout, Unavailable."""
        return int(self._caller.call("revoke_certs_by_project", context, project_id=project_id))

    def revoke_certs_by_user_and_project(self, context: RequestContext, user_id: str, project_id: str) -> int:
        """Ask for a revocation; raises MessagingTimeout, Unavailable."""
        return int(
            self._caller.call(
                "revoke_certs_by_user_and_project", context, user_id=user_id, project_id=project_id
            )
        )

    def decrypt_text(self, context: RequestContext, project_id: str, text: str) -> str:
        """Ask for a decryption; raises InvalidInput, MessagingTimeout, Unavailable."""
        return str(self._caller.call("decrypt_text", context, project_id=project_id, text=text))

    def verify_signature(
        self, context: RequestContext, user_id: str, project_id: str, sha1: str, signature: str
    ) -> bool:
        """Ask whether a user signed something; raises MessagingTimeout, Unavailable."""
        return bool(
            self._caller.call(
                "verify_signature",
                context,
                user_id=user_id,
                project_id=project_id,
                sha1=sha1,
                signature=signature,
            )
        )
