"""The server's side of the wire: from a message to one declared method of an implementation, and back."""

import inspect
import logging
from typing import Any

import prometheus_client

from nova_lite.core import logs
from nova_lite.core.errors import InvalidInput, NotSupported, NovaError
from nova_lite.rpc import wire
from nova_lite.rpc.contract import Contract, Kind, Method, check_version, methods

LOG = logging.getLogger(__name__)

SECONDS = prometheus_client.Histogram(
    "nova_rpc_seconds", "Time that a daemon took to carry a message out.", ["topic", "method"]
)


class Dispatcher:
    """Answers messages with an implementation of a contract; only the declared methods are reachable."""

    def __init__(self, contract: type[Contract], implementation: Contract) -> None:
        self._contract = contract
        self._implementation = implementation
        self._methods = methods(contract)

    def handle(self, message: str) -> str:
        """Carry a message out and return the answer: the wall of the RPC server, which raises nothing."""
        try:
            request = wire.decode_request(message)
            method = self._method(request)
            arguments = self._arguments(method, request)
        except NovaError as error:
            LOG.warning("refused a message to nova-%s: %s", self._contract.topic, error)
            return wire.encode_error(error)
        with logs.bound(request.context), SECONDS.labels(self._contract.topic, method.name).time():
            return self._carry_out(method, request, arguments)

    def _carry_out(self, method: Method, request: wire.Request, arguments: dict[str, Any]) -> str:
        try:
            result = getattr(self._implementation, method.name)(request.context, **arguments)
            return wire.encode_answer(result if method.kind is Kind.CALL else None)
        except NovaError as error:
            LOG.info("%s of nova-%s refused: %s", method.name, self._contract.topic, error)
            return wire.encode_error(error)
        except Exception as error:
            LOG.exception("%s of nova-%s failed", method.name, self._contract.topic)
            return wire.encode_error(error)

    def _method(self, request: wire.Request) -> Method:
        check_version(self._contract, request.version)
        method = self._methods.get(request.method)
        if method is None:
            raise NotSupported(f"nova-{self._contract.topic} has no method {request.method}.")
        return method

    def _arguments(self, method: Method, request: wire.Request) -> dict[str, Any]:
        unknown = request.arguments.keys() - method.arguments.keys()
        if unknown:
            raise InvalidInput(f"The method {method.name} takes no {', '.join(sorted(unknown))}.")
        arguments = {
            name: wire.decode(value, method.arguments[name]) for name, value in request.arguments.items()
        }
        signature = inspect.signature(getattr(self._contract, method.name))
        try:
            signature.bind(self._implementation, request.context, **arguments)
        except TypeError as error:
            raise InvalidInput(f"The method {method.name} misses an argument.") from error
        return arguments
