"""Tokens: only the digest of each, with what it is good for; roles are looked up when it is used."""

import dataclasses
import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.access_rules import AccessRule
from nova_lite.core.identity import Reference, Scope, ScopeKind
from nova_lite.db import application_credentials, domains, projects, role_assignments, users
from nova_lite.db.base import MYSQL, Base


class TokenRow(Base):
    """One token that was issued and not revoked."""

    __tablename__ = "tokens"
    __table_args__ = MYSQL

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    credential_version: Mapped[int]
    scope_kind: Mapped[str] = mapped_column(sa.String(16))
    scope_id: Mapped[str] = mapped_column(sa.String(64))
    methods: Mapped[str]
    audit_ids: Mapped[str]
    application_credential_id: Mapped[str | None] = mapped_column(sa.String(64))
    issued_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime] = mapped_column(index=True)


_TABLE = cast(sa.Table, TokenRow.__table__)


@dataclasses.dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be kept; ``credential_version`` is that of the user when it was proven."""

    digest: str
    user_id: str
    credential_version: int
    scope: Scope
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    application_credential_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StoredToken:
    """A token whose user, project and domains all still stand, and the roles given on its scope.

    ``kept_role_ids`` are the only ones of these, or of those that they imply, that the token is for; None: all.
    """

    user: Reference
    credential_version: int
    default_project_id: str
    password_set_at: datetime.datetime | None
    scope: Scope
    target: Reference | None
    role_ids: frozenset[str]
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    application_credential: Reference | None = None
    restricted: bool = False
    access_rules: tuple[AccessRule, ...] | None = None
    kept_role_ids: frozenset[str] | None = None


def insert(session: Session, token: NewToken) -> None:
    """Keep a token."""
    session.execute(
        sa.insert(_TABLE).values(
            digest=token.digest,
            user_id=token.user_id,
            credential_version=token.credential_version,
            scope_kind=token.scope.kind,
            scope_id=token.scope.id,
            methods=" ".join(token.methods),
            audit_ids=" ".join(token.audit_ids),
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            application_credential_id=token.application_credential_id,
        )
    )


def get(session: Session, digest: str) -> StoredToken | None:
    """Return a token that has not expired and whose user and scope are enabled, or None.

    One statement; a row for each role.
    """
    rows = session.execute(_JOINED, {"wanted": digest, "at": clock.now()}).all()
    if not rows or (rows[0].scope_kind != ScopeKind.UNSCOPED and rows[0].target_name is None):
        return None
    return _to_value(rows[0], frozenset(row.role_id for row in rows if row.role_id is not None))


def delete(session: Session, digest: str) -> bool:
    """Forget a token, which revokes it; False when there is none."""
    return bool(session.execute(sa.delete(_TABLE).where(_TABLE.c.digest == digest)).rowcount)  # type: ignore[attr-defined]


def delete_of_user(session: Session, user_id: str) -> None:
    """Forget every token of a user."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.user_id == user_id))


def delete_expired(session: Session, at: datetime.datetime, limit: int) -> int:
    """Forget up to ``limit`` tokens that expired before ``at``; returns how many."""
    digests = session.execute(sa.select(_TABLE.c.digest).where(_TABLE.c.expires_at < at).limit(limit))
    expired = list(digests.scalars())
    if not expired:
        return 0
    session.execute(sa.delete(_TABLE).where(_TABLE.c.digest.in_(expired)))
    return len(expired)


_USERS, _PROJECTS, _ROLES = users.TABLE, projects.TABLE, role_assignments.TABLE
_CREDENTIALS = application_credentials.TABLE
_USER_DOMAINS, _DOMAINS = domains.TABLE.alias("user_domain"), domains.TABLE.alias("target_domain")


def _joined() -> sa.Select[Any]:
    """Return the query for the token ``wanted`` where it is good ``at`` a moment."""
    return (
        sa.select(_TABLE, *_beside())
        .join(_USERS, _USERS.c.id == _TABLE.c.user_id)
        .join(_USER_DOMAINS, _USER_DOMAINS.c.id == _USERS.c.domain_id)
        .outerjoin(_PROJECTS, sa.and_(_is_kind(ScopeKind.PROJECT), _PROJECTS.c.id == _TABLE.c.scope_id))
        .outerjoin(_DOMAINS, sa.or_(_DOMAINS.c.id == _PROJECTS.c.domain_id, _is_its_domain()))
        .outerjoin(_ROLES, _is_given())
        .outerjoin(_CREDENTIALS, _CREDENTIALS.c.id == _TABLE.c.application_credential_id)
        .where(_TABLE.c.digest == sa.bindparam("wanted"), *_stands())
    )


