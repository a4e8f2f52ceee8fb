"""Limits of projects, and counters of what they have; a counter moves only by a conditional UPDATE."""

from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.errors import OverQuota
from nova_lite.core.quota import RESOURCES, UNLIMITED, Limits, Usage
from nova_lite.db.base import MYSQL, Base


class QuotaLimitRow(Base):
    """A limit that differs from the default, of a project or of a quota class."""

    __tablename__ = "quota_limits"
    __table_args__ = MYSQL

    project_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    hard_limit: Mapped[int]


class ProjectUsageRow(Base):
    """What a project has."""

    __tablename__ = "project_usages"
    __table_args__ = MYSQL

    project_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    instances: Mapped[int] = mapped_column(default=0)
    cores: Mapped[int] = mapped_column(default=0)
    ram: Mapped[int] = mapped_column(default=0)


DEFAULT_CLASS = "class:default"
"""Under this name the limits of the default quota class are kept beside those of projects."""

_LIMITS = cast(sa.Table, QuotaLimitRow.__table__)
_USAGES = cast(sa.Table, ProjectUsageRow.__table__)


def limits_of(session: Session, project_id: str) -> dict[str, int]:
    """Return the limits that differ from the default for a project or class."""
    query = sa.select(_LIMITS.c.resource, _LIMITS.c.hard_limit).where(_LIMITS.c.project_id == project_id)
    return {resource: hard_limit for resource, hard_limit in session.execute(query)}


def effective(session: Session, project_id: str, defaults: Limits) -> Limits:
    """Return the limits of a project: its own over those of the default class over ``defaults``."""
    query = sa.select(_LIMITS).where(_LIMITS.c.project_id.in_([DEFAULT_CLASS, project_id]))
    found: dict[str, dict[str, int]] = {DEFAULT_CLASS: {}, project_id: {}}
    for row in session.execute(query):
        found[row.project_id][row.resource] = row.hard_limit
    return defaults.replaced(found[DEFAULT_CLASS]).replaced(found[project_id])


def set_limits(session: Session, project_id: str, limits: Mapping[str, int]) -> None:
    """Set limits of a project or class."""
    clear_limits(session, project_id, list(limits))
    rows = [
        {"project_id": project_id, "resource": name, "hard_limit": value} for name, value in limits.items()
    ]
    if rows:
        session.execute(sa.insert(_LIMITS), rows)


def clear_limits(session: Session, project_id: str, resources: list[str] | None = None) -> None:
    """Let the defaults hold again for a project or class, for some resources or all."""
    statement = sa.delete(_LIMITS).where(_LIMITS.c.project_id == project_id)
    if resources is not None:
        statement = statement.where(_LIMITS.c.resource.in_(resources))
    session.execute(statement)


def usage_of(session: Session, project_id: str) -> Usage:
    """Return what a project has."""
    row = session.execute(sa.select(_USAGES).where(_USAGES.c.project_id == project_id)).one_or_none()
    return Usage() if row is None else Usage(row.instances, row.cores, row.ram)


def usages(session: Session) -> dict[str, Usage]:
    """Return what each project has."""
    return {
        row.project_id: Usage(row.instances, row.cores, row.ram)
        for row in session.execute(sa.select(_USAGES))
    }


def reserve(session: Session, project_id: str, defaults: Limits, amount: Usage) -> None:
    """Count ``amount`` as taken by a project if its limits allow; raises OverQuota."""
    if _add(session, project_id, defaults, amount):
        return
    _make_row(session, project_id)
    if not _add(session, project_id, defaults, amount):
        limits = effective(session, project_id, defaults)
        raise OverQuota(_sentence(usage_of(session, project_id), limits, amount))


def release(session: Session, project_id: str, amount: Usage) -> None:
    """Count ``amount`` as given back by a project."""
    session.execute(
        sa.update(_USAGES)
        .where(_USAGES.c.project_id == project_id)
        .values({name: _USAGES.c[name] - getattr(amount, name) for name in RESOURCES})
    )


def lock(session: Session, project_id: str) -> None:
    """Let no other transaction count what this project has until this one ends."""
    _make_row(session, project_id)
    session.execute(
        sa.update(_USAGES).where(_USAGES.c.project_id == project_id).values(instances=_USAGES.c.instances)
    )


def set_usage(session: Session, project_id: str, usage: Usage) -> None:
    """Write what a project has, as counted by a repair."""
    _make_row(session, project_id)
    session.execute(
        sa.update(_USAGES)
        .where(_USAGES.c.project_id == project_id)
        .values({name: getattr(usage, name) for name in RESOURCES})
    )


def _add(session: Session, project_id: str, defaults: Limits, amount: Usage) -> bool:
    """Count ``amount`` where it fits; the limits are looked up as ``effective`` does, by the same statement."""
    values: dict[str, object] = {"project": project_id}
    for name in RESOURCES:
        values |= {f"default_{name}": defaults[name], f"more_{name}": getattr(amount, name)}
    return bool(session.execute(_ADD, values).rowcount)  # type: ignore[attr-defined]


def _fits(name: str) -> sa.ColumnElement[bool]:
    default = sa.bindparam(f"default_{name}", type_=sa.Integer())
    limit = sa.func.coalesce(_limit(_PROJECT, name), _limit(sa.literal(DEFAULT_CLASS), name), default)
    return sa.or_(limit == UNLIMITED, _after(name) <= limit)


def _after(name: str) -> sa.ColumnElement[int]:
    return _USAGES.c[name] + sa.bindparam(f"more_{name}", type_=sa.Integer())


def _limit(project_id: sa.ColumnElement[str], resource: str) -> sa.ScalarSelect[int]:
    query = sa.select(_LIMITS.c.hard_limit).where(
        _LIMITS.c.project_id == project_id, _LIMITS.c.resource == resource
    )
    return query.scalar_subquery()


_PROJECT = sa.bindparam("project", type_=sa.String())

_ADD = (
    sa.update(_USAGES)
    .where(_USAGES.c.project_id == _PROJECT, *map(_fits, RESOURCES))
    .values({name: _after(name) for name in RESOURCES})
)
"""Built once: putting it together takes longer than asking it."""


def _make_row(session: Session, project_id: str) -> None:
    """Make the project's counters if they are not there, whoever else tries the same now."""
    known = sa.select(_USAGES.c.project_id).where(_USAGES.c.project_id == project_id)
    if session.execute(known).one_or_none() is not None:
        return
    try:
        with session.begin_nested():
            session.execute(sa.insert(_USAGES).values(project_id=project_id, instances=0, cores=0, ram=0))
    except sa.exc.IntegrityError:
        # Another transaction has just made the row.
        return


def _sentence(used: Usage, limits: Limits, amount: Usage) -> str:
    over = [
        name
        for name in RESOURCES
        if limits[name] != UNLIMITED and getattr(used, name) + getattr(amount, name) > limits[name]
    ]
    names = ", ".join(over)
    requested = ", ".join(str(getattr(amount, name)) for name in over)
    present = ", ".join(str(getattr(used, name)) for name in over)
    allowed = ", ".join(str(limits[name]) for name in over)
    return (
        f"Quota exceeded for {names}: Requested {requested}, but already used {present} of {allowed} {names}"
    )
