"""Locks access keys out for a while with which too many requests were wrongly signed; each process for itself.

An access key is no secret: it stands in every request. So it is locked out only for the address that the wrong
requests came from, or whoever knows it could shut its owner out. That lets one guess from many addresses does no
harm: a secret key has 128 bits of chance.
"""

import threading
import time
from collections.abc import Callable

import cachetools

_MOST_KEYS = 10_000


class Lockout:
    """Counts failures by access key and address: ``attempts`` within ``window`` seconds lock it out for ``seconds``.

    0 attempts lock nobody out.
    """

    def __init__(
        self, attempts: int, window: float, seconds: float, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._attempts = attempts
        self._failures: cachetools.TTLCache[tuple[str, str], int] = cachetools.TTLCache(
            _MOST_KEYS, window, timer
        )
        self._locked: cachetools.TTLCache[tuple[str, str], bool] = cachetools.TTLCache(
            _MOST_KEYS, seconds, timer
        )
        self._lock = threading.Lock()

    def is_locked(self, access: str, address: str) -> bool:
        """Tell whether an access key is locked out now for an address."""
        with self._lock:
            return (access, address) in self._locked

    def count_failure(self, access: str, address: str) -> None:
        """Count a request from an address that the access key's secret did not sign."""
        if not self._attempts:
            return
        with self._lock:
            key = (access, address)
            failures = self._failures.get(key, 0) + 1
            if failures < self._attempts:
                self._failures[key] = failures
                return
            self._failures.pop(key, None)
            self._locked[key] = True
