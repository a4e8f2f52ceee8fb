"""Actions: the queue of all work, and the record of it that users see.

Every change of state here is one conditional UPDATE, so that of several daemons only one gets an action.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.actions import Action, ActionState, StepEvent
from nova_lite.db.base import LONG_TEXT, MYSQL, UUID, Base, JsonText

OPEN = (ActionState.QUEUED, ActionState.RUNNING)


class ActionRow(Base):
    """One action."""

    __tablename__ = "actions"
    __table_args__ = (
        sa.Index("ix_actions_state_host", "state", "host"),
        sa.Index("ix_actions_resource", "resource_id", "created_at"),
        MYSQL,
    )

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    resource_id: Mapped[str] = mapped_column(UUID)
    verb: Mapped[str] = mapped_column(sa.String(64))
    project_id: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str] = mapped_column(sa.String(64))
    request_id: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[str] = mapped_column(sa.String(16))
    host: Mapped[str] = mapped_column(default="")
    step: Mapped[str] = mapped_column(sa.String(64), default="")
    attempt: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str] = mapped_column(default="")
    parameters: Mapped[Any] = mapped_column(JsonText)
    events: Mapped[Any] = mapped_column(JsonText)
    error: Mapped[str] = mapped_column(LONG_TEXT, default="")
    heartbeat_at: Mapped[datetime.datetime | None]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    finished_at: Mapped[datetime.datetime | None]


_TABLE = cast(sa.Table, ActionRow.__table__)

# What every action needs is built once, which takes longer than asking it. The parameters that are columns' names
# are what an UPDATE sets, the others (ids, holder, on_attempt …) are its conditions.
_INSERT = sa.insert(_TABLE)
_TAKE = (
    sa.update(_TABLE)
    .where(_TABLE.c.id.in_(sa.bindparam("ids")), _TABLE.c.state == ActionState.QUEUED)
    .values(
        state=ActionState.RUNNING,
        claimed_by=sa.bindparam("claimed_by"),
        attempt=_TABLE.c.attempt + 1,
        step="",
        heartbeat_at=sa.bindparam("heartbeat_at"),
        updated_at=sa.bindparam("updated_at"),
    )
)
_HELD = sa.update(_TABLE).where(
    _TABLE.c.id == sa.bindparam("held"),
    _TABLE.c.state == ActionState.RUNNING,
    _TABLE.c.claimed_by == sa.bindparam("holder"),
    _TABLE.c.attempt == sa.bindparam("on_attempt"),
)


def insert(session: Session, actions: Sequence[Action]) -> None:
    """Add ``actions``, usually in the transaction that changes what they are about."""
    session.execute(_INSERT, [_to_row(action) for action in actions])


def get(session: Session, action_id: str) -> Action | None:
    """Return an action, or None."""
    row = session.execute(sa.select(_TABLE).where(_TABLE.c.id == action_id)).one_or_none()
    return None if row is None else _to_value(row)


def of_resource(session: Session, resource_id: str, *, limit: int | None = None) -> list[Action]:
    """Return what was ever done to a resource, the newest first."""
    query = sa.select(_TABLE).where(_TABLE.c.resource_id == resource_id)
    query = query.order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit)
    return [_to_value(row) for row in session.execute(query)]


def claim(session: Session, action_ids: Sequence[str], claimant: str) -> list[Action]:
    """Take those of ``action_ids`` that are queued; returns what ``claimant`` now holds of them."""
    if not take(session, action_ids, claimant):
        return []
    held = sa.select(_TABLE).where(_TABLE.c.id.in_(action_ids), is_held_by(claimant))
    return [_to_value(row) for row in session.execute(held.order_by(_TABLE.c.created_at, _TABLE.c.id))]


def take(session: Session, action_ids: Sequence[str], claimant: str) -> bool:
    """Take those of ``action_ids`` that are queued; False when there are none."""
    now = clock.now()
    values = {"ids": action_ids, "claimed_by": claimant, "heartbeat_at": now, "updated_at": now}
    return _changed(session.execute(_TAKE, values))


def is_held_by(claimant: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """The condition that ``claimant`` does an action now."""
    return sa.and_(_TABLE.c.state == ActionState.RUNNING, _TABLE.c.claimed_by == claimant)


def assign(session: Session, action_ids: Sequence[str], host: str) -> int:
    """Give queued actions that no host has yet to ``host``; returns how many were still to be had."""
    given = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id.in_(action_ids), _TABLE.c.state == ActionState.QUEUED, _TABLE.c.host == "")
        .values(host=host, updated_at=clock.now())
    )
    return int(given.rowcount)  # type: ignore[attr-defined]


def enter_step(session: Session, action: Action, events: Sequence[StepEvent]) -> bool:
    """Record the step that ``events`` ends with, before it runs; False when the claim is lost."""
    now = clock.now()
    return _change_held(
        session, action, step=events[-1].step, events=_events_to_json(events), heartbeat_at=now, updated_at=now
    )


def finish(
    session: Session, action: Action, state: ActionState, *, events: Sequence[StepEvent] = (), error: str = ""
) -> bool:
    """End an action that is held; False when the claim is lost."""
    now = clock.now()
    values: dict[str, Any] = {"state": state, "error": error, "updated_at": now, "finished_at": now}
    if events:
        values["events"] = _events_to_json(events)
    return _change_held(session, action, **values)


def requeue(session: Session, action: Action, error: str = "") -> bool:
    """Put an action that is held back into the queue of its host; False when the claim is lost.

    An ``error`` says what it waits for.
    """
    values = {"state": ActionState.QUEUED, "claimed_by": "", "updated_at": clock.now()}
    if error:
        values["error"] = error
    return _change_held(session, action, **values)


def cancel(session: Session, resource_id: str, error: str) -> bool:
    """End a queued action of a resource that waits for a host; False when there is none."""
    now = clock.now()
    cancelled = session.execute(
        sa.update(_TABLE)
        .where(
            _TABLE.c.resource_id == resource_id,
            _TABLE.c.state == ActionState.QUEUED,
            _TABLE.c.host == "",
        )
        .values(state=ActionState.UNDONE, error=error, updated_at=now, finished_at=now)
    )
    return _changed(cancelled)


def end_without_host(session: Session, action: Action, state: ActionState, error: str) -> bool:
    """End an open action whose host is dead, exactly as it was read; False when it has moved since."""
    now = clock.now()
    ended = session.execute(
        sa.update(_TABLE)
        .where(
            _TABLE.c.id == action.id,
            _TABLE.c.state == action.state,
            _TABLE.c.claimed_by == action.claimed_by,
            _TABLE.c.attempt == action.attempt,
        )
        .values(state=state, error=error, updated_at=now, finished_at=now)
    )
    return _changed(ended)


def hand_over(
    session: Session,
    action: Action,
    host: str,
    parameters: Mapping[str, Any],
    events: Sequence[StepEvent],
) -> bool:
    """Give an open action, exactly as it was read, to another host to go on with; False when it has moved."""
    given = session.execute(
        sa.update(_TABLE)
        .where(
            _TABLE.c.id == action.id,
            _TABLE.c.state == action.state,
            _TABLE.c.claimed_by == action.claimed_by,
            _TABLE.c.attempt == action.attempt,
        )
        .values(
            state=ActionState.QUEUED,
            host=host,
            claimed_by="",
            attempt=0,
            parameters=dict(parameters),
            events=_events_to_json(events),
            updated_at=clock.now(),
        )
    )
    return _changed(given)


def queued(
    session: Session, host: str, *, before: datetime.datetime | None = None, limit: int = 500
) -> list[str]:
    """Return the ids of actions that wait for ``host`` ("" for a scheduler), the oldest first."""
    query = sa.select(_TABLE.c.id).where(_TABLE.c.state == ActionState.QUEUED, _TABLE.c.host == host)
    if before is not None:
        query = query.where(_TABLE.c.updated_at < before)
    return list(session.execute(query.order_by(_TABLE.c.created_at).limit(limit)).scalars())


def by_ids(session: Session, action_ids: Sequence[str]) -> list[Action]:
    """Return actions, the oldest first."""
    query = sa.select(_TABLE).where(_TABLE.c.id.in_(action_ids)).order_by(_TABLE.c.created_at, _TABLE.c.id)
    return [_to_value(row) for row in session.execute(query)]


def running(session: Session, claimants: Iterable[str] | None = None) -> list[Action]:
    """Return the actions that are being done, by any of ``claimants`` or by anybody."""
    query = sa.select(_TABLE).where(_TABLE.c.state == ActionState.RUNNING)
    if claimants is not None:
        query = query.where(_TABLE.c.claimed_by.in_(list(claimants)))
    return [_to_value(row) for row in session.execute(query)]


def open_actions(session: Session) -> list[Action]:
    """Return every action that is not over."""
    query = sa.select(_TABLE).where(_TABLE.c.state.in_(OPEN)).order_by(_TABLE.c.created_at)
    return [_to_value(row) for row in session.execute(query)]


def is_busy(session: Session, resource_id: str) -> bool:
    """Tell whether an action about a resource is not over."""
    query = sa.select(sa.literal(1)).where(_TABLE.c.resource_id == resource_id, _TABLE.c.state.in_(OPEN))
    return session.execute(query.limit(1)).first() is not None


def release_claims(session: Session, claimant: str) -> int:
    """Put back everything that ``claimant`` held, for it starts anew; returns how many."""
    result = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.state == ActionState.RUNNING, _TABLE.c.claimed_by == claimant)
        .values(state=ActionState.QUEUED, claimed_by="", updated_at=clock.now())
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def beat(session: Session, action_ids: Sequence[str], claimant: str) -> None:
    """Record that ``claimant`` is alive and still at these actions."""
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id.in_(action_ids), _TABLE.c.claimed_by == claimant)
        .values(heartbeat_at=clock.now())
    )


def count_by_state(session: Session) -> dict[tuple[str, str], int]:
    """Return how many actions there are, by verb and state, for metrics."""
    query = sa.select(_TABLE.c.verb, _TABLE.c.state, sa.func.count()).group_by(_TABLE.c.verb, _TABLE.c.state)
    return {(verb, state): number for verb, state, number in session.execute(query)}


def _change_held(session: Session, action: Action, **values: Any) -> bool:
    """Set columns of an action that is held; False when the claim is lost."""
    held = {"held": action.id, "holder": action.claimed_by, "on_attempt": action.attempt}
    return _changed(session.execute(_HELD, held | values))


def _changed(result: sa.Result[Any]) -> bool:
    return bool(result.rowcount)  # type: ignore[attr-defined]


def _to_row(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "resource_id": action.resource_id,
        "verb": action.verb,
        "project_id": action.project_id,
        "user_id": action.user_id,
        "request_id": action.request_id,
        "state": action.state,
        "host": action.host,
        "parameters": dict(action.parameters),
        "events": [],
        "created_at": action.created_at,
        "updated_at": action.updated_at,
    }


def to_value(columns: Mapping[str, Any]) -> Action:
    """Return the action that a row of this table, by column, stands for."""
    values = dict(columns)
    values["state"] = ActionState(values["state"])
    values["events"] = tuple(_event_from_json(event) for event in values["events"] or ())
    return Action(**values)


def _to_value(row: sa.Row[Any]) -> Action:
    return to_value(row._asdict())


def _events_to_json(events: Sequence[StepEvent]) -> list[list[str | None]]:
    return [
        [
            event.step,
            event.started_at.isoformat(),
            event.finished_at.isoformat() if event.finished_at else None,
            event.result,
            event.host,
            event.details,
        ]
        for event in events
    ]


def _event_from_json(event: list[str | None]) -> StepEvent:
    step, started, finished, result, host, details = event
    return StepEvent(
        step or "",
        datetime.datetime.fromisoformat(started or ""),
        datetime.datetime.fromisoformat(finished) if finished else None,
        result or "",
        host or "",
        details or "",
    )
