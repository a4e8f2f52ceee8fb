"""Which roles imply which others."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import NotFound
from nova_lite.core.identity import Role, RoleGraph


def listing(call: Call) -> Reply:
    """List every role that implies others, with those."""
    graph = call.cloud.identity.role_graph(call.context)
    rules = [_rule(call, graph, graph.roles[prior]) for prior in sorted(graph.implied)]
    return Reply({"role_inferences": rules, "links": {"self": call.url("/v3/role_inferences")}})


def listing_of_role(call: Call) -> Reply:
    """List the roles that a role implies."""
    graph = call.cloud.identity.role_graph(call.context)
    prior = _role(graph, call.params["role_id"])
    here = call.url(f"/v3/roles/{prior.id}/implies")
    return Reply({"role_inference": _rule(call, graph, prior), "links": {"self": here}})


def show(call: Call) -> Reply:
    """Tell whether a role implies another."""
    graph = call.cloud.identity.role_graph(call.context)
    prior, implied = call.params["role_id"], call.params["implied_role_id"]
    if implied not in graph.implied.get(prior, ()):
        raise NotFound(f"{prior} does not imply {implied}.")
    return _pair(call, graph)


def create(call: Call) -> Reply:
    """Let a role imply another."""
    call.cloud.identity.imply_role(call.context, call.params["role_id"], call.params["implied_role_id"])
    return _pair(call, call.cloud.identity.role_graph(call.context))


def delete(call: Call) -> Reply:
    """Let a role no longer imply another."""
    call.cloud.identity.stop_implying(call.context, call.params["role_id"], call.params["implied_role_id"])
    return Reply()


def _pair(call: Call, graph: RoleGraph) -> Reply:
    prior = _role(graph, call.params["role_id"])
    implied = _role(graph, call.params["implied_role_id"])
    here = call.url(f"/v3/roles/{prior.id}/implies/{implied.id}")
    shown = {"prior_role": _reference(call, prior), "implies": _reference(call, implied)}
    return Reply({"role_inference": shown, "links": {"self": here}})


def _rule(call: Call, graph: RoleGraph, prior: Role) -> Json:
    implied = [_reference(call, graph.roles[role_id]) for role_id in graph.implied.get(prior.id, ())]
    return {"prior_role": _reference(call, prior), "implies": implied}


def _role(graph: RoleGraph, role_id: str) -> Role:
    if role_id not in graph.roles:
        raise NotFound(f"Could not find role: {role_id}.")
    return graph.roles[role_id]


def _reference(call: Call, role: Role) -> Json:
    return {"id": role.id, "name": role.name, "links": {"self": call.url(f"/v3/roles/{role.id}")}}
