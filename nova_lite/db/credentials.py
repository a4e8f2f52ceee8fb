"""Secrets of any kind that users have identity keep, encrypted."""

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.credentials import StoredCredential
from nova_lite.db.base import LONG_TEXT, MYSQL, Base


class CredentialRow(Base):
    """One secret; ``blob`` is encrypted."""

    __tablename__ = "credentials"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    project_id: Mapped[str] = mapped_column(sa.String(64), default="", index=True)
    type: Mapped[str]
    blob: Mapped[str] = mapped_column(LONG_TEXT)


_TABLE = cast(sa.Table, CredentialRow.__table__)


def insert(session: Session, credential: StoredCredential) -> None:
    """Add a secret, encrypted already."""
    session.execute(
        sa.insert(_TABLE).values(
            id=credential.id,
            user_id=credential.user_id,
            project_id=credential.project_id,
            type=credential.type,
            blob=credential.blob,
        )
    )


def get(session: Session, credential_id: str) -> StoredCredential | None:
    """Return a secret, still encrypted, or None."""
    row = session.execute(sa.select(_TABLE).where(_TABLE.c.id == credential_id)).one_or_none()
    return None if row is None else StoredCredential(**row._asdict())


def listing(session: Session, user_id: str | None, kind: str | None) -> list[StoredCredential]:
    """Return secrets, still encrypted: everybody's or a user's, of any or of one type."""
    query = sa.select(_TABLE).order_by(_TABLE.c.id)
    if user_id is not None:
        query = query.where(_TABLE.c.user_id == user_id)
    if kind is not None:
        query = query.where(_TABLE.c.type == kind)
    return [StoredCredential(**row._asdict()) for row in session.execute(query)]


def update(session: Session, credential: StoredCredential) -> None:
    """Write a secret anew."""
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == credential.id)
        .values(
            user_id=credential.user_id,
            project_id=credential.project_id,
            type=credential.type,
            blob=credential.blob,
        )
    )


def delete(session: Session, credential_id: str) -> None:
    """Remove a secret."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.id == credential_id))


def delete_of(session: Session, *, user_id: str = "", project_id: str = "") -> None:
    """Remove every secret of a user, or for a project."""
    mine = _TABLE.c.user_id == user_id if user_id else _TABLE.c.project_id == project_id
    session.execute(sa.delete(_TABLE).where(mine))
