"""Instances of the EC2 API: describe, start, stop, reboot, terminate, and what a guest's screen says."""

import base64
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from nova_lite.api.ec2 import filters, ids, paging
from nova_lite.api.ec2.call import Ec2Call, token_of
from nova_lite.api.ec2.errors import Ec2Error, invalid, unsupported
from nova_lite.api.ec2.instance_view import FILTERS, RESERVATION, Shown, reservations, shown, tags_of
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.status import (
    PENDING,
    RUNNING,
    SHUTTING_DOWN,
    STOPPED,
    STOPPING,
    TERMINATED,
    State,
    state_of,
)
from nova_lite.api.ec2.xml import Shape, many, moment, number, one, text
from nova_lite.core import clock
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb, VmState
from nova_lite.db.instance_pages import Page
from nova_lite.operations.servers import ServerDetails

_CONSOLE_BYTES = 65536
_AT_ONCE = 1000

DESCRIBED = paging.shape("reservationSet", RESERVATION)


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What a verb did to an instance's state."""

    id: str
    before: State
    after: State


_STATE = Shape(number("code", lambda state: state.code), text("name", lambda state: state.name))
CHANGES = Shape(
    many(
        "instancesSet",
        lambda changes: changes,
        Shape(
            text("instanceId", lambda change: change.id),
            one("currentState", lambda change: change.after, _STATE),
            one("previousState", lambda change: change.before, _STATE),
        ),
    )
)

CONSOLE = Shape(
    text("instanceId", lambda output: output[0]),
    moment("timestamp", lambda output: output[1]),
    text("output", lambda output: output[2]),
)

MONITORED = Shape(
    many(
        "instancesSet",
        lambda instances: instances,
        Shape(
            text("instanceId", ids.instance_id),
            one(
                "monitoring",
                lambda instance: instance.options,
                Shape(text("state", lambda options: "enabled" if options.monitoring else "disabled")),
            ),
        ),
    )
)

_CREDITS = Shape(text("instanceId", ids.instance_id), text("cpuCredits", lambda _: "standard"))
CREDITS = paging.shape("instanceCreditSpecificationSet", _CREDITS)


def describe_instances(call: Ec2Call) -> Listed:
    """List instances by reservation."""
    tests = filters.tests_of(call.list("Filter"), FILTERS, tags_of)
    most = paging.size(call, "InstanceId")
    wanted = call.list("InstanceId")
    if wanted:
        return Listed(reservations(_passing(shown(call, ids.servers(call, wanted)), tests)))
    found: list[Shown] = []
    after = paging.marker(call)
    while True:
        servers = _page(call, after)
        found += _passing(shown(call, servers), tests)
        if len(servers) < _AT_ONCE or (most is not None and len(found) > most):
            break
        after = servers[-1].instance.uuid
    if most is None or len(found) <= most:
        return Listed(reservations(found))
    return Listed(reservations(found[:most]), token_of(found[most - 1].instance.uuid))


def terminate_instances(call: Ec2Call) -> list[Change]:
    """Delete instances for good."""
    before = ids.instances(call, call.list("InstanceId"))
    for instance in before:
        if instance.options.disable_delete and state_of(instance) is not TERMINATED:
            raise Ec2Error(
                "OperationNotPermitted",
                f"The instance '{ids.instance_id(instance)}' may not be terminated. Modify its "
                "'disableApiTermination' instance attribute and try again.",
            )
    for instance in before:
        if instance.vm_state not in (VmState.DELETED, VmState.SOFT_DELETED):
            try:
                call.cloud.servers.delete(call.context, instance.uuid)
            except NotFound:
                # Somebody else has just done it.
                continue
    return [_change(one, TERMINATED if state_of(one) is TERMINATED else SHUTTING_DOWN) for one in before]


def start_instances(call: Ec2Call) -> list[Change]:
    """Switch instances on; what runs is left as it is."""
    verbs = {
        VmState.STOPPED: Verb.START,
        VmState.SUSPENDED: Verb.RESUME,
        VmState.PAUSED: Verb.UNPAUSE,
        VmState.ERROR: Verb.REBOOT_HARD,
    }
    return _act(call, "started", PENDING, (RUNNING, PENDING), STOPPED, lambda instance: verbs.get(instance.vm_state))


def stop_instances(call: Ec2Call) -> list[Change]:
    """Switch instances off; what is off is left as it is."""
    if call.get("Hibernate"):
        raise unsupported("Instances cannot hibernate here.")
    for instance in ids.instances(call, call.list("InstanceId")):
        if instance.options.disable_stop:
            raise Ec2Error(
                "OperationNotPermitted",
                f"The instance '{ids.instance_id(instance)}' may not be stopped. Modify its 'disableApiStop' "
                "instance attribute and try again.",
            )
    verbs = {VmState.ACTIVE: Verb.STOP}
    return _act(call, "stopped", STOPPING, (STOPPED, STOPPING), RUNNING, lambda instance: verbs.get(instance.vm_state))


