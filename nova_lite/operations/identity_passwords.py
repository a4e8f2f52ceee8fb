"""Passwords: hashed slowly, and checked quickly when the same one comes again and again."""

import dataclasses
import datetime
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable

import bcrypt
import cachetools

from nova_lite import concurrency
from nova_lite.core import clock
from nova_lite.core.errors import ConfigurationError, InvalidInput
from nova_lite.db.users import Account

_CACHED = 4096
_PURPOSE = b"nova_lite password"


class Passwords:
    """Makes and checks password hashes (bcrypt).

    ``rounds`` is the binary logarithm of bcrypt's work. A password that was right is remembered for
    ``cache_seconds``, only as an HMAC under a key of this process, together with the hash that it belongs to:
    a changed password is not the old hash's any more.
    """

    def __init__(self, *, rounds: int, cache_seconds: float) -> None:
        self._rounds = rounds
        self._key = secrets.token_bytes(32)
        self._right: cachetools.TTLCache[bytes, bool] = cachetools.TTLCache(_CACHED, cache_seconds)
        self._lock = threading.Lock()
        # A hash of nothing: comparing with it takes as long as with any other, and is never right.
        self._nobody = bcrypt.gensalt(rounds) + b"." * 31

    def hash(self, password: str) -> str:
        """Return the hash to keep of ``password``."""
        hashed: bytes = concurrency.blocking(bcrypt.hashpw, _digest(password), bcrypt.gensalt(self._rounds))
        return hashed.decode()

    def matches(self, password: str, password_hash: str) -> bool:
        """Tell whether ``password`` is the one of ``password_hash``.

        An empty hash (no such user, or one without a password) never matches and takes as long.
        """
        if not password_hash:
            concurrency.blocking(bcrypt.checkpw, _digest(password), self._nobody)
            return False
        mark = hmac.digest(self._key, f"{password_hash}\0{password}".encode(), "sha256")
        with self._lock:
            if mark in self._right:
                return True
        if not concurrency.blocking(bcrypt.checkpw, _digest(password), password_hash.encode()):
            return False
        with self._lock:
            self._right[mark] = True
        return True


@dataclasses.dataclass(frozen=True, slots=True)
class PasswordRules:
    """What passwords have to be like, and when failed logins lock a user out; zero and empty rule nothing.

    ``pattern`` is a regular expression that people are told of by ``description``. A password can be used for
    ``days``, changed again by its user after ``least_days``, and is none of the last ``unique``.
    After ``attempts`` failed logins in a row a user is locked out for ``lockout_seconds``.
    """

    pattern: str = ""
    description: str = ""
    days: int = 0
    least_days: int = 0
    unique: int = 0
    attempts: int = 0
    lockout_seconds: float = 1800

    def __post_init__(self) -> None:
        """Raise ConfigurationError for a pattern that is none."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ConfigurationError(f"--password_regex is not a regular expression: {error}.") from error

    def check(self, password: str) -> None:
        """Raise InvalidInput for a password that is not as the pattern wants it."""
        if self.pattern and not re.search(self.pattern, password):
            raise InvalidInput(
                "The password does not match the requirements: "
                f"{self.description or 'those that the operator of the cloud has set'}."
            )

    def check_change(self, account: Account, password: str, is_old: Callable[[str], bool]) -> None:
        """Raise InvalidInput where a user may not change to ``password`` now; ``is_old`` compares it with a hash."""
        self.check(password)
        earliest = _later(account.password_set_at, self.least_days)
        if self.least_days and earliest is not None and earliest > clock.now():
            raise InvalidInput(f"The password cannot be changed before {clock.iso8601(earliest)}.")
        recent = [account.password_hash, *(account.old_passwords or ())][: self.unique]
        if any(is_old(one) for one in recent):
            raise InvalidInput(f"The new password must be none of the last {self.unique}.")

    def kept(self, account: Account) -> list[str]:
        """Return the hashes to remember when the account's password is replaced."""
        return [account.password_hash, *(account.old_passwords or ())][: max(0, self.unique - 1)]

    def expires_at(self, set_at: datetime.datetime | None) -> datetime.datetime | None:
        """Return until when a password that was set then can be used, None for as long as one likes."""
        return _later(set_at, self.days) if self.days else None

    def is_locked_out(self, account: Account) -> bool:
        """Tell whether the account's user failed to log in too often to be let try now."""
        return bool(
            self.attempts
            and (account.failed_logins or 0) >= self.attempts
            and account.failed_at is not None
            and account.failed_at > self.forgotten_before()
        )

    def forgotten_before(self) -> datetime.datetime:
        """Return the moment before which failed logins count no more."""
        return clock.now() - datetime.timedelta(seconds=self.lockout_seconds)


def _later(moment: datetime.datetime | None, days: int) -> datetime.datetime | None:
    return None if moment is None else moment + datetime.timedelta(days=days)


def _digest(password: str) -> bytes:
    """Return 64 bytes that stand for the whole password: bcrypt reads no more than 72, and none after NUL."""
    return hmac.new(_PURPOSE, password.encode(), hashlib.sha256).hexdigest().encode()
