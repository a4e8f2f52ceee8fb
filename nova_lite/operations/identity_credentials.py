"""Application credentials and EC2 credentials: what users log in and sign with instead of their password."""

import dataclasses
import datetime
import secrets

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.access_rules import AccessRule
from nova_lite.core.context import RequestContext
from nova_lite.core.credentials import ApplicationCredential, Ec2Credential
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.identity import Named, Role, Scope, ScopeKind
from nova_lite.db import application_credentials, ec2_credentials, projects, role_assignments, roles
from nova_lite.operations.identity_access_rules import wanted_rules
from nova_lite.operations.identity_base import IdentityBase, not_authorized, require_self
from nova_lite.operations.identity_users import find_user

_SECRET_BYTES = 64
_MANAGE = "identity:manage_application_credentials"


@dataclasses.dataclass(frozen=True, slots=True)
class NewApplicationCredential:
    """An application credential to be made: without ``secret`` one is made up, without roles it has them all."""

    name: str
    secret: str = dataclasses.field(default="", repr=False)
    description: str = ""
    roles: tuple[Named, ...] = ()
    expires_at: datetime.datetime | None = None
    unrestricted: bool = False
    access_rules: tuple[AccessRule, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class MadeApplicationCredential:
    """A new credential with its secret, which is nowhere kept."""

    credential: ApplicationCredential
    secret: str = dataclasses.field(repr=False)


class IdentityCredentials(IdentityBase):
    """The operations on credentials."""

    def create_application_credential(
        self, context: RequestContext, user_id: str, new: NewApplicationCredential
    ) -> MadeApplicationCredential:
        """Let something act for the caller on the project of its token.

        Raises Forbidden for another user and for one who came by a restricted credential, InvalidInput for
        roles that the caller has not and for a moment that is past, Conflict for a taken name.
        """
        _require_own(context, user_id)
        if not context.project_id:
            raise Forbidden("An application credential needs a token with a project.")
        if new.expires_at is not None and new.expires_at <= clock.now():
            raise InvalidInput("The application credential would have expired already.")
        secret = new.secret or ids.new_secret(_SECRET_BYTES)
        secret_hash = self._passwords.hash(secret)
        credential_id = ids.new_hex()

        def work(session: Session) -> ApplicationCredential:
            credential = ApplicationCredential(
                id=credential_id,
                user_id=user_id,
                project_id=context.project_id,
                name=new.name,
                role_ids=_wanted_roles(session, context, new.roles),
                description=new.description,
                expires_at=new.expires_at,
                unrestricted=new.unrestricted,
                access_rules=self._access_rules(session, context, new.access_rules),
            )
            application_credentials.insert(session, credential, secret_hash)
            return credential

        made = self._database.run(
            "identity.create_application_credential",
            work,
            landed=lambda session: application_credentials.get(session, credential_id),
        )
        return MadeApplicationCredential(made, secret)

    @staticmethod
    def _access_rules(
        session: Session, context: RequestContext, wanted: tuple[AccessRule, ...] | None
    ) -> tuple[AccessRule, ...] | None:
        """Return the rules of a new credential: those of the one that makes it, or some of them.

        Raises InvalidInput for others.
        """
        found = wanted_rules(session, context.user_id, wanted)
        if not context.application_credential_id:
            return found
        maker = application_credentials.get(session, context.application_credential_id)
        if maker is None:
            raise not_authorized(_MANAGE)
        if maker.access_rules is None or found is None:
            return found if found is not None else maker.access_rules
        if not set(found) <= set(maker.access_rules):
            raise InvalidInput("An application credential cannot allow more than the one that makes it.")
        return found

    def list_application_credentials(
        self, context: RequestContext, user_id: str, name: str | None = None
    ) -> list[ApplicationCredential]:
        """Return a user's application credentials; raises NotFound, Forbidden."""
        require_self(context, user_id, "identity:list_application_credentials")

        def work(session: Session) -> list[ApplicationCredential]:
            find_user(session, user_id)
            return application_credentials.listing(session, user_id, name)

        return self._database.read("identity.list_application_credentials", work)

    def get_application_credential(
        self, context: RequestContext, user_id: str, credential_id: str
    ) -> ApplicationCredential:
        """Return an application credential of a user; raises NotFound, Forbidden."""
        require_self(context, user_id, "identity:get_application_credential")
        found = self._database.read(
            "identity.get_application_credential",
            lambda session: application_credentials.get(session, credential_id),
        )
        if found is None or found.user_id != user_id:
            raise NotFound(f"Could not find Application Credential: {credential_id}.")
        return found

    def delete_application_credential(
        self, context: RequestContext, user_id: str, credential_id: str
    ) -> None:
        """Remove an application credential with the tokens that it got; raises NotFound, Forbidden."""
        if context.user_id != user_id and not context.is_admin:
            raise not_authorized("identity:delete_application_credential")
        if context.restricted:
            raise not_authorized(_MANAGE)
        self.get_application_credential(context, user_id, credential_id)
        self._change(
            "delete_application_credential",
            lambda session: application_credentials.delete(session, credential_id),
        )

    def create_ec2_credential(self, context: RequestContext, user_id: str, project_id: str) -> Ec2Credential:
        """Make keys with which a user signs on a project; raises NotFound, Forbidden where it has no role."""
        if context.delegated or (context.user_id != user_id and not context.is_admin):
            raise not_authorized("identity:ec2_create_credential")
        made = Ec2Credential(ids.new_hex(), secrets.token_hex(16), user_id, project_id)
        return self._keep_ec2(context, made)

    def _keep_ec2(self, context: RequestContext, made: Ec2Credential) -> Ec2Credential:
        """Keep keys; raises NotFound, Forbidden where their user has no role, Conflict."""
        user_id, project_id = made.user_id, made.project_id
        sealed = dataclasses.replace(made, secret=self._seal.seal(made.secret))

        def work(session: Session) -> Ec2Credential:
            find_user(session, user_id)
            if projects.get(session, project_id) is None:
                raise NotFound(f"Could not find project: {project_id}.")
            if not role_assignments.roles_on(session, user_id, Scope(ScopeKind.PROJECT, project_id)):
                raise Forbidden(f"User {user_id} has no role on project {project_id}.")
            ec2_credentials.insert(session, sealed)
            return sealed

        self._database.run(
            "identity.create_ec2_credential",
            work,
            landed=lambda session: sealed if ec2_credentials.get(session, made.access) == sealed else None,
        )
        return made

    def list_ec2_credentials(self, context: RequestContext, user_id: str) -> list[Ec2Credential]:
        """Return a user's keys; raises NotFound, Forbidden."""
        _require_secrets_of(context, user_id, "identity:ec2_list_credentials")

        def work(session: Session) -> list[Ec2Credential]:
            find_user(session, user_id)
            return ec2_credentials.listing(session, user_id)

        found = self._database.read("identity.list_ec2_credentials", work)
        return [self._opened(credential) for credential in found]

    def get_ec2_credential(self, context: RequestContext, user_id: str, access: str) -> Ec2Credential:
        """Return a user's keys; raises NotFound, Forbidden."""
        _require_secrets_of(context, user_id, "identity:ec2_get_credential")
        found = self._database.read(
            "identity.get_ec2_credential", lambda session: ec2_credentials.get(session, access)
        )
        if found is None or found.user_id != user_id:
            raise NotFound(f"Could not find credential: {access}.")
        return self._opened(found)

    def delete_ec2_credential(self, context: RequestContext, user_id: str, access: str) -> None:
        """Remove a user's keys; raises NotFound, Forbidden."""
        if context.delegated or (context.user_id != user_id and not context.is_admin):
            raise not_authorized("identity:ec2_delete_credential")
        self.get_ec2_credential(context, user_id, access)
        self._change("delete_ec2_credential", lambda session: ec2_credentials.delete(session, access))

    def _opened(self, credential: Ec2Credential) -> Ec2Credential:
        return dataclasses.replace(credential, secret=self._seal.open(credential.secret))


def _require_secrets_of(context: RequestContext, user_id: str, action: str) -> None:
    """Raise Forbidden for another user's secrets, and for who acts in a user's place: they know no bounds."""
    if context.delegated:
        raise not_authorized(action)
    require_self(context, user_id, action)


def _require_own(context: RequestContext, user_id: str) -> None:
    if context.user_id != user_id or context.restricted:
        raise not_authorized(_MANAGE)


def _roles_of(session: Session, context: RequestContext) -> tuple[Role, ...]:
    """Return the roles that the caller has on the project of its token, be that for all of them or not."""
    given = role_assignments.roles_on(session, context.user_id, Scope(ScopeKind.PROJECT, context.project_id))
    return roles.graph(session).expand(frozenset(given))


def _wanted_roles(session: Session, context: RequestContext, wanted: tuple[Named, ...]) -> tuple[str, ...]:
    """Return the ids of the roles that a credential gets: all that the caller's token is for, or some of them."""
    given = role_assignments.roles_on(session, context.user_id, Scope(ScopeKind.PROJECT, context.project_id))
    mine = {role.id: role.name for role in _roles_of(session, context) if role.name in context.roles}
    if not wanted:
        return tuple(sorted(given if given <= mine.keys() else mine))
    found = []
    for named in wanted:
        role_id = named.id or next((key for key, name in mine.items() if name == named.name), "")
        if role_id not in mine:
            raise InvalidInput(f"The user has no role {named.id or named.name} on the project.")
        found.append(role_id)
    return tuple(found)
