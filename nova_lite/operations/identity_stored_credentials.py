"""Secrets of any kind that users have identity keep for them."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.credentials import StoredCredential
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.db import credentials, projects
from nova_lite.operations.identity_base import IdentityBase, not_authorized, require_self, sees_all
from nova_lite.operations.identity_users import find_user

EC2 = "ec2"
"""The type of keys that are made where signatures are checked, and not here."""


class IdentityStoredCredentials(IdentityBase):
    """The operations on such secrets; the id of a new one is made here."""

    def create_credential(self, context: RequestContext, wanted: StoredCredential) -> StoredCredential:
        """Keep a secret; raises NotFound, InvalidInput, and Forbidden for another user than the caller."""
        _require_own(context, wanted.user_id, "identity:create_credential")
        _check_type(wanted.type)
        made = dataclasses.replace(wanted, id=ids.new_hex())

        def work(session: Session) -> StoredCredential:
            _check_owner(session, made)
            credentials.insert(session, self._sealed(made))
            return made

        return self._database.run(
            "identity.create_credential",
            work,
            landed=lambda session: made if credentials.get(session, made.id) else None,
        )

    def list_credentials(
        self, context: RequestContext, user_id: str | None, kind: str | None
    ) -> list[StoredCredential]:
        """Return the caller's secrets, or everybody's to who may look at everybody; narrowed by user and type."""
        wanted = user_id if sees_all(context) else context.user_id
        if user_id is not None:
            require_self(context, user_id, "identity:list_credentials")
        found = self._database.read(
            "identity.list_credentials", lambda session: credentials.listing(session, wanted, kind)
        )
        return [self._open(one) for one in found]

    def get_credential(self, context: RequestContext, credential_id: str) -> StoredCredential:
        """Return a secret; raises NotFound, also for that of another user."""
        found = self._database.read(
            "identity.get_credential", lambda session: credentials.get(session, credential_id)
        )
        if found is None or not (found.user_id == context.user_id or sees_all(context)):
            raise NotFound(f"Could not find credential: {credential_id}.")
        return self._open(found)

    def update_credential(
        self, context: RequestContext, credential_id: str, changes: dict[str, str]
    ) -> StoredCredential:
        """Change the user, project, type or blob of a secret; raises NotFound, Forbidden, InvalidInput."""
        found = self.get_credential(context, credential_id)
        _require_own(context, found.user_id, "identity:update_credential")
        changed = dataclasses.replace(found, **changes)
        _require_own(context, changed.user_id, "identity:update_credential")
        _check_type(changed.type)

        def work(session: Session) -> StoredCredential:
            _check_owner(session, changed)
            credentials.update(session, self._sealed(changed))
            return changed

        return self._database.run("identity.update_credential", work)

    def delete_credential(self, context: RequestContext, credential_id: str) -> None:
        """Forget a secret; raises NotFound, Forbidden."""
        found = self.get_credential(context, credential_id)
        _require_own(context, found.user_id, "identity:delete_credential")
        self._database.run(
            "identity.delete_credential", lambda session: credentials.delete(session, credential_id)
        )

    def _sealed(self, credential: StoredCredential) -> StoredCredential:
        return dataclasses.replace(credential, blob=self._seal.seal(credential.blob))

    def _open(self, credential: StoredCredential) -> StoredCredential:
        return dataclasses.replace(credential, blob=self._seal.open(credential.blob))


def _require_own(context: RequestContext, user_id: str, action: str) -> None:
    if context.delegated or not (context.user_id == user_id or context.is_admin):
        raise not_authorized(action)


def _check_type(kind: str) -> None:
    if kind == EC2:
        raise InvalidInput("EC2 keys are made at /v3/users/{user_id}/credentials/OS-EC2.")


def _check_owner(session: Session, credential: StoredCredential) -> None:
    find_user(session, credential.user_id)
    if credential.project_id and projects.get(session, credential.project_id) is None:
        raise NotFound(f"Could not find project: {credential.project_id}.")
