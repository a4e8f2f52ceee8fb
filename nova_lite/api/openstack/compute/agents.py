"""Builds of guest agents."""

import dataclasses

from nova_lite.api.call import Call, Reply
from nova_lite.core.agent import AgentBuild
from nova_lite.core.errors import InvalidInput

_LARGEST = 2**31 - 1


def listing(call: Call) -> Reply:
    """List builds, all or those for a hypervisor."""
    found = call.cloud.agents.listing(call.context, call.query("hypervisor") or "")
    return Reply({"agents": [_view(build) for build in found]})


def create(call: Call) -> Reply:
    """Add a build."""
    build = call.cloud.agents.create(call.context, AgentBuild(**call.body["agent"]))
    return Reply({"agent": _view(build)})


def update(call: Call) -> Reply:
    """Say which version there is and where."""
    wanted, build_id = call.body["para"], _id(call)
    call.cloud.agents.update(call.context, build_id, **wanted)
    return Reply({"agent": {"agent_id": build_id, **wanted}})


def delete(call: Call) -> Reply:
    """Remove a build."""
    call.cloud.agents.delete(call.context, _id(call))
    return Reply()


def _id(call: Call) -> int:
    text = call.params["agent_id"]
    if not (text.isascii() and text.isdigit() and int(text[:11]) <= _LARGEST):
        raise InvalidInput(f"{text[:40]} is not the id of an agent-build.")
    return int(text)


def _view(build: AgentBuild) -> dict[str, str | int]:
    values = dataclasses.asdict(build)
    return {"agent_id": values.pop("id"), **values}
