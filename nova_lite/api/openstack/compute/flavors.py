"""Flavors of the compute API."""

import urllib.parse
from collections.abc import Mapping

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import limit_of, truth
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.extra_specs import problem
from nova_lite.core.instance import Flavor

_SORT_KEYS = {
    "flavorid": "id", "name": "name", "memory_mb": "memory_mb", "vcpus": "vcpus", "root_gb": "root_gb",
    "ephemeral_gb": "ephemeral_gb", "swap": "swap_mb", "rxtx_factor": "rxtx_factor",
}  # fmt: skip


def listing(call: Call) -> Reply:
    """List flavors by id and name."""
    found, more = _page(call)
    flavors = []
    for flavor in found:
        entry: Json = {"id": flavor.id, "name": flavor.name, "links": _links(call, flavor)}
        if call.at_least(55):
            entry["description"] = flavor.description
        flavors.append(entry)
    return Reply({"flavors": flavors} | _next(call, found, more, ""))


def detail(call: Call) -> Reply:
    """List flavors in full."""
    found, more = _page(call)
    return Reply({"flavors": [view(call, flavor) for flavor in found]} | _next(call, found, more, "/detail"))


def show(call: Call) -> Reply:
    """Show a flavor."""
    return Reply({"flavor": view(call, call.cloud.flavors.get(call.context, call.params["flavor_id"]))})


def create(call: Call) -> Reply:
    """Add a flavor."""
    wanted = call.body["flavor"]
    flavor = Flavor(
        id=str(wanted.get("id") or ""),
        name=wanted["name"].strip(),
        memory_mb=int(wanted["ram"]),
        vcpus=int(wanted["vcpus"]),
        root_gb=int(wanted["disk"]),
        ephemeral_gb=int(wanted.get("OS-FLV-EXT-DATA:ephemeral", 0)),
        swap_mb=int(wanted.get("swap") or 0),
        rxtx_factor=float(wanted.get("rxtx_factor", 1.0)),
        is_public=truth(wanted.get("os-flavor-access:is_public", True)),
        description=wanted.get("description"),
    )
    return Reply({"flavor": view(call, call.cloud.flavors.create(call.context, flavor))})


def update(call: Call) -> Reply:
    """Change a flavor's description."""
    description = call.body["flavor"]["description"]
    flavor = call.cloud.flavors.describe(call.context, call.params["flavor_id"], description)
    return Reply({"flavor": view(call, flavor)})


def delete(call: Call) -> Reply:
    """Remove a flavor."""
    call.cloud.flavors.delete(call.context, call.params["flavor_id"])
    return Reply()


def list_extra_specs(call: Call) -> Reply:
    """List a flavor's extra specs."""
    return Reply({"extra_specs": dict(_specs(call))})


def add_extra_specs(call: Call) -> Reply:
    """Add extra specs."""
    wanted = {key: str(value) for key, value in call.body["extra_specs"].items()}
    _check_specs(call, wanted)
    call.cloud.flavors.set_extra_specs(call.context, call.params["flavor_id"], wanted)
    return Reply({"extra_specs": wanted})


def show_extra_spec(call: Call) -> Reply:
    """Show one extra spec."""
    key, found = call.params["key"], _specs(call)
    if key not in found:
        raise NotFound(f"Flavor {call.params['flavor_id']} has no extra specs with key {key}.")
    return Reply({key: found[key]})


def set_extra_spec(call: Call) -> Reply:
    """Set one extra spec."""
    key = call.params["key"]
    if list(call.body) != [key]:
        raise InvalidInput("Request body and URI mismatch")
    value = {key: str(call.body[key])}
    _check_specs(call, value)
    call.cloud.flavors.set_extra_specs(call.context, call.params["flavor_id"], value)
    return Reply(value)


def _check_specs(call: Call, specs: Mapping[str, str]) -> None:
    """Raise InvalidInput for names and values that cannot be, as far as they are known (since 2.86)."""
    for name, value in specs.items() if call.at_least(86) else ():
        wrong = problem(name, value)
        if wrong:
            raise InvalidInput(wrong)


