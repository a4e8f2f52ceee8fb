"""Tokens that let people at consoles; only their hashes are kept, and every daemon finds them here."""

import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.console import ConsoleAddress, ConsoleAuthorization, ConsoleType
from nova_lite.db.base import MYSQL, UUID, Base


class ConsoleTokenRow(Base):
    """One token."""

    __tablename__ = "console_tokens"
    __table_args__ = (MYSQL,)

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    instance_uuid: Mapped[str] = mapped_column(UUID)
    console_type: Mapped[str] = mapped_column(sa.String(16))
    host: Mapped[str]
    port: Mapped[int]
    path: Mapped[str]
    expires_at: Mapped[datetime.datetime] = mapped_column(index=True)


_TABLE = cast(sa.Table, ConsoleTokenRow.__table__)


def insert(session: Session, token_hash: str, authorization: ConsoleAuthorization) -> None:
    """Add a token, and forget those whose time is over."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.expires_at <= clock.now()))
    session.execute(
        sa.insert(_TABLE).values(
            token_hash=token_hash,
            instance_uuid=authorization.instance_uuid,
            console_type=authorization.type,
            host=authorization.address.host,
            port=authorization.address.port,
            path=authorization.address.path,
            expires_at=authorization.expires_at,
        )
    )


def get(session: Session, token_hash: str) -> ConsoleAuthorization | None:
    """Return what a token lets see; None for an unknown one and one whose time is over."""
    query = sa.select(_TABLE).where(_TABLE.c.token_hash == token_hash, _TABLE.c.expires_at > clock.now())
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    address = ConsoleAddress(row.host, row.port, row.path)
    return ConsoleAuthorization(row.instance_uuid, ConsoleType(row.console_type), address, row.expires_at)


def use_up(session: Session, token_hash: str) -> bool:
    """Forget a token that lets in once; False when somebody else has used it meanwhile."""
    gone = session.execute(sa.delete(_TABLE).where(_TABLE.c.token_hash == token_hash))
    return bool(gone.rowcount)  # type: ignore[attr-defined]
