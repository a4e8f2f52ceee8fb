"""Transactions that go wrong leave nothing behind on the connections that others get next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.db.engine import Database

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


def _count(database: Database) -> int:
    query = sa.select(sa.func.count()).select_from(sa.union_all(sa.select(_PARENTS), sa.select(_CHILDREN)).subquery())
    return database.read("count", lambda session: session.execute(query).scalar_one())
