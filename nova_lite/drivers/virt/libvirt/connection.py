"""The connection to libvirtd; with ``driver`` the only user of the libvirt module.

libvirt blocks in C, so each talk runs in a real thread. A connection that died is opened anew. A libvirtd that hangs
lets nobody go who opens a connection to it: one thread does so for all, and nobody waits for it any longer than for a
libvirtd that is away.
"""

import contextlib
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
_LEAST_SECONDS = 5.0
"""How long a connection that is being opened is waited for, whatever the patience."""
_FIRST_SECONDS = 120.0
"""How long the first one is: a libvirtd that begins lets its clients wait until it has found its guests."""
_KEEPALIVE_SECONDS = 5
_KEEPALIVE_COUNT = 3


class LibvirtConnection:
    """Talks to the libvirtd at ``uri``; one that goes is waited for as many seconds as ``patience`` says."""

    def __init__(self, uri: str, *, patience: float = 15.0) -> None:
        self.uri = uri
        self._patience = patience
        self._connection: Any = None
        self._opening: _Opening | None = None
        self._events: GuestEvents | None = None
        self._guard = threading.Lock()

    def start(self) -> None:
        """Check that libvirtd answers; raises ConfigurationError."""
        if libvirt is None:
            raise ConfigurationError("The package libvirt-python is not installed.")
        concurrency.blocking(_run_events)
        with contextlib.suppress(_Broken, DriverError):
            self._connected(time.monotonic() + _FIRST_SECONDS)
        try:
            self.talk(lambda connection: connection.getLibVersion())
        except (DriverError, Unavailable) as error:
            raise ConfigurationError(f"cannot reach libvirtd at {self.uri}: {error}") from error

    def watch(self, events: GuestEvents) -> None:
        """Have ``events`` told by this connection, and by each that takes its place."""
        self._events = events
        self._drop()
        self.talk(lambda connection: connection.getLibVersion())

    def talk(self, work: Callable[[Any], T], *, once: bool = False) -> T:
        """Run ``work`` with the connection.

        Raises DriverError with libvirt's own sentence, HypervisorUnavailable when libvirtd is away for too long.
        ``work`` must be safe to run again: it is, when the connection broke; wanted ``once``, that is an error.
        """
        deadline = time.monotonic() + self._patience
        while True:
            try:
                connection = self._connected(deadline)
                answer: T = concurrency.blocking(_talk, connection, work)
                return answer
            except _Broken as broken:
                LOG.warning("the connection to libvirtd broke and is opened again: %s", broken)
                if broken.connection is not None:
                    self._drop(broken.connection)
                if once:
                    raise DriverError(str(broken)) from broken
                if time.monotonic() >= deadline:
                    raise HypervisorUnavailable(str(broken)) from broken
                time.sleep(_LOOK_AGAIN)

    def _connected(self, deadline: float) -> Any:
        """Return the connection, opened if there is none; raises _Broken, DriverError."""
        with self._guard:
            if self._connection is not None:
                return self._connection
            if self._opening is None:
                self._opening = _Opening()
                concurrency.spawn(self._open, self._opening)
            opening = self._opening
        if not opening.over.wait(max(_LEAST_SECONDS, deadline - time.monotonic())):
            raise _Broken("libvirt: libvirtd does not answer.")
        if opening.error is not None:
            raise opening.error
        return opening.connection

    def _open(self, opening: "_Opening") -> None:
        """Open a connection for all who wait for one."""
        events = self._events
        try:
            opening.connection = concurrency.blocking(_opened, self.uri, events)
        # Whatever it is, it belongs to who waits.
        except Exception as error:
            opening.error = error
        with self._guard:
            # One that was begun before somebody wanted to be told tells nobody.
            self._connection, self._opening = opening.connection if events is self._events else None, None
        opening.over.set()

    def _drop(self, broken: Any = None) -> None:
        """Forget the connection, unless another has taken the place of the ``broken`` one already."""
        gone: list[Any] = []
        with self._guard:
            if broken is None or broken is self._connection:
                gone, self._connection = [self._connection], None
        # The last who lets go of a connection closes it, of which libvirtd is told.
        concurrency.blocking(gone.clear)


class _Opening:
    """A connection that is being opened: when that is ``over``, there is one, or an ``error``."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.connection: Any = None
        self.error: Exception | None = None


def _opened(uri: str, events: GuestEvents | None) -> Any:
    """Return a new connection, which tells ``events`` of guests; raises as ``_talk``."""

    def work(_: None) -> Any:
        connection = libvirt.open(uri)
        connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT)
        if events is not None:
            events.subscribe(connection)
        return connection

    return _talk(None, work)


def _talk(connection: Any, work: Callable[[Any], T]) -> T:
    """Run ``work`` with a connection; raises DriverError, _Broken where it is gone."""
    try:
        return work(connection)
    except libvirt.libvirtError as error:
        sentence = f"libvirt: {error.get_error_message()}."
        if _is_broken(error):
            raise _Broken(sentence, connection) from error
        raise DriverError(sentence) from error


class _Broken(Exception):
    """The ``connection``, None for one that could not be opened, is gone."""

    def __init__(self, sentence: str, connection: Any = None) -> None:
        super().__init__(sentence)
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
