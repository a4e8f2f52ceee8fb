"""Quota sets, quota classes and limits of the compute API."""

from collections.abc import Callable, Mapping

from nova_lite.api.call import RATES, Call, Json, Reply
from nova_lite.api.openstack.compute.queries import truth
from nova_lite.core.errors import Forbidden
from nova_lite.operations.quotas import Quota

_NETWORK = ("fixed_ips", "floating_ips", "networks", "security_groups", "security_group_rules")
_INJECTED = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
_COMPUTE = (
    "instances",
    "cores",
    "ram",
    "metadata_items",
    "key_pairs",
    "server_groups",
    "server_group_members",
)

_ABSOLUTE = {
    "instances": "maxTotalInstances",
    "cores": "maxTotalCores",
    "ram": "maxTotalRAMSize",
    "metadata_items": "maxServerMeta",
    "key_pairs": "maxTotalKeypairs",
    "server_groups": "maxServerGroups",
    "server_group_members": "maxServerGroupMembers",
}
_ABSOLUTE_USED = {
    "instances": "totalInstancesUsed",
    "cores": "totalCoresUsed",
    "ram": "totalRAMUsed",
    "server_groups": "totalServerGroupsUsed",
}
_ABSOLUTE_NETWORK = {
    "floating_ips": "maxTotalFloatingIps",
    "security_groups": "maxSecurityGroups",
    "security_group_rules": "maxSecurityGroupRules",
}
_ABSOLUTE_NETWORK_USED = {
    "floating_ips": "totalFloatingIpsUsed",
    "security_groups": "totalSecurityGroupsUsed",
}
_ABSOLUTE_INJECTED = {"injected_files": "maxPersonality", "injected_file_content_bytes": "maxPersonalitySize"}


def limits(call: Call) -> Reply:
    """Show the limits of the caller's project and what is used of them."""
    project = call.query("tenant_id") or call.context.project_id
    if project != call.context.project_id and not call.context.is_admin:
        raise Forbidden("Policy doesn't allow os_compute_api:limits:other_project to be performed.")
    quota = call.cloud.quotas.get(call.context, project)
    names, used = dict(_ABSOLUTE), dict(_ABSOLUTE_USED)
    if not call.at_least(36):
        names |= _ABSOLUTE_NETWORK
        used |= _ABSOLUTE_NETWORK_USED
    if not call.at_least(57):
        names |= _ABSOLUTE_INJECTED
    absolute = {name: quota[key].limit for key, name in names.items()}
    absolute |= {name: quota[key].in_use for key, name in used.items()}
    if not call.at_least(39):
        absolute["maxImageMeta"] = quota["metadata_items"].limit
    return Reply({"limits": {"rate": _rates(call), "absolute": absolute}})


def _rates(call: Call) -> list[Json]:
    """Return how often the caller may ask; nothing unless the pipeline limits it."""
    tell: Callable[[], list[Json]] | None = call.request.environ.get(RATES)
    return tell() if tell is not None else []


def show(call: Call) -> Reply:
    """Show a project's quota set."""
    project = _project(call)
    quota = call.cloud.quotas.get(call.context, project)
    return Reply(
        {"quota_set": {"id": project} | _plain(call, {key: item.limit for key, item in quota.items()})}
    )


def detail(call: Call) -> Reply:
    """Show a project's quota set with what is used of it."""
    project = _project(call)
    quota = call.cloud.quotas.get(call.context, project)
    shown: Json = {name: _detailed(quota[name]) for name in _names(call)}
    return Reply({"quota_set": {"id": project} | shown})


def defaults(call: Call) -> Reply:
    """Show the quota set of a project that has none of its own."""
    values = call.cloud.quotas.defaults(call.context)
    return Reply({"quota_set": {"id": call.params["project_id"]} | _plain(call, values)})


def update(call: Call) -> Reply:
    """Set a project's quota."""
    wanted = dict(call.body["quota_set"])
    force = truth(wanted.pop("force", False))
    values = {name: int(value) for name, value in wanted.items()}
    limits_now = call.cloud.quotas.update(call.context, call.params["project_id"], values, force=force)
    return Reply({"quota_set": _plain(call, limits_now)})


def delete(call: Call) -> Reply:
    """Let the defaults hold for a project."""
    call.cloud.quotas.delete(call.context, call.params["project_id"])
    return Reply()


def show_class(call: Call) -> Reply:
    """Show the default quota class."""
    values = call.cloud.quotas.defaults(call.context)
    return Reply({"quota_class_set": {"id": call.params["name"]} | _of_class(call, values)})


def update_class(call: Call) -> Reply:
    """Set the default quota class."""
    values = {name: int(value) for name, value in call.body["quota_class_set"].items()}
    limits_now = call.cloud.quotas.update_defaults(call.context, values)
    return Reply({"quota_class_set": _of_class(call, limits_now)})


def _project(call: Call) -> str:
    project = call.params["project_id"]
    if project != call.context.project_id and not call.context.is_admin:
        raise Forbidden("Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.")
    return project


def _names(call: Call) -> list[str]:
    """Return the resources that a quota set of the request's version has."""
    names = list(_COMPUTE)
    if not call.at_least(36):
        names += [name for name in _NETWORK if name != "networks"]
    if not call.at_least(57):
        names += _INJECTED
    return names


def _of_class(call: Call, values: Mapping[str, int]) -> Json:
    """Return a quota class set; unlike a quota set it lost its network resources only at 2.50."""
    names = [name for name in _COMPUTE if call.at_least(50) or not name.startswith("server_group")]
    if not call.at_least(50):
        names += [name for name in _NETWORK if name != "networks"]
    if not call.at_least(57):
        names += _INJECTED
    return {name: values[name] for name in names}


def _plain(call: Call, values: Mapping[str, int]) -> Json:
    return {name: values[name] for name in _names(call)}


def _detailed(quota: Quota) -> Json:
    return {"limit": quota.limit, "in_use": quota.in_use, "reserved": quota.reserved}
