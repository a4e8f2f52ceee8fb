"""Work that is done once for all who ask for it at the same time."""

import dataclasses
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(slots=True)
class _Turn(Generic[T]):
    """What is asked of one turn, and how it went."""

    things: set[T] = dataclasses.field(default_factory=set)
    over: bool = False
    error: BaseException | None = None


class Turns(Generic[T]):
    """Whoever asks while others are at it waits for the next turn, and that one does everybody's work."""

    def __init__(self, work: Callable[[set[T]], None]) -> None:
        self._work = work
        self._next: _Turn[T] = _Turn()
        self._guard = threading.Lock()
        self._busy = threading.Lock()

    def ask(self, things: Iterable[T]) -> None:
        """Have the work done for these things; raises what the work raised, to all who are in the turn."""
        with self._guard:
            mine = self._next
            mine.things.update(things)
        with self._busy:
            if not mine.over:
                with self._guard:
                    self._next = _Turn()
                try:
                    self._work(mine.things)
                except BaseException as error:
                    mine.error = error
                mine.over = True
        if mine.error is not None:
            raise mine.error
