"""Imports of images, and which process works at each.

A task is claimed by writing the worker's name and a time until which the claim holds; a worker that dies
stops to prolong it, and another one begins the task anew.
"""

import dataclasses
import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.image import ImageTask, TaskStatus
from nova_lite.db.base import LONG_TEXT, MYSQL, UUID, Base


class ImageTaskRow(Base):
    """One import."""

    __tablename__ = "image_tasks"
    __table_args__ = (sa.Index("ix_image_tasks_owner", "owner", "created_at"), MYSQL)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    image_id: Mapped[str] = mapped_column(UUID, index=True)
    owner: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str] = mapped_column(sa.String(64))
    request_id: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[str] = mapped_column(sa.String(16), index=True)
    uri: Mapped[str] = mapped_column(LONG_TEXT)
    message: Mapped[str] = mapped_column(LONG_TEXT)
    worker: Mapped[str] = mapped_column(UUID, default="")
    claimed_until: Mapped[datetime.datetime]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime | None]


_TABLE = cast(sa.Table, ImageTaskRow.__table__)
_FIELDS = [field.name for field in dataclasses.fields(ImageTask)]
_OPEN = (TaskStatus.PENDING, TaskStatus.PROCESSING)


def insert(session: Session, task: ImageTask) -> None:
    """Add a task that nobody works at."""
    values = {name: getattr(task, name) for name in _FIELDS}
    session.execute(sa.insert(_TABLE).values(worker="", claimed_until=task.created_at, **values))


def get(session: Session, task_id: str, scope: str | None = None) -> ImageTask | None:
    """Return a task, within the project ``scope`` unless that is None; or None."""
    query = sa.select(_TABLE).where(_TABLE.c.id == task_id)
    if scope is not None:
        query = query.where(_TABLE.c.owner == scope)
    row = session.execute(query).one_or_none()
    return None if row is None else _to_value(row)


def listing(session: Session, scope: str | None) -> list[ImageTask]:
    """Return the tasks of the project ``scope``, all when that is None; the newest first."""
    query = sa.select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id)
    if scope is not None:
        query = query.where(_TABLE.c.owner == scope)
    return [_to_value(row) for row in session.execute(query)]


def unfinished(session: Session) -> list[ImageTask]:
    """Return the tasks that are not ended."""
    query = sa.select(_TABLE).where(_TABLE.c.status.in_(_OPEN))
    return [_to_value(row) for row in session.execute(query)]


def of_image(session: Session, image_id: str) -> list[ImageTask]:
    """Return the tasks of an image, the newest first."""
    query = sa.select(_TABLE).where(_TABLE.c.image_id == image_id)
    return [_to_value(row) for row in session.execute(query.order_by(_TABLE.c.created_at.desc()))]


def claim(session: Session, worker: str, until: datetime.datetime) -> ImageTask | None:
    """Let ``worker`` have a task that nobody works at, until then; None where there is none."""
    free = sa.select(_TABLE).where(_TABLE.c.status.in_(_OPEN), _TABLE.c.claimed_until <= clock.now())
    for row in session.execute(free.order_by(_TABLE.c.created_at)).all():
        claimed = session.execute(
            sa.update(_TABLE)
            .where(_TABLE.c.id == row.id, _TABLE.c.claimed_until == row.claimed_until)
            .values(worker=worker, claimed_until=until, status=TaskStatus.PROCESSING, updated_at=clock.now())
        )
        if claimed.rowcount:  # type: ignore[attr-defined]
            return dataclasses.replace(_to_value(row), status=TaskStatus.PROCESSING)
    return None


def prolong(session: Session, task_id: str, worker: str, until: datetime.datetime) -> bool:
    """Let ``worker`` keep its task until then; False when another has it."""
    kept = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == task_id, _TABLE.c.worker == worker, _TABLE.c.status.in_(_OPEN))
        .values(claimed_until=until)
    )
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def end(
    session: Session,
    task_id: str,
    worker: str,
    status: TaskStatus,
    message: str,
    expires_at: datetime.datetime,
) -> bool:
    """End a task that is kept until ``expires_at``; False when ``worker`` no longer has it."""
    ended = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == task_id, _TABLE.c.worker == worker, _TABLE.c.status.in_(_OPEN))
        .values(status=status, message=message, updated_at=clock.now(), expires_at=expires_at)
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]


def forget_expired(session: Session) -> None:
    """Remove the tasks whose time is over."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.expires_at <= clock.now()))


def _to_value(row: sa.Row[Any]) -> ImageTask:
    values = {name: row._mapping[name] for name in _FIELDS}
    values["status"] = TaskStatus(values["status"])
    return ImageTask(**values)
