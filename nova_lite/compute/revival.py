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


def revive(host: ComputeHost, policy: Policy) -> None:
    """Order the start of guests that are off, if the host was booted since this was done last."""
    if host.driver.was_rebooted():
        _order_all(host, policy)
    # Only now: a start that comes to nothing is made up for by the next.
    host.driver.note_boot()


def _order_all(host: ComputeHost, policy: Policy) -> None:
    wanted = {}
    if policy.resume_guests or policy.start_guests:
        wanted[VmState.ACTIVE] = Verb.REBOOT_HARD
    if policy.start_guests:
        wanted[VmState.STOPPED] = Verb.START
    LOG.info("the host was booted; guests are %s", "started again" if wanted else "left as they are")
    runs = {guest.uuid for guest in host.driver.guests() if guest.power_state is PowerState.RUNNING}

    def work(session: Session) -> None:
        for instance in instances.on_host(session, host.name):
            verb = wanted.get(instance.vm_state)
            if verb is not None and instance.uuid not in runs:
                _order(session, instance, verb)

    if wanted:
        host.database.run("compute.revive", work)


def _order(session: Session, instance: Instance, verb: Verb) -> None:
    try:
        instances.begin(session, instance, verb, despite_lock=True)
    except (Conflict, NotFound):
        # Something else is under way with it, which ends as it should.
        return
    actions.insert(session, [new_action(system_context(), instance, verb, ids.new_uuid(), {})])
