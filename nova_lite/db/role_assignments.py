"""Who has which role on what."""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.identity import (
    SYSTEM,
    Actor,
    ActorKind,
    Assignment,
    AssignmentFilter,
    Reference,
    Scope,
    ScopeKind,
)
from nova_lite.db import domains, groups, projects, roles, users
from nova_lite.db.base import MYSQL, Base


class RoleAssignmentRow(Base):
    """One role of one actor on one target."""

    __tablename__ = "role_assignments"
    __table_args__ = (sa.Index("ix_role_assignments_target", "target_kind", "target_id"), MYSQL)

    actor_kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    actor_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    target_kind: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    target_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    inherited: Mapped[bool] = mapped_column(primary_key=True, server_default=sa.false())
    role_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )


TABLE = cast(sa.Table, RoleAssignmentRow.__table__)


def insert(session: Session, actor: Actor, role_id: str, scope: Scope) -> None:
    """Give a user or a group a role on ``scope``; nothing happens when it has the role already."""
    if has(session, actor, role_id, scope):
        return
    try:
        with session.begin_nested():
            session.execute(
                sa.insert(TABLE).values(
                    actor_kind=actor.kind,
                    actor_id=actor.id,
                    target_kind=scope.kind,
                    target_id=scope.id,
                    inherited=scope.inherited,
                    role_id=role_id,
                )
            )
    except exc.IntegrityError:
        # Somebody else gave it at the same moment, or the role went away: the one is as good as done, the
        # other leaves nothing to have.
        return


def has(session: Session, actor: Actor, role_id: str, scope: Scope) -> bool:
    """Tell whether a user or a group was itself given a role on ``scope``."""
    return session.execute(sa.select(TABLE.c.role_id).where(_is(actor, role_id, scope))).first() is not None


def held_by(user_id: sa.ColumnElement[str] | str) -> sa.ColumnElement[bool]:
    """Return the condition that an assignment is a user's, by itself or by a group."""
    mine = sa.select(groups.MEMBERS.c.group_id).where(groups.MEMBERS.c.user_id == user_id)
    return sa.or_(
        sa.and_(TABLE.c.actor_kind == ActorKind.USER, TABLE.c.actor_id == user_id),
        sa.and_(TABLE.c.actor_kind == ActorKind.GROUP, TABLE.c.actor_id.in_(mine)),
    )


def on(
    kind: sa.ColumnElement[str] | str, target_id: sa.ColumnElement[str] | str, above: sa.CTE
) -> sa.ColumnElement[bool]:
    """Return the condition that an assignment holds on a target: given there, or ``above`` to be inherited."""
    return sa.or_(
        sa.and_(TABLE.c.target_kind == kind, TABLE.c.target_id == target_id, sa.not_(TABLE.c.inherited)),
        sa.and_(TABLE.c.inherited, TABLE.c.target_id.in_(sa.select(above.c.id))),
    )


def roles_on(session: Session, user_id: str, scope: Scope) -> set[str]:
    """Return the ids of the roles that a user has on ``scope``, by itself or by a group or from above."""
    above = projects.above(_project_of(scope))
    query = sa.select(TABLE.c.role_id).where(held_by(user_id), on(scope.kind, scope.id, above))
    return set(session.execute(query).scalars())


def targets_of(session: Session, user_id: str, kind: ScopeKind) -> set[str]:
    """Return the ids of the projects, or the domains, or the system, on which a user has any role."""
    mine = sa.select(TABLE.c.target_id).where(held_by(user_id))
    direct = mine.where(TABLE.c.target_kind == kind, sa.not_(TABLE.c.inherited))
    if kind is not ScopeKind.PROJECT:
        return set(session.execute(direct).scalars())
    below = projects.below(mine.where(TABLE.c.inherited))
    return set(session.execute(sa.union(direct, sa.select(below.c.id))).scalars())


def delete(session: Session, actor: Actor, role_id: str, scope: Scope) -> bool:
    """Take a role on ``scope`` from a user or a group; False when it did not have it."""
    taken = session.execute(sa.delete(TABLE).where(_is(actor, role_id, scope)))
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def delete_of_actor(session: Session, actor: Actor) -> None:
    """Take every role from a user or a group."""
    session.execute(sa.delete(TABLE).where(TABLE.c.actor_kind == actor.kind, TABLE.c.actor_id == actor.id))


def delete_of_target(session: Session, scope: Scope) -> None:
    """Take every role on ``scope`` from everybody."""
    session.execute(sa.delete(TABLE).where(TABLE.c.target_kind == scope.kind, TABLE.c.target_id == scope.id))


def delete_of_domain(session: Session, domain_id: str) -> None:
    """Take every role of a domain's users and groups, on its projects and on itself."""
    project, user = projects.TABLE, users.TABLE
    mine = sa.select(project.c.id).where(project.c.domain_id == domain_id)
    people = sa.select(user.c.id).where(user.c.domain_id == domain_id)
    circles = sa.select(groups.TABLE.c.id).where(groups.TABLE.c.domain_id == domain_id)
    session.execute(
        sa.delete(TABLE).where(
            sa.or_(
                sa.and_(TABLE.c.target_kind == ScopeKind.PROJECT, TABLE.c.target_id.in_(mine)),
                sa.and_(TABLE.c.target_kind == ScopeKind.DOMAIN, TABLE.c.target_id == domain_id),
                sa.and_(TABLE.c.actor_kind == ActorKind.USER, TABLE.c.actor_id.in_(people)),
                sa.and_(TABLE.c.actor_kind == ActorKind.GROUP, TABLE.c.actor_id.in_(circles)),
            )
        )
    )


