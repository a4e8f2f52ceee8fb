"""The bus within one process: a dispatcher through a pool for each server, without sockets or polling.

Messages are the same text as between processes, so nothing is shared by accident.
"""

import concurrent.futures
import dataclasses
import itertools
import logging
import threading
from collections import defaultdict
from typing import Any

from nova_lite import concurrency
from nova_lite.core.errors import MessagingTimeout
from nova_lite.rpc.contract import Contract
from nova_lite.rpc.dispatch import Dispatcher
from nova_lite.rpc.transport import Address, Transport

LOG = logging.getLogger(__name__)


class LocalTransport(Transport):
    """Hands messages to the servers of this process, in turn where several share a topic."""

    def __init__(self, *, timeout: float = 60.0, workers: int = 64) -> None:
        self._timeout = timeout
        self._workers = workers
        self._servers: dict[Address, list[LocalServer]] = defaultdict(list)
        self._turn = itertools.count()
        self._guard = threading.Lock()

    @classmethod
    def from_flags(cls, conf: Any) -> "LocalTransport":
        """Build the bus of this process."""
        return cls(timeout=conf.rpc_response_timeout, workers=conf.rpc_thread_pool_size)

    def call(self, address: Address, message: str, timeout: float | None = None) -> str:
        """Return the answer of a server; raises MessagingTimeout, at once when nobody can answer."""
        answer = self._submit(address, message)
        if answer is None:
            raise MessagingTimeout(f"{address} does not run in this process.")
        limit = self._timeout if timeout is None else timeout
        try:
            return answer.result(limit)
        except concurrent.futures.TimeoutError as error:
            raise MessagingTimeout(f"{address} did not answer in {limit:g} seconds.") from error
        except concurrent.futures.CancelledError as error:
            raise MessagingTimeout(f"{address} stopped before it answered.") from error

    def cast(self, address: Address, message: str) -> None:
        """Hand a message to a server; it is lost where there is none."""
        if self._submit(address, message) is None:
            LOG.warning("nobody heard the ring at %s", address)

    def serve(self, contract: type[Contract], implementation: Contract, host: str) -> "LocalServer":
        """Let ``implementation`` answer, each message in a worker of its own pool."""
        pool = concurrency.Pool(self._workers, f"rpc-{contract.topic}")
        server = LocalServer(self, Dispatcher(contract, implementation), pool)
        with self._guard:
            self._servers[Address(contract.topic)].append(server)
            self._servers[Address(contract.topic, host)].append(server)
        return server

    def close(self) -> None:
        """Forget all servers."""
        with self._guard:
            self._servers.clear()

    def forget(self, server: "LocalServer") -> None:
        """Send nothing more to ``server``."""
        with self._guard:
            for servers in self._servers.values():
                if server in servers:
                    servers.remove(server)

    def _submit(self, address: Address, message: str) -> "concurrent.futures.Future[str] | None":
        with self._guard:
            servers = self._servers.get(address)
            if not servers:
                return None
            server = servers[next(self._turn) % len(servers)]
            return server.pool.submit(server.dispatcher.handle, message)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LocalServer:
    """One daemon's end of the local bus."""

    transport: LocalTransport
    dispatcher: Dispatcher
    pool: concurrency.Pool

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more messages and let those under way end."""
        self.transport.forget(self)
        self.pool.shutdown(drain_seconds)
