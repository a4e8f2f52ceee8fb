"""The one seam of concurrency: green threads (eventlet) or native threads, chosen once for each process.

Only ``wsgi_server``, which has an engine for each, loads eventlet besides. ``choose`` comes first in a process,
before oslo.messaging, SQLAlchemy and the rest are imported: under eventlet it makes the standard library
cooperative, so that ``threading``, ``queue``, ``socket`` and ``time.sleep`` are what everybody else uses in both
modes. A process that never chose, such as a unit test, has native threads.
"""

import collections
import concurrent.futures
import contextlib
import enum
import functools
import importlib
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from nova_lite.core.errors import ConfigurationError

_write = os.write  # eventlet's own, which other threads must not call, takes its place in the module os

T = TypeVar("T")


class Mode(enum.StrEnum):
    """How a process runs many things at once."""

    EVENTLET = "eventlet"
    THREADING = "threading"


_chosen: Mode | None = None


def choose(mode: Mode) -> None:
    """Prepare the process for ``mode``: patches the standard library and picks oslo.service's backend.

    A second call with the same mode does nothing; raises ConfigurationError for another mode.
    """
    global _chosen
    if _chosen is mode:
        return
    if _chosen is not None:
        raise ConfigurationError(f"cannot change the concurrency from {_chosen} to {mode} while running")
    _chosen = mode
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    if mode is Mode.EVENTLET:
        _patch()
    backend = importlib.import_module("oslo_service.backend")
    # Said now, loaded when something asks: loading takes longer than many a command does.
    backend.register_backend_default_hook(lambda: backend.BackendType(mode.value))


def current() -> Mode:
    """Return the mode of this process."""
    return _chosen or Mode.THREADING


def after_fork() -> None:
    """Give a forked child its own event loop; the parent must not have started anything."""
    if current() is Mode.EVENTLET:
        importlib.import_module("eventlet.hubs").use_hub()


def _patch() -> None:
    # eventlet's own resolver is slow to load and knows less than the system's.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    importlib.import_module("eventlet").monkey_patch(psycopg=False)
    with contextlib.suppress(ImportError):
        importlib.import_module("psycogreen.eventlet").patch_psycopg()


def blocking(function: Callable[..., T], *args: Any, **keywords: Any) -> T:
    """Run a call that blocks in C (libvirt, bcrypt) beside the others; returns and raises as it does."""
    if current() is Mode.EVENTLET:
        result: T = importlib.import_module("eventlet.tpool").execute(function, *args, **keywords)
        return result
    return function(*args, **keywords)


def beside(function: Callable[..., T], *args: Any) -> Callable[[], T]:
    """Begin a call that blocks in C, and return at once what waits for its end, and returns or raises as it does."""
    if current() is Mode.EVENTLET:
        execute = importlib.import_module("eventlet.tpool").execute
        wait: Callable[[], T] = importlib.import_module("eventlet").spawn(execute, function, *args).wait
        return wait
    return _beside().submit(function, *args).result


def native_thread(function: Callable[[], None]) -> None:
    """Run ``function``, a loop that blocks in C, in a thread of the operating system until the process ends."""
    if current() is Mode.EVENTLET:
        patcher = importlib.import_module("eventlet.patcher")
        patcher.original("_thread").start_new_thread(function, ())
        return
    spawn(function)


def native_lock() -> contextlib.AbstractContextManager[bool]:
    """Return a lock for what runs by ``blocking``: those of ``threading`` never wake threads outside the event loop.

    Who waits for it holds a whole thread up, so green threads must not.
    """
    if current() is Mode.EVENTLET:
        patcher = importlib.import_module("eventlet.patcher")
        lock: contextlib.AbstractContextManager[bool] = patcher.original("_thread").allocate_lock()
        return lock
    return threading.Lock()


def spawn(function: Callable[..., object], *args: Any) -> threading.Thread:
    """Run ``function`` beside the caller; the process does not wait for it at its end."""
    thread = threading.Thread(target=function, args=args, name=_name_of(function), daemon=True)
    thread.start()
    return thread


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


