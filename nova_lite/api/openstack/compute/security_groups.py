"""Security groups in the compute API: nova-network's own face of them, and the groups of a server."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import InvalidInput
from nova_lite.core.network import SecurityGroup, SecurityGroupRule
from nova_lite.operations.security_groups import NewRule


def listing(call: Call) -> Reply:
    """List the groups of the caller's project, an admin's ``all_tenants`` those of every one."""
    every = call.context.is_admin and call.query("all_tenants", "0") not in ("0", "false", "False")
    found = call.cloud.security_groups.list(call.context)
    return _groups([group for group in found if every or group.project_id == call.context.project_id])


def show(call: Call) -> Reply:
    """Show a group."""
    group = call.cloud.security_groups.get(call.context, call.params["group_id"])
    return Reply({"security_group": _view(group, _names([group]))})


def create(call: Call) -> Reply:
    """Make a group."""
    wanted = call.body["security_group"]
    group = call.cloud.security_groups.create(
        call.context, wanted["name"].strip(), wanted.get("description") or ""
    )
    return Reply({"security_group": _view(group, {})})


def update(call: Call) -> Reply:
    """Rename and describe a group."""
    wanted = call.body["security_group"]
    group = call.cloud.security_groups.update(
        call.context,
        call.params["group_id"],
        name=wanted["name"].strip(),
        description=wanted.get("description"),
    )
    return Reply({"security_group": _view(group, _names([group]))})


def delete(call: Call) -> Reply:
    """Remove a group."""
    call.cloud.security_groups.delete(call.context, call.params["group_id"])
    return Reply()


def create_rule(call: Call) -> Reply:
    """Add a rule to a group."""
    wanted = call.body["security_group_rule"]
    cidr, source = wanted.get("cidr") or "", wanted.get("group_id") or ""
    protocol = wanted.get("ip_protocol") or ""
    if not source and not protocol:
        raise InvalidInput("A rule for addresses needs ip_protocol, from_port and to_port.")
    rule = call.cloud.security_groups.add_rule(
        call.context,
        NewRule(
            group_id=wanted["parent_group_id"],
            protocol=protocol,
            from_port=_port(wanted.get("from_port")),
            to_port=_port(wanted.get("to_port")),
            cidr="" if source else cidr,
            source_group_id=source,
            ethertype="" if source else "IPv6" if ":" in cidr else "IPv4",
        ),
    )
    named = [call.cloud.security_groups.get(call.context, source)] if source else []
    return Reply({"security_group_rule": _rule_view(rule, _names(named))})


def delete_rule(call: Call) -> Reply:
    """Remove a rule."""
    call.cloud.security_groups.delete_rule(call.context, call.params["rule_id"])
    return Reply()


def of_server(call: Call) -> Reply:
    """List the groups that a server is in."""
    return _groups(list(call.cloud.memberships.list(call.context, call.params["server_id"])))


def add_to_server(call: Call) -> Reply:
    """Put a server into a group."""
    name = call.body["addSecurityGroup"]["name"]
    call.cloud.memberships.add(call.context, call.params["server_id"], name)
    return Reply()


def remove_from_server(call: Call) -> Reply:
    """Take a server out of a group."""
    name = call.body["removeSecurityGroup"]["name"]
    call.cloud.memberships.remove(call.context, call.params["server_id"], name)
    return Reply()


def _port(value: object) -> int:
    return -1 if value in (None, "") else int(str(value))


def _groups(found: list[SecurityGroup]) -> Reply:
    names = _names(found)
    return Reply({"security_groups": [_view(group, names) for group in found]})


def _names(groups: list[SecurityGroup]) -> dict[str, SecurityGroup]:
    return {group.id: group for group in groups}


def _view(group: SecurityGroup, named: dict[str, SecurityGroup]) -> Json:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "tenant_id": group.project_id,
        "rules": [_rule_view(rule, named) for rule in group.rules],
    }


def _rule_view(rule: SecurityGroupRule, named: dict[str, SecurityGroup]) -> Json:
    source = named.get(rule.source_group_id)
    anything = not rule.protocol
    return {
        "id": rule.id,
        "parent_group_id": rule.group_id,
        "ip_protocol": rule.protocol or None,
        "from_port": None if anything else rule.from_port,
        "to_port": None if anything else rule.to_port,
        "group": {"name": source.name, "tenant_id": source.project_id} if source is not None else {},
        "ip_range": {"cidr": rule.cidr} if rule.cidr else {},
    }
