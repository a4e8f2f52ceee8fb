"""What is to go wrong: tests write it down here, and the plug-ins of ``staged`` act on it.

A cue is a point that the work of a daemon passes: before or after a step's do or undo, a call to a driver, or a
transaction of nova-compute's manager.
"""

import dataclasses
import enum
import threading
from collections.abc import Callable
from typing import Any

from nova_lite.core.flow import Step

Effect = Callable[[], None]


class Moment(enum.StrEnum):
    """On which side of a call something happens."""

    BEFORE = "before"
    AFTER = "after"


@dataclasses.dataclass(frozen=True, slots=True)
class Cue:
    """One point: the call's name, such as ``do disks``, ``virt.spawn`` or ``compute.sweep``, and the moment."""

    call: str
    moment: Moment


class Died(BaseException):
    """The daemon's end in the middle of its work: nothing in the daemon catches it."""


class Stage:
    """The cues that are given, who acts on them, and what was seen."""

    def __init__(self) -> None:
        self.compute: Any = None
        self.network: Any = None
        self.hypervisor: Any = None
        self.rings_lost = False
        self.died = threading.Event()
        self.seen: list[str] = []
        self._effects: dict[Cue, Effect] = {}
        self._lasting: set[Cue] = set()
        self._twice: set[str] = set()
        self._guard = threading.Lock()

    def clear(self) -> None:
        """Let everything go well from now on, and forget what was seen."""
        self.rings_lost = False
        self.died.clear()
        self.seen.clear()
        self._effects.clear()
        self._lasting.clear()
        self._twice.clear()

    def give(self, cue: Cue, effect: Effect, *, always: bool = False) -> None:
        """Have ``effect`` happen at ``cue``: the first time that it comes, or ``always``."""
        self._effects[cue] = effect
        if always:
            self._lasting.add(cue)

    def repeat(self, call: str) -> None:
        """Have ``call`` made twice each time."""
        self._twice.add(call)

    def die(self) -> None:
        """End nova-compute here and now: an effect."""
        self.compute.dead = True
        self.died.set()
        end_thread()

    def wrap(self, step: Step) -> Step:
        """Return ``step`` with cues around its do and its undo."""
        return Step(
            step.name,
            lambda: self.make(f"do {step.name}", step.do),
            lambda: self.make(f"undo {step.name}", step.undo),
        )

    def make(self, call: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call ``function`` with the cues around it, as often as is wanted; returns its last answer."""
        answer = None
        for _ in range(2 if call in self._twice else 1):
            self.seen.append(call)
            self._reach(Cue(call, Moment.BEFORE))
            answer = function(*arguments, **options)
            self._reach(Cue(call, Moment.AFTER))
        return answer

    def unplayed(self) -> list[Cue]:
        """Return the cues that were given and never came: a test that has any tested nothing."""
        return [cue for cue in self._effects if cue not in self._lasting]

    def _reach(self, cue: Cue) -> None:
        with self._guard:
            lasts = cue in self._lasting
            effect = self._effects.get(cue) if lasts else self._effects.pop(cue, None)
        if effect is not None:
            effect()


STAGE = Stage()
"""Plug-ins are made from import strings, so that this is where they and the tests meet."""


def fail(error: Exception) -> Effect:
    """Return the effect of a call that raises."""

    def effect() -> None:
        raise error

    return effect


def end_thread() -> None:
    """End the work that is under way and nothing else: an effect."""
    raise Died()
