"""EC2 credentials: access keys, each with its secret key encrypted."""

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.credentials import Ec2Credential
from nova_lite.db import identity
from nova_lite.db.base import LONG_TEXT, MYSQL, Base


class Ec2CredentialRow(Base):
    """One pair of keys; ``secret`` is encrypted."""

    __tablename__ = "ec2_credentials"
    __table_args__ = MYSQL

    access: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    secret: Mapped[str] = mapped_column(LONG_TEXT)
    user_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    project_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )


_TABLE = cast(sa.Table, Ec2CredentialRow.__table__)
_KEPT = (_TABLE.c.access, _TABLE.c.secret, _TABLE.c.user_id, _TABLE.c.project_id)


def insert(session: Session, credential: Ec2Credential) -> None:
    """Add a pair of keys, its secret encrypted already; raises Conflict for an access key in use."""
    values = {
        "access": credential.access,
        "id": credential.id,
        "secret": credential.secret,
        "user_id": credential.user_id,
        "project_id": credential.project_id,
    }
    identity.insert_named(session, _TABLE, values, "There is already a credential with this access key.")


def get(session: Session, access: str) -> Ec2Credential | None:
    """Return a pair of keys, its secret still encrypted, or None."""
    row = session.execute(sa.select(*_KEPT).where(_TABLE.c.access == access)).one_or_none()
    return None if row is None else Ec2Credential(**row._asdict())


def by_id(session: Session, credential_id: str) -> Ec2Credential | None:
    """Return the pair of keys with an id, its secret still encrypted, or None."""
    row = session.execute(sa.select(*_KEPT).where(_TABLE.c.id == credential_id)).one_or_none()
    return None if row is None else Ec2Credential(**row._asdict())


def change_secret(session: Session, credential: Ec2Credential) -> None:
    """Give an access key another secret key, encrypted already."""
    session.execute(
        sa.update(_TABLE).where(_TABLE.c.access == credential.access).values(secret=credential.secret)
    )


def listing(session: Session, user_id: str | None) -> list[Ec2Credential]:
    """Return a user's pairs of keys, or everybody's, the secrets still encrypted."""
    query = sa.select(*_KEPT).order_by(_TABLE.c.access)
    if user_id is not None:
        query = query.where(_TABLE.c.user_id == user_id)
    return [Ec2Credential(**row._asdict()) for row in session.execute(query)]


def delete(session: Session, access: str) -> None:
    """Remove a pair of keys."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.access == access))


def delete_of(session: Session, *, user_id: str = "", project_id: str = "") -> None:
    """Remove every pair of keys of a user, or on a project."""
    mine = _TABLE.c.user_id == user_id if user_id else _TABLE.c.project_id == project_id
    session.execute(sa.delete(_TABLE).where(mine))