def listing(session: Session, wanted: AssignmentFilter, below: Sequence[str] = ()) -> list[Assignment]:
    """Return assignments with every name, by actor and target; ``effective`` is the caller's to do.

    ``below`` are the projects to which the scope extends besides its own.
    """
    role, project, actor = roles.TABLE, projects.TABLE, _actors()
    actor_domain, domain = domains.TABLE.alias("actor_domain"), domains.TABLE.alias("target_domain")
    on_project = sa.and_(TABLE.c.target_kind == ScopeKind.PROJECT, project.c.id == TABLE.c.target_id)
    on_domain = sa.or_(
        domain.c.id == project.c.domain_id,
        sa.and_(TABLE.c.target_kind == ScopeKind.DOMAIN, domain.c.id == TABLE.c.target_id),
    )
    query = (
        sa.select(
            TABLE.c.actor_kind,
            TABLE.c.target_kind,
            TABLE.c.target_id,
            TABLE.c.inherited,
            role.c.id.label("role_id"),
            role.c.name.label("role_name"),
            actor.c.id.label("actor_id"),
            actor.c.name.label("actor_name"),
            actor_domain.c.id.label("actor_domain_id"),
            actor_domain.c.name.label("actor_domain_name"),
            project.c.name.label("project_name"),
            domain.c.id.label("domain_id"),
            domain.c.name.label("domain_name"),
        )
        .join(role, role.c.id == TABLE.c.role_id)
        .join(actor, sa.and_(actor.c.kind == TABLE.c.actor_kind, actor.c.id == TABLE.c.actor_id))
        .join(actor_domain, actor_domain.c.id == actor.c.domain_id)
        .outerjoin(project, on_project)
        .outerjoin(domain, on_domain)
        .where(*_matches(wanted, below))
        .order_by(
            actor.c.name,
            actor.c.id,
            TABLE.c.target_kind,
            TABLE.c.target_id,
            TABLE.c.inherited,
            role.c.name,
        )
    )
    return [_to_value(row) for row in session.execute(query)]


def _actors() -> sa.Subquery:
    """Return users and groups as one table."""
    parts = [
        sa.select(
            sa.literal(str(kind), sa.String(16)).label("kind"), table.c.id, table.c.name, table.c.domain_id
        )
        for kind, table in ((ActorKind.USER, users.TABLE), (ActorKind.GROUP, groups.TABLE))
    ]
    return sa.union_all(*parts).subquery("actors")


def _matches(wanted: AssignmentFilter, below: Sequence[str]) -> Sequence[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.user_id:
        conditions += [TABLE.c.actor_kind == ActorKind.USER, TABLE.c.actor_id == wanted.user_id]
    if wanted.group_id:
        conditions += [TABLE.c.actor_kind == ActorKind.GROUP, TABLE.c.actor_id == wanted.group_id]
    if wanted.role_id:
        conditions.append(TABLE.c.role_id == wanted.role_id)
    if wanted.inherited is not None:
        conditions.append(TABLE.c.inherited == wanted.inherited)
    if wanted.scope is not None:
        conditions.append(_reaches(wanted.scope, below, effective=wanted.effective))
    return conditions


def _reaches(scope: Scope, below: Sequence[str], *, effective: bool) -> sa.ColumnElement[bool]:
    """Return the condition that an assignment was given on a scope or below, or is in effect on one of these."""
    targets = [scope.id, *below]
    given = sa.and_(TABLE.c.target_kind == scope.kind, TABLE.c.target_id.in_(targets))
    if not effective:
        return given
    is_project = scope.kind is ScopeKind.PROJECT
    above = projects.above(projects.TABLE.c.id.in_(targets) if is_project else sa.false())
    return sa.or_(
        sa.and_(given, sa.not_(TABLE.c.inherited)),
        sa.and_(TABLE.c.inherited, TABLE.c.target_id.in_(sa.select(above.c.id))),
    )


def _project_of(scope: Scope) -> sa.ColumnElement[bool]:
    """Return the condition that a project is the one that a scope is for; none is a domain."""
    return projects.TABLE.c.id == scope.id if scope.kind is ScopeKind.PROJECT else sa.false()


def _is(actor: Actor, role_id: str, scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(
        TABLE.c.actor_kind == actor.kind,
        TABLE.c.actor_id == actor.id,
        TABLE.c.target_kind == scope.kind,
        TABLE.c.target_id == scope.id,
        TABLE.c.inherited == scope.inherited,
        TABLE.c.role_id == role_id,
    )


def _to_value(row: Any) -> Assignment:
    kind = ScopeKind(row.target_kind)
    if kind is ScopeKind.PROJECT:
        target = Reference(row.target_id, row.project_name or "", row.domain_id or "", row.domain_name or "")
    elif kind is ScopeKind.DOMAIN:
        target = Reference(row.target_id, row.domain_name or "")
    else:
        target = Reference(SYSTEM, "all")
    return Assignment(
        role=Reference(row.role_id, row.role_name),
        kind=ActorKind(row.actor_kind),
        actor=Reference(row.actor_id, row.actor_name, row.actor_domain_id, row.actor_domain_name),
        scope=Scope(kind, row.target_id, inherited=row.inherited),
        target=target,
    )
