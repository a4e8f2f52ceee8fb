"""Quotas of the network API: the limits of its resources, kept with all others of the project."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import Forbidden
from nova_lite.core.quota import UNLIMITED

_RESOURCES = {
    "floatingip": "floating_ips",
    "network": "networks",
    "port": "fixed_ips",
    "security_group": "security_groups",
    "security_group_rule": "security_group_rules",
}
"""The API's name of each limited resource and ours."""

_UNBOUNDED = ("rbac_policy", "router", "subnet", "subnetpool")


def show(call: Call) -> Reply:
    """Show a project's limits."""
    found = call.cloud.quotas.get(call.context, _project(call))
    return Reply({"quota": _limits({name: quota.limit for name, quota in found.items()})})


def show_default(call: Call) -> Reply:
    """Show the limits of a project that has none of its own."""
    return Reply({"quota": _limits(dict(call.cloud.quotas.defaults(call.context)))})


def show_details(call: Call) -> Reply:
    """Show a project's limits and what it has."""
    found = call.cloud.quotas.get(call.context, _project(call))
    unbounded = {"limit": UNLIMITED, "used": 0, "reserved": 0}
    details: Json = {name: unbounded for name in _UNBOUNDED}
    for name, ours in _RESOURCES.items():
        quota = found[ours]
        details[name] = {"limit": quota.limit, "used": quota.in_use, "reserved": quota.reserved}
    return Reply({"quota": details})


def update(call: Call) -> Reply:
    """Set limits of a project."""
    wanted = call.body["quota"]
    limits = {ours: int(wanted[name]) for name, ours in _RESOURCES.items() if name in wanted}
    changed = call.cloud.quotas.update(call.context, call.params["project_id"], limits)
    return Reply({"quota": _limits(dict(changed))})


def delete(call: Call) -> Reply:
    """Let the defaults hold for a project."""
    call.cloud.quotas.delete(call.context, call.params["project_id"])
    return Reply()


def _project(call: Call) -> str:
    project_id = call.params["project_id"]
    if call.context.scope() not in (None, project_id):
        raise Forbidden("Policy doesn't allow the quota of another project to be shown.")
    return project_id


def _limits(ours: dict[str, int]) -> Json:
    return {name: ours[key] for name, key in _RESOURCES.items()} | dict.fromkeys(_UNBOUNDED, UNLIMITED)
