"""Security groups and their rules; who is in them: ``group_members``."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock, ids
from nova_lite.core.errors import Conflict
from nova_lite.core.network import SecurityGroup, SecurityGroupRule
from nova_lite.db.base import MYSQL, UUID, Base, counted

DEFAULT = "default"
"""The name of the group that each project has and that instances are in unless another is named."""


class SecurityGroupRow(Base):
    """One security group."""

    __tablename__ = "security_groups"
    __table_args__ = (sa.UniqueConstraint("project_id", "name"), MYSQL)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    project_id: Mapped[str] = mapped_column(sa.String(64))
    revision: Mapped[int] = counted()
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]


class SecurityGroupRuleRow(Base):
    """One ingress permission of a group."""

    __tablename__ = "security_group_rules"
    __table_args__ = (MYSQL,)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    group_id: Mapped[str] = mapped_column(sa.ForeignKey("security_groups.id"), index=True)
    protocol: Mapped[str] = mapped_column(sa.String(16), default="")
    from_port: Mapped[int] = mapped_column(default=-1)
    to_port: Mapped[int] = mapped_column(default=-1)
    cidr: Mapped[str] = mapped_column(sa.String(43), default="")
    source_group_id: Mapped[str] = mapped_column(UUID, default="", index=True)
    ethertype: Mapped[str] = mapped_column(sa.String(4), default="IPv4")
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime.datetime]


class SecurityGroupMemberRow(Base):
    """An instance that is in a group."""

    __tablename__ = "security_group_members"
    __table_args__ = (MYSQL,)

    instance_uuid: Mapped[str] = mapped_column(UUID, primary_key=True)
    group_id: Mapped[str] = mapped_column(sa.ForeignKey("security_groups.id"), primary_key=True, index=True)


_GROUPS = cast(sa.Table, SecurityGroupRow.__table__)
_RULES = cast(sa.Table, SecurityGroupRuleRow.__table__)

_GROUP_FIELDS = ("id", "name", "description", "project_id", "created_at", "updated_at", "revision")
_RULE_FIELDS = tuple(field.name for field in dataclasses.fields(SecurityGroupRule))


def ensure_default(session: Session, project_id: str) -> str:
    """Return the id of a project's default group, made now if need be; its members may reach each other."""
    group_id = _default_id(session, project_id)
    if group_id is not None:
        return group_id
    now = clock.now()
    group = SecurityGroup(ids.new_uuid(), DEFAULT, "Default security group", project_id, now, now)
    try:
        with session.begin_nested():
            insert(session, group)
    except Conflict:
        return cast(str, _default_id(session, project_id))
    among_members = SecurityGroupRule(ids.new_uuid(), group.id, source_group_id=group.id, ethertype="")
    insert_rules(session, [among_members])
    return group.id


def insert(session: Session, group: SecurityGroup) -> None:
    """Add a group without its rules; raises Conflict where the project has one of that name."""
    values = {name: getattr(group, name) for name in _GROUP_FIELDS}
    try:
        session.execute(sa.insert(_GROUPS).values(**values))
    except sa.exc.IntegrityError as error:
        raise Conflict(
            f"Security group {group.name} already exists for project {group.project_id}."
        ) from error


def get(session: Session, group_id: str, scope: str | None = None) -> SecurityGroup | None:
    """Return a group with its rules, of the project ``scope`` unless that is None."""
    return _only(_with_rules(session, _in_scope(scope).where(_GROUPS.c.id == group_id)))


def find(session: Session, project_id: str, name: str) -> SecurityGroup | None:
    """Return a project's group by its name, or by its id, with its rules."""
    query = _in_scope(project_id).where(sa.or_(_GROUPS.c.name == name, _GROUPS.c.id == name))
    found = _with_rules(session, query)
    return next((group for group in found if group.id == name), _only(found[:1]))


def listing(session: Session, scope: str | None = None) -> list[SecurityGroup]:
    """Return the groups of a project with their rules, those of all projects when ``scope`` is None."""
    return _with_rules(session, _in_scope(scope).order_by(_GROUPS.c.created_at, _GROUPS.c.id))


def count(session: Session, project_id: str) -> int:
    """Count the groups of a project."""
    query = sa.select(sa.func.count()).select_from(_GROUPS).where(_GROUPS.c.project_id == project_id)
    return int(session.execute(query).scalar_one())


