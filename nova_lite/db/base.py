"""What every table shares: the declarative base and the column types that mean the same on all databases."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
"""Table arguments: transactions, and names that compare by byte as on the other databases."""


_EMPTY: dict[str, type[dict[str, Any]] | type[list[Any]]] = {"{}": dict, "[]": list}
"""What most documents of a list are; these need not be read."""


class JsonText(sa.types.TypeDecorator[Any]):
    """A JSON document kept as text; NULL reads as None."""

    impl = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Encode ``value``."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Decode what the column holds."""
        if value is None:
            return None
        make_empty = _EMPTY.get(value)
        return make_empty() if make_empty else json.loads(value)


MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
UUID = sa.String(36)
NAME = sa.String(255)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def counted() -> Mapped[int]:
    """Return a column that counts how often a row was changed: every UPDATE of the row adds one by itself."""
    return mapped_column(default=1, server_default="1", onupdate=sa.text("revision + 1"))


def starting_with(column: sa.ColumnElement[str], starts: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a UUID begins with one of ``starts``, in a form for which indexes are used."""
    # All that follows a beginning is below the letter g.
    ranges = [sa.and_(column >= start, column < f"{start}g") for start in starts if start]
    return sa.or_(sa.false(), *ranges)


class Base(DeclarativeBase):
    """The declarative base of all tables."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime.datetime: MOMENT,
        str: NAME,
        bool: sa.Boolean(),
    }
