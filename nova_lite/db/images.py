"""Images: what is known of them; their bytes are in an image store."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.ec2_ids import ec2_id, start_of_uuid
from nova_lite.core.errors import Conflict, InvalidInput
from nova_lite.core.image import Image, ImageStatus, MemberStatus, Visibility
from nova_lite.db import image_members
from nova_lite.db.base import MYSQL, UUID, Base, JsonText, starting_with


class ImageRow(Base):
    """One image."""

    __tablename__ = "images"
    __table_args__ = (sa.Index("ix_images_owner", "owner", "status"), MYSQL)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    name: Mapped[str | None]
    status: Mapped[str] = mapped_column(sa.String(16))
    visibility: Mapped[str] = mapped_column(sa.String(16))
    owner: Mapped[str] = mapped_column(sa.String(64))
    disk_format: Mapped[str | None] = mapped_column(sa.String(16))
    container_format: Mapped[str | None] = mapped_column(sa.String(16))
    size: Mapped[int | None] = mapped_column(sa.BigInteger())
    virtual_size: Mapped[int | None] = mapped_column(sa.BigInteger())
    checksum: Mapped[str | None] = mapped_column(sa.String(32))
    os_hash_value: Mapped[str | None] = mapped_column(sa.String(128))
    min_disk: Mapped[int] = mapped_column(default=0)
    min_ram: Mapped[int] = mapped_column(default=0)
    protected: Mapped[bool] = mapped_column(default=False)
    os_hidden: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[Any] = mapped_column(JsonText)
    properties: Mapped[Any] = mapped_column(JsonText)
    upload: Mapped[str] = mapped_column(UUID, default="")
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]


_TABLE = cast(sa.Table, ImageRow.__table__)
_FIELDS = [field.name for field in dataclasses.fields(Image)]
SORTABLE = frozenset(
    {"name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class ImagePage:
    """What part of the list is wanted; ``scope`` None sees every image.

    ``filters`` are exact matches by column name, a list meaning any of them; ``properties`` match the users'.
    Of what others share with the project, images of this ``member_status`` are seen, all when it is None.
    """

    scope: str | None
    filters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    properties: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tags: Sequence[str] = ()
    size_min: int | None = None
    size_max: int | None = None
    member_status: MemberStatus | None = MemberStatus.ACCEPTED
    sort: Sequence[tuple[str, bool]] = (("created_at", True), ("id", True))
    marker: str = ""
    limit: int = 25


def insert(session: Session, image: Image) -> None:
    """Add an image; raises Conflict where its id is taken, be it only as the EC2 API shows it.

    Users choose ids for images, and could otherwise make one that stands for another's there.
    """
    alike = starting_with(_TABLE.c.id, [start_of_uuid(ec2_id("ami", image.id), "ami") or image.id])
    if session.execute(sa.select(_TABLE.c.id).where(alike).limit(1)).first():
        raise Conflict(f"Image ID {image.id} already exists!")
    try:
        with session.begin_nested():
            session.execute(sa.insert(_TABLE).values(**_to_row(image), upload=""))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Image ID {image.id} already exists!") from error


def get(session: Session, image_id: str, scope: str | None = None) -> Image | None:
    """Return an image that the project ``scope`` may use, any when that is None."""
    query = sa.select(_TABLE).where(_TABLE.c.id == image_id, _TABLE.c.status != ImageStatus.DELETED)
    if scope is not None:
        query = query.where(_usable_by(scope))
    row = session.execute(query).one_or_none()
    return None if row is None else _to_value(row)


def with_starts(session: Session, starts: Sequence[str], scope: str | None = None) -> list[Image]:
    """Return the images whose ids begin in such a way and that the project ``scope`` may use, the oldest first."""
    query = sa.select(_TABLE).where(starting_with(_TABLE.c.id, starts), _TABLE.c.status != ImageStatus.DELETED)
    if scope is not None:
        query = query.where(_usable_by(scope))
    return [_to_value(row) for row in session.execute(query.order_by(_TABLE.c.created_at, _TABLE.c.id))]


def listing(session: Session, page: ImagePage) -> list[Image]:
    """Return a page of images; raises InvalidInput for an unknown marker."""
    query = _filtered(page)
    if page.marker:
        query = query.where(_after(session, page))
    for name, descending in page.sort:
        column = _TABLE.c[name]
        query = query.order_by(column.desc() if descending else column.asc())
    if not page.properties and not page.tags:
        return [_to_value(row) for row in session.execute(query.limit(page.limit))]
    # Users' properties and tags are JSON, which the three databases search each in its own way.
    matching = (image for image in map(_to_value, session.execute(query)) if _matches(image, page))
    return [image for _, image in zip(range(page.limit), matching, strict=False)]


def update(session: Session, image: Image, old: Image) -> bool:
    """Replace what users may change of ``old``; False when somebody else did meanwhile."""
    values = {
        name: value
        for name, value in _to_row(image).items()
        if name not in ("id", "status", "size", "virtual_size", "checksum", "os_hash_value", "created_at")
    }
    changed = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == old.id, _TABLE.c.updated_at == old.updated_at)
        .values(**values | {"updated_at": clock.now()})
    )
    return _changed(changed)


def begin_upload(
    session: Session,
    image_id: str,
    upload: str,
    *,
    waiting: ImageStatus = ImageStatus.QUEUED,
    busy: ImageStatus = ImageStatus.SAVING,
) -> bool:
    """Let ``upload`` bring the image's bytes; False unless the image is ``waiting`` for them."""
    begun = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == image_id, _TABLE.c.status == waiting)
        .values(status=busy, upload=upload, updated_at=clock.now())
    )
    return _changed(begun)


