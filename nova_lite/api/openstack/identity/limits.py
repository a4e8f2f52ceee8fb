"""Limits that identity keeps for services: registered ones for everybody, others for a project or a domain."""

import dataclasses
from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core.limits import MODEL, MODEL_DESCRIPTION, Limit, LimitFilter, RegisteredLimit


def register(call: Call) -> Reply:
    """Add limits of everybody."""
    wanted = [
        RegisteredLimit(
            "", body["service_id"], body["resource_name"], body["default_limit"],
            body.get("region_id") or "", body.get("description"),
        )
        for body in call.body["registered_limits"]
    ]  # fmt: skip
    made = call.cloud.identity.register_limits(call.context, wanted)
    return Reply({"registered_limits": [_registered(call, one) for one in made]})


def list_registered(call: Call) -> Reply:
    """List the limits of everybody."""
    names = ("service_id", "region_id", "resource_name")
    found = call.cloud.identity.list_registered_limits(call.context, _wanted(call, *names))
    return listed(call, "registered_limits", [_registered(call, one) for one in found])


def show_registered(call: Call) -> Reply:
    """Show a limit of everybody."""
    found = call.cloud.identity.get_registered_limit(call.context, call.params["limit_id"])
    return Reply({"registered_limit": _registered(call, found)})


def update_registered(call: Call) -> Reply:
    """Change a limit of everybody."""
    changes = _changes(call.body["registered_limit"])
    changed = call.cloud.identity.update_registered_limit(
        call.context, call.params["limit_id"], lambda limit: dataclasses.replace(limit, **changes)
    )
    return Reply({"registered_limit": _registered(call, changed)})


def delete_registered(call: Call) -> Reply:
    """Remove a limit of everybody."""
    call.cloud.identity.delete_registered_limit(call.context, call.params["limit_id"])
    return Reply()


def create(call: Call) -> Reply:
    """Add limits of projects and domains."""
    wanted = [
        Limit(
            "", body["service_id"], body["resource_name"], body["resource_limit"], body.get("region_id") or "",
            body.get("project_id") or "", body.get("domain_id") or "", body.get("description"),
        )
        for body in call.body["limits"]
    ]  # fmt: skip
    made = call.cloud.identity.create_limits(call.context, wanted)
    return Reply({"limits": [_limit(call, one) for one in made]})


def listing(call: Call) -> Reply:
    """List the limits of projects and domains."""
    names = ("service_id", "region_id", "resource_name", "project_id", "domain_id")
    found = call.cloud.identity.list_limits(call.context, _wanted(call, *names))
    return listed(call, "limits", [_limit(call, one) for one in found])


def model(call: Call) -> Reply:
    """Tell by which model services are to keep to limits."""
    return Reply({"model": {"name": MODEL, "description": MODEL_DESCRIPTION}})


def show(call: Call) -> Reply:
    """Show a limit of a project or a domain."""
    found = call.cloud.identity.get_limit(call.context, call.params["limit_id"])
    return Reply({"limit": _limit(call, found)})


def update(call: Call) -> Reply:
    """Change a limit of a project or a domain."""
    changes = _changes(call.body["limit"])
    changed = call.cloud.identity.update_limit(
        call.context, call.params["limit_id"], lambda limit: dataclasses.replace(limit, **changes)
    )
    return Reply({"limit": _limit(call, changed)})


def delete(call: Call) -> Reply:
    """Remove a limit of a project or a domain."""
    call.cloud.identity.delete_limit(call.context, call.params["limit_id"])
    return Reply()


def _changes(body: Json) -> dict[str, Any]:
    return body | ({"region_id": body["region_id"] or ""} if "region_id" in body else {})


def _wanted(call: Call, *names: str) -> LimitFilter:
    return LimitFilter(**{name: call.query(name) for name in names})


def _registered(call: Call, limit: RegisteredLimit) -> Json:
    return {
        "id": limit.id,
        "service_id": limit.service_id,
        "region_id": limit.region_id or None,
        "resource_name": limit.resource_name,
        "default_limit": limit.default_limit,
        "description": limit.description,
        "links": {"self": call.url(f"/v3/registered_limits/{limit.id}")},
    }


def _limit(call: Call, limit: Limit) -> Json:
    return {
        "id": limit.id,
        "project_id": limit.project_id or None,
        "domain_id": limit.domain_id or None,
        "service_id": limit.service_id,
        "region_id": limit.region_id or None,
        "resource_name": limit.resource_name,
        "resource_limit": limit.resource_limit,
        "description": limit.description,
        "links": {"self": call.url(f"/v3/limits/{limit.id}")},
    }
