"""The packet filter of a host's instances: what it should hold, read from the database."""

import dataclasses
from collections.abc import Mapping, Sequence, Set

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.network import PROVIDER_GROUP, GroupMembers, SecurityGroupRule, VirtualInterface
from nova_lite.db import group_members, instances, provider_rules, virtual_interfaces
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import FilterGroup, FilterPort, FilterRule

Protection = tuple[tuple[FilterPort, ...], tuple[FilterGroup, ...]]
"""Ports, and the groups that they are in with all their members."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """The protection of some instances; ``knowing`` are the hosts that let them in, with the groups for which."""

    ports: tuple[FilterPort, ...] = ()
    groups: tuple[FilterGroup, ...] = ()
    knowing: Mapping[str, Set[str]] = dataclasses.field(default_factory=dict)


def wanted(
    database: Database,
    uuids: Sequence[str],
    known: Mapping[str, Sequence[VirtualInterface]] | None = None,
    known_groups: Set[str] = frozenset(),
) -> Wanted:
    """Return the protection of instances, the operator's rules left out: they are always in force.

    The interfaces of those that are not ``known`` are looked up. There are no groups where all are ``known_groups``.
    """

    def work(session: Session) -> Wanted:
        found = dict(known or {})
        if unknown := [uuid for uuid in uuids if uuid not in found]:
            found |= virtual_interfaces.of_instances(session, unknown)
        return _of(session, [interface for uuid in uuids for interface in found.get(uuid, ())], known_groups)

    return database.read("compute.protection", work)


def whole(database: Database, uuids: Sequence[str]) -> Protection:
    """Return what the filter of a host that has these instances should hold."""
    found = wanted(database, uuids)
    return found.ports, (*found.groups, database.read("compute.provider_rules", _provider))


def wanted_on(database: Database, host: str) -> Protection:
    """Return what the whole filter of a host should hold."""
    rows = database.read("compute.on_host", lambda session: instances.on_host(session, host))
    return whole(database, [row.uuid for row in rows])


def _of(session: Session, interfaces: Sequence[VirtualInterface], known_groups: Set[str]) -> Wanted:
    if not interfaces:
        return Wanted()
    uuids = list(dict.fromkeys(interface.instance_uuid for interface in interfaces))
    found = group_members.membership(session, uuids, known_groups)
    ports = tuple(
        _port(interface, found.of_instances.get(interface.instance_uuid, ())) for interface in interfaces
    )
    return Wanted(ports, tuple(_group(group) for group in found.groups), found.knowing)


def groups(session: Session, group_ids: Sequence[str]) -> tuple[FilterGroup, ...]:
    """Return groups with their rules and members, and those that their rules name as sources.

    The operator's rules are those of the group ``PROVIDER_GROUP``.
    """
    theirs = [group_id for group_id in group_ids if group_id != PROVIDER_GROUP]
    found = tuple(_group(group) for group in group_members.filter_groups(session, theirs)) if theirs else ()
    return (*found, _provider(session)) if len(theirs) < len(group_ids) else found


def _provider(session: Session) -> FilterGroup:
    rules = tuple(
        FilterRule(rule.protocol, rule.from_port, rule.to_port, rule.cidr, ethertype=rule.ethertype)
        for rule in provider_rules.listing(session)
    )
    return FilterGroup(PROVIDER_GROUP, rules)


def _group(group: GroupMembers) -> FilterGroup:
    rules = tuple(
        FilterRule(
            protocol=rule.protocol,
            from_port=rule.from_port,
            to_port=rule.to_port,
            cidr=rule.cidr,
            source_group=rule.source_group_id,
            ethertype=ethertype,
        )
        for rule in group.rules
        for ethertype in _versions(rule)
    )
    return FilterGroup(group.group_id, rules, group.addresses)


def _versions(rule: SecurityGroupRule) -> tuple[str, ...]:
    """Return the versions of IP that a rule is for; ICMP's types mean other things in the other version."""
    if rule.ethertype:
        return (rule.ethertype,)
    return ("IPv4",) if rule.protocol == "icmp" and rule.from_port != -1 else ("IPv4", "IPv6")


def _port(interface: VirtualInterface, group_ids: Sequence[str]) -> FilterPort:
    return FilterPort(
        instance_uuid=interface.instance_uuid,
        tap=ids.tap_name(interface.id),
        mac=interface.mac,
        address=interface.address,
        gateway=interface.router,
        dhcp_server=interface.dhcp_server or interface.gateway,
        groups=tuple(group_ids),
        address6=interface.address_v6,
    )
