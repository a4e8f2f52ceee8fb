"""Users and their passwords."""

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound, Unauthenticated
from nova_lite.core.identity import DEFAULT_DOMAIN, Actor, Changes, Named, NewUser, User
from nova_lite.db import (
    access_rules,
    application_credentials,
    credentials,
    ec2_credentials,
    groups,
    role_assignments,
    tokens,
    users,
)
from nova_lite.db.identity import NamePage
from nova_lite.operations.identity_base import (
    IdentityBase,
    columns,
    require_same_domain,
    require_self,
)
from nova_lite.operations.identity_projects import find_domain

_FIELDS = ("name", "description", "enabled", "default_project_id")


class IdentityUsers(IdentityBase):
    """The operations on users."""

    def create_user(self, context: RequestContext, new: NewUser) -> User:
        """Create a user; raises Conflict for a taken name, NotFound for an unknown domain."""
        if new.password:
            self._rules.check(new.password)
        user = User(
            id=ids.new_hex(),
            name=new.name,
            domain_id=new.domain_id,
            description=new.description,
            enabled=new.enabled,
            default_project_id=new.default_project_id,
            extra=new.extra,
            password_set_at=clock.now() if new.password else None,
        )
        password_hash = self._passwords.hash(new.password) if new.password else ""

        def work(session: Session) -> User:
            find_domain(session, new.domain_id)
            users.insert(session, user, password_hash)
            return user

        return self._database.run(
            "identity.create_user", work, landed=lambda session: users.get(session, user.id)
        )

    def get_user(self, context: RequestContext, user_id: str) -> User:
        """Return a user; raises NotFound, and Forbidden for one who asks about another."""
        require_self(context, user_id, "identity:get_user")
        return self._database.read("identity.get_user", lambda session: find_user(session, user_id))

    def find_user(self, name_or_id: str, domain_id: str = DEFAULT_DOMAIN) -> User:
        """Return the user with an id, else the one with that name in a domain; raises NotFound."""

        def work(session: Session) -> User | None:
            return users.get(session, name_or_id) or users.find(session, domain_id, name_or_id)

        user = self._database.read("identity.find_user", work)
        if user is None:
            raise NotFound(f"Could not find user: {name_or_id}.")
        return user

    def list_users(self, context: RequestContext, page: NamePage | None = None) -> list[User]:
        """Return users by name; raises InvalidInput for an unknown marker."""
        wanted = page or NamePage()
        return self._database.read("identity.list_users", lambda session: users.listing(session, wanted))

    def update_user(self, context: RequestContext, user_id: str, changes: Changes) -> User:
        """Change a user; a new password or ``enabled`` state ends the user's tokens.

        Raises NotFound, Conflict, InvalidInput.
        """
        if changes.password:
            self._rules.check(changes.password)
        password_hash = self._passwords.hash(changes.password) if changes.password else ""

        def work(session: Session) -> User:
            user = find_user(session, user_id)
            require_same_domain(changes, user.domain_id)
            values = columns(changes, user.extra, names=_FIELDS)
            if values.get("enabled") is user.enabled:
                del values["enabled"]
            if password_hash:
                values |= {"password_hash": password_hash, "password_set_at": clock.now()}
            if password_hash or changes.enabled:
                values |= {"failed_logins": None, "failed_at": None}
            if values:
                users.update(session, user_id, **values)
            return find_user(session, user_id)

        return self._change("update_user", work)

    def change_password(self, user_id: str, old: str, new: str) -> None:
        """Change a password for one who knows it, which is all that is asked of the caller.

        Ends the user's tokens. Raises Unauthenticated when ``old`` is wrong or there is no such user,
        InvalidInput when both are the same, or the new one is against the rules.
        """
        account = self._database.read(
            "identity.account", lambda session: users.account(session, Named(id=user_id))
        )
        old_hash = account.password_hash if account else ""
        if not self._may_enter(account, old) or account is None:
            raise Unauthenticated()
        if old == new:
            raise InvalidInput("The new password must differ from the old one.")
        self._rules.check_change(account, new, lambda one: self._passwords.matches(new, one))
        new_hash = self._passwords.hash(new)

        def work(session: Session) -> bool:
            return users.replace_password(session, user_id, old_hash, new_hash, self._rules.kept(account))

        def landed(session: Session) -> bool | None:
            now = users.account(session, Named(id=user_id))
            return True if now is not None and now.password_hash == new_hash else None

        if not self._change("change_password", work, landed):
            raise Unauthenticated()

    def delete_user(self, context: RequestContext, user_id: str) -> None:
        """Delete a user with roles and tokens; raises NotFound."""

        def work(session: Session) -> None:
            role_assignments.delete_of_actor(session, Actor(user_id))
            groups.remove_user(session, user_id)
            application_credentials.delete_of(session, user_id=user_id)
            ec2_credentials.delete_of(session, user_id=user_id)
            credentials.delete_of(session, user_id=user_id)
            access_rules.delete_of(session, user_id)
            tokens.delete_of_user(session, user_id)
            if not users.delete(session, user_id):
                raise NotFound(f"Could not find user: {user_id}.")

        self._change("delete_user", work)


def find_user(session: Session, user_id: str) -> User:
    """Return a user; raises NotFound."""
    user = users.get(session, user_id)
    if user is None:
        raise NotFound(f"Could not find user: {user_id}.")
    return user
