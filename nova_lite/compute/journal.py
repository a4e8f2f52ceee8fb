"""A flow's journal in the action's row, with the task state that the user sees beside it."""

import dataclasses
from collections.abc import Mapping

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.actions import Action, StepEvent
from nova_lite.core.errors import Superseded
from nova_lite.core.instance_states import TaskState
from nova_lite.db import actions, instances
from nova_lite.db.engine import Database


class ActionJournal:
    """Writes each step before it runs, in one transaction with the task state that it shows, if any.

    That the first step runs is said by the claim on the action, which was written just before. The steps that
    another host did before it handed the action over are kept.
    """

    def __init__(
        self, database: Database, action: Action, tasks: Mapping[str, tuple[TaskState, ...]] | None = None
    ) -> None:
        self._database = database
        self._action = action
        self._tasks = tasks or {}
        self._kept = action.parameters.get("kept", 0)
        self._events = list(action.events[: self._kept])

    def enter(self, step: str) -> None:
        """Record that ``step`` begins; raises Superseded when the action or the instance was taken over."""
        self._close("Success")
        self._events.append(StepEvent(step, clock.now(), host=self._action.host))
        if len(self._events) == self._kept + 1 and step not in self._tasks:
            return

        def work(session: Session) -> None:
            if not actions.enter_step(session, self._action, self._events):
                raise Superseded()
            if step in self._tasks:
                *before, task = self._tasks[step]
                instances.show_task(session, self._action.resource_id, [*before, task], task)

        self._database.run("action.step", work)

    def end(self, error: str = "") -> tuple[StepEvent, ...]:
        """Return all steps with the last one ended, well unless there is an ``error``."""
        self._close("Error" if error else "Success", error)
        return tuple(self._events)

    def _close(self, result: str, details: str = "") -> None:
        if self._events and self._events[-1].finished_at is None:
            self._events[-1] = dataclasses.replace(
                self._events[-1], finished_at=clock.now(), result=result, details=details
            )
