"""How a binary runs: flags, concurrency, log, then its components until a signal stops them.

SIGTERM and SIGINT drain, with ``graceful_shutdown_timeout`` as deadline; a second one ends at once. SIGHUP
reads the flags again. What stops a start is one sentence on stderr and exit status 1.
"""

import dataclasses
import gc
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol

from nova_lite import concurrency, wsgi_server
from nova_lite.conf import files
from nova_lite.core.errors import ConfigurationError, NovaError, sentence

if TYPE_CHECKING:
    from oslo_config.cfg import ConfigOpts

    from nova_lite.db.engine import Database
    from nova_lite.db.services import ServiceReport

LOG = logging.getLogger(__name__)

_LEAVE_SECONDS = 3.0
_STRANGERS = 2
"""Heartbeats in a row that found somebody else's before them, after which that is told."""
_GARBAGE = 20_000
"""How many objects may be made before those among them that are in circles are looked for."""
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Component(Protocol):
    """Something that a process runs."""

    def start(self) -> None:
        """Begin; returns at once. Raises NovaError when it cannot."""

    def stop(self, drain_seconds: float) -> None:
        """Take no more work, let what is under way end for so many seconds, and end."""


Build = Callable[["ConfigOpts"], Sequence[Component]]


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A binary: its name, what it is for, and how its components are built.

    ``load`` imports what builds them: nothing heavy may be imported before the choice of concurrency.
    ``serves_apis`` is for those that answer HTTP, ``many`` for those that may divide into api_workers.
    """

    name: str
    about: str
    load: Callable[[], Build]
    serves_apis: bool = False
    many: bool = False


def main(program: Program) -> NoReturn:
    """Run a binary from its command line and end the process."""
    try:
        status = _main(program)
    except NovaError as error:
        print(f"{program.name}: {error}", file=sys.stderr)
        status = 1
    except SystemExit:
        raise
    except Exception as error:
        LOG.exception("%s cannot go on", program.name)
        print(f"{program.name}: {sentence(error)}", file=sys.stderr)
        status = 1
    logging.shutdown()
    sys.stderr.flush()
    # Threads that hang in a library must not keep a process alive that has stopped in good order.
    os._exit(status)


def _main(program: Program) -> int:
    arguments = sys.argv[1:]
    concurrency.choose(_mode(arguments))
    from nova_lite.cmd import logs, sockets
    from nova_lite.conf import flags

    conf = flags.load(arguments, program.name, program.about)
    conf.set_override("concurrency", concurrency.current().value)
    logs.setup(conf)
    if program.serves_apis:
        for api in conf.enabled_apis:
            sockets.of_api(conf, api)
    sockets.of_metrics(conf)
    workers = conf.api_workers if program.many else 1
    if workers == 1:
        return Process(program, conf).run()
    return _divide(program, conf, workers)


def _mode(arguments: Sequence[str]) -> concurrency.Mode:
    said = files.peek("concurrency", arguments, sys.argv[0], os.environ) or concurrency.Mode.EVENTLET
    try:
        return concurrency.Mode(said)
    except ValueError as error:
        modes = " or ".join(concurrency.Mode)
        raise ConfigurationError(f"The flag --concurrency is {modes}, not '{said}'.") from error


def _divide(program: Program, conf: "ConfigOpts", workers: int) -> int:
    """Run the program in several processes."""
    from nova_lite.cmd import logs
    from nova_lite.cmd.workers import Supervisor

    folder = tempfile.mkdtemp(prefix=f"{program.name}-metrics-")
    os.environ[_METRICS_FOLDER] = folder
    # Imported once here, the code is in memory once for all workers.
    program.load()

    def worker(say_ready: Callable[[], None]) -> int:
        # The log's locks must not be shared with the parent: a worker may die while it holds one.
        logs.setup(conf)
        try:
            return Process(program, conf, on_ready=say_ready).run()
        except NovaError as error:
            print(f"{program.name}: {error}", file=sys.stderr)
            return 1

    try:
        return Supervisor(worker, workers, conf.graceful_shutdown_timeout, on_ready=_tell_systemd).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Process:
    """One process and its components, from their start to their end."""

    def __init__(
        self, program: Program, conf: "ConfigOpts", on_ready: Callable[[], None] | None = None
    ) -> None:
        self._program = program
        self._conf = conf
        self._on_ready = on_ready or _tell_systemd
        self._running: list[Component] = []
        self._alive = False
        self._signals = _catch_signals()

    def run(self) -> int:
        """Start, wait for a signal, drain; returns the exit status. Raises what a start raised."""
        began = time.monotonic()
        try:
            self._start()
        except BaseException:
            self._stop(1.0)
            raise
        self._alive = True
        _look_less_for_garbage()
        LOG.info("%s is ready after %.1f seconds", self._program.name, time.monotonic() - began)
        self._on_ready()
        while (caught := self._next_signal()) == signal.SIGHUP:
            self._reload()
        LOG.info("%s stops: %s", self._program.name, signal.Signals(caught).name)
        self._alive = False
        concurrency.spawn(self._end_at_once)
        self._stop(self._conf.graceful_shutdown_timeout)
        LOG.info("%s has stopped", self._program.name)
        return 0

    def _start(self) -> None:
        build = self._program.load()
        metrics = _metrics(self._conf, lambda: self._alive)
        for component in [*metrics, *build(self._conf)]:
            self._running.append(component)
            component.start()

    def _stop(self, drain_seconds: float) -> None:
        """Stop what runs, the last started first, all of it by one deadline."""
        deadline = time.monotonic() + drain_seconds
        for component in reversed(self._running):
            try:
                component.stop(max(0.1, deadline - time.monotonic()))
            except Exception:
                LOG.exception("%s did not stop in good order", type(component).__name__)
        self._running.clear()

    def _next_signal(self) -> int:
        return self._signals.recv(1)[0]

    def _end_at_once(self) -> None:
        """Wait for a second signal while the process drains."""
        while self._next_signal() == signal.SIGHUP:
            continue
        LOG.warning("%s ends at once", self._program.name)
        os._exit(1)

    def _reload(self) -> None:
        from nova_lite.cmd import logs
        from nova_lite.conf import flags

        try:
            stale = flags.reload(self._conf, sys.argv[1:], self._program.name)
        except ConfigurationError as error:
            LOG.error("the flags stay as they were: %s", error)
            return
        logs.set_level(self._conf)
        LOG.info("read the flags again")
        if stale:
            LOG.warning("these flags changed and need a restart: %s", ", ".join(stale))


def _catch_signals() -> socket.socket:
    """Return a socket from which the signals that concern a daemon are read, one byte each.

    In both modes of concurrency a read waits without stopping the others, and a handler that would run
    between any two instructions of the program is not needed.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    return reader


