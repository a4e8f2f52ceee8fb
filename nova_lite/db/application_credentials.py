"""Application credentials: who each acts for, and the hash of its secret."""

import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.access_rules import AccessRule
from nova_lite.core.credentials import ApplicationCredential
from nova_lite.core.identity import Named
from nova_lite.db import domains, identity, users
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class ApplicationCredentialRow(Base):
    """One application credential."""

    __tablename__ = "application_credentials"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"), MYSQL)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    role_ids: Mapped[Any] = mapped_column(JsonText)
    unrestricted: Mapped[bool] = mapped_column(default=False)
    access_rules: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(128))
    expires_at: Mapped[datetime.datetime | None]


TABLE = cast(sa.Table, ApplicationCredentialRow.__table__)


def insert(session: Session, credential: ApplicationCredential, secret_hash: str) -> None:
    """Add a credential; raises Conflict when its user has one of that name."""
    values = {
        column.name: getattr(credential, column.name) for column in TABLE.c if column.name != "secret_hash"
    }
    rules = credential.access_rules
    values |= {
        "role_ids": list(credential.role_ids),
        "secret_hash": secret_hash,
        "access_rules": None if rules is None else [rule.document() for rule in rules],
    }
    identity.insert_named(
        session, TABLE, values, f"There is already an application credential with the name {credential.name}."
    )


def get(session: Session, credential_id: str) -> ApplicationCredential | None:
    """Return a credential, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.id == credential_id)).one_or_none()
    return None if row is None else _to_value(row)


def proof_of(session: Session, named: Named, user: Named | None) -> tuple[ApplicationCredential, str] | None:
    """Return the credential that a client names, by itself or with its user, and the hash of its secret."""
    query = sa.select(TABLE)
    if named.id:
        query = query.where(TABLE.c.id == named.id)
    elif user is None:
        return None
    else:
        query = query.join(users.TABLE, users.TABLE.c.id == TABLE.c.user_id)
        query = query.join(domains.TABLE, domains.TABLE.c.id == users.TABLE.c.domain_id)
        query = query.where(TABLE.c.name == named.name, *_is_user(user))
    row = session.execute(query).one_or_none()
    return None if row is None else (_to_value(row), row.secret_hash)


def listing(session: Session, user_id: str, name: str | None) -> list[ApplicationCredential]:
    """Return a user's credentials by name, or the one called ``name``."""
    query = sa.select(TABLE).where(TABLE.c.user_id == user_id).order_by(TABLE.c.name)
    if name is not None:
        query = query.where(TABLE.c.name == name)
    return [_to_value(row) for row in session.execute(query)]


def delete(session: Session, credential_id: str) -> bool:
    """Remove a credential; False when there is none."""
    return identity.delete_by_id(session, TABLE, credential_id)


def delete_of(session: Session, *, user_id: str = "", project_id: str = "") -> None:
    """Remove every credential of a user, or on a project."""
    mine = TABLE.c.user_id == user_id if user_id else TABLE.c.project_id == project_id
    session.execute(sa.delete(TABLE).where(mine))


def _is_user(user: Named) -> list[sa.ColumnElement[bool]]:
    if user.id:
        return [users.TABLE.c.id == user.id]
    of_domain = (
        domains.TABLE.c.id == user.domain_id if user.domain_id else domains.TABLE.c.name == user.domain_name
    )
    return [users.TABLE.c.name == user.name, of_domain]


def rules_of(document: Any) -> tuple[AccessRule, ...] | None:
    """Return the access rules that are kept with a credential."""
    return None if document is None else tuple(AccessRule.of(rule) for rule in document)


def _to_value(row: sa.Row[Any]) -> ApplicationCredential:
    return ApplicationCredential(
        id=row.id,
        user_id=row.user_id,
        project_id=row.project_id,
        name=row.name,
        role_ids=tuple(row.role_ids),
        description=row.description,
        expires_at=row.expires_at,
        unrestricted=row.unrestricted,
        access_rules=rules_of(row.access_rules),
    )