def end_upload(
    session: Session, image_id: str, upload: str, status: ImageStatus, values: Mapping[str, Any] | None = None
) -> bool:
    """Let the image have ``status`` and ``values``; False when ``upload`` no longer brings its bytes."""
    ended = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == image_id, _TABLE.c.status != ImageStatus.DELETED, _TABLE.c.upload == upload)
        .values(status=status, upload="", updated_at=clock.now(), **values or {})
    )
    return _changed(ended)


def change_status(session: Session, image_id: str, old: ImageStatus, new: ImageStatus) -> bool:
    """Let an image whose status is ``old`` have ``new``; False where it has another."""
    changed = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == image_id, _TABLE.c.status == old)
        .values(status=new, updated_at=clock.now())
    )
    return _changed(changed)


def bytes_of(session: Session, owner: str) -> int:
    """Return how many bytes the images of a project have together."""
    kept = sa.select(sa.func.coalesce(sa.func.sum(_TABLE.c.size), 0)).where(
        _TABLE.c.owner == owner, _TABLE.c.status != ImageStatus.DELETED
    )
    return int(session.execute(kept).scalar_one())


def stale_uploads(session: Session, before: datetime.datetime) -> list[tuple[str, str]]:
    """Return (image, upload) of uploads that have not moved since ``before``."""
    query = sa.select(_TABLE.c.id, _TABLE.c.upload).where(
        _TABLE.c.status == ImageStatus.SAVING, _TABLE.c.updated_at < before
    )
    return [(row.id, row.upload) for row in session.execute(query)]


def touch_upload(session: Session, image_id: str, upload: str) -> None:
    """Record that an upload moves."""
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == image_id, _TABLE.c.upload == upload)
        .values(updated_at=clock.now())
    )


def mark_deleted(session: Session, image_id: str) -> bool:
    """Mark an image as deleted unless it is protected; False where it is, or is gone."""
    marked = session.execute(
        sa.update(_TABLE)
        .where(
            _TABLE.c.id == image_id,
            _TABLE.c.status != ImageStatus.DELETED,
            _TABLE.c.protected == sa.false(),
        )
        .values(status=ImageStatus.DELETED, updated_at=clock.now())
    )
    return _changed(marked)