def _look_less_for_garbage() -> None:
    """Have Python not look again and again through what stays for good, nor many times in one long list's making."""
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _tell_systemd() -> None:
    if "NOTIFY_SOCKET" in os.environ:
        from oslo_service import systemd

        systemd.notify_once()


def _metrics(conf: "ConfigOpts", alive: Callable[[], bool]) -> list[Component]:
    from nova_lite.cmd import sockets

    sock = sockets.of_metrics(conf)
    if sock is None:
        return []
    from nova_lite.cmd.metrics import Metrics

    return [wsgi_server.WsgiServer(Metrics(alive), sock, workers=2)]


class Periodic:
    """Runs a function again and again, ``interval`` seconds from the end of one run to the next.

    It is a wall: what the function raises is logged, and the next run comes.
    """

    def __init__(self, name: str, interval: float, function: Callable[[], object]) -> None:
        self._name = name
        self._interval = interval
        self._function = function
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first run comes after one interval."""
        self._thread = concurrency.spawn(self._loop)

    def stop(self, drain_seconds: float) -> None:
        """Let a run that is under way end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(drain_seconds)

    def _loop(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self._function()
            except NovaError as error:
                LOG.warning("%s: %s", self._name, error)
            except Exception:
                LOG.exception("%s failed; it is tried again in %g seconds", self._name, self._interval)


class Heartbeat:
    """Keeps a daemon's row among the services fresh, from its start to its end in good order.

    One that has to be alone on its host says in its log when another reports in the same name.
    """

    def __init__(
        self, database: "Database", report: "ServiceReport", interval: float, *, alone: bool = False
    ) -> None:
        self._database = database
        self._report = report
        self._alone = alone
        self._count: int | None = None
        self._strangers = 0
        self._beats = Periodic(f"heartbeat of {report.binary}", interval, self.beat)

    def start(self) -> None:
        """Register the daemon; raises DatabaseUnavailable."""
        self.beat()
        self._beats.start()

    def stop(self, drain_seconds: float) -> None:
        """Stop, and say in the row that the daemon is down."""
        from nova_lite.db import services

        self._beats.stop(drain_seconds)
        binary, host = self._report.binary, self._report.host

        def leave() -> None:
            try:
                self._database.run("service.leave", lambda session: services.leave(session, binary, host))
            except NovaError as error:
                LOG.warning("%s could not say that it stopped: %s", binary, error)

        # The database may be away, and then the row says so by its age.
        concurrency.spawn(leave).join(min(drain_seconds, _LEAVE_SECONDS))

    def beat(self) -> None:
        """Report once; raises DatabaseUnavailable."""
        from nova_lite.db import services

        count = self._database.run("service.report", lambda session: services.report(session, self._report))
        # Once may be a heartbeat that was told twice, when the connection broke at its end.
        self._strangers = self._strangers + 1 if self._count is not None and count > self._count + 1 else 0
        self._count = count
        if self._alone and self._strangers == _STRANGERS:
            binary, host = self._report.binary, self._report.host
            LOG.error("another %s reports as host %s: two hosts of one name undo each other's work", binary, host)


class Stoppable(Protocol):
    """What ``Served`` opens."""

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more work and let what is under way end."""


class Served:
    """A component that is opened at start and stopped at the end, such as a server on the bus."""

    def __init__(self, open_it: Callable[[], Stoppable]) -> None:
        self._open = open_it
        self._opened: Stoppable | None = None

    def start(self) -> None:
        """Open it."""
        self._opened = self._open()

    def stop(self, drain_seconds: float) -> None:
        """Stop what was opened."""
        if self._opened is not None:
            self._opened.stop(drain_seconds)
