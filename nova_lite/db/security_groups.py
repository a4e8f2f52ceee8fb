"""Security groups, their rules and their members."""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock, ids
from nova_lite.core.errors import Conflict
from nova_lite.core.network import GroupMembers, SecurityGroup, SecurityGroupRule, address_v6
from nova_lite.db.addresses import HOLDS, INTERFACES
from nova_lite.db.base import MYSQL, UUID, Base, counted
from nova_lite.db.instances import InstanceRow
from nova_lite.db.networks import FIXED_IPS
from nova_lite.db.networks import TABLE as NETWORKS

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
_MEMBERS = cast(sa.Table, SecurityGroupMemberRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)

# What every boot and look at a server asks is built once, which takes longer than asking it.
_GROUPS_OF = (
    sa.select(_MEMBERS.c.instance_uuid, _GROUPS.c.id, _GROUPS.c.name)
    .join(_GROUPS, _GROUPS.c.id == _MEMBERS.c.group_id)
    .where(_MEMBERS.c.instance_uuid.in_(sa.bindparam("uuids")))
    .order_by(_GROUPS.c.name)
)
_MEMBERSHIP = (
    sa.select(_MEMBERS.c.instance_uuid, _MEMBERS.c.group_id.label("member_of"), _RULES)
    .outerjoin(
        _RULES,
        sa.or_(_RULES.c.group_id == _MEMBERS.c.group_id, _RULES.c.source_group_id == _MEMBERS.c.group_id),
    )
    .where(_MEMBERS.c.instance_uuid.in_(sa.bindparam("uuids")))
    .order_by(_MEMBERS.c.group_id, _RULES.c.id)
)
_MEMBERS_ADDRESSES = (
    sa.select(_MEMBERS.c.group_id, FIXED_IPS.c.address, INTERFACES.c.mac, NETWORKS.c.cidr_v6, _INSTANCES.c.host)
    .join(INTERFACES, INTERFACES.c.instance_uuid == _MEMBERS.c.instance_uuid)
    .join(FIXED_IPS, HOLDS)
    .join(NETWORKS, NETWORKS.c.id == INTERFACES.c.network_id)
    .outerjoin(_INSTANCES, _INSTANCES.c.uuid == _MEMBERS.c.instance_uuid)
    .where(_MEMBERS.c.group_id.in_(sa.bindparam("ids")))
    .order_by(FIXED_IPS.c.id)
)

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
    return None if row is None else _to_rule(row)


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


def add_members(session: Session, members: Sequence[tuple[str, str]]) -> None:
    """Put instances into groups: pairs of an instance's uuid and a group's id."""
    if members:
        session.execute(
            sa.insert(_MEMBERS), [{"instance_uuid": uuid, "group_id": group} for uuid, group in members]
        )


def add_member(session: Session, instance_uuid: str, group_id: str) -> bool:
    """Put an instance into a group; False when it is in it."""
    try:
        with session.begin_nested():
            add_members(session, [(instance_uuid, group_id)])
    except sa.exc.IntegrityError:
        return False
    return True


def remove_member(session: Session, instance_uuid: str, group_id: str) -> bool:
    """Take an instance out of a group; False when it is not in it."""
    mine = sa.and_(_MEMBERS.c.instance_uuid == instance_uuid, _MEMBERS.c.group_id == group_id)
    removed = session.execute(sa.delete(_MEMBERS).where(mine))
    return bool(removed.rowcount)  # type: ignore[attr-defined]


def remove_members(session: Session, instance_uuids: Sequence[str]) -> None:
    """Take instances out of all their groups."""
    session.execute(sa.delete(_MEMBERS).where(_MEMBERS.c.instance_uuid.in_(instance_uuids)))


