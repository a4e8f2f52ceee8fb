"""The action: the durable record of work in progress, of which every message is only a doorbell."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any

from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb


class ActionState(enum.StrEnum):
    """Where an action stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


@dataclasses.dataclass(frozen=True, slots=True)
class StepEvent:
    """One step of an action as it ran; ``result`` is empty while it is still running."""

    step: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    result: str = ""
    host: str = ""
    details: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One piece of work on one resource, from the request that asked for it to its end.

    ``host`` is the host that has to do it, empty until it is known; ``claimed_by`` names the daemon
    that does it now.
    """

    id: str
    resource_id: str
    verb: str
    project_id: str
    user_id: str
    request_id: str
    state: ActionState
    created_at: datetime.datetime
    updated_at: datetime.datetime
    host: str = ""
    step: str = ""
    attempt: int = 0
    claimed_by: str = ""
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    events: tuple[StepEvent, ...] = ()
    error: str = ""
    heartbeat_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None


def new_action(
    context: RequestContext,
    instance: Instance,
    verb: Verb,
    action_id: str,
    parameters: Mapping[str, Any] | None = None,
) -> Action:
    """Return a new action on an instance, queued for its host if it has one."""
    now = clock.now()
    return Action(
        id=action_id,
        resource_id=instance.uuid,
        verb=verb,
        project_id=instance.project_id,
        user_id=context.user_id,
        request_id=context.request_id,
        state=ActionState.QUEUED,
        created_at=now,
        updated_at=now,
        host=instance.host or "",
        parameters=parameters or {},
    )
