"""The bus between processes and hosts: RabbitMQ through oslo.messaging, which only this module imports.

oslo.messaging carries our text and nothing else: methods, versions, types and errors are the wire's, so a
single endpoint receives everything. What it does not do by itself is added here: a doorbell does not wait for
a broker that is away, a call ends by its deadline even if no broker was ever there, and a server that cannot
reach the broker keeps trying beside the daemon's start.
"""

import concurrent.futures
import importlib
import logging
import threading
import time
import urllib.parse
import warnings
from collections.abc import Mapping
from typing import Any

import amqp.exceptions
import kombu.exceptions
import oslo_messaging
from oslo_config import cfg
from oslo_messaging import opts as messaging_options

from nova_lite import concurrency
from nova_lite.core.errors import ConfigurationError, MessagingTimeout, Unavailable
from nova_lite.rpc.contract import Contract
from nova_lite.rpc.dispatch import Dispatcher
from nova_lite.rpc.transport import Address, Transport

LOG = logging.getLogger(__name__)

_OPTIONS_GROUP = "oslo_messaging_rabbit"
_METHOD = "receive"
_SEND_SECONDS = 10.0
"""For how long sending is tried again while the broker is away, restarting for instance."""
_RING_SECONDS = 10.0
"""How old a doorbell may get before it is not worth ringing: a sweep of the rows comes sooner."""
_MOST_RINGS = 10000
_RINGERS = 4
_PAUSE = 0.5
_START_SECONDS = 2.0
_RESTART_SECONDS = 2.0
"""How long after a broker refused a server it is asked again."""
_BUS_ERRORS = (
    oslo_messaging.MessagingException,
    amqp.exceptions.AMQPError,
    kombu.exceptions.KombuError,
    OSError,
)
"""What sending and listening raise: oslo.messaging passes on what breaks while it makes a connection."""


class RabbitTransport(Transport):
    """Sends over RabbitMQ; connections are made when they are needed, and made again when they break."""

    def __init__(
        self, url: str, options: Mapping[str, str], *, exchange: str, timeout: float, workers: int
    ) -> None:
        self._exchange = exchange
        self._timeout = timeout
        self._bus = _bus(url, options, workers)
        self._client = oslo_messaging.get_rpc_client(
            self._bus, oslo_messaging.Target(exchange=exchange), retry=1
        )
        self._callers = concurrency.Pool(workers, "rpc-call")
        self._ringers = concurrency.Pool(_RINGERS, "rpc-cast")
        self._rings = 0
        self._guard = threading.Lock()
        self._closed = False
        self._lost_at = -_RING_SECONDS

    @classmethod
    def from_flags(cls, conf: Any) -> "RabbitTransport":
        """Build the bus that transport_url, or else the rabbit flags, name; raises ConfigurationError."""
        return cls(
            _url(conf),
            _options(conf),
            exchange=conf.control_exchange,
            timeout=conf.rpc_response_timeout,
            workers=conf.rpc_thread_pool_size,
        )

    def call(self, address: Address, message: str, timeout: float | None = None) -> str:
        """Return the answer of a daemon.

        Raises MessagingTimeout when none comes in time, Unavailable when no broker takes the message.
        """
        limit = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        # oslo.messaging waits without end for its first connection, so somebody else does the waiting.
        answer = self._callers.submit(self._call, address, message, deadline)
        try:
            return answer.result(limit + 1)
        except (concurrent.futures.TimeoutError, oslo_messaging.MessagingTimeout) as error:
            answer.cancel()
            raise MessagingTimeout(f"{address} did not answer in {limit:g} seconds.") from error

    def _call(self, address: Address, message: str, deadline: float) -> str:
        """Send until a broker takes it: a message that was sent twice is asked of a method that allows it."""
        give_up = min(deadline, time.monotonic() + _SEND_SECONDS)
        while True:
            left = max(0.1, deadline - time.monotonic())
            try:
                answer: str = self._to(address, timeout=left).call({}, _METHOD, message=message)
                return answer
            except oslo_messaging.MessagingTimeout:
                raise
            except _BUS_ERRORS as error:
                if time.monotonic() + _PAUSE > give_up:
                    LOG.error("cannot send to %s: %s", address, error)
                    raise Unavailable("The message bus is temporarily unavailable.") from error
                time.sleep(_PAUSE)

    def cast(self, address: Address, message: str) -> None:
        """Leave a message with a ringer; lost when the broker stays away or too many wait."""
        with self._guard:
            if self._closed or self._rings >= _MOST_RINGS:
                LOG.warning("did not ring at %s: too many rings wait for the broker", address)
                return
            self._rings += 1
        self._ringers.submit(self._ring, address, message, time.monotonic())

    def _ring(self, address: Address, message: str, ordered_at: float) -> None:
        try:
            if time.monotonic() - ordered_at > _RING_SECONDS:
                self._lost(address)
                return
            self._to(address).cast({}, _METHOD, message=message)
        except _BUS_ERRORS as error:
            LOG.warning("could not ring at %s: %s", address, error)
        finally:
            with self._guard:
                self._rings -= 1

    def _lost(self, address: Address) -> None:
        """Say that rings are lost, once for the many that a broker's absence costs."""
        now = time.monotonic()
        if now - self._lost_at > _RING_SECONDS:
            LOG.warning("did not ring at %s: the broker was away for too long", address)
        self._lost_at = now

    def _to(self, address: Address, timeout: float | None = None) -> Any:
        target = {"topic": address.topic, "server": address.host or None}
        return self._client.prepare(timeout=timeout, **target)

    def serve(self, contract: type[Contract], implementation: Contract, host: str) -> "RabbitServer":
        """Let ``implementation`` answer; while no broker is there, trying goes on beside the caller."""
        target = oslo_messaging.Target(exchange=self._exchange, topic=contract.topic, server=host)
        server = RabbitServer(self._bus, target, Dispatcher(contract, implementation))
        server.start()
        return server

    def close(self) -> None:
        """Send the rings that wait and let go of the broker."""
        with self._guard:
            self._closed = True
        deadline = time.monotonic() + 2.0
        while self._rings and time.monotonic() < deadline:
            time.sleep(0.01)
        self._ringers.shutdown(0.5)
        self._callers.shutdown(0.5)
        _bounded("close of the bus", self._bus.cleanup, 5.0)


