"""Actions together with the instances that they are about, read in one statement."""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.actions import Action, ActionState
from nova_lite.core.instance import Instance
from nova_lite.db import actions, instance_rows
from nova_lite.db.actions import ActionRow
from nova_lite.db.instance_rows import InstanceRow

_ACTIONS = cast(sa.Table, ActionRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_ACTION_NAMES = _ACTIONS.columns.keys()
_INSTANCE_NAMES = _INSTANCES.columns.keys()

Work = tuple[Action, Instance | None]
"""An action, and its instance unless that was deleted."""


def claim(session: Session, action_ids: Sequence[str], claimant: str) -> list[Work]:
    """Take those of ``action_ids`` that are queued; returns what ``claimant`` now holds of them."""
    if not actions.take(session, action_ids, claimant):
        return []
    return _read(session, _HELD, ids=action_ids, claimant=claimant)


def waiting(session: Session, action_ids: Sequence[str]) -> list[tuple[Action, Instance]]:
    """Return those of ``action_ids`` that no host has yet and whose instances are not deleted."""
    found = _read(session, _WAITING, ids=action_ids)
    return [(action, instance) for action, instance in found if instance is not None]


def _work(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    about = sa.and_(_INSTANCES.c.uuid == _ACTIONS.c.resource_id, _INSTANCES.c.deleted == sa.false())
    return (
        sa.select(_ACTIONS, _INSTANCES)
        .select_from(_ACTIONS.outerjoin(_INSTANCES, about))
        .where(_ACTIONS.c.id.in_(sa.bindparam("ids")), condition)
        .order_by(_ACTIONS.c.created_at, _ACTIONS.c.id)
    )


# Built once: putting these together takes longer than asking them.
_HELD = _work(actions.is_held_by(sa.bindparam("claimant")))
_WAITING = _work(sa.and_(_ACTIONS.c.state == ActionState.QUEUED, _ACTIONS.c.host == ""))


def _read(session: Session, query: sa.Select[Any], **parameters: Any) -> list[Work]:
    found = []
    for row in session.execute(query, parameters):
        # Both tables have columns of the same name, which only their places tell apart.
        of_action = dict(zip(_ACTION_NAMES, row, strict=False))
        of_instance = dict(zip(_INSTANCE_NAMES, row[len(_ACTION_NAMES) :], strict=True))
        instance = None if of_instance["uuid"] is None else instance_rows.to_value(of_instance)
        found.append((actions.to_value(of_action), instance))
    return found
