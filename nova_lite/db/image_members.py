"""With which projects images are shared."""

import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.errors import Conflict
from nova_lite.core.image import ImageMember, MemberStatus
from nova_lite.db.base import MYSQL, UUID, Base


class ImageMemberRow(Base):
    """One project with which one image is shared."""

    __tablename__ = "image_members"
    __table_args__ = MYSQL

    image_id: Mapped[str] = mapped_column(UUID, primary_key=True)
    member_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True, index=True)
    status: Mapped[str] = mapped_column(sa.String(16))
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]


_TABLE = cast(sa.Table, ImageMemberRow.__table__)


def add(session: Session, member: ImageMember) -> None:
    """Share an image with a project; raises Conflict where it is already."""
    try:
        with session.begin_nested():
            session.execute(
                sa.insert(_TABLE).values(
                    image_id=member.image_id,
                    member_id=member.member_id,
                    status=member.status,
                    created_at=member.created_at,
                    updated_at=member.updated_at,
                )
            )
    except sa.exc.IntegrityError as error:
        raise Conflict(
            f"Image {member.image_id} is already shared with project {member.member_id}."
        ) from error


def of_image(session: Session, image_id: str, member_id: str | None = None) -> list[ImageMember]:
    """Return the projects with which an image is shared, or the one that is asked for."""
    query = sa.select(_TABLE).where(_TABLE.c.image_id == image_id)
    if member_id is not None:
        query = query.where(_TABLE.c.member_id == member_id)
    return [
        _to_value(row) for row in session.execute(query.order_by(_TABLE.c.created_at, _TABLE.c.member_id))
    ]


def set_status(session: Session, image_id: str, member_id: str, status: MemberStatus) -> bool:
    """Record what a project makes of an image; False where it is not shared with it."""
    changed = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.image_id == image_id, _TABLE.c.member_id == member_id)
        .values(status=status, updated_at=clock.now())
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def remove(session: Session, image_id: str, member_id: str) -> bool:
    """Share an image with a project no longer; False where it was not."""
    removed = session.execute(
        sa.delete(_TABLE).where(_TABLE.c.image_id == image_id, _TABLE.c.member_id == member_id)
    )
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def remove_all(session: Session, image_id: str) -> None:
    """Share an image with nobody."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.image_id == image_id))


def shared_with(project_id: str, status: MemberStatus | None) -> sa.Select[Any]:
    """Return the query for the ids of images shared with a project, those of ``status`` unless it is None."""
    query = sa.select(_TABLE.c.image_id).where(_TABLE.c.member_id == project_id)
    return query if status is None else query.where(_TABLE.c.status == status)


def _to_value(row: sa.Row[Any]) -> ImageMember:
    return ImageMember(row.image_id, row.member_id, MemberStatus(row.status), row.created_at, row.updated_at)