class _Endpoint:
    """The one thing that oslo.messaging finds at the other end."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def receive(self, _context: Any, message: str) -> str:
        return self._dispatcher.handle(message)


class RabbitServer:
    """One daemon's end of the bus; reconnects by itself."""

    def __init__(self, bus: Any, target: Any, dispatcher: Dispatcher) -> None:
        self._name = f"nova-{target.topic} on {target.server}"
        self._bus = bus
        self._target = target
        self._dispatcher = dispatcher
        self._server = self._make()
        self._ended = threading.Event()

    def _make(self) -> Any:
        with warnings.catch_warnings():
            # The executor's name is deprecated together with eventlet; both are ours to choose.
            warnings.simplefilter("ignore", DeprecationWarning)
            return oslo_messaging.get_rpc_server(
                self._bus,
                self._target,
                [_Endpoint(self._dispatcher)],
                executor=concurrency.current().value,
                access_policy=oslo_messaging.DefaultRPCAccessPolicy,
            )

    def start(self) -> None:
        """Begin to listen, in the background if the broker does not answer soon."""
        starting = concurrency.spawn(self._start)
        starting.join(_START_SECONDS)
        if starting.is_alive():
            LOG.warning("%s cannot reach the broker yet; it keeps trying", self._name)

    def _start(self) -> None:
        """Listen; a broker that refuses (a password, a full disk) is asked again, by a server made anew."""
        while True:
            try:
                self._server.start()
                return
            except _BUS_ERRORS as error:
                LOG.error("%s cannot listen: %s", self._name, error)
            if self._ended.wait(_RESTART_SECONDS):
                return
            self._server = self._make()

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more messages and let those under way end."""
        self._ended.set()
        _bounded(f"end of {self._name}", self._stop, drain_seconds)

    def _stop(self) -> None:
        self._server.stop()
        self._server.wait()


def _bounded(what: str, function: Any, seconds: float) -> None:
    """Run something that has no deadline of its own, and leave it behind when it takes too long."""
    running = concurrency.spawn(function)
    running.join(seconds)
    if running.is_alive():
        LOG.warning("the %s did not come in %g seconds", what, seconds)


def _bus(url: str, options: Mapping[str, str], workers: int) -> Any:
    conf = cfg.ConfigOpts()
    conf([], project="nova_lite", default_config_files=[], default_config_dirs=[])
    for group, found in messaging_options.list_opts():
        if group is None:
            conf.register_opts(found)
    conf.set_override("executor_thread_pool_size", workers)
    # These two groups are registered only on the global flags, and looked for on those that we give.
    for name in ("metrics", "tracing"):
        group = f"oslo_messaging_{name}"
        module = importlib.import_module(f"oslo_messaging._{name}.client")
        conf.register_opts(getattr(module, group), group=group)
    try:
        parsed = oslo_messaging.TransportURL.parse(conf, url)
        parsed.query.update({name: value for name, value in options.items() if name not in parsed.query})
        return oslo_messaging.get_rpc_transport(conf, url=parsed)
    except (oslo_messaging.InvalidTransportURL, oslo_messaging.DriverLoadFailure, ValueError) as error:
        raise ConfigurationError(f"The flag --transport_url is not the address of a bus: {error}") from error


def _url(conf: Any) -> str:
    url = str(conf.transport_url)
    scheme, _, rest = url.partition("://")
    if rest.strip("/"):
        return url
    user = urllib.parse.quote(conf.rabbit_userid, safe="")
    password = urllib.parse.quote(conf.rabbit_password, safe="")
    brokers = conf.rabbit_hosts or [f"{conf.rabbit_host}:{conf.rabbit_port}"]
    hosts = ",".join(f"{user}:{password}@{broker}" for broker in brokers)
    return f"{scheme}://{hosts}/{urllib.parse.quote(conf.rabbit_virtual_host.strip('/'), safe='')}"


def _options(conf: Any) -> dict[str, str]:
    """Return our flags in oslo.messaging's words, as the query of a transport URL has them."""
    options = {
        "heartbeat_timeout_threshold": str(conf.rabbit_heartbeat_seconds),
        "rpc_conn_pool_size": str(conf.rpc_conn_pool_size),
        "amqp_durable_queues": str(conf.rabbit_durable_queues or conf.rabbit_quorum_queue),
        "rabbit_quorum_queue": str(conf.rabbit_quorum_queue),
        # A broker that comes back is found within a second or two, however long it was away.
        "rabbit_retry_interval": "1",
        "rabbit_retry_backoff": "0",
        "rabbit_interval_max": "2",
        "kombu_reconnect_delay": "0.5",
    }
    if conf.rabbit_use_ssl:
        options |= {
            "ssl": "True",
            "ssl_ca_file": conf.kombu_ssl_ca_certs,
            "ssl_cert_file": conf.kombu_ssl_certfile,
            "ssl_key_file": conf.kombu_ssl_keyfile,
        }
    return options
