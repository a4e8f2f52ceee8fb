"""One action from its claim to its end: choose the flow, run it, record how it ended."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.compute import boot, resize
from nova_lite.compute.boot import BootFlow
from nova_lite.compute.delete import DeleteFlow
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.interfaces import InterfaceFlow
from nova_lite.compute.journal import ActionJournal
from nova_lite.compute.live_migration import LiveMigrationFlow
from nova_lite.compute.power import PowerFlow
from nova_lite.compute.rebuild import RebuildFlow
from nova_lite.compute.rescue import RescueFlow
from nova_lite.compute.resize import ConfirmFlow, ResizeFlow
from nova_lite.compute.rotation import rotate
from nova_lite.compute.shelve import ArriveFlow, OffloadFlow, ShelveFlow
from nova_lite.compute.snapshot import SnapshotFlow, abandon
from nova_lite.core import clock, flow, ids
from nova_lite.core.actions import Action, ActionState, StepEvent, new_action
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NovaError, Superseded, Unavailable
from nova_lite.core.flow import Step
from nova_lite.core.instance import Fault, Instance
from nova_lite.core.instance_states import TRANSITIONS, PowerState, TaskState, Verb, VmState
from nova_lite.core.server_migration import Phase
from nova_lite.db import actions, addresses, holdings, images, instances, moves

LOG = logging.getLogger(__name__)

_LAUNCHES = (Verb.BOOT, Verb.REBUILD, Verb.REBUILD_STOPPED, Verb.UNSHELVE, Verb.EVACUATE)
"""The verbs that make a new guest."""

_UNSHELVES = (Verb.UNSHELVE, Verb.UNSHELVE_HERE)

_CARRIED = (Verb.RESIZE, *_UNSHELVES)
"""The verbs whose image is of no use when they are done."""

_SHOWN = {Verb.BOOT: boot.TASKS, Verb.RESIZE: resize.TASKS}
"""The task states that the steps of a verb show."""

_MEANWHILE = {Verb.BOOT: boot.TASKS_MEANWHILE, Verb.RESIZE: resize.TASKS_MEANWHILE}
"""The task states in which a verb may end, where there are several."""


@dataclasses.dataclass(frozen=True, slots=True)
class Onward:
    """An action that is to be taken up next, and by which host."""

    host: str
    action_id: str


class Work:
    """Runs actions on one host; ``max_attempts`` bounds how often one is begun before it counts as failed.

    ``wrote`` is told the power states of instances that are written down when their action is done, and None
    when it failed.
    """

    def __init__(self, host: ComputeHost, *, max_attempts: int) -> None:
        self._host = host
        self._max_attempts = max_attempts
        self.wrote: Callable[[str, PowerState | None], None] = _nobody

    def perform(self, context: RequestContext, action: Action, instance: Instance | None) -> Onward | None:
        """Run a claimed action to its end here; returns who has to be rung to go on.

        Raises Unavailable when it has to be taken up again later.

        ``instance`` is as it was at the claim, None when it was deleted. Another action may have run since:
        no flow relies on its state, and every change of it is conditional.
        """
        if instance is None:
            self._abandon(action)
            self._clear(context, action)
            self._end(action, ActionState.UNDONE, error="The instance was deleted.")
            return None
        verb = Verb(action.verb)
        journal = ActionJournal(self._host.database, action, _SHOWN.get(verb))
        steps = self._steps(context, instance, action)
        try:
            self._run(action, steps, journal)
        except Superseded:
            LOG.info("%s of instance %s was superseded", verb, instance.uuid)
            self._abandon(action)
            self._clear(context, action)
            self._end(action, ActionState.UNDONE, events=journal.end("superseded"))
        except Unavailable as error:
            waits_for = str(error)
            self._host.database.run(
                "action.requeue", lambda session: actions.requeue(session, action, waits_for)
            )
            raise
        except (flow.FlowUndone, flow.UndoFailed) as error:
            phase = moves.next_phase(action, failed=True)
            if phase is not None:
                return self._hand_over(context, action, phase, journal, str(error))
            self._fail(action, instance, error, journal)
            self._drop_carrier(action)
        else:
            phase = moves.next_phase(action, failed=False)
            if phase is not None:
                return self._hand_over(context, action, phase, journal)
            onward = self._finish(context, action, instance, journal)
            self._drop_carrier(action)
            return onward
        return None

    def _drop_carrier(self, action: Action) -> None:
        """Remove an image that only carried a disk to here; should this be lost, the reaper of images does it."""
        if action.verb in _CARRIED and action.parameters["image_id"]:
            abandon(self._host, action.parameters["image_id"])

    def _hand_over(
        self, context: RequestContext, action: Action, phase: Phase, journal: ActionJournal, error: str = ""
    ) -> Onward | None:
        """Give the action to the host that does its next phase."""
        events = journal.end(error)
        try:
            host = self._host.database.run(
                "action.hand_over",
                lambda session: moves.hand_over(session, action, phase, events, error),
                landed=lambda session: _host_of(session, action, phase),
            )
        except Superseded:
            self._clear(context, action)
            self._end(
                action, ActionState.UNDONE, events=events, error="Another action took the instance over."
            )
            return None
        LOG.info("%s of instance %s goes on at %s: %s", action.verb, action.resource_id, host, phase)
        return Onward(host, action.id)

    def _abandon(self, action: Action) -> None:
        """Remove what an action that will not be done would leave apart from its instance."""
        if action.verb in (Verb.SNAPSHOT, Verb.SHELVE):
            abandon(self._host, action.parameters["image_id"])

    def _run(self, action: Action, steps: Sequence[Step], journal: ActionJournal) -> None:
        """Run the flow, or only undo it when it was begun too often."""
        if action.attempt <= self._max_attempts:
            flow.run(steps, journal)
            return
        flow.undo(steps)
        why = f": {action.error}" if action.error else "."
        raise flow.FlowUndone(
            action.step, NovaError(f"The operation was given up after {self._max_attempts} attempts{why}")
        )

    def _steps(self, context: RequestContext, instance: Instance, action: Action) -> Sequence[Step]:
        verb, parameters = Verb(action.verb), action.parameters
        match verb:
            case Verb.BOOT:
                return BootFlow(self._host, context, instance, parameters).steps()
            case Verb.DELETE:
                last = not parameters.get("elsewhere")
                return DeleteFlow(self._host, context, instance, last=last).steps()
            case Verb.REBUILD | Verb.REBUILD_STOPPED:
                return RebuildFlow(self._host, instance, verb, parameters).steps()
            case Verb.RESCUE:
                return RescueFlow(self._host, instance, parameters).rescue_steps()
            case Verb.UNRESCUE:
                return RescueFlow(self._host, instance, parameters).unrescue_steps()
            case Verb.SNAPSHOT:
                return SnapshotFlow(self._host, instance, action).steps()
            case Verb.RESIZE | Verb.REVERT_RESIZE:
                return ResizeFlow(self._host, context, instance, action).steps()
            case Verb.SHELVE:
                return ShelveFlow(self._host, instance, action).steps()
            case Verb.SHELVE_OFFLOAD:
                return OffloadFlow(self._host, instance).steps()
            case Verb.UNSHELVE:
                return ArriveFlow(self._host, context, instance, action).unshelve_steps()
            case Verb.EVACUATE:
                return ArriveFlow(self._host, context, instance, action).evacuate_steps()
            case Verb.ATTACH_INTERFACE:
                return InterfaceFlow(self._host, context, instance, parameters).attach_steps()
            case Verb.DETACH_INTERFACE:
                return InterfaceFlow(self._host, context, instance, parameters).detach_steps()
            case Verb.LIVE_MIGRATE:
                return LiveMigrationFlow(self._host, context, instance, action).steps()
            case Verb.CONFIRM_RESIZE:
                return ConfirmFlow(self._host, instance).steps()
            case _:
                return PowerFlow(self._host, instance, verb, parameters).steps()

    def _finish(
        self, context: RequestContext, action: Action, instance: Instance, journal: ActionJournal
    ) -> Onward | None:
        verb = Verb(action.verb)
        if verb is Verb.DELETE and action.parameters.get("elsewhere"):
            return self._delete_elsewhere(action, journal)
        events = journal.end()
        # Why a guest that has landed all the same was thought lost is of no interest then.
        error = "" if moves.phase_of(action) is Phase.LAND else action.parameters.get("error", "")
        end = ActionState.FAILED if error else ActionState.DONE
        follows = ids.new_uuid() if action.parameters.get("offload") else ""

        def work(session: Session) -> PowerState | None:
            if not actions.finish(session, action, end, events=events, error=error):
                raise Superseded()
            if verb is Verb.DELETE:
                holdings.retire(session, instance)
                return PowerState.NOSTATE
            if error:
                # All was turned back; what began to go wrong on another host is told here.
                instances.fail(session, instance.uuid, verb, _tasks(verb), Fault(500, error, clock.now()))
                return None
            values: dict[str, Any] = {"launched_at": clock.now()} if verb in _LAUNCHES else {}
            if verb in _UNSHELVES:
                values["shelved_image_id"] = None
            off = action.parameters.get("off", False)
            power = instances.finish(session, instance.uuid, verb, _tasks(verb), off=off, **values)
            self._settle(session, instance, action)
            if follows:
                _begin_offload(session, context, instance.uuid, follows)
            if "rotation" in action.parameters:
                rotate(session, instance, action)
            return power

        def landed(session: Session) -> bool | None:
            now = actions.get(session, action.id)
            return True if now is not None and now.state is end else None

        try:
            written = self._host.database.run("action.finish", work, landed=landed)
        except Superseded:
            self._clear(context, action)
            self._end(
                action, ActionState.UNDONE, events=events, error="Another action took the instance over."
            )
            return None
        if isinstance(written, PowerState):
            self.wrote(instance.uuid, written)
        LOG.info("%s of instance %s is done", verb, instance.uuid)
        return Onward(self._host.name, follows) if follows else None

    def _delete_elsewhere(self, action: Action, journal: ActionJournal) -> Onward | None:
        """Have the other host of a migration remove what it has of the instance, too."""
        events = journal.end()

        def landed(session: Session) -> str | None:
            now = actions.get(session, action.id)
            return now.host if now is not None and now.host != self._host.name else None

        try:
            host = self._host.database.run(
                "action.delete_elsewhere",
                lambda session: moves.delete_elsewhere(session, action, events),
                landed=landed,
            )
        except Superseded:
            return None
        return Onward(host, action.id)

    def _clear(self, context: RequestContext, action: Action) -> None:
        """Remove what is here of an instance that was deleted before its action ended; what fails is for the repair."""
        uuid = action.resource_id
        instance = self._host.database.read("action.gone", lambda session: instances.gone(session, uuid))
        if instance is None:
            return
        try:
            for step in DeleteFlow(self._host, context, instance, last=True).steps():
                step.do()
        except NovaError as error:
            LOG.warning("what %s left of the deleted instance %s is mended later: %s", action.verb, uuid, error)

    @staticmethod
    def _settle(session: Session, instance: Instance, action: Action) -> None:
        """Give back what an instance needs no more since its verb is done."""
        verb = Verb(action.verb)
        if verb is Verb.SHELVE_OFFLOAD:
            holdings.leave_host(session, instance)
        if verb in _UNSHELVES and action.parameters["image_id"]:
            images.mark_deleted(session, action.parameters["image_id"])
        if "migration" in action.parameters:
            moves.settle(session, action, failed=False)

    def _fail(
        self,
        action: Action,
        instance: Instance,
        error: flow.FlowUndone | flow.UndoFailed,
        journal: ActionJournal,
    ) -> None:
        """Record a failure; an instance that left nothing here loses its host."""
        verb = Verb(action.verb)
        LOG.warning("%s of instance %s failed: %s", verb, instance.uuid, error)
        events = journal.end(str(error))
        clean = isinstance(error, flow.FlowUndone)
        fault = Fault(500, str(error), clock.now(), details=f"{verb} failed in step {error.step}")

        def work(session: Session) -> None:
            if not actions.finish(session, action, ActionState.FAILED, events=events, error=str(error)):
                return
            lost = {"vm_state": VmState.ERROR} if moves.phase_of(action) is Phase.RETURN else {}
            try:
                instances.fail(session, instance.uuid, verb, _tasks(verb), fault, **lost)
            except Superseded:
                return
            if "migration" in action.parameters:
                moves.settle(session, action, failed=True)
            if verb is Verb.ATTACH_INTERFACE:
                addresses.detach(session, action.parameters["interface"]["id"], action.resource_id)
            if verb is Verb.SHELVE:
                instances.update(session, instance.uuid, shelved_image_id=None)
            if clean and verb in (Verb.BOOT, Verb.UNSHELVE):
                holdings.leave_host(session, instance)

        self._host.database.run("action.fail", work)
        # A daemon that died at it may have changed the guest, of which this one was told nothing.
        self.wrote(instance.uuid, None)

    def _end(
        self, action: Action, state: ActionState, *, events: Sequence[StepEvent] = (), error: str = ""
    ) -> None:
        self._host.database.run(
            "action.end",
            lambda session: actions.finish(session, action, state, events=events, error=error),
        )


def _nobody(uuid: str, power: PowerState | None) -> None:
    """Nobody wants to know."""


def _tasks(verb: Verb) -> tuple[TaskState, ...]:
    """The task states in which ``verb`` may end an instance's work."""
    return _MEANWHILE.get(verb, (TRANSITIONS[verb].task,))


def _host_of(session: Session, action: Action, phase: Phase) -> str | None:
    """Return the host that an action was handed to for its next phase, None when it was not."""
    now = actions.get(session, action.id)
    return now.host if now is not None and moves.phase_of(now) is phase else None


def _begin_offload(session: Session, context: RequestContext, uuid: str, action_id: str) -> None:
    """Let an instance that was shelved just now leave its host."""
    instance = instances.get(session, uuid)
    if instance is not None:
        instances.begin(session, instance, Verb.SHELVE_OFFLOAD, despite_lock=True)
        actions.insert(
            session, [new_action(context, instance, Verb.SHELVE_OFFLOAD, action_id, {"off": True})]
        )
