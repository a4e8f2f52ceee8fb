"""Flavors and who may use them."""

import datetime
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.errors import Conflict
from nova_lite.core.instance import Flavor
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class FlavorRow(Base):
    """One flavor."""

    __tablename__ = "flavors"
    __table_args__ = MYSQL

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    memory_mb: Mapped[int]
    vcpus: Mapped[int]
    root_gb: Mapped[int]
    ephemeral_gb: Mapped[int] = mapped_column(default=0)
    swap_mb: Mapped[int] = mapped_column(default=0)
    rxtx_factor: Mapped[float] = mapped_column(sa.Float(), default=1.0)
    is_public: Mapped[bool] = mapped_column(default=True)
    disabled: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str | None] = mapped_column(LONG_TEXT)
    extra_specs: Mapped[Any] = mapped_column(JsonText)
    created_at: Mapped[datetime.datetime]


class FlavorAccessRow(Base):
    """A project that may use a flavor that is not public."""

    __tablename__ = "flavor_access"
    __table_args__ = MYSQL

    flavor_id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)


TABLE = cast(sa.Table, FlavorRow.__table__)
_ACCESS = cast(sa.Table, FlavorAccessRow.__table__)
_FIELDS = [column.name for column in TABLE.c if column.name not in ("number", "created_at")]


def insert(session: Session, flavor: Flavor) -> None:
    """Add a flavor; raises Conflict where its id or name is taken."""
    values = {name: getattr(flavor, name) for name in _FIELDS} | {"extra_specs": dict(flavor.extra_specs)}
    try:
        with session.begin_nested():
            session.execute(sa.insert(TABLE).values(created_at=clock.now(), **values))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Flavor with ID {flavor.id} or name {flavor.name} already exists.") from error


def get(session: Session, flavor_id: str, scope: str | None = None) -> Flavor | None:
    """Return a flavor that the project ``scope`` may use, any when that is None."""
    row = session.execute(visible(scope).where(TABLE.c.id == flavor_id)).one_or_none()
    return None if row is None else to_value(row)


def listing(session: Session, scope: str | None = None) -> list[Flavor]:
    """Return the flavors that the project ``scope`` may use, all when that is None, smallest first."""
    query = visible(scope).order_by(TABLE.c.memory_mb, TABLE.c.number)
    return [to_value(row) for row in session.execute(query)]


def delete(session: Session, flavor_id: str) -> bool:
    """Remove a flavor; instances keep their copy. False when there was none."""
    session.execute(sa.delete(_ACCESS).where(_ACCESS.c.flavor_id == flavor_id))
    removed = session.execute(sa.delete(TABLE).where(TABLE.c.id == flavor_id))
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def update(session: Session, flavor_id: str, **values: Any) -> None:
    """Change a flavor's description or extra specs."""
    session.execute(sa.update(TABLE).where(TABLE.c.id == flavor_id).values(**values))


def swap_extra_specs(
    session: Session, flavor_id: str, old: Mapping[str, str], new: Mapping[str, str]
) -> bool:
    """Replace the extra specs if they still are ``old``."""
    swapped = session.execute(
        sa.update(TABLE)
        .where(TABLE.c.id == flavor_id, TABLE.c.extra_specs == dict(old))
        .values(extra_specs=dict(new))
    )
    return bool(swapped.rowcount)  # type: ignore[attr-defined]


def projects_with_access(session: Session, flavor_id: str) -> list[str]:
    """Return the projects that may use a flavor that is not public."""
    query = sa.select(_ACCESS.c.project_id).where(_ACCESS.c.flavor_id == flavor_id)
    return list(session.execute(query.order_by(_ACCESS.c.project_id)).scalars())


def add_access(session: Session, flavor_id: str, project_id: str) -> None:
    """Let a project use a flavor; raises Conflict where it may already."""
    try:
        with session.begin_nested():
            session.execute(sa.insert(_ACCESS).values(flavor_id=flavor_id, project_id=project_id))
    except sa.exc.IntegrityError as error:
        raise Conflict(
            f"Flavor access already exists for flavor {flavor_id} and project {project_id}."
        ) from error


def remove_access(session: Session, flavor_id: str, project_id: str) -> bool:
    """Take a flavor from a project; False where it had none."""
    removed = session.execute(
        sa.delete(_ACCESS).where(_ACCESS.c.flavor_id == flavor_id, _ACCESS.c.project_id == project_id)
    )
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def visible(scope: str | None) -> sa.Select[Any]:
    """Return the query for the flavors that the project ``scope`` may use, for all when that is None."""
    query = sa.select(TABLE)
    if scope is None:
        return query
    granted = sa.select(_ACCESS.c.flavor_id).where(_ACCESS.c.project_id == scope)
    return query.where(sa.or_(TABLE.c.is_public == sa.true(), TABLE.c.id.in_(granted)))


def to_value(row: sa.Row[Any]) -> Flavor:
    """Return the flavor of a row, which may have other columns beside."""
    values = {name: row._mapping[name] for name in _FIELDS}
    return Flavor(**values | {"extra_specs": row.extra_specs or {}})
