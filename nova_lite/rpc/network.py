"""What nova-network can be asked."""

import abc

from nova_lite.core.context import RequestContext
from nova_lite.core.network import VirtualInterface
from nova_lite.rpc.contract import Contract, call, cast
from nova_lite.rpc.transport import Transport, caller


class NetworkContract(Contract):
    """Filled by nova-network and by its proxy."""

    topic = "network"
    version = "1.1"

    @call
    @abc.abstractmethod
    def allocate(
        self, context: RequestContext, instance_uuids: list[str]
    ) -> dict[str, list[VirtualInterface]]:
        """Give these instances addresses and let the DHCP server know them; asking again changes nothing.

        Returns their interfaces by instance, those that are deleted left out. Raises NoAddress.
        """

    @call
    @abc.abstractmethod
    def release(self, context: RequestContext, instance_uuids: list[str]) -> None:
        """Take these instances' addresses back; absent ones are not an error."""

    @call
    @abc.abstractmethod
    def refresh(
        self, context: RequestContext, network_ids: list[int], instance_uuids: list[str] | None = None
    ) -> None:
        """Let the hosts of networks know who holds addresses now, and which floating addresses lead there.

        With ``instance_uuids`` nothing has changed but what these have. Raises DriverError.
        """

    @call
    @abc.abstractmethod
    def renew(self, context: RequestContext, network_ids: list[int]) -> None:
        """Let this host, of those that serve networks, know the same; raises NoAddress, DriverError."""

    @cast
    @abc.abstractmethod
    def refresh_names(self, context: RequestContext) -> None:
        """Hear that names in the domain name system may be others now."""

    @cast
    @abc.abstractmethod
    def lease_changed(self, context: RequestContext, action: str, mac: str, address: str) -> None:
        """Hear from a DHCP server that a lease was given (add, old) or has ended (del)."""


class NetworkProxy(NetworkContract):
    """Speaks to any nova-network, or with ``on`` to the one of a host."""

    def __init__(self, transport: Transport, host: str = "") -> None:
        self._transport = transport
        self._caller = caller(transport, NetworkContract).on(host)

    def on(self, host: str) -> "NetworkProxy":
        """Return the proxy of the daemon on ``host``."""
        return NetworkProxy(self._transport, host)

    def allocate(
        self, context: RequestContext, instance_uuids: list[str]
    ) -> dict[str, list[VirtualInterface]]:
        """Ask for addresses; raises NoAddress, MessagingTimeout, Unavailable."""
        found: dict[str, list[VirtualInterface]] = self._caller.call(
            "allocate", context, instance_uuids=instance_uuids
        )
        return found

    def release(self, context: RequestContext, instance_uuids: list[str]) -> None:
        """Give addresses back; raises MessagingTimeout, Unavailable."""
        self._caller.call("release", context, instance_uuids=instance_uuids)

    def refresh(
        self, context: RequestContext, network_ids: list[int], instance_uuids: list[str] | None = None
    ) -> None:
        """Ask for a renewal; raises DriverError, MessagingTimeout, Unavailable."""
        self._caller.call("refresh", context, network_ids=network_ids, instance_uuids=instance_uuids)

    def renew(self, context: RequestContext, network_ids: list[int]) -> None:
        """Ask a host for a renewal; raises NoAddress, DriverError, MessagingTimeout, Unavailable."""
        self._caller.call("renew", context, network_ids=network_ids)

    def refresh_names(self, context: RequestContext) -> None:
        """Ring for names."""
        self._caller.cast("refresh_names", context)

    def lease_changed(self, context: RequestContext, action: str, mac: str, address: str) -> None:
        """Ring with a lease."""
        self._caller.cast("lease_changed", context, action=action, mac=mac, address=address)
