"""Passwords: hashed slowly, and checked quickly when the same one comes again and again."""

import hashlib
import hmac
import secrets
import threading

import bcrypt
import cachetools

from nova_lite import concurrency

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


def _digest(password: str) -> bytes:
    """Return 64 bytes that stand for the whole password: bcrypt reads no more than 72, and none after NUL."""
    return hmac.new(_PURPOSE, password.encode(), hashlib.sha256).hexdigest().encode()