def mark_abandoned(session: Session, image_id: str) -> None:
    """Mark an image as deleted whose bytes will not come; one that has them is left alone."""
    waiting = (ImageStatus.QUEUED, ImageStatus.SAVING)
    session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == image_id, _TABLE.c.status.in_(waiting))
        .values(status=ImageStatus.DELETED, updated_at=clock.now())
    )


def deleted_ids(session: Session) -> list[str]:
    """Return the images that are marked as deleted and whose bytes may still be there."""
    return list(
        session.execute(sa.select(_TABLE.c.id).where(_TABLE.c.status == ImageStatus.DELETED)).scalars()
    )


def forget(session: Session, image_id: str) -> None:
    """Remove the row of a deleted image whose bytes are gone."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.id == image_id, _TABLE.c.status == ImageStatus.DELETED))
    image_members.remove_all(session, image_id)


def _filtered(page: ImagePage) -> sa.Select[Any]:
    query = sa.select(_TABLE).where(_TABLE.c.status != ImageStatus.DELETED)
    if page.scope is not None:
        seen = [
            _TABLE.c.owner == page.scope,
            _TABLE.c.visibility == Visibility.PUBLIC,
            _shared_with(page.scope, page.member_status),
        ]
        if page.filters.get("visibility") == Visibility.COMMUNITY:
            seen.append(_TABLE.c.visibility == Visibility.COMMUNITY)
        query = query.where(sa.or_(*seen))
    for name, value in page.filters.items():
        column = _TABLE.c[name]
        query = query.where(column.in_(value) if isinstance(value, list) else column == value)
    if page.size_min is not None:
        query = query.where(_TABLE.c.size >= page.size_min)
    if page.size_max is not None:
        query = query.where(_TABLE.c.size <= page.size_max)
    return query


def _usable_by(project_id: str) -> sa.ColumnElement[bool]:
    """Images that a project may use who knows their ids."""
    by_id = _TABLE.c.visibility.in_((Visibility.PUBLIC, Visibility.COMMUNITY))
    return sa.or_(_TABLE.c.owner == project_id, by_id, _shared_with(project_id, None))


def _shared_with(project_id: str, status: MemberStatus | None) -> sa.ColumnElement[bool]:
    """Images that their owners share with a project."""
    return sa.and_(
        _TABLE.c.visibility == Visibility.SHARED,
        _TABLE.c.id.in_(image_members.shared_with(project_id, status)),
    )


def _after(session: Session, page: ImagePage) -> sa.ColumnElement[bool]:
    # The visibility stays: it decides what others' images are seen at all.
    kept = {name: value for name, value in page.filters.items() if name == "visibility"}
    of_marker = dataclasses.replace(page, filters=kept | {"id": page.marker})
    marker = session.execute(_filtered(of_marker)).one_or_none()
    if marker is None:
        raise InvalidInput(f"Image {page.marker} could not be found.")
    branches: list[sa.ColumnElement[bool]] = []
    equal: list[sa.ColumnElement[bool]] = []
    for name, descending in page.sort:
        column, value = _TABLE.c[name], marker._mapping[name]
        if value is not None:
            branches.append(sa.and_(*equal, column < value if descending else column > value))
        equal.append(column.is_(None) if value is None else column == value)
    return sa.or_(*branches)


def _matches(image: Image, page: ImagePage) -> bool:
    return set(page.tags) <= set(image.tags) and all(
        image.properties.get(name) == value for name, value in page.properties.items()
    )


def _changed(result: sa.Result[Any]) -> bool:
    return bool(result.rowcount)  # type: ignore[attr-defined]


def _to_row(image: Image) -> dict[str, Any]:
    return {name: getattr(image, name) for name in _FIELDS} | {
        "tags": list(image.tags),
        "properties": dict(image.properties),
    }


def _to_value(row: sa.Row[Any]) -> Image:
    values = {name: row._mapping[name] for name in _FIELDS}
    values["status"] = ImageStatus(values["status"])
    values["visibility"] = Visibility(values["visibility"])
    values["tags"] = tuple(values["tags"] or ())
    values["properties"] = values["properties"] or {}
    return Image(**values)
