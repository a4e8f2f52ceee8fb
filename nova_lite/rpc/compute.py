"""What nova-compute can be asked."""

import abc
from typing import cast as typed

from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.context import RequestContext
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.server_migration import Traveller
from nova_lite.rpc.contract import Contract, call, cast
from nova_lite.rpc.transport import Transport, caller


class ComputeContract(Contract):
    """Filled by nova-compute and by its proxy."""

    topic = "compute"
    version = "1.2"

    @cast
    @abc.abstractmethod
    def perform(self, context: RequestContext, action_ids: list[str]) -> None:
        """Take up these actions of the host."""

    @call
    @abc.abstractmethod
    def console_output(self, context: RequestContext, instance_uuid: str, length: int | None) -> str:
        """Return the last ``length`` lines of a guest's console, all when None; raises NotFound."""

    @call
    @abc.abstractmethod
    def console(self, context: RequestContext, instance_uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return where a guest's console is; raises NotFound, NotSupported, DriverError for one that is off."""

    @call
    @abc.abstractmethod
    def diagnostics(self, context: RequestContext, instance_uuid: str) -> Diagnostics:
        """Return how a guest does; raises NotFound, DriverError for one that is off."""

    @call
    @abc.abstractmethod
    def traveller(self, context: RequestContext, instance_uuid: str) -> Traveller:
        """Return what another host has to know of a guest that is to go there alive.

        Raises NotFound, NotSupported, DriverError for one that is off.
        """

    @call
    @abc.abstractmethod
    def host_uptime(self, context: RequestContext) -> str:
        """Return since when the host runs and how busy it is, in the words of the program ``uptime``."""

    @cast
    @abc.abstractmethod
    def refresh_instance_security(self, context: RequestContext, instance_uuid: str) -> None:
        """Renew the packet filter of an instance that was put into a group or taken out of one."""

    @cast
    @abc.abstractmethod
    def refresh_security_groups(self, context: RequestContext, group_ids: list[str]) -> None:
        """Renew the packet filter for groups whose rules or members changed."""

    @cast
    @abc.abstractmethod
    def cache_images(self, context: RequestContext, image_ids: list[str]) -> None:
        """Bring images to the host ahead of the guests that start from them."""


class ComputeProxy(ComputeContract):
    """Speaks to any nova-compute, or with ``on`` to the one of a host."""

    def __init__(self, transport: Transport, host: str = "") -> None:
        self._transport = transport
        self._caller = caller(transport, ComputeContract).on(host)

    def on(self, host: str) -> "ComputeProxy":
        """Return the proxy of the daemon on ``host``."""
        return ComputeProxy(self._transport, host)

    def perform(self, context: RequestContext, action_ids: list[str]) -> None:
        """Ring; the actions wait in the database should nobody hear it."""
        self._caller.cast("perform", context, action_ids=action_ids)

    def console_output(self, context: RequestContext, instance_uuid: str, length: int | None) -> str:
        """Ask for a console; raises NotFound, MessagingTimeout, Unavailable."""
        answer = self._caller.call("console_output", context, instance_uuid=instance_uuid, length=length)
        return typed(str, answer)

    def console(self, context: RequestContext, instance_uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Ask where a console is; raises NotFound, NotSupported, DriverError, MessagingTimeout, Unavailable."""
        answer = self._caller.call("console", context, instance_uuid=instance_uuid, kind=kind)
        return typed(ConsoleAddress, answer)

    def diagnostics(self, context: RequestContext, instance_uuid: str) -> Diagnostics:
        """Ask how a guest does; raises NotFound, DriverError, MessagingTimeout, Unavailable."""
        return typed(Diagnostics, self._caller.call("diagnostics", context, instance_uuid=instance_uuid))

    def traveller(self, context: RequestContext, instance_uuid: str) -> Traveller:
        """Ask the host; raises NotFound, NotSupported, DriverError, MessagingTimeout, Unavailable."""
        return typed(Traveller, self._caller.call("traveller", context, instance_uuid=instance_uuid))

    def host_uptime(self, context: RequestContext) -> str:
        """Ask the host; raises MessagingTimeout, Unavailable."""
        return typed(str, self._caller.call("host_uptime", context))

    def refresh_instance_security(self, context: RequestContext, instance_uuid: str) -> None:
        """Ring; the host's periodic repair does the same later."""
        self._caller.cast("refresh_instance_security", context, instance_uuid=instance_uuid)

    def refresh_security_groups(self, context: RequestContext, group_ids: list[str]) -> None:
        """Ring; the host's periodic repair does the same later."""
        self._caller.cast("refresh_security_groups", context, group_ids=group_ids)

    def cache_images(self, context: RequestContext, image_ids: list[str]) -> None:
        """Ring; should nobody hear it, the first guest of an image brings it."""
        self._caller.cast("cache_images", context, image_ids=image_ids)
