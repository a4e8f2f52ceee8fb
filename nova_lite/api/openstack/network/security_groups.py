"""Security groups of the network API.

Guests may send what they like, so each group shows two rules that say so; they are nowhere stored and cannot
be changed.
"""

import dataclasses
import uuid

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.network.listings import listed, shown
from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput
from nova_lite.core.network import SecurityGroup, SecurityGroupRule
from nova_lite.operations.security_groups import NewRule

_ETHERTYPES = ("IPv4", "IPv6")


def listing(call: Call) -> Reply:
    """List groups with their rules."""
    found = call.cloud.security_groups.list(call.context)
    return listed(call, "security_groups", [_view(group) for group in found])


def show(call: Call) -> Reply:
    """Show a group with its rules."""
    group = call.cloud.security_groups.get(call.context, call.params["group_id"])
    return shown(call, "security_group", _view(group))


def create(call: Call) -> Reply:
    """Make a group."""
    wanted = call.body["security_group"]
    if wanted.get("stateful") is False:
        raise InvalidInput("Stateless security groups are not supported.")
    group = call.cloud.security_groups.create(
        _owner(call, wanted), wanted["name"], wanted.get("description") or ""
    )
    return Reply({"security_group": _view(group)})


def update(call: Call) -> Reply:
    """Rename or describe a group."""
    wanted = call.body["security_group"]
    if wanted.get("stateful") is False:
        raise InvalidInput("Stateless security groups are not supported.")
    group = call.cloud.security_groups.update(
        call.context,
        call.params["group_id"],
        name=wanted.get("name"),
        description=wanted.get("description"),
    )
    return shown(call, "security_group", _view(group))


def delete(call: Call) -> Reply:
    """Remove a group."""
    call.cloud.security_groups.delete(call.context, call.params["group_id"])
    return Reply()


def list_rules(call: Call) -> Reply:
    """List the rules of all groups."""
    found = call.cloud.security_groups.list(call.context)
    return listed(call, "security_group_rules", [rule for group in found for rule in _rules(group)])


def show_rule(call: Call) -> Reply:
    """Show a rule."""
    rule_id = call.params["rule_id"]
    for group in call.cloud.security_groups.list(call.context):
        for egress in _egress(group):
            if egress["id"] == rule_id:
                return shown(call, "security_group_rule", egress)
    group, rule = call.cloud.security_groups.rule(call.context, rule_id)
    return shown(call, "security_group_rule", _rule_view(group, rule))


def create_rule(call: Call) -> Reply:
    """Add a rule that lets traffic in."""
    wanted = call.body["security_group_rule"]
    if wanted["direction"] == "egress":
        raise _refused_egress(wanted)
    first, last = _ports(wanted)
    protocol = wanted.get("protocol")
    rule = call.cloud.security_groups.add_rule(
        call.context,
        NewRule(
            group_id=wanted["security_group_id"],
            protocol="" if protocol is None else str(protocol),
            from_port=first,
            to_port=last,
            cidr=wanted.get("remote_ip_prefix") or "",
            source_group_id=wanted.get("remote_group_id") or "",
            ethertype=wanted.get("ethertype") or "IPv4",
            description=wanted.get("description") or "",
        ),
    )
    group = call.cloud.security_groups.get(call.context, rule.group_id)
    return Reply({"security_group_rule": _rule_view(group, rule)})


def delete_rule(call: Call) -> Reply:
    """Remove a rule."""
    call.cloud.security_groups.delete_rule(call.context, call.params["rule_id"])
    return Reply()


def _owner(call: Call, wanted: Json) -> RequestContext:
    """Return the caller, an admin in the place of the project that the body names."""
    project_id = wanted.get("project_id") or wanted.get("tenant_id")
    if not project_id or project_id == call.context.project_id or not call.context.is_admin:
        return call.context
    return dataclasses.replace(call.context, project_id=project_id)


def _ports(wanted: Json) -> tuple[int, int]:
    """Return the first and last port, or ICMP type and code, -1 for what is not said."""
    first, last = (
        -1 if wanted.get(name) is None else int(wanted[name]) for name in ("port_range_min", "port_range_max")
    )
    icmp = "icmp" in str(wanted.get("protocol")) or str(wanted.get("protocol")) in ("1", "58")
    if not icmp and first == -1:
        return last, last
    return (first, first) if not icmp and last == -1 else (first, last)


def _refused_egress(wanted: Json) -> InvalidInput | Conflict:
    narrowing = ("protocol", "port_range_min", "port_range_max", "remote_group_id")
    anywhere = wanted.get("remote_ip_prefix") in (None, "", "0.0.0.0/0", "::/0")
    if anywhere and not any(wanted.get(name) for name in narrowing):
        return Conflict("Security group rule already exists: all traffic may leave.")
    return InvalidInput("Egress rules are not supported: all traffic may leave.")


def _view(group: SecurityGroup) -> Json:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "stateful": True,
        "shared": False,
        "project_id": group.project_id,
        "tenant_id": group.project_id,
        "security_group_rules": _rules(group),
        "tags": [],
        "created_at": clock.iso8601(group.created_at),
        "updated_at": clock.iso8601(group.updated_at),
        "revision_number": group.revision,
    }


def _rules(group: SecurityGroup) -> list[Json]:
    return [*_egress(group), *(_rule_view(group, rule) for rule in group.rules)]


def _egress(group: SecurityGroup) -> list[Json]:
    """Return the rules that say that everything may leave."""
    return [
        _rule_view(
            group,
            SecurityGroupRule(
                id=str(uuid.uuid5(uuid.UUID(group.id), f"egress-{ethertype}")),
                group_id=group.id,
                ethertype=ethertype,
            ),
        )
        | {"direction": "egress"}
        for ethertype in _ETHERTYPES
    ]


def _rule_view(group: SecurityGroup, rule: SecurityGroupRule) -> Json:
    created = clock.iso8601(group.created_at)
    return {
        "id": rule.id,
        "security_group_id": group.id,
        "direction": "ingress",
        "ethertype": rule.ethertype or "IPv4",
        "protocol": rule.protocol or None,
        "port_range_min": None if rule.from_port == -1 else rule.from_port,
        "port_range_max": None if rule.to_port == -1 else rule.to_port,
        "remote_ip_prefix": rule.cidr or None,
        "normalized_cidr": rule.cidr or None,
        "remote_group_id": rule.source_group_id or None,
        "remote_address_group_id": None,
        "belongs_to_default_sg": group.name == "default",
        "project_id": group.project_id,
        "tenant_id": group.project_id,
        "description": rule.description,
        "tags": [],
        "created_at": created,
        "updated_at": created,
        "revision_number": 1,
    }
