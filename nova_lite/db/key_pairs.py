"""Users' key pairs: public keys only."""

import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.errors import Conflict
from nova_lite.core.key_pair import KeyPair
from nova_lite.db.base import LONG_TEXT, MYSQL, Base


class KeyPairRow(Base):
    """One key pair."""

    __tablename__ = "key_pairs"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(sa.String(16), default="ssh")
    public_key: Mapped[str] = mapped_column(LONG_TEXT)
    fingerprint: Mapped[str]
    private_fingerprint: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime.datetime]


TABLE = cast(sa.Table, KeyPairRow.__table__)


def insert(session: Session, pair: KeyPair) -> KeyPair:
    """Add a key pair and return it with its id; raises Conflict where the user has one of that name."""
    values = {column.name: getattr(pair, column.name) for column in TABLE.c if column.name != "id"}
    try:
        with session.begin_nested():
            session.execute(sa.insert(TABLE).values(**values))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Key pair '{pair.name}' already exists.") from error
    stored = get(session, pair.user_id, pair.name)
    return pair if stored is None else stored


def get(session: Session, user_id: str, name: str) -> KeyPair | None:
    """Return a user's key pair, or None."""
    query = sa.select(TABLE).where(TABLE.c.user_id == user_id, TABLE.c.name == name)
    row = session.execute(query).one_or_none()
    return None if row is None else _to_value(row)


def listing(session: Session, user_id: str, *, marker: str = "", limit: int = 1000) -> list[KeyPair]:
    """Return a user's key pairs by name, those after the name ``marker``."""
    query = sa.select(TABLE).where(TABLE.c.user_id == user_id, TABLE.c.name > marker)
    return [_to_value(row) for row in session.execute(query.order_by(TABLE.c.name).limit(limit))]


def count(session: Session, user_id: str) -> int:
    """Count a user's key pairs."""
    query = sa.select(sa.func.count()).where(TABLE.c.user_id == user_id)
    return int(session.execute(query).scalar_one())


def delete(session: Session, user_id: str, name: str) -> bool:
    """Remove a key pair; False when there was none."""
    removed = session.execute(sa.delete(TABLE).where(TABLE.c.user_id == user_id, TABLE.c.name == name))
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def _to_value(row: sa.Row[Any]) -> KeyPair:
    return KeyPair(**row._mapping)
