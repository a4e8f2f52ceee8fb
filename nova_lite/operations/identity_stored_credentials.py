"""Secrets of any kind that users have identity keep for them, the keys of EC2 among them.

Those keys are kept where signatures are checked, and shown here as secrets of the type ec2: one store, two faces.
"""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.credentials import EC2, StoredCredential, read_ec2, stored_ec2
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.db import credentials, ec2_credentials, projects
from nova_lite.operations.identity_base import not_authorized, require_self, sees_all
from nova_lite.operations.identity_credentials import IdentityCredentials
from nova_lite.operations.identity_users import find_user


class IdentityStoredCredentials(IdentityCredentials):
    """The operations on such secrets; the id of a new one is made here."""

    def create_credential(self, context: RequestContext, wanted: StoredCredential) -> StoredCredential:
        """Keep a secret; raises NotFound, InvalidInput, Forbidden for another user, Conflict for a used access key."""
        _require_own(context, wanted.user_id, "identity:create_credential")
        if wanted.is_ec2:
            return stored_ec2(self._keep_ec2(context, read_ec2(wanted)))
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
        if context.delegated:
            raise not_authorized("identity:list_credentials")
        wanted = user_id if sees_all(context) else context.user_id
        if user_id is not None:
            require_self(context, user_id, "identity:list_credentials")

        def work(session: Session) -> list[StoredCredential]:
            of_any = credentials.listing(session, wanted, kind)
            keys = ec2_credentials.listing(session, wanted) if kind in (None, EC2) else []
            return [self._open(one) for one in of_any] + [stored_ec2(self._opened(one)) for one in keys]

        return sorted(self._database.read("identity.list_credentials", work), key=lambda one: one.id)

    def get_credential(self, context: RequestContext, credential_id: str) -> StoredCredential:
        """Return a secret; raises NotFound, also for that of another user."""
        if context.delegated:
            raise not_authorized("identity:get_credential")

        def work(session: Session) -> StoredCredential | None:
            found = credentials.get(session, credential_id)
            if found is not None:
                return self._open(found)
            keys = ec2_credentials.by_id(session, credential_id)
            return stored_ec2(self._opened(keys)) if keys else None

        found = self._database.read("identity.get_credential", work)
        if found is None or not (found.user_id == context.user_id or sees_all(context)):
            raise NotFound(f"Could not find credential: {credential_id}.")
        return found

    def update_credential(
        self, context: RequestContext, credential_id: str, changes: dict[str, str]
    ) -> StoredCredential:
        """Change the user, project, type or blob of a secret; raises NotFound, Forbidden, InvalidInput.

        Of EC2 keys the secret key alone can be changed.
        """
        found = self.get_credential(context, credential_id)
        _require_own(context, found.user_id, "identity:update_credential")
        changed = dataclasses.replace(found, **changes)
        _require_own(context, changed.user_id, "identity:update_credential")
        if found.is_ec2 or changed.is_ec2:
            return self._change_ec2(found, changed)

        def work(session: Session) -> StoredCredential:
            _check_owner(session, changed)
            credentials.update(session, self._sealed(changed))
            return changed

        return self._database.run("identity.update_credential", work)

    def delete_credential(self, context: RequestContext, credential_id: str) -> None:
        """Forget a secret; raises NotFound, Forbidden."""
        found = self.get_credential(context, credential_id)
        _require_own(context, found.user_id, "identity:delete_credential")
        if found.is_ec2:
            self.delete_ec2_credential(context, found.user_id, read_ec2(found).access)
        else:
            self._database.run(
                "identity.delete_credential", lambda session: credentials.delete(session, credential_id)
            )

    def _change_ec2(self, found: StoredCredential, changed: StoredCredential) -> StoredCredential:
        same = dataclasses.replace(changed, blob=found.blob, type=found.type) == found
        if not (found.is_ec2 and changed.is_ec2 and same):
            raise InvalidInput("Of an EC2 credential only the secret key can be changed.")
        wanted = read_ec2(changed)
        if wanted.id != found.id:
            raise InvalidInput("The access key of an EC2 credential cannot be changed.")
        sealed = dataclasses.replace(wanted, secret=self._seal.seal(wanted.secret))
        self._change("change_ec2_credential", lambda session: ec2_credentials.change_secret(session, sealed))
        return stored_ec2(wanted)

    def _sealed(self, credential: StoredCredential) -> StoredCredential:
        return dataclasses.replace(credential, blob=self._seal.seal(credential.blob))

    def _open(self, credential: StoredCredential) -> StoredCredential:
        return dataclasses.replace(credential, blob=self._seal.open(credential.blob))


def _require_own(context: RequestContext, user_id: str, action: str) -> None:
    if context.delegated or not (context.user_id == user_id or context.is_admin):
        raise not_authorized(action)


def _check_owner(session: Session, credential: StoredCredential) -> None:
    find_user(session, credential.user_id)
    if credential.project_id and projects.get(session, credential.project_id) is None:
        raise NotFound(f"Could not find project: {credential.project_id}.")
