"""Long work as a list of idempotent steps, each with its undo.

The journal records each step before its ``do`` runs (the first by the claim on the work), so that a daemon
that dies in the middle finds out where it was. Every ``do`` and every ``undo`` may run twice: a flow that is
taken up again starts at the first step.
"""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from nova_lite.core import errors

LOG = logging.getLogger(__name__)


def nothing() -> None:
    """The undo of a step that leaves nothing behind."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One part of a flow: ``do`` brings something about, ``undo`` makes it as if it had never been."""

    name: str
    do: Callable[[], None]
    undo: Callable[[], None] = nothing


class Journal(Protocol):
    """Where a flow writes down how far it is."""

    def enter(self, step: str) -> None:
        """Record that ``step`` is about to run; raises Superseded when the claim on the work is lost."""


class FlowUndone(errors.NovaError):
    """A step failed and everything before it was undone; ``__cause__`` is the step's own error."""

    def __init__(self, step: str, cause: BaseException) -> None:
        super().__init__(errors.sentence(cause))
        self.step = step


class UndoFailed(errors.NovaError):
    """An undo failed too, so something was left behind that a repair has to remove; ``step`` is the first."""

    def __init__(self, steps: Sequence[str]) -> None:
        super().__init__(f"The operation failed and cleaning up failed too ({', '.join(steps)}).")
        self.step = steps[0]


RETRIED = (errors.Unavailable, errors.Superseded)
"""Errors that say nothing about the work itself: they leave it where it is, to be taken up again."""


def run(steps: Sequence[Step], journal: Journal) -> None:
    """Run ``steps`` in order; when one fails, undo it and those before it in reverse.

    Raises FlowUndone when everything was undone, UndoFailed when an undo failed, and lets the errors of
    RETRIED through with nothing undone.
    """
    for position, step in enumerate(steps):
        try:
            journal.enter(step.name)
            step.do()
        except RETRIED:
            raise
        except Exception as error:
            LOG.warning(
                "step %s failed: %s", step.name, error, exc_info=not isinstance(error, errors.NovaError)
            )
            undo(steps[: position + 1])
            raise FlowUndone(step.name, error) from error


def undo(steps: Sequence[Step]) -> None:
    """Undo ``steps`` in reverse, each of them even if another fails; raises UndoFailed after the last."""
    broken: list[str] = []
    for step in reversed(steps):
        try:
            step.undo()
        except errors.Unavailable:
            raise
        except Exception:
            LOG.exception("undo of step %s failed", step.name)
            broken.append(step.name)
    if broken:
        raise UndoFailed(broken)
