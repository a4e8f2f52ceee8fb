"""Server groups of the compute API."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import limit_of, truth
from nova_lite.core.errors import InvalidInput
from nova_lite.core.server_group import GroupPolicy, ServerGroup


def listing(call: Call) -> Reply:
    """List server groups, an admin's ``all_projects`` those of every project."""
    every = call.context.is_admin and truth(call.query("all_projects", "false"))
    found = call.cloud.server_groups.listing(call.context, every_project=every)
    start = _offset(call)
    page = found[start : start + limit_of(call)]
    return Reply({"server_groups": [_view(call, group) for group in page]})


def show(call: Call) -> Reply:
    """Show a server group."""
    return _reply(call, call.cloud.server_groups.get(call.context, call.params["group_id"]))


def create(call: Call) -> Reply:
    """Make a server group."""
    wanted = call.body["server_group"]
    policy = GroupPolicy(wanted["policy"] if call.at_least(64) else wanted["policies"][0])
    most = wanted.get("rules", {}).get("max_server_per_host")
    if most is not None and policy is not GroupPolicy.ANTI_AFFINITY:
        raise InvalidInput("Only anti-affinity policy supports rules.")
    made = call.cloud.server_groups.create(call.context, wanted["name"].strip(), policy, int(most or 1))
    return _reply(call, made)


def delete(call: Call) -> Reply:
    """Remove a server group."""
    call.cloud.server_groups.delete(call.context, call.params["group_id"])
    return Reply()


def _offset(call: Call) -> int:
    text = call.query("offset") or "0"
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput(f"offset must be an integer that is at least 0, not {text[:40]}.")
    return int(text)


def _reply(call: Call, group: ServerGroup) -> Reply:
    return Reply({"server_group": _view(call, group)})


def _view(call: Call, group: ServerGroup) -> Json:
    view: Json = {"id": group.uuid, "name": group.name, "members": list(group.members)}
    if call.at_least(13):
        view |= {"project_id": group.project_id, "user_id": group.user_id}
    if not call.at_least(64):
        return view | {"policies": [group.policy], "metadata": {}}
    hard = group.policy is GroupPolicy.ANTI_AFFINITY
    return view | {
        "policy": group.policy,
        "rules": {"max_server_per_host": group.max_per_host} if hard else {},
    }
