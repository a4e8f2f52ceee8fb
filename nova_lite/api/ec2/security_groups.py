"""Security groups of the EC2 API.

Guests may send what they like: each group shows the one rule that says so, which is nowhere stored.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from nova_lite.api.ec2 import filters, ids, paging, places
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.tags import TAG, Tags, put_tags, tags_by_resource, wanted_tags
from nova_lite.api.ec2.xml import Shape, always, either, flag, many, number, text
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.network import SecurityGroup, SecurityGroupRule
from nova_lite.core.resource_tags import ResourceKind
from nova_lite.db.security_groups import DEFAULT

_ALL_PORTS = (0, 65535)


@dataclasses.dataclass(frozen=True, slots=True)
class Permission:
    """The rules of a group with the same protocol and ports."""

    protocol: str
    ports: tuple[int, int] | None
    rules: Sequence[SecurityGroupRule]
    owner: str


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """A group with its tags."""

    group: SecurityGroup
    tags: Tags

    @property
    def id(self) -> str:
        """Its id."""
        return ec2_id("sg", self.group.id)

    @property
    def vpc(self) -> str:
        """The id of its VPC."""
        return places.vpc_id(self.group.project_id)

    @property
    def permissions(self) -> list[Permission]:
        """Its rules by protocol and ports."""
        found: dict[tuple[str, tuple[int, int] | None], list[SecurityGroupRule]] = {}
        for rule in self.group.rules:
            found.setdefault((protocol_of(rule), ports_of(rule)), []).append(rule)
        return [Permission(*key, rules, self.group.project_id) for key, rules in found.items()]


def protocol_of(rule: SecurityGroupRule) -> str:
    """Return a rule's protocol as clients know it."""
    if rule.protocol == "icmp" and rule.ethertype == "IPv6":
        return "icmpv6"
    return rule.protocol or "-1"


def ports_of(rule: SecurityGroupRule) -> tuple[int, int] | None:
    """Return the first and the last port of a rule, its ICMP type and code, or None where it has no such."""
    if not rule.protocol:
        return None
    ports = (rule.from_port, rule.to_port)
    return _ALL_PORTS if rule.protocol != "icmp" and ports == (-1, -1) else ports


_PAIR = Shape(
    text("userId", lambda pair: pair[0]),
    text("groupId", lambda pair: ec2_id("sg", pair[1].source_group_id)),
    either(lambda pair: pair[1].description, text("description", lambda pair: pair[1].description)),
)
_RANGE = Shape(
    text("cidrIp", lambda rule: rule.cidr),
    either(lambda rule: rule.description, text("description", lambda rule: rule.description)),
)
_RANGE_6 = Shape(
    text("cidrIpv6", lambda rule: rule.cidr),
    either(lambda rule: rule.description, text("description", lambda rule: rule.description)),
)


PERMISSION = Shape(
    text("ipProtocol", lambda each: each.protocol),
    number("fromPort", lambda each: each.ports[0] if each.ports else None),
    number("toPort", lambda each: each.ports[1] if each.ports else None),
    many("groups", lambda each: [(each.owner, rule) for rule in each.rules if rule.source_group_id], _PAIR),
    many("ipRanges", lambda each: [r for r in each.rules if r.cidr and r.ethertype == "IPv4"], _RANGE),
    many("ipv6Ranges", lambda each: [r for r in each.rules if r.cidr and r.ethertype == "IPv6"], _RANGE_6),
    always("prefixListIds", ()),
)
_EVERYWHERE = {
    "ipProtocol": "-1", "groups": (), "ipRanges": ({"cidrIp": "0.0.0.0/0"},), "ipv6Ranges": (), "prefixListIds": (),
}  # fmt: skip

GROUPS = paging.shape(
    "securityGroupInfo",
    Shape(
        text("ownerId", lambda each: each.group.project_id),
        text("groupId", lambda each: each.id),
        text("groupName", lambda each: each.group.name),
        text("groupDescription", lambda each: each.group.description),
        text("vpcId", lambda each: each.vpc),
        text(
            "securityGroupArn",
            lambda each: f"arn:aws:ec2::{each.group.project_id}:security-group/{each.id}",
        ),
        many("ipPermissions", lambda each: each.permissions, PERMISSION),
        always("ipPermissionsEgress", (_EVERYWHERE,)),
        many("tagSet", lambda each: sorted(each.tags.items()), TAG),
    ),
)
CREATED = Shape(
    always("return", True),
    text("groupId", lambda each: each.id),
    text("securityGroupArn", lambda each: f"arn:aws:ec2::{each.group.project_id}:security-group/{each.id}"),
    many("tagSet", lambda each: sorted(each.tags.items()), TAG),
)
DELETED = Shape(flag("return", lambda _: True), text("groupId", lambda group_id: group_id))