def delete_extra_spec(call: Call) -> Reply:
    """Remove an extra spec."""
    call.cloud.flavors.delete_extra_spec(call.context, call.params["flavor_id"], call.params["key"])
    return Reply()


def list_access(call: Call) -> Reply:
    """List the projects that may use a flavor that is not public."""
    flavor_id = call.params["flavor_id"]
    return _access(flavor_id, call.cloud.flavors.access(call.context, flavor_id))


def add_access(call: Call) -> Reply:
    """Let a project use a flavor."""
    flavor_id, project = call.params["flavor_id"], call.body["addTenantAccess"]["tenant"]
    return _access(flavor_id, call.cloud.flavors.add_access(call.context, flavor_id, project))


def remove_access(call: Call) -> Reply:
    """Take a flavor from a project."""
    flavor_id, project = call.params["flavor_id"], call.body["removeTenantAccess"]["tenant"]
    return _access(flavor_id, call.cloud.flavors.remove_access(call.context, flavor_id, project))


def view(call: Call, flavor: Flavor) -> Json:
    """Return a flavor as the compute API shows it."""
    shown: Json = {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "disk": flavor.root_gb,
        "swap": flavor.swap_mb or (0 if call.at_least(75) else ""),
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb,
        "OS-FLV-DISABLED:disabled": flavor.disabled,
        "os-flavor-access:is_public": flavor.is_public,
        "rxtx_factor": flavor.rxtx_factor,
        "links": _links(call, flavor),
    }
    if call.at_least(55):
        shown["description"] = flavor.description
    if call.at_least(61):
        shown["extra_specs"] = dict(flavor.extra_specs)
    return shown


def _specs(call: Call) -> Mapping[str, str]:
    return call.cloud.flavors.get(call.context, call.params["flavor_id"]).extra_specs


def _access(flavor_id: str, projects: list[str]) -> Reply:
    rows = [{"flavor_id": flavor_id, "tenant_id": project} for project in projects]
    return Reply({"flavor_access": rows})


def _links(call: Call, flavor: Flavor) -> list[Json]:
    return [
        {"rel": "self", "href": call.url(f"/v2.1/flavors/{flavor.id}")},
        {"rel": "bookmark", "href": call.url(f"/flavors/{flavor.id}")},
    ]


def _page(call: Call) -> tuple[list[Flavor], bool]:
    """Return the wanted part of the list, and whether there is more; raises InvalidInput."""
    query = call.request.GET
    found = call.cloud.flavors.listing(call.context)
    wanted = query.get("is_public", "true")
    if not call.context.is_admin or wanted.lower() not in ("none", "false", "0"):
        found = [flavor for flavor in found if flavor.is_public or not call.context.is_admin]
    elif wanted.lower() != "none":
        found = [flavor for flavor in found if not flavor.is_public]
    for name, attribute in (("minRam", "memory_mb"), ("minDisk", "root_gb")):
        if name in query:
            found = [flavor for flavor in found if getattr(flavor, attribute) >= _number(name, query[name])]
    found = _sorted(call, found)
    marker = query.get("marker")
    if marker is not None:
        ids = [flavor.id for flavor in found]
        if marker not in ids:
            raise InvalidInput(f"marker [{marker}] not found")
        found = found[ids.index(marker) + 1 :]
    limit = limit_of(call)
    return found[:limit], len(found) > limit


def _sorted(call: Call, found: list[Flavor]) -> list[Flavor]:
    key, direction = call.query("sort_key", "flavorid"), call.query("sort_dir", "asc")
    if key not in _SORT_KEYS or direction not in ("asc", "desc"):
        raise InvalidInput(f"Cannot sort flavors by {key} {direction}.")
    return sorted(found, key=lambda flavor: getattr(flavor, _SORT_KEYS[key]), reverse=direction == "desc")


def _next(call: Call, found: list[Flavor], more: bool, path: str) -> Json:
    if not more:
        return {}
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", found[-1].id)])
    return {"flavors_links": [{"rel": "next", "href": call.url(f"/v2.1/flavors{path}?{query}")}]}


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"Invalid {name} filter [{text[:40]}]")
    return int(text[:18])