def _beside() -> tuple[sa.ColumnElement[Any], ...]:
    """Return what is told of a token besides its row."""
    target_name = sa.case(
        (_is_kind(ScopeKind.PROJECT), _PROJECTS.c.name),
        (_is_kind(ScopeKind.DOMAIN), _DOMAINS.c.name),
        (_is_kind(ScopeKind.SYSTEM), "all"),
    )
    return (
        _USERS.c.name.label("user_name"),
        _USERS.c.default_project_id,
        _USERS.c.password_set_at,
        _USER_DOMAINS.c.id.label("user_domain_id"),
        _USER_DOMAINS.c.name.label("user_domain_name"),
        target_name.label("target_name"),
        _DOMAINS.c.id.label("domain_id"),
        _DOMAINS.c.name.label("domain_name"),
        _ROLES.c.role_id,
        _CREDENTIALS.c.name.label("credential_name"),
        _CREDENTIALS.c.role_ids.label("credential_role_ids"),
        _CREDENTIALS.c.unrestricted,
        _CREDENTIALS.c.access_rules,
    )


def _is_given() -> sa.ColumnElement[bool]:
    """Return the condition that a role is the user's on the scope, given there or inherited from above."""
    scoped = sa.select(_TABLE.c.scope_id).where(
        _TABLE.c.digest == sa.bindparam("wanted"), _is_kind(ScopeKind.PROJECT)
    )
    above = projects.above(_PROJECTS.c.id == scoped.correlate(None).scalar_subquery())
    return sa.and_(
        role_assignments.held_by(_USERS.c.id),
        role_assignments.on(_TABLE.c.scope_kind, _TABLE.c.scope_id, above),
    )


def _stands() -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that a token is in force, and all that it is for and came by."""
    return (
        _TABLE.c.expires_at > sa.bindparam("at"),
        _TABLE.c.credential_version == _USERS.c.credential_version,
        _USERS.c.enabled,
        _USER_DOMAINS.c.enabled,
        sa.or_(_PROJECTS.c.id.is_(None), _PROJECTS.c.enabled),
        sa.or_(_DOMAINS.c.id.is_(None), _DOMAINS.c.enabled),
        sa.or_(_TABLE.c.application_credential_id.is_(None), _credential_stands()),
    )


def _credential_stands() -> sa.ColumnElement[bool]:
    """Return the condition that a token's application credential is there, in force, and for its scope."""
    return sa.and_(
        _CREDENTIALS.c.user_id == _TABLE.c.user_id,
        _is_kind(ScopeKind.PROJECT),
        _CREDENTIALS.c.project_id == _TABLE.c.scope_id,
        sa.or_(_CREDENTIALS.c.expires_at.is_(None), _CREDENTIALS.c.expires_at > sa.bindparam("at")),
    )


def _is_its_domain() -> sa.ColumnElement[bool]:
    return sa.and_(_is_kind(ScopeKind.DOMAIN), _DOMAINS.c.id == _TABLE.c.scope_id)


def _is_kind(kind: ScopeKind) -> sa.ColumnElement[bool]:
    return _TABLE.c.scope_kind == kind


_JOINED = _joined()


def _to_value(row: sa.Row[Any], role_ids: frozenset[str]) -> StoredToken:
    kind = ScopeKind(row.scope_kind)
    target = None
    if kind is ScopeKind.PROJECT:
        target = Reference(row.scope_id, row.target_name, row.domain_id, row.domain_name)
    elif kind is ScopeKind.DOMAIN:
        target = Reference(row.scope_id, row.target_name)
    credential = kept = None
    if row.application_credential_id is not None:
        credential = Reference(row.application_credential_id, row.credential_name)
        kept = frozenset(row.credential_role_ids)
    return StoredToken(
        user=Reference(row.user_id, row.user_name, row.user_domain_id, row.user_domain_name),
        credential_version=row.credential_version,
        default_project_id=row.default_project_id,
        password_set_at=row.password_set_at,
        scope=Scope(kind, row.scope_id),
        target=target,
        role_ids=role_ids,
        methods=tuple(row.methods.split()),
        audit_ids=tuple(row.audit_ids.split()),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        application_credential=credential,
        restricted=credential is not None and not row.unrestricted,
        access_rules=application_credentials.rules_of(row.access_rules),
        kept_role_ids=kept,
    )
