"""Tokens by which clients say that a request is the one that they sent before, and what came of it."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.db.base import MYSQL, Base
from nova_lite.db.instance_rows import InstanceRow


class ClientTokenRow(Base):
    """One token, with a digest of the request's parameters and the id of what was made."""

    __tablename__ = "client_tokens"
    __table_args__ = (sa.Index("ix_client_tokens_resource", "resource_id"), MYSQL)

    project_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    action: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    token: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    resource_id: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime.datetime] = mapped_column(index=True)


_TABLE = cast(sa.Table, ClientTokenRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)


@dataclasses.dataclass(frozen=True, slots=True)
class ClientToken:
    """A client's token for one action; ``fingerprint`` tells other parameters apart."""

    action: str
    token: str
    fingerprint: str


def claim(session: Session, project_id: str, client: ClientToken, resource_id: str) -> bool:
    """Let a token stand for what this transaction makes; False where it stands for something already.

    Whoever claims the same at the same time waits for this transaction's end.
    """
    try:
        with session.begin_nested():
            session.execute(
                sa.insert(_TABLE).values(
                    project_id=project_id,
                    resource_id=resource_id,
                    created_at=clock.now(),
                    **dataclasses.asdict(client),
                )
            )
    except sa.exc.IntegrityError:
        return False
    return True


def get(session: Session, project_id: str, client: ClientToken) -> tuple[str, str] | None:
    """Return the fingerprint and the resource's id that a token stands for, or None."""
    query = sa.select(_TABLE.c.fingerprint, _TABLE.c.resource_id).where(
        _TABLE.c.project_id == project_id, _TABLE.c.action == client.action, _TABLE.c.token == client.token
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row.fingerprint, row.resource_id)


def of_resources(session: Session, resource_ids: Sequence[str]) -> dict[str, str]:
    """Return the tokens by which things were made, by the things' ids."""
    query = sa.select(_TABLE.c.resource_id, _TABLE.c.token).where(_TABLE.c.resource_id.in_(resource_ids))
    return {row.resource_id: row.token for row in session.execute(query)}


def purge(session: Session, before: datetime.datetime) -> int:
    """Forget tokens older than ``before`` of reservations whose instances have been gone since then."""
    kept = sa.exists().where(
        _INSTANCES.c.reservation_id == _TABLE.c.resource_id,
        sa.or_(_INSTANCES.c.deleted == sa.false(), _INSTANCES.c.terminated_at >= before),
    )
    gone = session.execute(sa.delete(_TABLE).where(_TABLE.c.created_at < before, ~kept))
    return int(gone.rowcount)  # type: ignore[attr-defined]
