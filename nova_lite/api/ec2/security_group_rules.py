"""Rules of security groups: let in, let in no more, and each as a thing of its own."""

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import Any

from nova_lite.api.ec2 import filters, ids, paging
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, invalid, missing, unsupported
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.query import Many, Number, Struct, Text
from nova_lite.api.ec2.security_groups import (
    PERMISSION,
    Permission,
    groups_named,
    one_group,
    ports_of,
    protocol_of,
)
from nova_lite.api.ec2.tags import TAG, Tags, put_tags, tags_by_resource, wanted_tags
from nova_lite.api.ec2.xml import Shape, always, either, flag, many, number, one, text
from nova_lite.core.ec2_ids import derived_uuid, ec2_id
from nova_lite.core.network import SecurityGroup, SecurityGroupRule
from nova_lite.core.resource_tags import ResourceKind
from nova_lite.operations.security_groups import NewRule, check_rule

_EVERYWHERE = ("0.0.0.0/0", "::/0")

IP_PERMISSIONS = Many(
    Struct(
        "IpPermissions", Text("IpProtocol"), Number("FromPort"), Number("ToPort"),
        Many(Struct("IpRanges", Text("CidrIp"), Text("Description", longest=255))),
        Many(Struct("Ipv6Ranges", Text("CidrIpv6"), Text("Description", longest=255))),
        Many(Struct("PrefixListIds", Text("PrefixListId"), Text("Description"))),
        Many(Struct(
            "Groups", Text("GroupId"), Text("GroupName"), Text("UserId"), Text("Description", longest=255),
            Text("VpcId"), Text("VpcPeeringConnectionId"), Text("PeeringStatus"),
        )),
    )
)  # fmt: skip
GROUP = (Text("GroupId"), Text("GroupName"))
FLAT = (
    Text("IpProtocol"), Number("FromPort"), Number("ToPort"), Text("CidrIp"), Text("SourceSecurityGroupName"),
    Text("SourceSecurityGroupOwnerId"),
)  # fmt: skip
RULE_IDS = Many(Text("SecurityGroupRuleId"))
DESCRIPTIONS = Many(
    Struct(
        "SecurityGroupRuleDescription",
        Text("SecurityGroupRuleId", required=True),
        Text("Description", longest=255),
    )
)
CHANGED_RULES = Many(
    Struct(
        "SecurityGroupRule",
        Text("SecurityGroupRuleId", required=True),
        Struct(
            "SecurityGroupRule", Text("IpProtocol", required=True), Number("FromPort"), Number("ToPort"),
            Text("CidrIpv4"), Text("CidrIpv6"), Text("PrefixListId"), Text("ReferencedGroupId"),
            Text("Description", longest=255), required=True,
        ),
    ),
    required=True,
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A rule with whose it is; ``egress`` for the one that nothing stores."""

    rule: SecurityGroupRule
    project_id: str
    tags: Tags
    egress: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return ec2_id("sgr", self.rule.id)

    @property
    def ports(self) -> tuple[int, int]:
        """Its ports, -1 for all."""
        return ports_of(self.rule) or (-1, -1)


_V4, _V6 = text("cidrIpv4", lambda each: each.rule.cidr), text("cidrIpv6", lambda each: each.rule.cidr)


def _write_range(out: list[str], each: Rule) -> None:
    if each.rule.cidr:
        (_V6 if each.rule.ethertype == "IPv6" else _V4)(out, each)


_RULE = Shape(
    text("securityGroupRuleId", lambda each: each.id),
    text("groupId", lambda each: ec2_id("sg", each.rule.group_id)),
    text("groupOwnerId", lambda each: each.project_id),
    flag("isEgress", lambda each: each.egress),
    text("ipProtocol", lambda each: protocol_of(each.rule)),
    number("fromPort", lambda each: each.ports[0]),
    number("toPort", lambda each: each.ports[1]),
    _write_range,
    either(
        lambda each: each.rule.source_group_id,
        one(
            "referencedGroupInfo",
            lambda each: each,
            Shape(
                text("groupId", lambda each: ec2_id("sg", each.rule.source_group_id)),
                text("userId", lambda each: each.project_id),
            ),
        ),
    ),
    either(lambda each: each.rule.description, text("description", lambda each: each.rule.description)),
    text(
        "securityGroupRuleArn", lambda each: f"arn:aws:ec2::{each.project_id}:security-group-rule/{each.id}"
    ),
    many("tagSet", lambda each: sorted(each.tags.items()), TAG),
)
RULES = paging.shape("securityGroupRuleSet", _RULE)
AUTHORIZED = Shape(always("return", True), many("securityGroupRuleSet", lambda rules: rules, _RULE))
REVOKED = Shape(
    always("return", True),
    many("unknownIpPermissionSet", lambda revoked: revoked[1], PERMISSION),
    many(
        "revokedSecurityGroupRuleSet",
        lambda revoked: revoked[0],
        Shape(
            text("securityGroupRuleId", lambda each: each.id),
            text("groupId", lambda each: ec2_id("sg", each.rule.group_id)),
            flag("isEgress", lambda each: each.egress),
            text("ipProtocol", lambda each: protocol_of(each.rule)),
            number("fromPort", lambda each: each.ports[0]),
            number("toPort", lambda each: each.ports[1]),
            _write_range,
            either(
                lambda each: each.rule.source_group_id,
                text("referencedGroupId", lambda each: ec2_id("sg", each.rule.source_group_id)),
            ),
        ),
    ),
)

_FILTERS: Table = {
    "group-id": lambda each: ec2_id("sg", each.rule.group_id),
    "security-group-rule-id": lambda each: each.id,
}


def describe_security_group_rules(call: Ec2Call) -> Listed:
    """List rules one by one."""
    tags = tags_by_resource(call)
    found = [
        rule for group in call.cloud.security_groups.list(call.context) for rule in _rules_of(group, tags)
    ]
    wanted = call.list("SecurityGroupRuleId")
    ids.starts(wanted, "InvalidSecurityGroupRuleId", "sgr")
    found = ids.pick(
        found, wanted, lambda each: each.id, "InvalidSecurityGroupRuleId", "security group rule ID"
    )
    chosen = filters.chosen(found, call.list("Filter"), _FILTERS, lambda each: each.tags)
    return paging.paged(call, chosen, lambda each: each.id, "SecurityGroupRuleId")


def authorize_ingress(call: Ec2Call) -> list[Rule]:
    """Let traffic in."""
    group = one_group(call)
    wanted = _wanted(call, group)
    tags = wanted_tags(call, ResourceKind.SECURITY_GROUP_RULE)
    if not wanted:
        raise missing("IpPermissions")
    made = call.cloud.security_groups.add_rules(call.context, group.id, wanted)
    for rule in made:
        put_tags(call, ResourceKind.SECURITY_GROUP_RULE, rule.id, tags)
    return [Rule(rule, group.project_id, tags) for rule in made]


def revoke_ingress(call: Ec2Call) -> tuple[list[Rule], list[Permission]]:
    """Let traffic in no more."""
    group = one_group(call) if call.get("GroupId") or call.get("GroupName") else _group_of_rules(call)
    by_id = {ec2_id("sgr", rule.id): rule for rule in group.rules}
    unwanted = ids.pick(
        by_id.values(), _rule_ids(call), lambda rule: ec2_id("sgr", rule.id), "InvalidSecurityGroupRuleId",
        "security group rule ID",
    ) if call.list("SecurityGroupRuleId") else []  # fmt: skip
    for new in _wanted(call, group):
        unwanted.append(_like(group, new))
    if not unwanted:
        raise missing("IpPermissions")
    call.cloud.security_groups.delete_rules(
        call.context, group.id, list(dict.fromkeys(rule.id for rule in unwanted))
    )
    return [Rule(rule, group.project_id, {}) for rule in unwanted], []


def authorize_egress(call: Ec2Call) -> list[Rule]:
    """Say once more that guests may send what they like; that they may send less is not supported."""
    group = one_group(call)
    wanted = _wanted(call, group)
    if not wanted:
        raise missing("IpPermissions")
    for rule in wanted:
        if rule.protocol not in ("", "-1") or rule.cidr not in _EVERYWHERE:
            raise unsupported(
                "What guests send is not filtered: only the rule that allows all of it is there."
            )
    return [_egress(group)]


def revoke_egress(call: Ec2Call) -> tuple[list[Rule], list[Permission]]:
    """Say which rules for what guests send were not revoked: all, for that is not filtered."""
    group = one_group(call)
    kept = [check_rule(new) for new in _wanted(call, group)]
    return [], [Permission(protocol_of(rule), ports_of(rule), [rule], group.project_id) for rule in kept]


def modify_rules(call: Ec2Call) -> None:
    """Make other rules of rules."""
    group = one_group(call)
    by_id = {ec2_id("sgr", rule.id): rule for rule in group.rules}
    changes = []
    for each in call.list("SecurityGroupRule"):
        rule_id, wanted = each["SecurityGroupRuleId"], each["SecurityGroupRule"]
        ids.starts([rule_id], "InvalidSecurityGroupRuleId", "sgr")
        if rule_id not in by_id:
            raise ids.not_found("InvalidSecurityGroupRuleId", "security group rule ID", [rule_id])
        source = wanted.get("ReferencedGroupId", "")
        permission = {name: wanted[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in wanted}
        cidr = wanted.get("CidrIpv4") or wanted.get("CidrIpv6") or ""
        if bool(source) == bool(cidr):
            raise Ec2Error(
                "InvalidParameterCombination", "A rule has either a range of addresses or a group."
            )
        source_id = groups_named(call, [source], [])[0].id if source else ""
        new = _new_rule(
            group, permission, cidr=cidr, source=source_id, description=wanted.get("Description", "")
        )
        check_rule(new)
        changes.append((by_id[rule_id].id, new))
    for uuid, new in changes:
        call.cloud.security_groups.change_rule(call.context, uuid, new)


def update_descriptions(call: Ec2Call) -> None:
    """Describe rules otherwise."""
    group = one_group(call)
    by_id = {ec2_id("sgr", rule.id): rule for rule in group.rules}
    changes = [(_like(group, new), new.description) for new in _wanted(call, group)]
    for each in call.list("SecurityGroupRuleDescription"):
        rule = by_id.get(each["SecurityGroupRuleId"])
        if rule is None:
            raise ids.not_found(
                "InvalidSecurityGroupRuleId", "security group rule ID", [each["SecurityGroupRuleId"]]
            )
        changes.append((rule, each.get("Description", "")))
    if not changes:
        raise missing("IpPermissions")
    for rule, description in changes:
        call.cloud.security_groups.describe_rule(call.context, rule.id, description)


def _rules_of(group: SecurityGroup, tags: Mapping[str, Tags]) -> list[Rule]:
    ingress = [Rule(rule, group.project_id, tags.get(rule.id, {})) for rule in group.rules]
    return [*ingress, _egress(group)]


def _egress(group: SecurityGroup) -> Rule:
    rule = SecurityGroupRule(derived_uuid("egress", group.id), group.id, cidr=_EVERYWHERE[0])
    return Rule(rule, group.project_id, {}, egress=True)


def _rule_ids(call: Ec2Call) -> list[str]:
    wanted = call.list("SecurityGroupRuleId")
    ids.starts(wanted, "InvalidSecurityGroupRuleId", "sgr")
    return wanted


def _group_of_rules(call: Ec2Call) -> SecurityGroup:
    """Return the group that has the rule which a request names first."""
    wanted = _rule_ids(call)
    if not wanted:
        raise missing("GroupId")
    for group in call.cloud.security_groups.list(call.context):
        if any(ec2_id("sgr", rule.id) == wanted[0] for rule in group.rules):
            return group
    raise ids.not_found("InvalidSecurityGroupRuleId", "security group rule ID", wanted)


def _like(group: SecurityGroup, new: NewRule) -> SecurityGroupRule:
    """Return the rule of a group that says what another says; raises Ec2Error (InvalidPermission.NotFound)."""
    wanted = _key(check_rule(new))
    for rule in group.rules:
        if _key(rule) == wanted:
            return rule
    raise Ec2Error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")


def _key(rule: SecurityGroupRule) -> tuple[Any, ...]:
    return rule.ethertype, rule.protocol, ports_of(rule), rule.cidr, rule.source_group_id


def _wanted(call: Ec2Call, group: SecurityGroup) -> list[NewRule]:
    """Return the rules that a request names, in the form of today or of old."""
    permissions = list(call.list("IpPermissions"))
    names = ("IpProtocol", "FromPort", "ToPort")
    flat: dict[str, Any] = {name: call.get(name) for name in names if name in call.values}
    if call.get("CidrIp"):
        permissions.append(flat | {"IpRanges": [{"CidrIp": call.get("CidrIp")}]})
    if call.get("SourceSecurityGroupName"):
        source = {
            "GroupName": call.get("SourceSecurityGroupName"),
            "UserId": call.get("SourceSecurityGroupOwnerId", ""),
        }
        permissions.append({"IpProtocol": "-1"} | flat | {"Groups": [source]})
    if flat and not (call.get("CidrIp") or call.get("SourceSecurityGroupName")):
        raise missing("CidrIp")
    return [rule for permission in permissions for rule in _of_permission(call, group, permission)]


def _of_permission(call: Ec2Call, group: SecurityGroup, permission: Mapping[str, Any]) -> list[NewRule]:
    if not permission.get("IpProtocol"):
        raise missing("IpPermissions.IpProtocol")
    if permission.get("PrefixListIds"):
        raise unsupported("There are no prefix lists here.")
    rules = [
        _new_rule(group, permission, cidr=each.get(name, ""), description=each.get("Description", ""))
        for ranges, name in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"))
        for each in permission.get(ranges, [])
    ]
    for each in permission.get("Groups", []):
        owner = (each.get("UserId") or call.context.project_id).rpartition(":")[2]
        if owner != call.context.project_id:
            raise ids.not_found(
                "InvalidGroup", "security group", [each.get("GroupId") or each.get("GroupName", "")]
            )
        named = [each["GroupId"]] if each.get("GroupId") else []
        (source,) = groups_named(call, named, [] if named else [each.get("GroupName", "")])
        rules.append(_new_rule(group, permission, source=source.id, description=each.get("Description", "")))
    if not rules:
        raise missing("IpPermissions.IpRanges")
    return rules


def _new_rule(
    group: SecurityGroup,
    permission: Mapping[str, Any],
    *,
    cidr: str = "",
    source: str = "",
    description: str = "",
) -> NewRule:
    protocol = permission["IpProtocol"].lower()
    every = protocol in ("-1", "all")
    if not every and protocol not in ("icmp", "1", "icmpv6", "ipv6-icmp", "58"):
        for name in ("FromPort", "ToPort"):
            if name not in permission and not source:
                raise missing(f"IpPermissions.{name}")
    ethertype = ""
    if not source:
        try:
            ethertype = f"IPv{ipaddress.ip_network(cidr, strict=False).version}"
        except ValueError as error:
            raise invalid("CidrIp", cidr, f"CIDR block {cidr[:60]} is malformed.") from error
    elif protocol in ("icmpv6", "ipv6-icmp", "58"):
        ethertype = "IPv6"
    return NewRule(
        group.id,
        "" if every else protocol,
        -1 if every else permission.get("FromPort", -1),
        -1 if every else permission.get("ToPort", -1),
        cidr,
        source,
        ethertype,
        description,
    )


BOTH = (*GROUP, *FLAT, IP_PERMISSIONS)
