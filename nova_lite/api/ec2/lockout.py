"""Locks access keys out for a while with which too many requests were wrongly signed; each process for itself."""

import threading
import time
from collections.abc import Callable

import cachetools

_MOST_KEYS = 10_000


class Lockout:
    """Counts failures by access key: ``attempts`` within ``window`` seconds lock it out for ``seconds``.

    0 attempts lock nobody out.
    """

    def __init__(
        self, attempts: int, window: float, seconds: float, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._attempts = attempts
        self._failures: cachetools.TTLCache[str, int] = cachetools.TTLCache(_MOST_KEYS, window, timer)
        self._locked: cachetools.TTLCache[str, bool] = cachetools.TTLCache(_MOST_KEYS, seconds, timer)
        self._lock = threading.Lock()

    def is_locked(self, access: str) -> bool:
        """Tell whether an access key is locked out now."""
        with self._lock:
            return access in self._locked

    def count_failure(self, access: str) -> None:
        """Count a request that the access key's secret did not sign."""
        if not self._attempts:
            return
        with self._lock:
            failures = self._failures.get(access, 0) + 1
            if failures < self._attempts:
                self._failures[access] = failures
                return
            self._failures.pop(access, None)
            self._locked[access] = True