_FILTERS: Table = {
    "description": lambda each: each.group.description,
    "egress.ip-permission.cidr": lambda each: "0.0.0.0/0",
    "egress.ip-permission.from-port": lambda each: None,
    "egress.ip-permission.group-id": lambda each: None,
    "egress.ip-permission.group-name": lambda each: None,
    "egress.ip-permission.ipv6-cidr": lambda each: None,
    "egress.ip-permission.protocol": lambda each: "-1",
    "egress.ip-permission.to-port": lambda each: None,
    "group-id": lambda each: each.id,
    "group-name": lambda each: each.group.name,
    "ip-permission.cidr": lambda each: [r.cidr for r in each.group.rules if r.cidr and r.ethertype == "IPv4"],
    "ip-permission.from-port": lambda each: [p.ports[0] for p in each.permissions if p.ports],
    "ip-permission.group-id": lambda each: [
        ec2_id("sg", r.source_group_id) for r in each.group.rules if r.source_group_id
    ],
    "ip-permission.ipv6-cidr": lambda each: [
        r.cidr for r in each.group.rules if r.cidr and r.ethertype == "IPv6"
    ],
    "ip-permission.protocol": lambda each: [protocol_of(r) for r in each.group.rules],
    "ip-permission.to-port": lambda each: [p.ports[1] for p in each.permissions if p.ports],
    "ip-permission.user-id": lambda each: [
        each.group.project_id for r in each.group.rules if r.source_group_id
    ],
    "owner-id": lambda each: each.group.project_id,
    "vpc-id": lambda each: each.vpc,
}


def describe_security_groups(call: Ec2Call) -> Listed:
    """List groups with their rules."""
    found = every(call)
    if call.list("GroupId") or call.list("GroupName"):
        wanted = groups_named(call, call.list("GroupId"), call.list("GroupName"))
        found = [each for each in found if each.group in wanted]
    chosen = filters.chosen(found, call.list("Filter"), _FILTERS, lambda each: each.tags)
    return paging.paged(call, chosen, lambda each: each.id, "GroupId", "GroupName")


def create_security_group(call: Ec2Call) -> Group:
    """Make a group."""
    name = call.get("GroupName")
    if name.startswith("sg-"):
        raise Ec2Error("InvalidParameterValue", "The name of a group may not begin with sg-.")
    if name == DEFAULT:
        raise Ec2Error("InvalidGroup.Reserved", f"The name {DEFAULT} is reserved.")
    if call.get("VpcId") and call.get("VpcId") != places.vpc_id(call.context.project_id):
        ids.starts([call.get("VpcId")], "InvalidVpcID", "vpc")
        raise ids.not_found("InvalidVpcID", "vpc ID", [call.get("VpcId")])
    tags = wanted_tags(call, ResourceKind.SECURITY_GROUP)
    group = call.cloud.security_groups.create(call.context, name, call.get("GroupDescription"))
    put_tags(call, ResourceKind.SECURITY_GROUP, group.id, tags)
    return Group(group, tags)


def delete_security_group(call: Ec2Call) -> str:
    """Remove a group."""
    group = one_group(call)
    if group.name == DEFAULT:
        raise Ec2Error("CannotDelete", f"the specified group: {ec2_id('sg', group.id)} is the default group")
    call.cloud.security_groups.delete(call.context, group.id)
    return ec2_id("sg", group.id)


def every(call: Ec2Call) -> list[Group]:
    """Return the project's groups with their tags."""
    tags = tags_by_resource(call)
    return [Group(group, tags.get(group.id, {})) for group in call.cloud.security_groups.list(call.context)]


def one_group(call: Ec2Call) -> SecurityGroup:
    """Return the group that a request names by GroupId or GroupName; raises Ec2Error."""
    group_id, name = call.get("GroupId"), call.get("GroupName")
    if not (group_id or name):
        raise Ec2Error("MissingParameter", "The request must contain the parameter GroupId or GroupName")
    return groups_named(call, [group_id] if group_id else [], [name] if name and not group_id else [])[0]


def groups_named(call: Ec2Call, group_ids: Sequence[str], names: Sequence[str]) -> list[SecurityGroup]:
    """Return the project's groups with these ids and names, each once; raises Ec2Error (InvalidGroup.NotFound)."""
    if not (group_ids or names):
        return []
    ids.starts(group_ids, "InvalidGroupId", "sg")
    groups = call.cloud.security_groups.list(call.context)
    by_id: Mapping[str, SecurityGroup] = {ec2_id("sg", group.id): group for group in groups}
    by_name: Mapping[str, SecurityGroup] = {group.name: group for group in groups}
    found: dict[str, SecurityGroup] = {}
    for known, wanted in ((by_id, group_ids), (by_name, names)):
        for name in wanted:
            if name not in known:
                raise Ec2Error("InvalidGroup.NotFound", f"The security group '{name[:100]}' does not exist")
            found[known[name].id] = known[name]
    return list(found.values())
