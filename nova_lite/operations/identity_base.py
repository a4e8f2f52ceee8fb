"""What the parts of the identity operations share."""

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from nova_lite.core.catalog import Catalog
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput
from nova_lite.core.identity import READER, Changes
from nova_lite.db import users
from nova_lite.db.engine import Database
from nova_lite.db.users import Account
from nova_lite.drivers.seal import Seal
from nova_lite.operations.identity_cache import IdentityCache
from nova_lite.operations.identity_passwords import PasswordRules, Passwords

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class IdentitySettings:
    """What an operator can set: lifetimes and costs; all times in seconds.

    ``token_cache_seconds`` bounds how long a revocation by another process stays unseen; a signature holds
    for ``signature_seconds``, by which clocks may differ, too.
    ``password_rounds`` is the binary logarithm of the work to hash a password (bcrypt, 4 to 31);
    ``secret_key_file`` holds the key of the secrets that are kept encrypted.
    """

    token_seconds: float = 24 * 3600
    service_token_seconds: float = 600
    token_cache_seconds: float = 5
    token_cache_size: int = 10_000
    signature_seconds: float = 900
    password_rounds: int = 12
    password_cache_seconds: float = 300
    secret_key_file: str = ""
    password_rules: PasswordRules = dataclasses.field(default_factory=PasswordRules)


class IdentityBase:
    """The database, the passwords and what this process remembers."""

    def __init__(self, database: Database, settings: IdentitySettings, catalog: Catalog) -> None:
        self.catalog = catalog
        self._database = database
        self._settings = settings
        self._seal = Seal(Path(settings.secret_key_file))
        self._passwords = Passwords(
            rounds=settings.password_rounds, cache_seconds=settings.password_cache_seconds
        )
        self._rules = settings.password_rules
        self._cache = IdentityCache(seconds=settings.token_cache_seconds, size=settings.token_cache_size)

    def password_expires_at(self, set_at: datetime.datetime | None) -> datetime.datetime | None:
        """Return until when a password that was set at ``set_at`` can be used; None for as long as one likes."""
        return self._rules.expires_at(set_at)

    def _may_enter(self, account: Account | None, password: str) -> bool:
        """Tell whether a password is the account's and its user neither disabled nor locked out; failures count."""
        right = self._passwords.matches(password, account.password_hash if account else "")
        if account is None or not account.enabled or self._rules.is_locked_out(account):
            return False
        if not right and self._rules.attempts:
            before = self._rules.forgotten_before()
            self._database.run(
                "identity.failed_login", lambda session: users.note_failed_login(session, account.id, before)
            )
        elif right and account.failed_logins:
            self._database.run(
                "identity.login", lambda session: users.forget_failed_logins(session, account.id)
            )
        return right

    def _change(
        self, name: str, work: Callable[[Session], T], landed: Callable[[Session], T | None] | None = None
    ) -> T:
        """Run a transaction after which tokens may mean something else; they are looked up anew."""
        try:
            return self._database.run(f"identity.{name}", work, landed=landed)
        finally:
            self._cache.forget()


def sees_all(context: RequestContext) -> bool:
    """Tell whether the caller may look at all users and projects: an admin, or a reader of the system."""
    return context.is_admin or (context.system_scope and READER in context.roles)


def require_self(context: RequestContext, user_id: str, action: str) -> None:
    """Raise Forbidden unless the caller is the user or may look at everybody."""
    if context.user_id != user_id and not sees_all(context):
        raise not_authorized(action)


def not_authorized(action: str) -> Forbidden:
    """Return the error of a caller who may not do ``action``, whether or not the thing exists."""
    return Forbidden(f"You are not authorized to perform the requested action: {action}.")


def columns(changes: Changes, extra: Mapping[str, Any], *, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what a row gets by ``changes``: those of the fields ``names`` that change, and ``extra``."""
    values = {name: value for name in names if (value := getattr(changes, name)) is not None}
    if changes.extra:
        merged = {**extra, **changes.extra}
        values["extra"] = {name: value for name, value in merged.items() if value is not None}
    return values


def require_same_domain(changes: Changes, domain_id: str) -> None:
    """Raise InvalidInput when a client wants to move something to another domain."""
    if changes.domain_id not in (None, domain_id):
        raise InvalidInput("The domain of a project or a user cannot be changed.")
