"""Domains: the name spaces of users and projects."""

from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.identity import Domain
from nova_lite.db import identity
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class DomainRow(Base):
    """One domain."""

    __tablename__ = "domains"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[Any] = mapped_column(JsonText)


TABLE = cast(sa.Table, DomainRow.__table__)


def get(session: Session, domain_id: str) -> Domain | None:
    """Return a domain, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.id == domain_id)).mappings().one_or_none()
    return None if row is None else Domain(**row)


def find(session: Session, name: str) -> Domain | None:
    """Return the domain called ``name``, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.name == name)).mappings().one_or_none()
    return None if row is None else Domain(**row)


def listing(session: Session, page: identity.NamePage) -> list[Domain]:
    """Return a page of domains; raises InvalidInput for an unknown marker."""
    return [Domain(**row) for row in identity.select_page(session, TABLE, page)]


def by_ids(session: Session, wanted: Iterable[str]) -> list[Domain]:
    """Return those domains, by name."""
    query = sa.select(TABLE).where(TABLE.c.id.in_(list(wanted))).order_by(TABLE.c.name, TABLE.c.id)
    return [Domain(**row) for row in session.execute(query).mappings()]


def insert(session: Session, domain: Domain) -> None:
    """Add a domain; raises Conflict when the name is taken."""
    values = {
        "id": domain.id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.enabled,
        "extra": dict(domain.extra),
    }
    identity.insert_named(session, TABLE, values, _taken(domain.name))


def update(session: Session, domain_id: str, **values: Any) -> bool:
    """Change fields of a domain, False when there is none; raises Conflict when the name is taken."""
    return identity.update_named(session, TABLE, domain_id, values, _taken(values.get("name", "")))


def delete(session: Session, domain_id: str) -> bool:
    """Remove a domain that holds nothing any more; False when there is none."""
    return identity.delete_by_id(session, TABLE, domain_id)


def _taken(name: str) -> str:
    return f"There is already a domain with the name {name}."
