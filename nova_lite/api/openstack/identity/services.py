"""The catalog, and the services, endpoints and regions that it is made of.

Most follow from the flags; what the operator adds is kept in the database.
"""

import dataclasses

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.bodies import extra_of
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core import ids
from nova_lite.core.catalog_entries import EndpointEntry, RegionEntry, ServiceEntry
from nova_lite.core.errors import NotFound

_ANY_PROJECT = "$(project_id)s"
"""How an endpoint whose URL has a project shows it outside any project."""

_SERVICE = frozenset({"type", "name", "description", "enabled"})
_ENDPOINT = frozenset({"service_id", "interface", "url", "region", "region_id", "enabled"})
_REGION = frozenset({"description", "parent_region_id"})


def catalog(call: Call, project_id: str) -> list[Json]:
    """Return the catalog for a token of a project, with URLs that the client can reach."""
    services = {service["id"]: service for service in _services(call) if service["enabled"]}
    found: dict[str, Json] = {}
    for endpoint in _endpoints(call, project_id):
        service = services.get(endpoint["service_id"])
        if service is None or not endpoint["enabled"] or endpoint["url"] is None:
            continue
        entry = found.setdefault(
            service["id"],
            {"id": service["id"], "type": service["type"], "name": service["name"], "endpoints": []},
        )
        shown = {name: endpoint[name] for name in ("id", "interface", "region", "region_id", "url")}
        entry["endpoints"].append(shown)
    return list(found.values())


def list_services(call: Call) -> Reply:
    """List the services, by type or name where the query says so."""
    return listed(call, "services", _wanted(call, _services(call), "type", "name"))


def show_service(call: Call) -> Reply:
    """Show a service."""
    return Reply({"service": _find(call, _services(call), "service")})


def create_service(call: Call) -> Reply:
    """Add a service to the catalog."""
    body = call.body["service"]
    entry = ServiceEntry(
        id=ids.new_hex(),
        type=body["type"],
        name=body.get("name") or "",
        description=body.get("description") or "",
        enabled=body.get("enabled", True),
        extra=extra_of(body, _SERVICE),
    )
    return Reply({"service": _service(call, call.cloud.identity.add_entry(call.context, entry))})


def update_service(call: Call) -> Reply:
    """Change a service that was added."""
    body = call.body["service"]

    def change(entry: ServiceEntry) -> ServiceEntry:
        values = {name: body[name] for name in _SERVICE if body.get(name) is not None}
        return dataclasses.replace(entry, **values, extra={**entry.extra, **extra_of(body, _SERVICE)})

    changed = call.cloud.identity.change_entry(call.context, ServiceEntry, call.params["service_id"], change)
    return Reply({"service": _service(call, changed)})


def delete_service(call: Call) -> Reply:
    """Remove a service that was added, with its endpoints."""
    call.cloud.identity.delete_entry(call.context, ServiceEntry, call.params["service_id"])
    return Reply()


def list_endpoints(call: Call) -> Reply:
    """List the endpoints, by service, interface or region where the query says so."""
    found = _wanted(call, _endpoints(call, _ANY_PROJECT), "service_id", "interface", "region_id", "region")
    return listed(call, "endpoints", found)


def show_endpoint(call: Call) -> Reply:
    """Show an endpoint."""
    return Reply({"endpoint": _find(call, _endpoints(call, _ANY_PROJECT), "endpoint")})


def create_endpoint(call: Call) -> Reply:
    """Add an endpoint to the catalog."""
    body = call.body["endpoint"]
    entry = EndpointEntry(
        id=ids.new_hex(),
        service_id=body["service_id"],
        interface=body["interface"],
        url=body["url"],
        region_id=body.get("region_id") or body.get("region") or "",
        enabled=body.get("enabled", True),
        extra=extra_of(body, _ENDPOINT),
    )
    made = call.cloud.identity.add_entry(call.context, entry)
    return Reply({"endpoint": _endpoint(call, made, made.url)})


def update_endpoint(call: Call) -> Reply:
    """Change an endpoint that was added."""
    body = call.body["endpoint"]

    def change(entry: EndpointEntry) -> EndpointEntry:
        kept = ("service_id", "interface", "url", "region_id", "enabled")
        values = {name: body[name] for name in kept if body.get(name) is not None}
        if body.get("region"):
            values.setdefault("region_id", body["region"])
        return dataclasses.replace(entry, **values, extra={**entry.extra, **extra_of(body, _ENDPOINT)})

    changed = call.cloud.identity.change_entry(
        call.context, EndpointEntry, call.params["endpoint_id"], change
    )
    return Reply({"endpoint": _endpoint(call, changed, changed.url)})


