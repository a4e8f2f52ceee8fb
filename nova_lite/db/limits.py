"""Limits: those of everybody, and those of single projects and domains, which stand on the former."""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.errors import Conflict
from nova_lite.core.limits import Limit, LimitFilter, RegisteredLimit
from nova_lite.db import identity, projects
from nova_lite.db.base import LONG_TEXT, MYSQL, Base


class RegisteredLimitRow(Base):
    """One limit of everybody."""

    __tablename__ = "registered_limits"
    __table_args__ = (sa.UniqueConstraint("service_id", "region_id", "resource_name"), MYSQL)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    service_id: Mapped[str] = mapped_column(sa.String(64))
    region_id: Mapped[str] = mapped_column(index=True)
    resource_name: Mapped[str]
    default_limit: Mapped[int]
    description: Mapped[str | None] = mapped_column(LONG_TEXT)


class LimitRow(Base):
    """One limit of a project, or else of a domain."""

    __tablename__ = "limits"
    __table_args__ = (sa.UniqueConstraint("registered_limit_id", "project_id", "domain_id"), MYSQL)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    registered_limit_id: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey("registered_limits.id"))
    project_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    domain_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    resource_limit: Mapped[int]
    description: Mapped[str | None] = mapped_column(LONG_TEXT)


_REGISTERED = cast(sa.Table, RegisteredLimitRow.__table__)
_LIMITS = cast(sa.Table, LimitRow.__table__)
_TAKEN = "There is already a limit for this resource."


def register(session: Session, limit: RegisteredLimit) -> None:
    """Add a limit of everybody; raises Conflict when the resource has one."""
    identity.insert_named(session, _REGISTERED, _registered_columns(limit) | {"id": limit.id}, _TAKEN)


def registered(session: Session, limit_id: str) -> RegisteredLimit | None:
    """Return a limit of everybody, or None."""
    row = session.execute(sa.select(_REGISTERED).where(_REGISTERED.c.id == limit_id)).one_or_none()
    return None if row is None else RegisteredLimit(**row._asdict())


def list_registered(session: Session, wanted: LimitFilter) -> list[RegisteredLimit]:
    """Return the limits of everybody, by resource."""
    query = sa.select(_REGISTERED).where(*_matches(wanted))
    query = query.order_by(_REGISTERED.c.resource_name, _REGISTERED.c.id)
    return [RegisteredLimit(**row._asdict()) for row in session.execute(query)]


def replace_registered(session: Session, limit: RegisteredLimit) -> bool:
    """Write a limit of everybody anew; False while single ones stand on it. Raises Conflict."""
    change = sa.update(_REGISTERED).where(_REGISTERED.c.id == limit.id, ~_stood_on())
    try:
        result = session.execute(change.values(**_registered_columns(limit)))
    except exc.IntegrityError as error:
        raise Conflict(_TAKEN) from error
    return bool(result.rowcount)  # type: ignore[attr-defined]


def delete_registered(session: Session, limit_id: str) -> bool:
    """Remove a limit of everybody; False while single ones stand on it."""
    gone = session.execute(sa.delete(_REGISTERED).where(_REGISTERED.c.id == limit_id, ~_stood_on()))
    return bool(gone.rowcount)  # type: ignore[attr-defined]


def insert(session: Session, limit: Limit) -> bool:
    """Add a limit of a project or a domain; False where there is none of everybody. Raises Conflict."""
    base = session.execute(
        sa.select(_REGISTERED.c.id).where(
            _REGISTERED.c.service_id == limit.service_id,
            _REGISTERED.c.region_id == limit.region_id,
            _REGISTERED.c.resource_name == limit.resource_name,
        )
    ).scalar()
    if base is None:
        return False
    values = {
        "id": limit.id,
        "registered_limit_id": base,
        "project_id": limit.project_id,
        "domain_id": limit.domain_id,
        "resource_limit": limit.resource_limit,
        "description": limit.description,
    }
    identity.insert_named(session, _LIMITS, values, _TAKEN)
    return True


def get(session: Session, limit_id: str) -> Limit | None:
    """Return a limit of a project or a domain, or None."""
    row = session.execute(_joined().where(_LIMITS.c.id == limit_id)).one_or_none()
    return None if row is None else Limit(**row._asdict())


def listing(session: Session, wanted: LimitFilter) -> list[Limit]:
    """Return the limits of projects and domains, by resource."""
    query = _joined().where(*_matches(wanted)).order_by(_REGISTERED.c.resource_name, _LIMITS.c.id)
    return [Limit(**row._asdict()) for row in session.execute(query)]


def update(session: Session, limit_id: str, **values: Any) -> bool:
    """Change a limit of a project or a domain; False when there is none."""
    return identity.update_named(session, _LIMITS, limit_id, values, _TAKEN)


def delete(session: Session, limit_id: str) -> bool:
    """Remove a limit of a project or a domain; False when there is none."""
    return identity.delete_by_id(session, _LIMITS, limit_id)


def delete_of_service(session: Session, service_id: str) -> None:
    """Remove every limit of a service's resources."""
    mine = sa.select(_REGISTERED.c.id).where(_REGISTERED.c.service_id == service_id)
    session.execute(sa.delete(_LIMITS).where(_LIMITS.c.registered_limit_id.in_(mine)))
    session.execute(sa.delete(_REGISTERED).where(_REGISTERED.c.service_id == service_id))


def delete_of_project(session: Session, project_id: str) -> None:
    """Remove every limit of a project."""
    session.execute(sa.delete(_LIMITS).where(_LIMITS.c.project_id == project_id))


def delete_of_domain(session: Session, domain_id: str) -> None:
    """Remove every limit of a domain and of its projects."""
    mine = sa.select(projects.TABLE.c.id).where(projects.TABLE.c.domain_id == domain_id)
    session.execute(
        sa.delete(_LIMITS).where(sa.or_(_LIMITS.c.domain_id == domain_id, _LIMITS.c.project_id.in_(mine)))
    )


def _registered_columns(limit: RegisteredLimit) -> dict[str, Any]:
    names = ("service_id", "region_id", "resource_name", "default_limit", "description")
    return {name: getattr(limit, name) for name in names}


def _stood_on() -> sa.ColumnElement[bool]:
    """Return the condition that limits of projects or domains stand on one of everybody."""
    return sa.exists().where(_LIMITS.c.registered_limit_id == _REGISTERED.c.id)


def _joined() -> sa.Select[Any]:
    return sa.select(
        _LIMITS.c.id,
        _LIMITS.c.project_id,
        _LIMITS.c.domain_id,
        _LIMITS.c.resource_limit,
        _LIMITS.c.description,
        _REGISTERED.c.service_id,
        _REGISTERED.c.region_id,
        _REGISTERED.c.resource_name,
    ).join(_REGISTERED, _REGISTERED.c.id == _LIMITS.c.registered_limit_id)


def _matches(wanted: LimitFilter) -> list[sa.ColumnElement[bool]]:
    columns = {
        "service_id": _REGISTERED.c.service_id,
        "region_id": _REGISTERED.c.region_id,
        "resource_name": _REGISTERED.c.resource_name,
        "project_id": _LIMITS.c.project_id,
        "domain_id": _LIMITS.c.domain_id,
    }
    return [column == value for name, column in columns.items() if (value := getattr(wanted, name)) is not None]
