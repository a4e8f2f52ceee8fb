"""The bus as the daemons see it: rooms with addresses, calls, doorbells and servers.

``connect`` gives the one that ``--transport_url`` names: ``local://`` within a process, ``rabbit://`` between
processes and hosts.
"""

import abc
import dataclasses
from typing import Any, Protocol

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import ConfigurationError
from nova_lite.rpc import wire
from nova_lite.rpc.contract import Contract, methods

LOCAL = "local"
RABBIT = ("rabbit", "amqp", "amqps", "kombu")


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: the daemon of ``topic`` on ``host``, or any of them when ``host`` is empty."""

    topic: str
    host: str = ""

    def __str__(self) -> str:
        return f"nova-{self.topic} on {self.host}" if self.host else f"nova-{self.topic}"


class Server(Protocol):
    """A daemon that answers."""

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more messages and let those under way end."""


class Transport(abc.ABC):
    """Carries messages, which are text; what they say is the business of ``Caller`` and ``Dispatcher``."""

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "Transport":
        """Build the transport from a daemon's flags; need not reach anybody yet."""

    @abc.abstractmethod
    def call(self, address: Address, message: str, timeout: float | None = None) -> str:
        """Send a message and return its answer, within ``timeout`` seconds or the flag's.

        Raises MessagingTimeout when no answer comes, Unavailable when the bus is away.
        """

    @abc.abstractmethod
    def cast(self, address: Address, message: str) -> None:
        """Send a message that may be lost; neither waits nor raises."""

    @abc.abstractmethod
    def serve(self, contract: type[Contract], implementation: Contract, host: str) -> Server:
        """Let ``implementation`` answer at the contract's topic and at ``host`` in particular."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the bus; servers are stopped before."""


def connect(conf: Any) -> Transport:
    """Return the bus that the flags name; raises ConfigurationError for a scheme that is not known."""
    scheme = str(conf.transport_url).partition(":")[0]
    if scheme == LOCAL:
        from nova_lite.rpc.local import LocalTransport

        return LocalTransport.from_flags(conf)
    if scheme in RABBIT:
        # oslo.messaging takes long to load: only those pay who use it.
        from nova_lite.rpc.rabbit import RabbitTransport

        return RabbitTransport.from_flags(conf)
    raise ConfigurationError(f"The flag --transport_url names a bus that is not known: {scheme}://.")


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """The caller's side of the wire: what a remote proxy sends and gets, for one contract and address."""

    transport: Transport
    contract: type[Contract]
    address: Address

    def on(self, host: str) -> "Caller":
        """Return the caller of the daemon on ``host``."""
        return dataclasses.replace(self, address=Address(self.contract.topic, host))

    def call(self, method: str, context: RequestContext, **arguments: Any) -> Any:
        """Call a method and return its answer; raises what the method raised, and as the transport does."""
        answer = self.transport.call(self.address, self._message(method, context, arguments))
        return wire.decode_answer(answer, methods(self.contract)[method].answer)

    def cast(self, method: str, context: RequestContext, **arguments: Any) -> None:
        """Ring for a method."""
        self.transport.cast(self.address, self._message(method, context, arguments))

    def _message(self, method: str, context: RequestContext, arguments: dict[str, Any]) -> str:
        return wire.encode_request(wire.Request(method, self.contract.version, context, arguments))


def caller(transport: Transport, contract: type[Contract]) -> Caller:
    """Return the caller of any daemon that fills ``contract``."""
    return Caller(transport, contract, Address(contract.topic))
