"""Roles, and which role implies which."""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.identity import Role, RoleGraph
from nova_lite.db import identity
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class RoleRow(Base):
    """One role."""

    __tablename__ = "roles"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    extra: Mapped[Any] = mapped_column(JsonText)


class ImpliedRoleRow(Base):
    """Who has the prior role has the implied one too."""

    __tablename__ = "implied_roles"
    __table_args__ = MYSQL

    prior_role_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True
    )
    implied_role_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )


TABLE = cast(sa.Table, RoleRow.__table__)
_IMPLIED = cast(sa.Table, ImpliedRoleRow.__table__)


def get(session: Session, role_id: str) -> Role | None:
    """Return a role, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.id == role_id)).mappings().one_or_none()
    return None if row is None else Role(**row)


def find(session: Session, name: str) -> Role | None:
    """Return the role called ``name``, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.name == name)).mappings().one_or_none()
    return None if row is None else Role(**row)


def listing(session: Session, page: identity.NamePage) -> list[Role]:
    """Return a page of roles; raises InvalidInput for an unknown marker."""
    return [Role(**row) for row in identity.select_page(session, TABLE, page)]


def graph(session: Session) -> RoleGraph:
    """Return every role with what it implies, in one statement."""
    query = sa.select(TABLE, _IMPLIED.c.implied_role_id).outerjoin(
        _IMPLIED, _IMPLIED.c.prior_role_id == TABLE.c.id
    )
    roles: dict[str, Role] = {}
    implied: dict[str, tuple[str, ...]] = {}
    for row in session.execute(query):
        roles[row.id] = Role(row.id, row.name, row.description, row.extra)
        if row.implied_role_id is not None:
            implied[row.id] = (*implied.get(row.id, ()), row.implied_role_id)
    return RoleGraph(roles, implied)


def insert(session: Session, role: Role) -> None:
    """Add a role; raises Conflict when the name is taken."""
    values = {
        "id": role.id,
        "name": role.name,
        "description": role.description,
        "extra": dict(role.extra),
    }
    identity.insert_named(session, TABLE, values, _taken(role.name))


def imply(session: Session, prior_role_id: str, implied_role_id: str) -> None:
    """Make a role imply another; nothing happens when it does already.

    Raises Conflict when another does the same at this moment.
    """
    pair = {"prior_role_id": prior_role_id, "implied_role_id": implied_role_id}
    known = sa.select(_IMPLIED.c.prior_role_id).filter_by(**pair)
    if session.execute(known).first() is None:
        identity.insert_named(session, _IMPLIED, pair, "The role is being made to imply the other.")


def stop_implying(session: Session, prior_role_id: str, implied_role_id: str) -> bool:
    """Let a role no longer imply another; False when it did not."""
    removed = session.execute(
        sa.delete(_IMPLIED).where(
            _IMPLIED.c.prior_role_id == prior_role_id, _IMPLIED.c.implied_role_id == implied_role_id
        )
    )
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def update(session: Session, role_id: str, **values: Any) -> bool:
    """Change fields of a role, False when there is none; raises Conflict when the name is taken."""
    return identity.update_named(session, TABLE, role_id, values, _taken(values.get("name", "")))


def delete(session: Session, role_id: str) -> bool:
    """Remove a role with its implications; False when there is none."""
    return identity.delete_by_id(session, TABLE, role_id)


def _taken(name: str) -> str:
    return f"There is already a role with the name {name}."
