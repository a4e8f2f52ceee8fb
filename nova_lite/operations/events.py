"""Events that other services tell of servers: what each means here, and what is done about it."""

import dataclasses
import enum
from collections.abc import Sequence

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.db import instances
from nova_lite.db.engine import Database
from nova_lite.operations.orders import Order, Orders
from nova_lite.rpc.compute import ComputeProxy


class EventName(enum.StrEnum):
    """What may have happened."""

    NETWORK_CHANGED = "network-changed"
    VIF_PLUGGED = "network-vif-plugged"
    VIF_UNPLUGGED = "network-vif-unplugged"
    VIF_DELETED = "network-vif-deleted"
    VOLUME_EXTENDED = "volume-extended"
    POWER_UPDATE = "power-update"
    ACCELERATOR_BOUND = "accelerator-request-bound"
    VOLUME_REIMAGED = "volume-reimaged"


_OF_NETWORK = (
    EventName.NETWORK_CHANGED,
    EventName.VIF_PLUGGED,
    EventName.VIF_UNPLUGGED,
    EventName.VIF_DELETED,
)


@dataclasses.dataclass(frozen=True, slots=True)
class ExternalEvent:
    """One event: what happened to which server; ``tag`` says to which part of it, or to what it changed."""

    server_id: str
    name: EventName
    tag: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What became of an event: an HTTP status of its own, as the compute API has it."""

    event: ExternalEvent
    code: int


class Events:
    """Takes events in."""

    def __init__(self, database: Database, orders: Orders, compute: ComputeProxy) -> None:
        self._database = database
        self._orders = orders
        self._compute = compute

    def take(self, context: RequestContext, events: Sequence[ExternalEvent]) -> list[Told]:
        """Do what each event asks for; 404 for an unknown server, 422 for one without a host."""
        uuids = [event.server_id for event in events]
        found = self._database.read("server.events", lambda session: instances.by_uuids(session, uuids))
        return [Told(event, self._do(context, event, found.get(event.server_id))) for event in events]

    def _do(self, context: RequestContext, event: ExternalEvent, instance: Instance | None) -> int:
        if instance is None:
            return 404
        if not instance.host:
            return 422
        if event.name in _OF_NETWORK:
            self._compute.on(instance.host).refresh_instance_security(context, instance.uuid)
        elif event.name is EventName.POWER_UPDATE:
            return self._turn(context, instance, event.tag)
        elif event.name is EventName.VOLUME_EXTENDED or event.name is EventName.VOLUME_REIMAGED:
            # No volume of that id is attached: servers have disks of their images only.
            return 404
        return 200

    def _turn(self, context: RequestContext, instance: Instance, tag: str) -> int:
        """Let a server be on or off; 400 for a word that is neither."""
        wanted = {"POWER_ON": PowerState.RUNNING, "POWER_OFF": PowerState.SHUTDOWN}.get(tag)
        if wanted is None:
            return 400
        if instance.power_state is not wanted:
            verb = Verb.START if wanted is PowerState.RUNNING else Verb.STOP
            try:
                self._orders.place(context, instance.uuid, Order(lambda _: verb, despite_lock=True))
            except Conflict:
                return 422
        return 200
