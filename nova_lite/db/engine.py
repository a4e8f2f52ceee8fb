"""The door to the database: named transactions that are retried, measured and always closed.

``Database.run`` and ``Database.read`` are the only ways to a session. The work that is given must be safe to
run again from its start: it is, when a deadlock, a serialisation failure or a lost connection undid it.
"""

import contextlib
import logging
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import prometheus_client
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from nova_lite.core import errors, patterns

LOG = logging.getLogger(__name__)

STATEMENTS = prometheus_client.Counter("nova_sql_statements_total", "SQL statements sent.", ["transaction"])
SECONDS = prometheus_client.Histogram(
    "nova_transaction_seconds", "Time from a transaction's start to its commit.", ["transaction"]
)
RETRIES = prometheus_client.Counter(
    "nova_transaction_retries_total", "Transactions run again.", ["transaction"]
)

_MYSQL_TRANSIENT = {1020, 1205, 1213}
_MYSQL_LOST = {1040, 1053, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
_POSTGRES_TRANSIENT = {"40001", "40P01", "55P03"}
_POSTGRES_LOST = {"57P01", "57P02", "57P03", "08000", "08003", "08006", "08001", "53300"}

_BAD_PATTERN = {1139, 3685, 3699, "2201B"}
_MYSQL_REFUSED = {1021, 1044, 1045, 1049, 1114, 1290, 1698}
_POSTGRES_REFUSED = {"25006", "53100"}
_REFUSED = re.compile(
    r"authentication failed|no pg_hba.conf entry|(role|database) .* does not exist|no password supplied"
    r"|disk is full|disk I/O error|readonly database|unable to open database file"
)
"""What a server says that lets nobody in like this, or nobody write: an operator has to do something first."""

_SENT = "statements"
"""The key of a connection's notes under which the statements of its transaction are counted."""

_POOL_TIMEOUT = 60.0
"""How many seconds a transaction waits for a connection of the pool to be free."""

_SILENCE = (
    (socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3),
    (socket.TCP_USER_TIMEOUT, 60_000),
)  # fmt: skip
"""After how long nothing is heard of a server's host its connections are given up, in the words of tcp(7)."""

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0

T = TypeVar("T")


class _CommitUnknown(Exception):
    """The connection was lost while committing: the transaction is in force or it is not."""


class _Transaction(Session):
    """A session of which only the transaction is used: what it is given goes to the connection as it is.

    All statements are of SQLAlchemy's Core. Following objects, of which there are none, would cost as much again.
    """

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(bind=connection)
        self.connection = lambda *_, **__: connection  # type: ignore[method-assign]
        self.execute = connection.execute  # type: ignore[method-assign, assignment]
        self.begin_nested = connection.begin_nested  # type: ignore[method-assign, assignment]
        self.commit = connection.commit  # type: ignore[method-assign]
        self.rollback = connection.rollback  # type: ignore[method-assign]


class Database:
    """A database with its connections; one for a process.

    ``retry_seconds`` bounds how long a transaction is tried again while the database is away; ``pool_size``
    how many connections are open at once.
    """

    def __init__(self, url: str, *, retry_seconds: float = 30.0, pool_size: int = 20) -> None:
        self._engine = _make_engine(url, pool_size)
        self._retry_seconds = retry_seconds
        self._writer = threading.Lock() if self.dialect == "sqlite" else None
        # Those that change something may all wait for one row; who only reads must not wait with them.
        self._writers = threading.BoundedSemaphore(max(1, pool_size - pool_size // 4))
        sa.event.listen(self._engine, "before_cursor_execute", self._count_statement)

    @property
    def dialect(self) -> str:
        """The database's kind: sqlite, mysql or postgresql."""
        return str(self._engine.dialect.name)

    @property
    def engine(self) -> sa.Engine:
        """The engine, for migrations only."""
        return self._engine

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def run(
        self, name: str, work: Callable[[Session], T], *, landed: Callable[[Session], T | None] | None = None
    ) -> T:
        """Run ``work`` in a transaction called ``name`` and return what it returns, committed.

        ``landed`` is asked when the connection broke during the commit: it looks whether the transaction is
        in force and returns its result, or None to run ``work`` again. Leave it out only where ``work`` may
        be in force twice. Raises DatabaseUnavailable when the database stays away, and what ``work`` raises.
        """
        return self._retried(name, work, landed, write=True)

    def read(self, name: str, work: Callable[[Session], T]) -> T:
        """Run ``work``, which only reads, in a transaction called ``name``; raises as ``run`` does."""
        return self._retried(name, work, None, write=False)

    def _retried(
        self,
        name: str,
        work: Callable[[Session], T],
        landed: Callable[[Session], T | None] | None,
        *,
        write: bool,
    ) -> T:
        deadline = time.monotonic() + self._retry_seconds
        pause = _FIRST_PAUSE
        attempt: Callable[[Session], T | None] = work
        while True:
            try:
                result = self._once(name, attempt, write=write)
                if attempt is work or result is not None:
                    return result  # type: ignore[return-value]
                attempt = work
                continue
            except _CommitUnknown as unknown:
                attempt = landed or work
                cause: BaseException = unknown
            except exc.DBAPIError as error:
                if _is_refused(error):
                    LOG.error("transaction %s given up: %s", name, reason(error))
                    raise errors.DatabaseUnavailable() from error
                if _BAD_PATTERN & set(_codes(error)):
                    raise errors.InvalidInput("The database cannot look for this regular expression.") from error
                if not (_is_transient(error) or _is_lost(error)):
                    raise
                cause = error
            except exc.TimeoutError as error:
                LOG.error("transaction %s given up: %s", name, error)
                raise errors.DatabaseUnavailable() from error
            if time.monotonic() + pause > deadline:
                LOG.error("transaction %s given up: %s", name, reason(cause))
                raise errors.DatabaseUnavailable() from cause
            RETRIES.labels(name).inc()
            LOG.debug("transaction %s is tried again: %s", name, cause)
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _once(self, name: str, work: Callable[[Session], T], *, write: bool) -> T:
        with self._turn(write), SECONDS.labels(name).time(), self._engine.connect() as connection:
            if self._writer is not None and write:
                connection.execution_options(sqlite_immediate=True)
            session, counts = _Transaction(connection), connection.info
            counts[_SENT] = 0
            counts["transaction"] = name  # for who listens to the pool or to commits
            try:
                result = work(session)
            finally:
                # A connection that was lost may be another thread's by now, which begins its notes anew.
                STATEMENTS.labels(name).inc(counts.get(_SENT, 0))
            if write:
                self._commit(session)
            return result

    @staticmethod
    def _commit(session: Session) -> None:
        try:
            session.commit()
        except exc.DBAPIError as error:
            # What could not be committed may be open still: the next one must not find itself in it.
            session.connection().invalidate(error)
            if _is_lost(error):
                raise _CommitUnknown from error
            raise

    @contextlib.contextmanager
    def _turn(self, write: bool) -> Iterator[None]:
        """Let a writer begin; with SQLite, which has one, waiting here is fair and quick, while its own sleeps."""
        if not write:
            yield
        elif self._writer is not None:
            with self._writer:
                yield
        elif self._writers.acquire(timeout=_POOL_TIMEOUT):
            try:
                yield
            finally:
                self._writers.release()
        else:
            raise exc.TimeoutError(f"No other transaction ended in {_POOL_TIMEOUT:g} seconds.")

    @staticmethod
    def _count_statement(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            # Only SQLite is told by a statement; other drivers begin by themselves.
            return
        connection.info[_SENT] = connection.info.get(_SENT, 0) + 1


def _make_engine(url: str, pool_size: int) -> sa.Engine:
    """Return the engine of a URL; its connections end their transactions before the pool has them back."""
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise errors.ConfigurationError(f"sql_connection is not a database URL: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_reset_on_return=None,
            connect_args={"timeout": 20, "check_same_thread": False},
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    # What a URL does not say about TLS, PyMySQL guesses, with all of the system's certificates each time.
    plain = parsed.get_backend_name() == "mysql" and not any(key.startswith("ssl") for key in parsed.query)
    try:
        engine = sa.create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            isolation_level="READ COMMITTED",
            pool_recycle=3600,
            connect_args={"ssl_disabled": True} if plain else {},
        )
        sa.event.listen(engine, "connect", _notice_silence)
        return engine
    except (exc.ArgumentError, ImportError) as error:
        raise errors.ConfigurationError(
            f"sql_connection names a database that is not known: {error}"
        ) from error


def _notice_silence(connection: Any, _record: Any) -> None:
    """Have a server whose host is gone noticed in a minute; who waits for its answer would wait for ever."""
    descriptor = connection.fileno() if hasattr(connection, "fileno") else connection._sock.fileno()
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as copy:
        if copy.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) in (socket.AF_INET, socket.AF_INET6):
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _SILENCE:
                copy.setsockopt(socket.IPPROTO_TCP, option, value)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.create_function("regexp", 2, patterns.is_found, deterministic=True)


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("sqlite_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _codes(error: exc.DBAPIError) -> tuple[Any, ...]:
    original = error.orig
    code = getattr(original, "pgcode", None)
    arguments = getattr(original, "args", ())
    return (code, arguments[0] if arguments else None)


def _is_refused(error: exc.DBAPIError) -> bool:
    """Tell whether user, password or database are wrong, or nothing can be written: the disk is full."""
    state, number = _codes(error)
    if number in _MYSQL_REFUSED or state in _POSTGRES_REFUSED:
        return True
    without_code = state is None and not isinstance(number, int)
    return isinstance(error, exc.OperationalError) and without_code and bool(_REFUSED.search(str(error.orig)))


def reason(error: BaseException) -> str:
    """Return in one line what the database said that made an error."""
    cause = error.__cause__ if isinstance(error, (errors.DatabaseUnavailable, _CommitUnknown)) else error
    original = getattr(cause, "orig", None) or cause or error
    arguments = original.args
    said = arguments[1] if len(arguments) == 2 and isinstance(arguments[1], str) else str(original)
    return " ".join(said.split()).removesuffix(".") + "."


def _is_transient(error: exc.DBAPIError) -> bool:
    state, number = _codes(error)
    return (
        state in _POSTGRES_TRANSIENT or number in _MYSQL_TRANSIENT or "database is locked" in str(error.orig)
    )


def _is_lost(error: exc.DBAPIError) -> bool:
    state, number = _codes(error)
    if error.connection_invalidated or state in _POSTGRES_LOST or number in _MYSQL_LOST:
        return True
    could_not_connect = isinstance(error, exc.OperationalError) and error.statement is None and state is None
    return could_not_connect and "sqlite" not in type(error.orig).__module__
