"""How instances do: DescribeInstanceStatus."""

import dataclasses

from nova_lite.api.ec2 import filters, ids, paging
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.instance_view import STATE
from nova_lite.api.ec2.instances import every_instance
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.places import zone_of
from nova_lite.api.ec2.status import PENDING, RUNNING, State, state_of
from nova_lite.api.ec2.xml import Shape, always, many, one, text
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import VmState

OK, IMPAIRED, INITIALIZING, NOT_APPLICABLE = "ok", "impaired", "initializing", "not-applicable"
_REACHABLE = {OK: "passed", IMPAIRED: "failed", INITIALIZING: "initializing", NOT_APPLICABLE: ""}


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """How an instance and its host do."""

    instance: Instance
    zone: str
    state: State
    system: str
    guest: str

    @property
    def id(self) -> str:
        """The instance's id."""
        return ids.instance_id(self.instance)


_DETAIL = Shape(always("name", "reachability"), text("status", lambda status: _REACHABLE[status]))
_STATUS = Shape(
    text("status", lambda status: status),
    many("details", lambda status: [status] if _REACHABLE[status] else [], _DETAIL),
)
STATUSES = paging.shape(
    "instanceStatusSet",
    Shape(
        text("instanceId", lambda shown: shown.id),
        text("availabilityZone", lambda shown: shown.zone),
        always("eventsSet", ()),
        one("instanceState", lambda shown: shown.state, STATE),
        one("systemStatus", lambda shown: shown.system, _STATUS),
        one("instanceStatus", lambda shown: shown.guest, _STATUS),
    ),
)

_FILTERS: Table = {
    "availability-zone": lambda shown: shown.zone,
    "event.code": lambda shown: None,
    "event.description": lambda shown: None,
    "event.instance-event-id": lambda shown: None,
    "event.not-after": lambda shown: None,
    "event.not-before": lambda shown: None,
    "event.not-before-deadline": lambda shown: None,
    "instance-state-code": lambda shown: shown.state.code,
    "instance-state-name": lambda shown: shown.state.name,
    "instance-status.reachability": lambda shown: _REACHABLE[shown.guest] or None,
    "instance-status.status": lambda shown: shown.guest,
    "system-status.reachability": lambda shown: _REACHABLE[shown.system] or None,
    "system-status.status": lambda shown: shown.system,
}


def describe_instance_status(call: Ec2Call) -> Listed:
    """List how instances do: those that run, or all."""
    wanted = call.list("InstanceId")
    found = ids.instances(call, wanted) if wanted else every_instance(call)
    up = {
        service.host: service.up for service in call.cloud.hosts.services(call.context, binary="nova-compute")
    }
    shown = [_shown(call, instance, up) for instance in found]
    if not call.get("IncludeAllInstances", False):
        shown = [each for each in shown if each.state is RUNNING]
    chosen = filters.chosen(shown, call.list("Filter"), _FILTERS)
    return paging.paged(call, chosen, lambda each: each.id, "InstanceId")


def _shown(call: Ec2Call, instance: Instance, up: dict[str, bool]) -> Shown:
    state = state_of(instance)
    system = guest = NOT_APPLICABLE
    if state is PENDING:
        system = guest = INITIALIZING
    elif state is RUNNING:
        system = OK if up.get(instance.host or "", False) else IMPAIRED
        guest = IMPAIRED if instance.vm_state is VmState.RESCUED else OK
    return Shown(instance, zone_of(call, instance), state, system, guest)
