"""Groups of users."""

import dataclasses
from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.identity import Group, User
from nova_lite.db import identity, users
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class GroupRow(Base):
    """One group."""

    __tablename__ = "user_groups"
    __table_args__ = (sa.UniqueConstraint("domain_id", "name"), MYSQL)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str]
    domain_id: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey("domains.id"))
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    extra: Mapped[Any] = mapped_column(JsonText)


class GroupMemberRow(Base):
    """A user in a group."""

    __tablename__ = "user_group_members"
    __table_args__ = MYSQL

    group_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("user_groups.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )


TABLE = cast(sa.Table, GroupRow.__table__)
MEMBERS = cast(sa.Table, GroupMemberRow.__table__)


def get(session: Session, group_id: str) -> Group | None:
    """Return a group, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.id == group_id)).mappings().one_or_none()
    return None if row is None else Group(**row)


def listing(session: Session, page: identity.NamePage) -> list[Group]:
    """Return a page of groups; raises InvalidInput for an unknown marker."""
    return [Group(**row) for row in identity.select_page(session, TABLE, page)]


def of_user(session: Session, user_id: str) -> list[Group]:
    """Return the groups that a user is in, by name."""
    query = (
        sa.select(TABLE).join(MEMBERS, MEMBERS.c.group_id == TABLE.c.id).where(MEMBERS.c.user_id == user_id)
    )
    return [Group(**row) for row in session.execute(query.order_by(TABLE.c.name, TABLE.c.id)).mappings()]


def insert(session: Session, group: Group) -> None:
    """Add a group; raises Conflict when the name is taken in its domain."""
    values = dataclasses.asdict(group) | {"extra": dict(group.extra)}
    identity.insert_named(session, TABLE, values, _taken(group.name))


def update(session: Session, group_id: str, **values: Any) -> bool:
    """Change fields of a group, False when there is none; raises Conflict when the name is taken."""
    return identity.update_named(session, TABLE, group_id, values, _taken(values.get("name", "")))


def delete(session: Session, group_id: str) -> bool:
    """Remove a group; False when there is none."""
    session.execute(sa.delete(MEMBERS).where(MEMBERS.c.group_id == group_id))
    return identity.delete_by_id(session, TABLE, group_id)


def delete_of_domain(session: Session, domain_id: str) -> None:
    """Remove every group of a domain."""
    mine = sa.select(TABLE.c.id).where(TABLE.c.domain_id == domain_id)
    session.execute(sa.delete(MEMBERS).where(MEMBERS.c.group_id.in_(mine)))
    session.execute(sa.delete(TABLE).where(TABLE.c.domain_id == domain_id))


def members(session: Session, group_ids: Iterable[str]) -> dict[str, list[User]]:
    """Return the users of groups, by name."""
    fields = [users.TABLE.c[field.name] for field in dataclasses.fields(User)]
    query = (
        sa.select(MEMBERS.c.group_id, *fields)
        .join(users.TABLE, users.TABLE.c.id == MEMBERS.c.user_id)
        .where(MEMBERS.c.group_id.in_(list(group_ids)))
        .order_by(users.TABLE.c.name, users.TABLE.c.id)
    )
    found: dict[str, list[User]] = {}
    for row in session.execute(query).mappings():
        values = dict(row)
        found.setdefault(values.pop("group_id"), []).append(User(**values))
    return found


def has_member(session: Session, group_id: str, user_id: str) -> bool:
    """Tell whether a user is in a group."""
    return session.execute(sa.select(MEMBERS.c.user_id).where(_is(group_id, user_id))).first() is not None


def add_member(session: Session, group_id: str, user_id: str) -> None:
    """Put a user into a group; nothing happens when it is there already."""
    if has_member(session, group_id, user_id):
        return
    try:
        with session.begin_nested():
            session.execute(sa.insert(MEMBERS).values(group_id=group_id, user_id=user_id))
    except exc.IntegrityError:
        # Somebody else did it at the same moment, or one of both went away.
        return


def remove_member(session: Session, group_id: str, user_id: str) -> bool:
    """Take a user out of a group; False when it was not in it."""
    removed = session.execute(sa.delete(MEMBERS).where(_is(group_id, user_id)))
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def remove_user(session: Session, user_id: str) -> None:
    """Take a user out of every group."""
    session.execute(sa.delete(MEMBERS).where(MEMBERS.c.user_id == user_id))


def _is(group_id: str, user_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(MEMBERS.c.group_id == group_id, MEMBERS.c.user_id == user_id)


def _taken(name: str) -> str:
    return f"There is already a group with the name {name} in this domain."
