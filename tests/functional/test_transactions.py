"""Transactions and the connections that they share: what goes wrong in one, and what waits, is not others' matter."""

import concurrent.futures
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.errors import DatabaseUnavailable
from nova_lite.db.engine import Database
from tests.cloud import wait_for
from tests.functional.conftest import NewDatabase

_METADATA = sa.MetaData()
_PARENTS = sa.Table("parents", _METADATA, sa.Column("id", sa.Integer, primary_key=True))
_CHILDREN = sa.Table(
    "children",
    _METADATA,
    sa.Column("parent_id", sa.ForeignKey("parents.id", deferrable=True, initially="DEFERRED")),
)


class _Killed(BaseException):
    """What ends a green thread, which is no Exception."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/db.sqlite", pool_size=1)
    _METADATA.create_all(made.engine)
    yield made
    made.close()


def test_what_could_not_be_committed_is_not_left_open(database: Database) -> None:
    def orphan(session: Session) -> None:
        session.execute(sa.insert(_CHILDREN).values(parent_id=1))

    for _ in range(2):
        with pytest.raises(sa.exc.IntegrityError):
            database.run("orphan", orphan)
        assert _count(database) == 0


def test_what_a_killed_thread_did_is_rolled_back(database: Database) -> None:
    def die(session: Session) -> None:
        session.execute(sa.insert(_PARENTS).values(id=1))
        with session.begin_nested():
            session.execute(sa.insert(_PARENTS).values(id=2))
            raise _Killed

    for _ in range(2):
        with pytest.raises(_Killed):
            database.run("die", die)
        assert _count(database) == 0


def test_a_full_disk_is_no_fault_and_one_line_in_the_log(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    def fill(session: Session) -> None:
        session.execute(sa.text("PRAGMA max_page_count = 4"))
        session.execute(sa.text("CREATE TABLE large AS SELECT randomblob(100000)"))

    with pytest.raises(DatabaseUnavailable):
        database.run("fill", fill)

    assert [record.getMessage() for record in caplog.records] == [
        "transaction fill given up: database or disk is full."
    ]
    assert _count(database) == 0


@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
def test_a_server_whose_host_is_gone_is_noticed(new_database: NewDatabase, kind: str) -> None:
    database = Database(new_database(kind))
    with database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        descriptor = driver._sock.fileno() if kind == "mariadb" else driver.fileno()
        with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as copy:
            assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
            assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
    database.close()


def test_who_reads_does_not_wait_with_those_who_wait_for_a_row(new_database: NewDatabase) -> None:
    database = Database(new_database("mariadb"), pool_size=4)
    _PARENTS.create(database.engine)
    database.run("make", lambda session: session.execute(sa.insert(_PARENTS).values(id=1)) and None)
    begun: list[int] = []
    go_on = threading.Event()

    def change(session: Session) -> None:
        begun.append(1)
        session.execute(sa.update(_PARENTS).values(id=1))
        assert go_on.wait(30)

    with concurrent.futures.ThreadPoolExecutor(7) as pool:
        try:
            writers = [pool.submit(database.run, "change", change) for _ in range(6)]
            assert wait_for(lambda: len(begun) >= 3)
            read = pool.submit(lambda: [_count(database, _PARENTS) for _ in range(20)])
            assert read.result(15) == [1] * 20
        finally:
            go_on.set()
        for writer in writers:
            writer.result(30)
    database.close()


def _count(database: Database, *tables: sa.Table) -> int:
    counts = [sa.select(sa.func.count()).select_from(table) for table in tables or (_PARENTS, _CHILDREN)]
    return database.read("count", lambda session: sum(session.execute(query).scalar_one() for query in counts))
