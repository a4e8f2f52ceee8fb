"""What becomes of work on hosts that died: decided by the state table, without the host."""

import datetime
import functools
import logging

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.actions import Action, ActionState
from nova_lite.core.errors import Superseded
from nova_lite.core.instance import Fault
from nova_lite.core.instance_states import TRANSITIONS, OnCrash, TaskState, Verb, VmState
from nova_lite.core.server_migration import Phase
from nova_lite.db import actions, addresses, holdings, instances, moves, services
from nova_lite.db.engine import Database

LOG = logging.getLogger(__name__)


class HostWatch:
    """Ends the actions of hosts whose nova-compute is down, so that nothing hangs for ever.

    A host counts as down after ``down_after`` seconds without a heartbeat; an action must have been quiet for
    as long, so that a daemon that is merely restarted finds its work again. A host that comes back removes
    what the database no longer wants of it.
    """

    def __init__(self, database: Database, *, down_after: float) -> None:
        self._database = database
        self._down_after = down_after

    def sweep(self) -> None:
        """Look for open actions on dead hosts and end them."""
        for action in self._database.read("watch.find", self._stranded):
            self._database.run("watch.end", functools.partial(self._end, action=action))

    def _stranded(self, session: Session) -> list[Action]:
        found = services.listing(session, self._down_after, binary="nova-compute")
        down = {service.host for service in found if not service.up}
        if not down:
            return []
        quiet = clock.now() - datetime.timedelta(seconds=self._down_after)
        return [
            action
            for action in actions.open_actions(session)
            if action.host in down and action.updated_at < quiet
        ]

    def _end(self, session: Session, action: Action) -> None:
        transition = TRANSITIONS[Verb(action.verb)]
        reason = f"The host {action.host} went down."
        phase = moves.next_phase(action, failed=moves.phase_of(action) is Phase.ARRIVE)
        if phase in (Phase.RETURN, Phase.LAND):
            self._hand_over(session, action, phase, reason)
            return
        if action.verb == Verb.DELETE and action.parameters.get("elsewhere"):
            self._delete_elsewhere(session, action)
            return
        finish = transition.on_dead_host is OnCrash.FINISH
        state = ActionState.DONE if finish else ActionState.FAILED
        if not actions.end_without_host(session, action, state, "" if finish else reason):
            return
        LOG.warning("action %s (%s) on dead host %s ends as %s", action.id, action.verb, action.host, state)
        if finish:
            self._finish(session, action)
            return
        try:
            fault = Fault(500, reason, clock.now())
            lost = {"vm_state": VmState.ERROR} if moves.phase_of(action) is Phase.RETURN else {}
            instances.fail(
                session, action.resource_id, transition.verb, _tasks(transition.verb), fault, **lost
            )
        except Superseded:
            LOG.info("instance %s was taken over by another action", action.resource_id)
            return
        if "migration" in action.parameters:
            moves.settle(session, action, failed=True)
        if action.verb == Verb.ATTACH_INTERFACE:
            addresses.detach(session, action.parameters["interface"]["id"], action.resource_id)

    @staticmethod
    def _finish(session: Session, action: Action) -> None:
        """Bring about without the host what the verb ends with."""
        instance = instances.get(session, action.resource_id)
        if instance is None:
            return
        if action.verb == Verb.DELETE:
            holdings.retire(session, instance)
            return
        if action.verb == Verb.DETACH_INTERFACE:
            addresses.detach(session, action.parameters["interface"]["id"], action.resource_id)
        off = action.parameters.get("off", False)
        instances.finish(session, instance.uuid, Verb(action.verb), _tasks(Verb(action.verb)), off=off)
        if action.verb == Verb.SHELVE_OFFLOAD:
            holdings.leave_host(session, instance)
        if "migration" in action.parameters:
            moves.settle(session, action, failed=False)

    @staticmethod
    def _delete_elsewhere(session: Session, action: Action) -> None:
        """Let the other host of a migration remove what it has; the dead one does so when it comes back."""
        try:
            host = moves.delete_elsewhere(session, action, action.events)
        except Superseded:
            return
        LOG.warning("the deletion of instance %s goes on at %s: %s is dead", action.resource_id, host, action.host)

    @staticmethod
    def _hand_over(session: Session, action: Action, phase: Phase, reason: str) -> None:
        """Let the other host of a migration go on, as far as it can without the one that is dead."""
        error = "" if moves.phase_of(action) is Phase.RETREAT else reason
        try:
            with session.begin_nested():
                host = moves.hand_over(session, action, phase, action.events, error)
        except Superseded:
            return
        LOG.warning(
            "action %s (%s) on dead host %s goes on at %s", action.id, action.verb, action.host, host
        )


def _tasks(verb: Verb) -> tuple[TaskState, ...]:
    if verb is Verb.BOOT:
        return (TaskState.SCHEDULING, TaskState.NETWORKING, TaskState.SPAWNING)
    if verb is Verb.RESIZE:
        return (TaskState.RESIZE_PREP, TaskState.RESIZE_MIGRATING, TaskState.RESIZE_FINISH)
    return (TRANSITIONS[verb].task,)