def reboot_instances(call: Ec2Call) -> None:
    """Restart instances."""
    _act(
        call,
        "rebooted",
        RUNNING,
        (),
        RUNNING,
        lambda instance: Verb.REBOOT if instance.vm_state is VmState.ACTIVE else None,
    )


def get_console_output(call: Ec2Call) -> tuple[str, Any, str]:
    """Return the end of what the guest wrote to its console."""
    instance = ids.instance(call, call.get("InstanceId"), alive=False)
    output = ""
    if instance.vm_state is not VmState.DELETED:
        try:
            output = call.cloud.servers.console_output(call.context, instance.uuid, None)
        except Conflict:
            # It has no host yet, and so nothing to say.
            output = ""
    end = output.encode("utf-8", "replace")[-_CONSOLE_BYTES:]
    return ids.instance_id(instance), clock.now(), base64.b64encode(end).decode()


def monitor_instances(call: Ec2Call) -> list[Instance]:
    """Note that instances are to be monitored more closely."""
    return _monitor(call, True)


def unmonitor_instances(call: Ec2Call) -> list[Instance]:
    """Note that instances need not be monitored more closely."""
    return _monitor(call, False)


def describe_credit_specifications(call: Ec2Call) -> Listed:
    """Say that no instance saves processor time up."""
    wanted = call.list("InstanceId")
    instances = ids.instances(call, wanted) if wanted else []
    return paging.paged(call, instances, lambda instance: instance.uuid, "InstanceId")


def _monitor(call: Ec2Call, enabled: bool) -> list[Instance]:
    found = ids.instances(call, call.list("InstanceId"))
    for instance in found:
        if instance.vm_state is VmState.DELETED:
            raise _wrong_state(instance, "monitored")
    return [
        call.cloud.servers.set_options(call.context, instance.uuid, monitoring=enabled) for instance in found
    ]


def _act(
    call: Ec2Call,
    what: str,
    becomes: State,
    idle: Sequence[State],
    source: State,
    choose: Callable[[Instance], Verb | None],
) -> list[Change]:
    """Order a verb for instances in the state ``source``, all or none; those in a state of ``idle`` are passed over.

    What an instance ``becomes`` is what the order makes of it, however far it has come by the time of the answer.
    """
    before = ids.instances(call, call.list("InstanceId"))
    orders: list[tuple[Instance, Verb]] = []
    for instance in before:
        state, verb = state_of(instance), choose(instance)
        if state in idle:
            continue
        if state is not source or verb is None:
            raise _wrong_state(instance, what)
        orders.append((instance, verb))
    for instance, verb in orders:
        call.cloud.servers.act(call.context, instance.uuid, verb)
    ordered = {instance.uuid for instance, _ in orders}
    return [_change(instance, becomes if instance.uuid in ordered else state_of(instance)) for instance in before]


def _wrong_state(instance: Instance, what: str) -> Ec2Error:
    return Ec2Error(
        "IncorrectInstanceState",
        f"The instance '{ids.instance_id(instance)}' is not in a state from which it can be {what}: "
        f"it is {state_of(instance).name}.",
    )


def _change(before: Instance, after: State) -> Change:
    return Change(ids.instance_id(before), state_of(before), after)


def _page(call: Ec2Call, after: str) -> list[ServerDetails]:
    page = Page(
        project_id=call.context.project_id,
        ended_since=ids.ended_since(call),
        sort=(("id", False),),
        marker=after,
        limit=_AT_ONCE,
    )
    try:
        return call.cloud.servers.listing(call.context, page)
    except InvalidInput as error:
        raise invalid("NextToken", call.get("NextToken")) from error


def every_instance(call: Ec2Call) -> list[Instance]:
    """Return the project's instances, those that ended a while ago too."""
    found: list[Instance] = []
    after = ""
    while True:
        page = Page(
            project_id=call.context.project_id,
            ended_since=ids.ended_since(call),
            sort=(("id", False),),
            marker=after,
            limit=_AT_ONCE,
        )
        some = call.cloud.servers.listing_brief(call.context, page)
        found += some
        if len(some) < _AT_ONCE:
            return found
        after = some[-1].uuid


def _passing(found: list[Shown], tests: Sequence[Callable[[Any], bool]]) -> list[Shown]:
    return [each for each in found if all(test(each) for test in tests)] if tests else found
