"""Makes a client's program look soon, and then ever less often, where it waits for a cloud.

Clients wait seconds between two looks; what they wait for here takes milliseconds, or seconds for real guests.
"""

import time

_FIRST = 0.02

_sleep = time.sleep


class Pauses:
    """Pauses that grow from a short one to those that the program wants; ``begin`` has them short again."""

    def __init__(self) -> None:
        self._next = _FIRST

    def begin(self) -> None:
        """Begin with the short one."""
        self._next = _FIRST

    def sleep(self, seconds: float) -> None:
        """Sleep in the place of ``time.sleep``."""
        _sleep(min(seconds, self._next))
        self._next *= 1.5


def hurry() -> Pauses:
    """Have this process sleep so from now on."""
    pauses = Pauses()
    time.sleep = pauses.sleep
    return pauses
