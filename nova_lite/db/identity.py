"""What the tables of identity share: pages of a list by name, and changes of named rows."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from nova_lite.core.errors import Conflict, InvalidInput


@dataclasses.dataclass(frozen=True, slots=True)
class NamePage:
    """A part of a list in order of names: after the row with id ``marker``, at most ``limit`` rows.

    ``where`` maps columns to the values they must have; None for a value means any.
    """

    where: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    limit: int | None = None
    marker: str = ""


def select_page(
    session: Session, table: sa.Table, page: NamePage, conditions: Iterable[sa.ColumnElement[bool]] = ()
) -> list[dict[str, Any]]:
    """Return the rows of a page that meet ``conditions``, as mappings; raises InvalidInput for an unknown marker."""
    query = sa.select(table).where(*conditions).order_by(table.c.name, table.c.id).limit(page.limit)
    for column, value in page.where.items():
        if value is not None:
            query = query.where(table.c[column] == value)
    if page.marker:
        query = query.where(_after(session, table, page.marker))
    return [dict(row) for row in session.execute(query).mappings()]


def insert_named(session: Session, table: sa.Table, values: Mapping[str, Any], taken: str) -> None:
    """Insert one row; raises Conflict with the sentence ``taken`` when its name is in use."""
    try:
        session.execute(sa.insert(table).values(**values))
    except exc.IntegrityError as error:
        raise Conflict(taken) from error


def update_named(
    session: Session, table: sa.Table, row_id: str, values: Mapping[str, Any], taken: str
) -> bool:
    """Change one row and tell whether there was one; raises Conflict as ``insert_named`` does."""
    try:
        result = session.execute(sa.update(table).where(table.c.id == row_id).values(**values))
    except exc.IntegrityError as error:
        raise Conflict(taken) from error
    return bool(result.rowcount)  # type: ignore[attr-defined]


def delete_by_id(session: Session, table: sa.Table, row_id: str) -> bool:
    """Remove one row and tell whether there was one."""
    result = session.execute(sa.delete(table).where(table.c.id == row_id))
    return bool(result.rowcount)  # type: ignore[attr-defined]


def _after(session: Session, table: sa.Table, marker: str) -> sa.ColumnElement[bool]:
    name = session.execute(sa.select(table.c.name).where(table.c.id == marker)).scalar()
    if name is None:
        raise InvalidInput(f"Marker {marker} could not be found.")
    return sa.or_(table.c.name > name, sa.and_(table.c.name == name, table.c.id > marker))
