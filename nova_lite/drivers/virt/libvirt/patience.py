"""How long the move of a running guest is waited for."""

import math
import time
from collections.abc import Callable

from nova_lite.core.errors import DriverError
from nova_lite.core.server_migration import Progress


class Patience:
    """Bounds one migration: ``seconds`` for the whole, ``still_seconds`` in which nothing moves; 0 is no bound.

    Where it ``hurries``, the guest is to stand still when the time is over, and has as much time again.
    """

    def __init__(
        self,
        seconds: float,
        still_seconds: float,
        *,
        hurries: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._seconds = seconds or math.inf
        self._still_seconds = still_seconds or math.inf
        self._hurries = hurries
        self._over = False
        self._moved = -1
        self._deadline = clock() + self._seconds
        self._moved_at = clock()

    def ends(self, progress: Progress) -> bool:
        """Tell whether the guest has to stand still now; raises DriverError when the migration has to be given up."""
        now = self._clock()
        moved = progress.memory_processed + progress.disk_processed
        if moved > self._moved:
            self._moved, self._moved_at = moved, now
        if now - self._moved_at >= self._still_seconds:
            raise DriverError(f"nothing of the guest moved for {self._still_seconds:.0f} seconds.")
        if now >= self._deadline:
            if self._over or not self._hurries:
                raise DriverError(f"the guest had not moved within {self._seconds:.0f} seconds.")
            self._over = True
            self._deadline = now + self._seconds
        return self._over