def update(session: Session, group: SecurityGroup, name: str, description: str) -> None:
    """Rename or describe a group; raises Conflict where the project has another of that name."""
    try:
        session.execute(
            sa.update(_GROUPS)
            .where(_GROUPS.c.id == group.id)
            .values(name=name, description=description, updated_at=clock.now())
        )
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Security group {name} already exists for project {group.project_id}.") from error


def delete(session: Session, group_id: str) -> None:
    """Remove a group, its rules and the rules that name it as their source.

    Raises Conflict while an instance is in it.
    """
    session.execute(
        sa.delete(_RULES).where(sa.or_(_RULES.c.group_id == group_id, _RULES.c.source_group_id == group_id))
    )
    try:
        session.execute(sa.delete(_GROUPS).where(_GROUPS.c.id == group_id))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Security Group {group_id} in use.") from error


def insert_rules(session: Session, rules: Sequence[SecurityGroupRule]) -> None:
    """Add rules to groups."""
    # First, for an added rule locks its group's row for others, and two that did could not write it any more.
    _touch(session, sorted({rule.group_id for rule in rules}))
    now = clock.now()
    session.execute(
        sa.insert(_RULES),
        [{name: getattr(rule, name) for name in _RULE_FIELDS} | {"created_at": now} for rule in rules],
    )


def get_rule(session: Session, rule_id: str, scope: str | None = None) -> SecurityGroupRule | None:
    """Return a rule of a group of the project ``scope``, of any project when None."""
    query = sa.select(_RULES).where(_RULES.c.id == rule_id)
    if scope is not None:
        query = query.join(_GROUPS, _GROUPS.c.id == _RULES.c.group_id).where(_GROUPS.c.project_id == scope)
    row = session.execute(query).one_or_none()
    return None if row is None else to_rule(row)


def update_rule(session: Session, rule: SecurityGroupRule) -> None:
    """Replace what a rule says; its group stays."""
    _touch(session, [rule.group_id])
    values = {name: getattr(rule, name) for name in _RULE_FIELDS if name not in ("id", "group_id")}
    session.execute(sa.update(_RULES).where(_RULES.c.id == rule.id).values(**values))


def delete_rule(session: Session, rule_id: str) -> None:
    """Remove a rule."""
    _touch(session, sa.select(_RULES.c.group_id).where(_RULES.c.id == rule_id))
    session.execute(sa.delete(_RULES).where(_RULES.c.id == rule_id))


def _touch(session: Session, group_ids: Sequence[str] | sa.Select[tuple[str]]) -> None:
    """Have groups be changed: their rules are no part of their rows."""
    session.execute(sa.update(_GROUPS).where(_GROUPS.c.id.in_(group_ids)).values(updated_at=clock.now()))


def _default_id(session: Session, project_id: str) -> str | None:
    query = sa.select(_GROUPS.c.id).where(_GROUPS.c.project_id == project_id, _GROUPS.c.name == DEFAULT)
    return session.execute(query).scalar_one_or_none()


def _in_scope(scope: str | None) -> sa.Select[Any]:
    query = sa.select(_GROUPS)
    return query if scope is None else query.where(_GROUPS.c.project_id == scope)


def _with_rules(session: Session, query: sa.Select[Any]) -> list[SecurityGroup]:
    groups = list(session.execute(query))
    if not groups:
        return []
    rules: dict[str, list[SecurityGroupRule]] = {}
    of_these = sa.select(_RULES).where(_RULES.c.group_id.in_([group.id for group in groups]))
    for row in session.execute(of_these.order_by(_RULES.c.created_at, _RULES.c.id)):
        rules.setdefault(row.group_id, []).append(to_rule(row))
    return [
        SecurityGroup(
            **{name: group._mapping[name] for name in _GROUP_FIELDS}, rules=tuple(rules.get(group.id, ()))
        )
        for group in groups
    ]


def _only(groups: Sequence[SecurityGroup]) -> SecurityGroup | None:
    return groups[0] if groups else None


def to_rule(row: sa.Row[Any]) -> SecurityGroupRule:
    """Return the rule of a row."""
    return SecurityGroupRule(**{name: row._mapping[name] for name in _RULE_FIELDS})