def of_instances(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of instances' groups, by instance."""
    return _of_instances(session, instance_uuids, _GROUPS.c.name)


def groups_of_instances(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return the ids and names of instances' groups, by instance."""
    found: dict[str, list[tuple[str, str]]] = {}
    for instance_uuid, group_id, name in session.execute(_GROUPS_OF, {"uuids": instance_uuids}):
        found.setdefault(instance_uuid, []).append((group_id, name))
    return found


def ids_of_instances(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[str]]:
    """Return the ids of instances' groups, by instance."""
    return _of_instances(session, instance_uuids, _GROUPS.c.id)


def names_of(session: Session, instance_uuid: str) -> list[str]:
    """Return the names of one instance's groups."""
    return of_instances(session, [instance_uuid]).get(instance_uuid, [])


@dataclasses.dataclass(frozen=True, slots=True)
class Membership:
    """The groups of instances: their ids by instance, and those groups as ``filter_groups`` returns them.

    ``knowing`` are the hosts with guests that let in whoever is a member, with the ids of such groups.
    """

    of_instances: Mapping[str, Sequence[str]]
    groups: Sequence[GroupMembers]
    knowing: Mapping[str, Set[str]]


def filter_groups(session: Session, group_ids: Iterable[str]) -> list[GroupMembers]:
    """Return groups, and those that their rules name as sources, with rules and addresses of all members."""
    return _completed(session, {}, set(group_ids))[0]


def membership(session: Session, instance_uuids: Sequence[str], known: Set[str] = frozenset()) -> Membership:
    """Return the groups of instances, and who has to know that these are in them.

    Where all are ``known`` to who asks, they are told by their ids only.
    """
    groups: dict[str, dict[str, None]] = {}
    rules: dict[str, dict[str, SecurityGroupRule]] = {}
    referring: dict[str, set[str]] = {}
    for row in session.execute(_MEMBERSHIP, {"uuids": instance_uuids}):
        groups.setdefault(row.instance_uuid, {})[row.member_of] = None
        of_group = rules.setdefault(row.member_of, {})
        if row.group_id == row.member_of and row.id not in of_group:
            of_group[row.id] = _to_rule(row)
        if row.source_group_id == row.member_of:
            referring.setdefault(row.group_id, set()).add(row.member_of)
    read = {group_id: list(of_group.values()) for group_id, of_group in rules.items()}
    found, hosts = ([], {}) if rules.keys() <= known else _completed(session, read, _sources(read))
    if others := referring.keys() - {group.group_id for group in found}:
        hosts |= _hosts_of_members(session, others)
    knowing: dict[str, set[str]] = {}
    for group_id, named in referring.items():
        for host in hosts.get(group_id, ()):
            knowing.setdefault(host, set()).update(named)
    return Membership({uuid: list(mine) for uuid, mine in groups.items()}, found, knowing)


def _completed(
    session: Session, rules: dict[str, list[SecurityGroupRule]], unread: set[str]
) -> tuple[list[GroupMembers], dict[str, set[str]]]:
    """Read what is ``unread``, and what its rules name, and then the addresses of all members, and their hosts."""
    while unread:
        rules |= {group_id: [] for group_id in unread}
        query = sa.select(_RULES).where(_RULES.c.group_id.in_(unread)).order_by(_RULES.c.id)
        for row in session.execute(query):
            rules[row.group_id].append(_to_rule(row))
        unread = _sources(rules)
    if not rules:
        return [], {}
    addresses, hosts = _addresses(session, rules)
    return [
        GroupMembers(group_id, tuple(of_group), tuple(addresses.get(group_id, ())))
        for group_id, of_group in sorted(rules.items())
    ], hosts


def _sources(rules: Mapping[str, Sequence[SecurityGroupRule]]) -> set[str]:
    """Return the groups that rules name as sources and that are not among those whose rules they are."""
    named = {rule.source_group_id for of_group in rules.values() for rule in of_group}
    return named - rules.keys() - {""}


def hosts_using(session: Session, group_ids: Sequence[str]) -> list[str]:
    """Return the hosts whose filters hold a group: of its members, and of groups that name it as source."""
    referring = sa.select(_RULES.c.group_id).where(_RULES.c.source_group_id.in_(group_ids))
    query = (
        sa.select(_INSTANCES.c.host)
        .join(_MEMBERS, _MEMBERS.c.instance_uuid == _INSTANCES.c.uuid)
        .where(
            _INSTANCES.c.deleted == sa.false(),
            _INSTANCES.c.host.is_not(None),
            sa.or_(_MEMBERS.c.group_id.in_(group_ids), _MEMBERS.c.group_id.in_(referring)),
        )
        .distinct()
    )
    return sorted(host for host in session.execute(query).scalars() if host)


def hosts_knowing_member(session: Session, instance_uuid: str, *, alone: bool) -> dict[str, list[str]]:
    """Return the hosts with guests that let an instance in, and the groups for which they do.

    Without ``alone`` it does not count that the instance lets itself in.
    """
    others = _MEMBERS.alias("others")
    query = (
        sa.select(_INSTANCES.c.host, _MEMBERS.c.group_id)
        .join(others, others.c.instance_uuid == _INSTANCES.c.uuid)
        .join(_RULES, _RULES.c.group_id == others.c.group_id)
        .join(_MEMBERS, _MEMBERS.c.group_id == _RULES.c.source_group_id)
        .where(
            _MEMBERS.c.instance_uuid == instance_uuid,
            sa.true() if alone else others.c.instance_uuid != instance_uuid,
            _INSTANCES.c.deleted == sa.false(),
            _INSTANCES.c.host.is_not(None),
        )
        .distinct()
    )
    found: dict[str, list[str]] = {}
    for host, group_id in session.execute(query):
        found.setdefault(host, []).append(group_id)
    return found


def referring(session: Session, group_id: str) -> list[str]:
    """Return the groups that have a rule with this group as its source."""
    query = sa.select(_RULES.c.group_id).where(_RULES.c.source_group_id == group_id).distinct()
    return sorted(session.execute(query).scalars())


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
        rules.setdefault(row.group_id, []).append(_to_rule(row))
    return [
        SecurityGroup(
            **{name: group._mapping[name] for name in _GROUP_FIELDS}, rules=tuple(rules.get(group.id, ()))
        )
        for group in groups
    ]


def _only(groups: Sequence[SecurityGroup]) -> SecurityGroup | None:
    return groups[0] if groups else None


def _to_rule(row: sa.Row[Any]) -> SecurityGroupRule:
    return SecurityGroupRule(**{name: row._mapping[name] for name in _RULE_FIELDS})


def _of_instances(
    session: Session, instance_uuids: Sequence[str], column: sa.ColumnElement[str]
) -> dict[str, list[str]]:
    query = (
        sa.select(_MEMBERS.c.instance_uuid, column)
        .join(_GROUPS, _GROUPS.c.id == _MEMBERS.c.group_id)
        .where(_MEMBERS.c.instance_uuid.in_(instance_uuids))
        .order_by(_GROUPS.c.name)
    )
    found: dict[str, list[str]] = {}
    for instance_uuid, value in session.execute(query):
        found.setdefault(instance_uuid, []).append(value)
    return found


def _hosts_of_members(session: Session, group_ids: Iterable[str]) -> dict[str, set[str]]:
    """Return the hosts of living members by group."""
    query = (
        sa.select(_MEMBERS.c.group_id, _INSTANCES.c.host)
        .join(_INSTANCES, _INSTANCES.c.uuid == _MEMBERS.c.instance_uuid)
        .where(
            _INSTANCES.c.deleted == sa.false(),
            _INSTANCES.c.host.is_not(None),
            _MEMBERS.c.group_id.in_(list(group_ids)),
        )
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for group_id, host in session.execute(query):
        found.setdefault(group_id, set()).add(host)
    return found


def _addresses(
    session: Session, group_ids: Iterable[str]
) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return the addresses of all members by group, those of IPv6 after those of IPv4, and their hosts."""
    found: dict[str, list[str]] = {}
    found6: dict[str, list[str]] = {}
    hosts: dict[str, set[str]] = {}
    for group_id, address, mac, cidr_v6, host in session.execute(_MEMBERS_ADDRESSES, {"ids": list(group_ids)}):
        found.setdefault(group_id, []).append(address)
        if host:
            hosts.setdefault(group_id, set()).add(host)
        if cidr_v6:
            found6.setdefault(group_id, []).append(address_v6(cidr_v6, mac))
    return {group_id: of_group + found6.get(group_id, []) for group_id, of_group in found.items()}, hosts
