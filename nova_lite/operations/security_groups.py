"""Security groups and their rules: who may reach the instances that are in them."""

import dataclasses
import ipaddress
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from nova_lite.core.network import SecurityGroup, SecurityGroupRule
from nova_lite.core.quota import UNLIMITED, Limits
from nova_lite.db import group_members, quotas, revisions, security_groups
from nova_lite.db.engine import Database
from nova_lite.db.security_groups import DEFAULT
from nova_lite.rpc.compute import ComputeProxy

_PROTOCOLS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "icmp": "icmp", "1": "icmp"}
_ICMP6 = {"ipv6-icmp": "icmp", "icmpv6": "icmp", "58": "icmp"}
_ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}


@dataclasses.dataclass(frozen=True, slots=True)
class NewRule:
    """An ingress permission to add: -1 is any port, ICMP type or code; an empty protocol is any.

    Without ``cidr`` and ``source_group_id`` it is for everybody. With a source group an empty ``ethertype`` means
    the addresses of both versions of IP that its members have.
    """

    group_id: str
    protocol: str = ""
    from_port: int = -1
    to_port: int = -1
    cidr: str = ""
    source_group_id: str = ""
    ethertype: str = "IPv4"
    description: str = ""


class SecurityGroups:
    """The operations on security groups; ``limits`` are those of projects without their own."""

    def __init__(self, database: Database, compute: ComputeProxy, limits: Limits) -> None:
        self._database = database
        self._compute = compute
        self._limits = limits

    def list(self, context: RequestContext) -> Sequence[SecurityGroup]:
        """Return the groups of the caller's project, its default group made first if need be; all for an admin."""
        found = self._listing(context)
        mine = (group for group in found if group.project_id == context.project_id)
        if not context.project_id or any(group.name == DEFAULT for group in mine):
            return found
        self._ensure_default(context)
        return self._listing(context)

    def get(self, context: RequestContext, group_id: str) -> SecurityGroup:
        """Return a group; raises NotFound."""
        return self._database.read("security_group.get", lambda session: _find(session, context, group_id))

    def find(self, context: RequestContext, name_or_id: str) -> SecurityGroup:
        """Return a group of the caller's project by its name or id; raises NotFound."""
        if name_or_id == DEFAULT:
            self._ensure_default(context)
        found = self._database.read(
            "security_group.find",
            lambda session: security_groups.find(session, context.project_id, name_or_id),
        )
        if found is None:
            raise NotFound(f"Security group {name_or_id} could not be found.")
        return found

    def create(self, context: RequestContext, name: str, description: str = "") -> SecurityGroup:
        """Make a group without rules; raises Conflict for a name in use, InvalidInput, OverQuota."""
        _check_name(name)
        now = clock.now()
        group = SecurityGroup(ids.new_uuid(), name, description, context.project_id, now, now)

        def work(session: Session) -> SecurityGroup:
            quotas.lock(session, context.project_id)
            security_groups.ensure_default(session, context.project_id)
            have = security_groups.count(session, context.project_id)
            self._check_room(session, context.project_id, "security_groups", have)
            security_groups.insert(session, group)
            return group

        return self._database.run(
            "security_group.create", work, landed=lambda session: security_groups.get(session, group.id)
        )

    def update(
        self,
        context: RequestContext,
        group_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> SecurityGroup:
        """Rename or describe a group; raises NotFound, InvalidInput, Conflict for a name in use."""

        def work(session: Session) -> SecurityGroup:
            group = _to_change(session, context, group_id)
            new_name = group.name if name is None else name
            if group.name == DEFAULT and new_name != DEFAULT:
                raise InvalidInput("Updating default security group not allowed.")
            if new_name != group.name:
                _check_name(new_name)
            new_description = group.description if description is None else description
            security_groups.update(session, group, new_name, new_description)
            return _find(session, context, group_id)

        return self._database.run("security_group.update", work)

    def delete(self, context: RequestContext, group_id: str) -> None:
        """Remove a group and the rules that name it; raises NotFound, Conflict for one in use or the default."""

        def work(session: Session) -> tuple[Sequence[str], Sequence[str]]:
            group = _to_change(session, context, group_id)
            if group.name == DEFAULT and not context.is_admin:
                raise Conflict("Default security group cannot be removed.")
            referring = [other for other in group_members.referring(session, group_id) if other != group_id]
            hosts = group_members.hosts_using(session, referring) if referring else []
            security_groups.delete(session, group_id)
            return hosts, referring

        hosts, referring = self._database.run("security_group.delete", work)
        self._ring(context, hosts, referring)

    def rules(self, context: RequestContext) -> Sequence[tuple[SecurityGroup, SecurityGroupRule]]:
        """Return the rules of all groups that the caller sees, each with its group."""
        return [(group, rule) for group in self.list(context) for rule in group.rules]

    def rule(self, context: RequestContext, rule_id: str) -> tuple[SecurityGroup, SecurityGroupRule]:
        """Return a rule with its group; raises NotFound."""

        def work(session: Session) -> tuple[SecurityGroup, SecurityGroupRule]:
            rule = _find_rule(session, context, rule_id)
            return _find(session, context, rule.group_id), rule

        return self._database.read("security_group.rule", work)

    def add_rule(self, context: RequestContext, wanted: NewRule) -> SecurityGroupRule:
        """Let traffic in; raises NotFound, InvalidInput, Conflict for a rule that is there, OverQuota."""
        return self.add_rules(context, wanted.group_id, [wanted])[0]

    def add_rules(
        self, context: RequestContext, group_id: str, wanted: Sequence[NewRule]
    ) -> Sequence[SecurityGroupRule]:
        """Add rules to a group, all or none; raises as ``add_rule``."""
        rules = [check_rule(each) for each in wanted]

        def work(session: Session) -> Sequence[str]:
            group = _to_change(session, context, group_id)
            there = list(group.rules)
            for rule in rules:
                if rule.source_group_id:
                    _find(session, context, rule.source_group_id)
                if any(_same(rule, other) for other in there):
                    raise Conflict(f"Security group rule already exists in group {group.id}.")
                self._check_room(session, group.project_id, "security_group_rules", len(there))
                there.append(rule)
            security_groups.insert_rules(session, rules)
            return group_members.hosts_using(session, [group.id])

        def landed(session: Session) -> Sequence[str] | None:
            there = security_groups.get_rule(session, rules[0].id)
            return None if there is None else group_members.hosts_using(session, [group_id])

        hosts = self._database.run("security_group.add_rule", work, landed=landed)
        self._ring(context, hosts, [group_id])
        return rules

    def change_rule(self, context: RequestContext, rule_id: str, wanted: NewRule) -> None:
        """Make another rule of one; raises NotFound, InvalidInput, Conflict for a rule that is there."""
        rule = dataclasses.replace(check_rule(wanted), id=rule_id)

        def work(session: Session) -> Sequence[str]:
            group = _to_change(session, context, _find_rule(session, context, rule_id).group_id)
            if rule.source_group_id:
                _find(session, context, rule.source_group_id)
            if any(_same(rule, other) for other in group.rules if other.id != rule_id):
                raise Conflict(f"Security group rule already exists in group {group.id}.")
            security_groups.update_rule(session, rule)
            return group_members.hosts_using(session, [group.id])

        hosts = self._database.run("security_group.change_rule", work)
        self._ring(context, hosts, [rule.group_id])

    def describe_rule(self, context: RequestContext, rule_id: str, description: str) -> None:
        """Describe a rule otherwise; raises NotFound."""

        def work(session: Session) -> None:
            rule = _find_rule(session, context, rule_id)
            security_groups.update_rule(session, dataclasses.replace(rule, description=description))

        self._database.run("security_group.describe_rule", work)

    def delete_rules(self, context: RequestContext, group_id: str, rule_ids: Sequence[str]) -> None:
        """Remove rules of a group, all or none; raises NotFound."""

        def work(session: Session) -> Sequence[str]:
            for rule_id in rule_ids:
                _find_rule(session, context, rule_id)
                security_groups.delete_rule(session, rule_id)
            return group_members.hosts_using(session, [group_id])

        hosts = self._database.run("security_group.delete_rules", work)
        self._ring(context, hosts, [group_id])

    def delete_rule(self, context: RequestContext, rule_id: str) -> None:
        """Let no more in what a rule let in, connections that are open included; raises NotFound."""

        def work(session: Session) -> tuple[Sequence[str], str]:
            rule = _find_rule(session, context, rule_id)
            security_groups.delete_rule(session, rule_id)
            return group_members.hosts_using(session, [rule.group_id]), rule.group_id

        hosts, group_id = self._database.run("security_group.delete_rule", work)
        self._ring(context, hosts, [group_id])

    def _listing(self, context: RequestContext) -> Sequence[SecurityGroup]:
        return self._database.read(
            "security_group.list", lambda session: security_groups.listing(session, context.scope())
        )

    def _ensure_default(self, context: RequestContext) -> None:
        self._database.run(
            "security_group.default",
            lambda session: security_groups.ensure_default(session, context.project_id),
        )

    def _check_room(self, session: Session, project_id: str, resource: str, have: int) -> None:
        limit = quotas.effective(session, project_id, self._limits)[resource]
        if limit != UNLIMITED and have >= limit:
            raise OverQuota(f"Quota exceeded for resources: {resource}, at most {limit} are allowed.")

    def _ring(self, context: RequestContext, hosts: Sequence[str], group_ids: Sequence[str]) -> None:
        """Have the hosts renew their filters; one that does not hear it does so in its periodic repair."""
        for host in hosts:
            self._compute.on(host).refresh_security_groups(context, [*group_ids])


def check_rule(wanted: NewRule) -> SecurityGroupRule:
    """Return a new rule as the filters understand it; raises InvalidInput."""
    if wanted.ethertype not in _ANYWHERE and not (wanted.source_group_id and not wanted.ethertype):
        raise InvalidInput(f"The ethertype {wanted.ethertype} is neither IPv4 nor IPv6.")
    protocol = _protocol(wanted)
    if protocol in ("tcp", "udp"):
        _check_ports(wanted)
    elif protocol == "icmp":
        _check_icmp(wanted)
    elif (wanted.from_port, wanted.to_port) != (-1, -1):
        raise InvalidInput("A rule with ports needs the protocol tcp, udp or icmp.")
    if wanted.cidr and wanted.source_group_id:
        raise InvalidInput("A rule is either for a range of addresses or for a group, not for both.")
    return SecurityGroupRule(
        id=ids.new_uuid(),
        group_id=wanted.group_id,
        protocol=protocol,
        from_port=wanted.from_port,
        to_port=wanted.to_port,
        cidr="" if wanted.source_group_id else _source(wanted),
        source_group_id=wanted.source_group_id,
        ethertype=wanted.ethertype,
        description=wanted.description,
    )


def _protocol(wanted: NewRule) -> str:
    known = {"": "", "any": "", **_PROTOCOLS, **(_ICMP6 if wanted.ethertype == "IPv6" else {})}
    protocol = known.get(wanted.protocol.lower())
    if protocol is None:
        raise InvalidInput(f"The protocol {wanted.protocol} is not supported; use tcp, udp, icmp or any.")
    return protocol


def _check_ports(wanted: NewRule) -> None:
    first, last = wanted.from_port, wanted.to_port
    if (first, last) != (-1, -1) and not 0 <= first <= last <= 65535:
        raise InvalidInput(f"The ports {first} to {last} are not a range within 0 to 65535.")


def _check_icmp(wanted: NewRule) -> None:
    kind, code = wanted.from_port, wanted.to_port
    if not (-1 <= kind <= 255 and -1 <= code <= 255) or (kind == -1 and code != -1):
        raise InvalidInput(f"The ICMP type {kind} with code {code} is not valid.")


def _source(wanted: NewRule) -> str:
    try:
        source = ipaddress.ip_network(wanted.cidr or _ANYWHERE[wanted.ethertype], strict=False)
    except ValueError as error:
        raise InvalidInput(f"{wanted.cidr[:60]!r} is not a valid CIDR.") from error
    if f"IPv{source.version}" != wanted.ethertype:
        raise InvalidInput(f"The range {source} is not of ethertype {wanted.ethertype}.")
    return str(source)


def _same(one: SecurityGroupRule, other: SecurityGroupRule) -> bool:
    return dataclasses.replace(one, id="", description="") == dataclasses.replace(
        other, id="", description=""
    )


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= 255:
        raise InvalidInput("A security group's name needs 1 to 255 characters.")


def _find(session: Session, context: RequestContext, group_id: str) -> SecurityGroup:
    found = security_groups.get(session, group_id, context.scope())
    if found is None:
        raise NotFound(f"Security group {group_id} does not exist")
    return found


def _to_change(session: Session, context: RequestContext, group_id: str) -> SecurityGroup:
    """Return a group that is about to be changed, and by nobody else; raises NotFound, RevisionMismatch."""
    revisions.lock(session, "security_groups", group_id)
    found = _find(session, context, group_id)
    revisions.require(session, "security_groups", group_id, context.seen_revision)
    return found


def _find_rule(session: Session, context: RequestContext, rule_id: str) -> SecurityGroupRule:
    found = security_groups.get_rule(session, rule_id, context.scope())
    if found is None:
        raise NotFound(f"Security group rule {rule_id} does not exist")
    return found