class Pool:
    """Runs at most ``size`` calls at once; the others wait in order, and ``submit`` never blocks."""

    def __init__(self, size: int, name: str = "pool") -> None:
        self._size = size
        self._name = name
        self._waiting: collections.deque[tuple[concurrent.futures.Future[Any], Callable[[], Any]]]
        self._waiting = collections.deque()
        self._idle = 0
        self._workers: set[threading.Thread] = set()
        self._closed = False
        self._changed = threading.Condition()

    def submit(
        self, function: Callable[..., T], *args: Any, **keywords: Any
    ) -> "concurrent.futures.Future[T]":
        """Order a call; the future's ``result(timeout)`` returns or raises what it did.

        Raises RuntimeError after ``shutdown``.
        """
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._changed:
            if self._closed:
                raise RuntimeError(f"cannot submit to the {self._name} pool: it is shut down")
            self._waiting.append((future, lambda: function(*args, **keywords)))
            if self._idle >= len(self._waiting):
                self._changed.notify()
            elif len(self._workers) < self._size:
                self._start_worker()
        return future

    def _start_worker(self) -> None:
        worker = threading.Thread(target=self._work, name=f"{self._name}-worker", daemon=True)
        self._workers.add(worker)
        worker.start()

    def shutdown(self, timeout: float = 0.0) -> bool:
        """Refuse new calls, cancel those that wait, give running ones ``timeout`` seconds.

        Returns whether all of them ended.
        """
        with self._changed:
            self._closed = True
            while self._waiting:
                self._waiting.popleft()[0].cancel()
            self._changed.notify_all()
            workers = list(self._workers)
        deadline = time.monotonic() + timeout
        for worker in workers:
            if worker is not threading.current_thread():
                worker.join(max(0.0, deadline - time.monotonic()))
        return not any(worker.is_alive() for worker in workers)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            # Whatever it is, it belongs to the submitter, who gets it from the future.
            except BaseException as error:
                future.set_exception(error)
            del task, future, call

    def _next(self) -> tuple["concurrent.futures.Future[Any]", Callable[[], Any]] | None:
        with self._changed:
            self._idle += 1
            while not self._waiting and not self._closed:
                self._changed.wait()
            self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._workers.discard(threading.current_thread())
            return None


@functools.cache
def _beside() -> Pool:
    # Made when it is needed: a lock that was there before eventlet's choice is one that it cannot replace.
    return Pool(16, "beside")


class Mailbox(Generic[T]):
    """Brings values from threads of the operating system, which must not touch what green threads use."""

    def __init__(self) -> None:
        self._letters: collections.deque[T] = collections.deque()
        self._reader, writer = socket.socketpair()
        # Kept as a number: what eventlet makes of a socket belongs to one thread.
        self._writer = os.dup(writer.fileno())
        os.set_blocking(self._writer, False)
        writer.close()

    def put(self, letter: T) -> None:
        """Leave a value, from any thread; never blocks."""
        self._letters.append(letter)
        with contextlib.suppress(BlockingIOError):
            # A full pipe wakes the reader as well.
            _write(self._writer, b"!")

    def get(self) -> T:
        """Return the next value, waiting for it."""
        while not self._letters:
            self._reader.recv(4096)
        return self._letters.popleft()


class _Turn(Generic[T]):
    """What one turn has to do, and how it went."""

    __slots__ = ("error", "items", "over")

    def __init__(self) -> None:
        self.items: list[T] = []
        self.over = False
        self.error: BaseException | None = None


class Turns(Generic[T]):
    """Does the work of many callers at once: who comes while a turn runs is served by the next one."""

    def __init__(self, work: Callable[[list[T]], None]) -> None:
        self._work = work
        self._next: _Turn[T] = _Turn()
        self._guard = threading.Lock()
        self._running = threading.Lock()

    def join(self, items: Iterable[T]) -> None:
        """Return when a turn has done ``items`` together with those of others; raises what it raised."""
        with self._guard:
            mine = self._next
            mine.items.extend(items)
        with self._running:
            if not mine.over:
                self._run(mine)
        if mine.error is not None:
            raise mine.error

    def _run(self, turn: _Turn[T]) -> None:
        with self._guard:
            self._next = _Turn()
        try:
            self._work(turn.items)
        # It belongs to all who joined, each of whom raises it.
        except BaseException as error:
            turn.error = error
        turn.over = True


class _NamedLock:
    """A lock and how many hold it or wait for it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0


_named_locks: dict[str, _NamedLock] = {}
_named_locks_guard = threading.Lock()


@contextlib.contextmanager
def named_lock(name: str) -> Iterator[None]:
    """Exclude the others of this process that use the same ``name``; a name not in use costs nothing."""
    with _named_locks_guard:
        entry = _named_locks.setdefault(name, _NamedLock())
        entry.users += 1
    try:
        with entry.lock:
            yield
    finally:
        with _named_locks_guard:
            entry.users -= 1
            if not entry.users:
                del _named_locks[name]
