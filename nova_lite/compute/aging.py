"""What time does to instances: deleted ones that nobody restored go, shelved ones leave their host."""

import datetime
import logging

from sqlalchemy.orm import Session

from nova_lite.compute.host import ComputeHost
from nova_lite.core import clock, ids
from nova_lite.core.actions import new_action
from nova_lite.core.context import system_context
from nova_lite.core.errors import Conflict, NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb, VmState
from nova_lite.db import actions, instances, moves

LOG = logging.getLogger(__name__)


class Aging:
    """Begins what is due on one host; the times are in seconds, and nothing is due where they are not above 0."""

    def __init__(self, host: ComputeHost, *, reclaim_after: float, offload_after: float) -> None:
        self._host = host
        self._due = {
            VmState.SOFT_DELETED: (reclaim_after, Verb.DELETE),
            VmState.SHELVED: (offload_after, Verb.SHELVE_OFFLOAD),
        }

    def sweep(self) -> None:
        """Begin what is due now, and ring this host."""
        if all(after <= 0 for after, _ in self._due.values()):
            return
        begun = self._host.database.run("compute.aging", self._begin)
        if begun:
            self._host.compute.on(self._host.name).perform(system_context(), begun)

    def _begin(self, session: Session) -> list[str]:
        begun = []
        for instance in instances.on_host(session, self._host.name):
            verb = self._verb_for(instance)
            if verb is None:
                continue
            try:
                instances.begin(session, instance, verb, despite_lock=True)
            except (Conflict, NotFound):
                continue
            offloads = verb is Verb.SHELVE_OFFLOAD
            parameters = {"off": True} if offloads else moves.of_deletion(session, instance)
            action = new_action(system_context(), instance, verb, ids.new_uuid(), parameters)
            actions.insert(session, [action])
            LOG.info("%s of instance %s is due", verb, instance.uuid)
            begun.append(action.id)
        return begun

    def _verb_for(self, instance: Instance) -> Verb | None:
        """Return what is due for an instance, None for nothing."""
        after, verb = self._due.get(instance.vm_state, (0.0, None))
        age = clock.now() - instance.updated_at
        due = after > 0 and instance.task_state is None and age > datetime.timedelta(seconds=after)
        return verb if due else None
