"""The connection to libvirtd; with ``driver`` the only user of the libvirt module.

libvirt blocks in C, so each talk runs in a real thread. A connection that died is opened anew.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from nova_lite import concurrency
from nova_lite.core.errors import ConfigurationError, DriverError, HypervisorUnavailable, Unavailable
from nova_lite.drivers.virt.libvirt.events import GuestEvents

try:
    import libvirt
except ImportError:
    libvirt = None

LOG = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK_AGAIN = 0.25
_KEEPALIVE_SECONDS = 5
_KEEPALIVE_COUNT = 3


class LibvirtConnection:
    """Talks to the libvirtd at ``uri``; one that goes is waited for as many seconds as ``patience`` says."""

    def __init__(self, uri: str, *, patience: float = 15.0) -> None:
        self.uri = uri
        self._patience = patience
        self._connection: Any = None
        self._events: GuestEvents | None = None
        self._lock = concurrency.native_lock()

    def start(self) -> None:
        """Check that libvirtd answers; raises ConfigurationError."""
        if libvirt is None:
            raise ConfigurationError("The package libvirt-python is not installed.")
        concurrency.blocking(_run_events)
        try:
            self.talk(lambda connection: connection.getLibVersion())
        except (DriverError, Unavailable) as error:
            raise ConfigurationError(f"cannot reach libvirtd at {self.uri}: {error}") from error

    def watch(self, events: GuestEvents) -> None:
        """Have ``events`` told by this connection, and by each that takes its place."""
        self._events = events
        concurrency.blocking(self._drop)
        self.talk(lambda connection: connection.getLibVersion())

    def talk(self, work: Callable[[Any], T], *, once: bool = False) -> T:
        """Run ``work`` with the connection.

        Raises DriverError with libvirt's own sentence, HypervisorUnavailable when libvirtd is away for too long.
        ``work`` must be safe to run again: it is, when the connection broke; wanted ``once``, that is an error.
        """
        deadline = time.monotonic() + self._patience
        while True:
            try:
                answer: T = concurrency.blocking(self._talk, work)
                return answer
            except _Broken as broken:
                LOG.warning("the connection to libvirtd broke and is opened again: %s", broken.error)
                if broken.connection is not None:
                    concurrency.blocking(self._drop, broken.connection)
                message = f"libvirt: {broken.error.get_error_message()}."
                if once:
                    raise DriverError(message) from broken.error
                if time.monotonic() >= deadline:
                    raise HypervisorUnavailable(message) from broken.error
                time.sleep(_LOOK_AGAIN)

    def _talk(self, work: Callable[[Any], T]) -> T:
        connection = None
        try:
            connection = self._open()
            return work(connection)
        except libvirt.libvirtError as error:
            if _is_broken(error):
                raise _Broken(error, connection) from error
            raise DriverError(f"libvirt: {error.get_error_message()}.") from error

    def _open(self) -> Any:
        with self._lock:
            if self._connection is None:
                connection = libvirt.open(self.uri)
                connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT)
                if self._events is not None:
                    self._events.subscribe(connection)
                self._connection = connection
            return self._connection

    def _drop(self, broken: Any = None) -> None:
        """Forget the connection, unless another has taken the place of the ``broken`` one already."""
        with self._lock:
            if broken is None or broken is self._connection:
                self._connection = None


class _Broken(Exception):
    """The ``connection``, None for one that could not be opened, is gone: ``error`` says how."""

    def __init__(self, error: Any, connection: Any) -> None:
        super().__init__(str(error))
        self.error = error
        self.connection = connection


def lookup(connection: Any, uuid: str) -> Any:
    """Return the domain of a guest, or None."""
    try:
        return connection.lookupByUUIDString(uuid)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def tolerate(work: Callable[[], object], *codes: str) -> None:
    """Run ``work``; errors of these libvirt codes (``VIR_ERR_…``) mean that it is done already."""
    try:
        work()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {getattr(libvirt, code) for code in codes}:
            raise


def constant(name: str) -> int:
    """Return a constant of libvirt."""
    return int(getattr(libvirt, name))


def text_constant(name: str) -> str:
    """Return a constant of libvirt that is a text."""
    return str(getattr(libvirt, name))


def _is_broken(error: Any) -> bool:
    return error.get_error_code() in (
        libvirt.VIR_ERR_SYSTEM_ERROR,
        libvirt.VIR_ERR_INTERNAL_ERROR,
        libvirt.VIR_ERR_RPC,
        libvirt.VIR_ERR_NO_CONNECT,
        libvirt.VIR_ERR_INVALID_CONN,
    ) and error.get_error_domain() in (libvirt.VIR_FROM_REMOTE, libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_NONE)


_events = threading.Lock()
_events_started = False


def _run_events() -> None:
    """Run libvirt's event loop once a process: keepalive needs it."""
    global _events_started
    with _events:
        if _events_started:
            return
        libvirt.virEventRegisterDefaultImpl()
        libvirt.registerErrorHandler(lambda *_: None, None)
        concurrency.native_thread(_event_loop)
        _events_started = True


def _event_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
