"""Users and what proves them."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.identity import Named, User
from nova_lite.db import domains, identity
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class UserRow(Base):
    """One user. Every change of ``credential_version`` ends the tokens that were issued before."""

    __tablename__ = "users"
    __table_args__ = (sa.UniqueConstraint("domain_id", "name"), MYSQL)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str]
    domain_id: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey("domains.id"))
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    default_project_id: Mapped[str] = mapped_column(sa.String(64), default="")
    extra: Mapped[Any] = mapped_column(JsonText)
    password_hash: Mapped[str] = mapped_column(sa.String(128), default="")
    credential_version: Mapped[int] = mapped_column(default=0)
    password_set_at: Mapped[datetime.datetime | None]
    old_passwords: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    failed_logins: Mapped[int | None]
    failed_at: Mapped[datetime.datetime | None]
    created_at: Mapped[datetime.datetime]


TABLE = cast(sa.Table, UserRow.__table__)

_SHOWN = [TABLE.c[field.name] for field in dataclasses.fields(User)]


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """What logging in needs of a user; ``password_hash`` is empty for one who has no password.

    ``enabled`` is false too when the user's domain is disabled. ``old_passwords`` are hashes, the newest first;
    ``failed_logins`` were one after the other, the last of them at ``failed_at``.
    """

    id: str
    enabled: bool
    default_project_id: str
    password_hash: str
    credential_version: int
    password_set_at: datetime.datetime | None
    old_passwords: Sequence[str] | None
    failed_logins: int | None
    failed_at: datetime.datetime | None


def get(session: Session, user_id: str) -> User | None:
    """Return a user, or None."""
    row = session.execute(sa.select(*_SHOWN).where(TABLE.c.id == user_id)).mappings().one_or_none()
    return None if row is None else User(**row)


def find(session: Session, domain_id: str, name: str) -> User | None:
    """Return the user called ``name`` in a domain, or None."""
    query = sa.select(*_SHOWN).where(TABLE.c.domain_id == domain_id, TABLE.c.name == name)
    row = session.execute(query).mappings().one_or_none()
    return None if row is None else User(**row)


def account(session: Session, named: Named) -> Account | None:
    """Return the account of the user that a client names, or None."""
    domain = domains.TABLE
    query = sa.select(
        TABLE.c.id,
        sa.and_(TABLE.c.enabled, domain.c.enabled).label("enabled"),
        TABLE.c.default_project_id,
        TABLE.c.password_hash,
        TABLE.c.credential_version,
        TABLE.c.password_set_at,
        TABLE.c.old_passwords,
        TABLE.c.failed_logins,
        TABLE.c.failed_at,
    ).join(domain, domain.c.id == TABLE.c.domain_id)
    if named.id:
        query = query.where(TABLE.c.id == named.id)
    elif named.domain_id:
        query = query.where(TABLE.c.name == named.name, domain.c.id == named.domain_id)
    else:
        query = query.where(TABLE.c.name == named.name, domain.c.name == named.domain_name)
    row = session.execute(query).mappings().one_or_none()
    return None if row is None else Account(**row)


def listing(session: Session, page: identity.NamePage) -> list[User]:
    """Return a page of users; raises InvalidInput for an unknown marker."""
    shown = {field.name for field in dataclasses.fields(User)}
    rows = identity.select_page(session, TABLE, page)
    return [User(**{name: row[name] for name in shown}) for row in rows]


def insert(session: Session, user: User, password_hash: str) -> None:
    """Add a user; raises Conflict when the name is taken in its domain."""
    values = {
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "description": user.description,
        "enabled": user.enabled,
        "default_project_id": user.default_project_id,
        "extra": dict(user.extra),
        "password_hash": password_hash,
        "credential_version": 0,
        "password_set_at": user.password_set_at,
        "created_at": clock.now(),
    }
    identity.insert_named(session, TABLE, values, _taken(user.name))


def update(session: Session, user_id: str, **values: Any) -> bool:
    """Change fields of a user, False when there is none; raises Conflict when the name is taken.

    A new password or ``enabled`` state ends the user's tokens.
    """
    if "password_hash" in values or "enabled" in values:
        values["credential_version"] = TABLE.c.credential_version + 1
    return identity.update_named(session, TABLE, user_id, values, _taken(values.get("name", "")))


def note_failed_login(session: Session, user_id: str, forgotten_before: datetime.datetime) -> None:
    """Count a login that failed; those of before ``forgotten_before`` count no more."""
    first = sa.or_(TABLE.c.failed_at.is_(None), TABLE.c.failed_at < forgotten_before)
    count = sa.case((first, 1), else_=sa.func.coalesce(TABLE.c.failed_logins, 0) + 1)
    # MariaDB assigns from left to right: the count is taken before the time that it looks at is changed.
    session.execute(
        sa.update(TABLE)
        .where(TABLE.c.id == user_id)
        .ordered_values((TABLE.c.failed_logins, count), (TABLE.c.failed_at, clock.now()))
    )


def forget_failed_logins(session: Session, user_id: str) -> None:
    """Count failed logins anew."""
    session.execute(sa.update(TABLE).where(TABLE.c.id == user_id).values(failed_logins=None, failed_at=None))


def replace_password(
    session: Session, user_id: str, old_hash: str, new_hash: str, old_passwords: Sequence[str]
) -> bool:
    """Change a password unless somebody else changed it since ``old_hash`` was read; False then."""
    changed = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.id == user_id, TABLE.c.password_hash == old_hash)
        .values(
            password_hash=new_hash,
            credential_version=TABLE.c.credential_version + 1,
            password_set_at=clock.now(),
            old_passwords=list(old_passwords),
            failed_logins=None,
            failed_at=None,
        )
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def delete(session: Session, user_id: str) -> bool:
    """Remove a user; False when there is none."""
    return identity.delete_by_id(session, TABLE, user_id)


def delete_of_domain(session: Session, domain_id: str) -> None:
    """Remove every user of a domain."""
    session.execute(sa.delete(TABLE).where(TABLE.c.domain_id == domain_id))


def _taken(name: str) -> str:
    return f"There is already a user with the name {name} in this domain."