def delete_endpoint(call: Call) -> Reply:
    """Remove an endpoint that was added."""
    call.cloud.identity.delete_entry(call.context, EndpointEntry, call.params["endpoint_id"])
    return Reply()


def list_regions(call: Call) -> Reply:
    """List the regions, below a region where the query says so."""
    return listed(call, "regions", _wanted(call, _regions(call), "parent_region_id"))


def show_region(call: Call) -> Reply:
    """Show a region."""
    return Reply({"region": _find(call, _regions(call), "region")})


def create_region(call: Call) -> Reply:
    """Add a region."""
    body = call.body["region"]
    entry = RegionEntry(
        id=body.get("id") or ids.new_hex(),
        description=body.get("description") or "",
        parent_region_id=body.get("parent_region_id") or "",
        extra=extra_of(body, _REGION),
    )
    return Reply({"region": _region(call, call.cloud.identity.add_entry(call.context, entry))})


def update_region(call: Call) -> Reply:
    """Change a region that was added."""
    body = call.body["region"]

    def change(entry: RegionEntry) -> RegionEntry:
        values = {name: body[name] or "" for name in _REGION if name in body}
        return dataclasses.replace(entry, **values, extra={**entry.extra, **extra_of(body, _REGION)})

    changed = call.cloud.identity.change_entry(call.context, RegionEntry, call.params["region_id"], change)
    return Reply({"region": _region(call, changed)})


def delete_region(call: Call) -> Reply:
    """Remove a region that was added and has no endpoints."""
    call.cloud.identity.delete_entry(call.context, RegionEntry, call.params["region_id"])
    return Reply()


def _services(call: Call) -> list[Json]:
    identity = call.cloud.identity
    built_in = [ServiceEntry(one.id, one.type, one.name) for one in identity.catalog.services]
    return [_service(call, entry) for entry in (*built_in, *identity.entries().services)]


def _endpoints(call: Call, project_id: str) -> list[Json]:
    """Return every endpoint; the URL of one that needs a project is None without one."""
    identity = call.cloud.identity
    shown = []
    for one in identity.catalog.endpoints(call.request.host_url, project_id):
        entry = EndpointEntry(one.id, one.service.id, one.interface, one.url, one.region)
        shown.append(_endpoint(call, entry, one.url))
    for entry in identity.entries().endpoints:
        url = entry.url if project_id == _ANY_PROJECT else entry.url_for(project_id)
        shown.append(_endpoint(call, entry, url))
    return shown


def _regions(call: Call) -> list[Json]:
    identity = call.cloud.identity
    return [
        _region(call, entry) for entry in (RegionEntry(identity.catalog.region), *identity.entries().regions)
    ]


def _wanted(call: Call, found: list[Json], *names: str) -> list[Json]:
    return [row for row in found if all(call.query(name) in (None, row[name]) for name in names)]


def _find(call: Call, found: list[Json], noun: str) -> Json:
    wanted = call.params[f"{noun}_id"]
    for row in found:
        if row["id"] == wanted:
            return row
    raise NotFound(f"Could not find {noun}: {wanted}.")


def _service(call: Call, entry: ServiceEntry) -> Json:
    shown = {
        **entry.extra,
        "id": entry.id,
        "type": entry.type,
        "name": entry.name,
        "enabled": entry.enabled,
        "links": {"self": call.url(f"/v3/services/{entry.id}")},
    }
    return shown | ({"description": entry.description} if entry.description else {})


def _endpoint(call: Call, entry: EndpointEntry, url: str | None) -> Json:
    return {
        **entry.extra,
        "id": entry.id,
        "service_id": entry.service_id,
        "interface": entry.interface,
        "region": entry.region_id or None,
        "region_id": entry.region_id or None,
        "url": url,
        "enabled": entry.enabled,
        "links": {"self": call.url(f"/v3/endpoints/{entry.id}")},
    }


def _region(call: Call, entry: RegionEntry) -> Json:
    return {
        **entry.extra,
        "id": entry.id,
        "description": entry.description,
        "parent_region_id": entry.parent_region_id or None,
        "links": {"self": call.url(f"/v3/regions/{entry.id}")},
    }
