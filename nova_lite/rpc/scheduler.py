"""What nova-scheduler can be asked."""

import abc

from nova_lite.core.context import RequestContext
from nova_lite.rpc.contract import Contract, cast
from nova_lite.rpc.transport import Transport, caller


class SchedulerContract(Contract):
    """Filled by nova-scheduler and by its proxy."""

    topic = "scheduler"
    version = "1.0"

    @cast
    @abc.abstractmethod
    def place(self, context: RequestContext, action_ids: list[str]) -> None:
        """Find hosts for the instances of these boot actions."""


class SchedulerProxy(SchedulerContract):
    """Rings any scheduler."""

    def __init__(self, transport: Transport) -> None:
        self._caller = caller(transport, SchedulerContract)

    def place(self, context: RequestContext, action_ids: list[str]) -> None:
        """Ring; the actions wait in the database should nobody hear it."""
        self._caller.cast("place", context, action_ids=action_ids)
