"""Who is in security groups, by which addresses, and which hosts have to know."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.network import GroupMembers, SecurityGroupRule, address_v6
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS
from nova_lite.db.networks import TABLE as NETWORKS
from nova_lite.db.security_groups import (
    SecurityGroupMemberRow,
    SecurityGroupRow,
    SecurityGroupRuleRow,
    to_rule,
)
from nova_lite.db.virtual_interfaces import HOLDS, INTERFACES

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
    sa.select(
        _MEMBERS.c.group_id,
        FIXED_IPS.c.address,
        INTERFACES.c.mac,
        NETWORKS.c.cidr_v6,
        NETWORKS.c.ipv6_backend,
        sa.func.coalesce(INTERFACES.c.project_id, _INSTANCES.c.project_id, "").label("owner_id"),
        _INSTANCES.c.host,
    )
    .join(INTERFACES, INTERFACES.c.instance_uuid == _MEMBERS.c.instance_uuid)
    .join(FIXED_IPS, HOLDS)
    .join(NETWORKS, NETWORKS.c.id == INTERFACES.c.network_id)
    .outerjoin(_INSTANCES, _INSTANCES.c.uuid == _MEMBERS.c.instance_uuid)
    .where(_MEMBERS.c.group_id.in_(sa.bindparam("ids")))
    .order_by(FIXED_IPS.c.id)
)


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
            of_group[row.id] = to_rule(row)
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
            rules[row.group_id].append(to_rule(row))
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
    for row in session.execute(_MEMBERS_ADDRESSES, {"ids": list(group_ids)}):
        if ":" not in row.address:
            found.setdefault(row.group_id, []).append(row.address)
        if row.host:
            hosts.setdefault(row.group_id, set()).add(row.host)
        if row.cidr_v6:
            v6 = address_v6(row.cidr_v6, row.mac, row.ipv6_backend, row.owner_id)
            found6.setdefault(row.group_id, []).append(v6)
    every = dict.fromkeys((*found, *found6))
    return {group_id: found.get(group_id, []) + found6.get(group_id, []) for group_id in every}, hosts
