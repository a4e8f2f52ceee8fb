"""Certificates that were issued: whose they are, and which are revoked."""

import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.certificate import CertificateRecord
from nova_lite.db.base import LONG_TEXT, MYSQL, Base


class CertificateRow(Base):
    """One certificate; it outlives its user and project, for what was revoked stays so until it expires."""

    __tablename__ = "certificates"
    __table_args__ = MYSQL

    serial: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    issuer: Mapped[str] = mapped_column(sa.String(64), index=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    project_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    created_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime]
    revoked_at: Mapped[datetime.datetime | None]
    public_key: Mapped[str | None] = mapped_column(LONG_TEXT)


_TABLE = cast(sa.Table, CertificateRow.__table__)


def _of_row(row: sa.Row[Any]) -> CertificateRecord:
    found = row._asdict()
    return CertificateRecord(**(found | {"public_key": found["public_key"] or ""}))


def insert(session: Session, record: CertificateRecord) -> None:
    """Keep a certificate."""
    session.execute(
        sa.insert(_TABLE).values(
            serial=record.serial,
            issuer=record.issuer,
            user_id=record.user_id,
            project_id=record.project_id,
            created_at=record.created_at,
            expires_at=record.expires_at,
            revoked_at=record.revoked_at,
            public_key=record.public_key,
        )
    )


def get(session: Session, serial: str) -> CertificateRecord | None:
    """Return a certificate, or None."""
    row = session.execute(sa.select(_TABLE).where(_TABLE.c.serial == serial)).one_or_none()
    return None if row is None else _of_row(row)


def revoke(session: Session, at: datetime.datetime, *, user_id: str = "", project_id: str = "") -> int:
    """Revoke the certificates of a user, of a project, or of a user on a project; returns how many."""
    wanted: list[sa.ColumnElement[bool]] = [_TABLE.c.revoked_at.is_(None)]
    if user_id:
        wanted.append(_TABLE.c.user_id == user_id)
    if project_id:
        wanted.append(_TABLE.c.project_id == project_id)
    changed = session.execute(sa.update(_TABLE).where(*wanted).values(revoked_at=at))
    return int(changed.rowcount)  # type: ignore[attr-defined]


def revoked(session: Session, issuer: str, after: datetime.datetime) -> list[CertificateRecord]:
    """Return what an authority signed that is revoked and has not expired by ``after``, the oldest first."""
    query = (
        sa.select(_TABLE)
        .where(_TABLE.c.issuer == issuer, _TABLE.c.revoked_at.is_not(None), _TABLE.c.expires_at > after)
        .order_by(_TABLE.c.created_at, _TABLE.c.serial)
    )
    return [_of_row(row) for row in session.execute(query)]


def public_keys(session: Session, user_id: str, project_id: str, at: datetime.datetime) -> list[str]:
    """Return the keys (PEM) of a user's certificates on a project that are in force, the newest first."""
    query = (
        sa.select(_TABLE.c.public_key)
        .where(
            _TABLE.c.user_id == user_id,
            _TABLE.c.project_id == project_id,
            _TABLE.c.revoked_at.is_(None),
            _TABLE.c.expires_at > at,
            _TABLE.c.public_key.is_not(None),
        )
        .order_by(_TABLE.c.created_at.desc(), _TABLE.c.serial)
    )
    return [key for key in session.scalars(query) if key]


def delete_expired(session: Session, before: datetime.datetime) -> int:
    """Forget certificates that expired; returns how many."""
    changed = session.execute(sa.delete(_TABLE).where(_TABLE.c.expires_at < before))
    return int(changed.rowcount)  # type: ignore[attr-defined]
