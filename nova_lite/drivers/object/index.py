"""The index of the object store: an SQLite file beside the bytes, the only door to sqlite3.

It is part of the store, not of the cloud's database: a commit here is what makes bytes an object, so it has to be
as durable as they are (WAL, synchronous=FULL), and a store can be carried away or restored as one folder. Changes
of many callers share one commit.
"""

import contextlib
import queue
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from nova_lite import concurrency
from nova_lite.core.errors import ConfigurationError, DriverError, Unavailable
from nova_lite.drivers.object.blobs import StorageFull

T = TypeVar("T")

_VERSION = 1
_SCHEMA = """
CREATE TABLE buckets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    versioning TEXT NOT NULL,
    details TEXT NOT NULL,
    size INTEGER NOT NULL
);
CREATE INDEX buckets_owner ON buckets (owner);
CREATE TABLE objects (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL REFERENCES buckets (id),
    key TEXT NOT NULL,
    version TEXT NOT NULL,
    latest INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    details TEXT NOT NULL
);
CREATE UNIQUE INDEX objects_version ON objects (bucket, key, version);
CREATE INDEX objects_newest ON objects (bucket, key, serial DESC);
CREATE INDEX objects_live ON objects (bucket, key) WHERE latest = 1 AND marker = 0;
CREATE TABLE segments (
    object INTEGER NOT NULL REFERENCES objects (serial),
    position INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    PRIMARY KEY (object, position)
) WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    bucket INTEGER NOT NULL REFERENCES buckets (id),
    key TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX uploads_key ON uploads (bucket, key, id);
CREATE TABLE parts (
    upload TEXT NOT NULL REFERENCES uploads (id),
    number INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""


class _Change(Generic[T]):
    """One caller's part of a transaction, and how it went."""

    __slots__ = ("error", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.work = work
        self.error: BaseException | None = None
        self.result: T | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Do the work, and undo all of it when it fails."""
        connection.execute("SAVEPOINT one")
        try:
            self.result = self.work(connection)
        # It belongs to the caller, who raises it; the others in the transaction go on.
        except BaseException as error:
            self.error = error
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")


class Index:
    """Reads and changes the index."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._turns: concurrency.Turns[_Change[Any]] = concurrency.Turns(self._run_together)
        self._writer: sqlite3.Connection | None = None

    def start(self) -> None:
        """Open the index, made when missing; raises ConfigurationError for one that cannot be used."""
        try:
            self._writer = self._connect()
            found = self._writer.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                self._writer.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {_VERSION};COMMIT;")
        except sqlite3.Error as error:
            raise ConfigurationError(f"cannot use the index {self._file}: {error}") from error
        if found not in (0, _VERSION):
            raise ConfigurationError(f"The index {self._file} is of version {found}, which is not known.")

    def close(self) -> None:
        """Close every connection."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what ``work`` reads in one look at the index."""
        with self._reader() as connection:
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                connection.execute("COMMIT")

    def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` whole or not at all, durable when this returns; raises what it raises."""
        change = _Change(work)
        try:
            self._turns.join([change])
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise StorageFull() from error
            raise DriverError(f"cannot change the index of the object store: {error}.") from error
        if change.error is not None:
            raise change.error
        result: T = change.result  # type: ignore[assignment]
        return result

    def _run_together(self, changes: list[_Change[Any]]) -> None:
        if self._writer is None:
            raise Unavailable("The object store is not running.")
        concurrency.blocking(_transaction, self._writer, changes)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")
        return connection


def _transaction(connection: sqlite3.Connection, changes: list[_Change[Any]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for change in changes:
            change.run(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
