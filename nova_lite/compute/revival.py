"""Starting guests again after their host was booted, as the operator's flags say."""

import logging

from sqlalchemy.orm import Session

from nova_lite.compute.host import ComputeHost
from nova_lite.compute.policy import Policy
from nova_lite.core import ids
from nova_lite.core.actions import new_action
from nova_lite.core.context import system_context
from nova_lite.core.errors import Conflict, NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState, Verb, VmState
from nova_lite.db import actions, instances

LOG = logging.getLogger(__name__)


class Revival:
    """Has guests of one host started again that a boot of the host ended.

    Of one with which something else was under way then, it is seen when that is over.
    """

    def __init__(self, host: ComputeHost, policy: Policy) -> None:
        self._host = host
        self._policy = policy
        self._late: set[str] = set()

    def begin(self) -> None:
        """Order the start of guests that are off, if the host was booted since this was done last."""
        if self._host.driver.was_rebooted():
            self._late = self._order_all()
        self._note()

    def takes(self, instance: Instance) -> bool:
        """Have a guest that was found off started, if the boot ended it; False for others."""
        if instance.uuid not in self._late:
            return False
        if self._host.database.run("compute.revive", lambda session: _order(session, instance, Verb.REBOOT_HARD)):
            self._late.discard(instance.uuid)
            self._note()
        return True

    def go_on(self) -> None:
        """See what became of guests with which something was under way."""
        if not self._late:
            return
        late = sorted(self._late)
        found = self._host.database.read("compute.late", lambda session: instances.by_uuids(session, late))
        for uuid in late:
            instance = found.get(uuid)
            if instance is not None and instance.task_state is not None:
                continue
            if instance is None or not self._should_run(instance) or self._runs(uuid):
                self._late.discard(uuid)
            else:
                self.takes(instance)
        self._note()

    def _should_run(self, instance: Instance) -> bool:
        return instance.host == self._host.name and instance.vm_state is VmState.ACTIVE

    def _runs(self, uuid: str) -> bool:
        guest = self._host.driver.guest(uuid)
        return guest is not None and guest.power_state is PowerState.RUNNING

    def _note(self) -> None:
        # Only when all is ordered: a start that comes to nothing is made up for by the next.
        if not self._late:
            self._host.driver.note_boot()

    def _order_all(self) -> set[str]:
        """Order what the flags say; returns the guests with which something else is under way."""
        wanted = {}
        if self._policy.resume_guests or self._policy.start_guests:
            wanted[VmState.ACTIVE] = Verb.REBOOT_HARD
        if self._policy.start_guests:
            wanted[VmState.STOPPED] = Verb.START
        LOG.info("the host was booted; guests are %s", "started again" if wanted else "left as they are")
        runs = {guest.uuid for guest in self._host.driver.guests() if guest.power_state is PowerState.RUNNING}

        def work(session: Session) -> set[str]:
            late = set()
            for instance in instances.on_host(session, self._host.name):
                verb = wanted.get(instance.vm_state)
                if verb is None or instance.uuid in runs:
                    continue
                if not _order(session, instance, verb) and verb is Verb.REBOOT_HARD:
                    late.add(instance.uuid)
            return late

        return self._host.database.run("compute.revive", work) if wanted else set()


def _order(session: Session, instance: Instance, verb: Verb) -> bool:
    """Order a verb; False when something else is under way with the instance."""
    try:
        instances.begin(session, instance, verb, despite_lock=True)
    except (Conflict, NotFound):
        return False
    actions.insert(session, [new_action(system_context(), instance, verb, ids.new_uuid(), {})])
    return True
