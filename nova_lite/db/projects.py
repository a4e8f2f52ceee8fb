"""Projects: the owners of resources."""

import datetime
from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.identity import Project
from nova_lite.core.tags import TagFilter
from nova_lite.db import identity, tags
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class ProjectRow(Base):
    """One project."""

    __tablename__ = "projects"
    __table_args__ = (sa.UniqueConstraint("domain_id", "name"), MYSQL)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str]
    domain_id: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey("domains.id"))
    parent_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[Any] = mapped_column(JsonText)
    tags: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    created_at: Mapped[datetime.datetime]


TABLE = cast(sa.Table, ProjectRow.__table__)


def get(session: Session, project_id: str) -> Project | None:
    """Return a project, or None."""
    row = session.execute(sa.select(TABLE).where(TABLE.c.id == project_id)).mappings().one_or_none()
    return None if row is None else to_value(row)


def lock(session: Session, project_id: str) -> None:
    """Let nobody else change a project until this transaction ends: what is seen is still so when it is written."""
    session.execute(sa.select(TABLE.c.id).where(TABLE.c.id == project_id).with_for_update())


def find(session: Session, domain_id: str, name: str) -> Project | None:
    """Return the project called ``name`` in a domain, or None."""
    query = sa.select(TABLE).where(TABLE.c.domain_id == domain_id, TABLE.c.name == name)
    row = session.execute(query).mappings().one_or_none()
    return None if row is None else to_value(row)


def listing(session: Session, page: identity.NamePage, wanted: TagFilter) -> list[Project]:
    """Return a page of projects that have tags as ``wanted``; raises InvalidInput for an unknown marker."""
    conditions = tags.matching(TABLE.c.tags, wanted)
    return [to_value(row) for row in identity.select_page(session, TABLE, page, conditions)]


def by_ids(session: Session, wanted: Iterable[str]) -> list[Project]:
    """Return those projects, by name."""
    query = sa.select(TABLE).where(TABLE.c.id.in_(list(wanted))).order_by(TABLE.c.name, TABLE.c.id)
    return [to_value(row) for row in session.execute(query).mappings()]


def insert(session: Session, project: Project) -> None:
    """Add a project; raises Conflict when the name is taken in its domain."""
    values = {
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "parent_id": project.parent_id,
        "description": project.description,
        "enabled": project.enabled,
        "extra": dict(project.extra),
        "tags": list(project.tags),
        "created_at": clock.now(),
    }
    identity.insert_named(session, TABLE, values, _taken(project.name))


def update(session: Session, project_id: str, **values: Any) -> bool:
    """Change fields of a project, False when there is none; raises Conflict when the name is taken."""
    return identity.update_named(session, TABLE, project_id, values, _taken(values.get("name", "")))


def delete(session: Session, project_id: str) -> bool:
    """Remove a project; False when there is none."""
    return identity.delete_by_id(session, TABLE, project_id)


def delete_of_domain(session: Session, domain_id: str) -> None:
    """Remove every project of a domain."""
    session.execute(sa.delete(TABLE).where(TABLE.c.domain_id == domain_id))


def has_children(session: Session, project_id: str) -> bool:
    """Tell whether other projects are below a project."""
    query = sa.select(TABLE.c.id).where(TABLE.c.parent_id == project_id).limit(1)
    return session.execute(query).first() is not None


def above(wanted: sa.ColumnElement[bool]) -> sa.CTE:
    """Return the ids of what is above the project that meets a condition: projects, at last its domain."""
    line = sa.select(TABLE.c.parent_id.label("id")).where(wanted).cte("above", recursive=True)
    return line.union(sa.select(TABLE.c.parent_id).join(line, TABLE.c.id == line.c.id))


def below(roots: sa.Select[tuple[str]]) -> sa.CTE:
    """Return the ids of the projects below some projects and domains."""
    tree = sa.select(TABLE.c.id).where(TABLE.c.parent_id.in_(roots)).cte("below", recursive=True)
    return tree.union(sa.select(TABLE.c.id).join(tree, TABLE.c.parent_id == tree.c.id))


def every_below(session: Session, root_id: str) -> list[Project]:
    """Return the projects below a project or a domain, by name."""
    tree = below(sa.select(sa.literal(root_id)))
    query = sa.select(TABLE).where(TABLE.c.id.in_(sa.select(tree.c.id))).order_by(TABLE.c.name, TABLE.c.id)
    return [to_value(row) for row in session.execute(query).mappings()]


def to_value(row: Any) -> Project:
    """Make a value of a row of the table (a mapping by column name)."""
    values = {name: value for name, value in row.items() if name != "created_at"}
    return Project(**values | {"tags": tuple(values["tags"] or ())})


def _taken(name: str) -> str:
    return f"There is already a project with the name {name} in this domain."
