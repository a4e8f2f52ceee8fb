"""How slowly a client may send its request: what drips would hold a worker for as long as it likes.

Time limits of sockets hold for each piece that comes, and a byte a minute meets them. Counted is the time in which
the server waits for the client, never that in which it is busy itself.
"""

import dataclasses
import io
import time
from collections.abc import Callable
from typing import Any

from nova_lite.core.errors import SlowRequest

_LEAST = 0.001
"""Seconds: a time limit of 0 would mean not to wait at all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """The fewest bytes a second over each ``window`` of seconds of waiting; a ``rate`` of 0 sets no limit."""

    rate: int = 0
    window: float = 30.0


class PacedReads(io.RawIOBase):
    """Reads what comes on a connection; raises SlowRequest when that is too little, and from then on.

    ``source`` is what read the connection before, and is closed in the end.
    """

    def __init__(
        self, source: io.RawIOBase, connection: Any, pace: Pace, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._source = source
        self._connection = connection
        self._pace = pace
        self._clock = clock
        self._rests = self._too_slow = False
        self._waited, self._received = 0.0, 0

    def begin(self, *, rests: bool = False) -> None:
        """Measure a new request; where the connection ``rests`` before it, from its first byte on."""
        self._rests = rests
        self._waited, self._received = 0.0, 0

    def readable(self) -> bool:
        """It is, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as sockets do."""
        if self._rests or not self._pace.rate:
            self._rests = False
            return self._receive(buffer)
        while not self._too_slow:
            usual = self._connection.gettimeout()
            self._connection.settimeout(max(_LEAST, self._pace.window - self._waited))
            began = self._clock()
            found = None
            try:
                found = self._receive(buffer)
            except TimeoutError:
                # It may be that enough came before.
                pass
            finally:
                self._connection.settimeout(usual)
            self._count(found or 0, self._clock() - began)
            if found is not None:
                return found
        raise SlowRequest()

    def _receive(self, buffer: Any) -> int:
        found: int = self._connection.recv_into(buffer)
        return found

    def _count(self, size: int, seconds: float) -> None:
        self._received += size
        self._waited += seconds
        if self._waited < self._pace.window:
            return
        if self._received < self._pace.rate * self._pace.window:
            self._too_slow = True
            raise SlowRequest()
        self._waited, self._received = 0.0, 0

    def close(self) -> None:
        """Close the source, too."""
        self._source.close()
        super().close()
