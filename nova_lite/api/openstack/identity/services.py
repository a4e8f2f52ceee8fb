"""The catalog, and the services, endpoints and regions that it is made of; all of it follows from flags."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core.catalog import CatalogService, Endpoint
from nova_lite.core.errors import NotFound

_ANY_PROJECT = "$(project_id)s"
"""How an endpoint whose URL has a project shows it outside any project."""


def catalog(call: Call, project_id: str) -> list[Json]:
    """Return the catalog for a token of a project, with URLs that the client can reach."""
    entries: dict[str, Json] = {}
    for endpoint in call.cloud.identity.catalog.endpoints(call.request.host_url, project_id):
        service = endpoint.service
        entry = entries.setdefault(
            service.id, {"id": service.id, "type": service.type, "name": service.name, "endpoints": []}
        )
        entry["endpoints"].append(
            {
                "id": endpoint.id,
                "interface": endpoint.interface,
                "region": endpoint.region,
                "region_id": endpoint.region,
                "url": endpoint.url,
            }
        )
    return list(entries.values())


def list_services(call: Call) -> Reply:
    """List the services, by type or name where the query says so."""
    found = [
        _service(call, service)
        for service in call.cloud.identity.catalog.services
        if call.query("type") in (None, service.type) and call.query("name") in (None, service.name)
    ]
    return listed(call, "services", found)


def show_service(call: Call) -> Reply:
    """Show a service."""
    wanted = call.params["service_id"]
    for service in call.cloud.identity.catalog.services:
        if service.id == wanted:
            return Reply({"service": _service(call, service)})
    raise NotFound(f"Could not find service: {wanted}.")


def list_endpoints(call: Call) -> Reply:
    """List the endpoints, by service, interface or region where the query says so."""
    found = [
        _endpoint(call, endpoint)
        for endpoint in _endpoints(call)
        if call.query("service_id") in (None, endpoint.service.id)
        and call.query("interface") in (None, endpoint.interface)
        and call.query("region_id", call.query("region")) in (None, endpoint.region)
    ]
    return listed(call, "endpoints", found)


def show_endpoint(call: Call) -> Reply:
    """Show an endpoint."""
    wanted = call.params["endpoint_id"]
    for endpoint in _endpoints(call):
        if endpoint.id == wanted:
            return Reply({"endpoint": _endpoint(call, endpoint)})
    raise NotFound(f"Could not find endpoint: {wanted}.")


def list_regions(call: Call) -> Reply:
    """List the regions, of which there is one."""
    return listed(call, "regions", [_region(call)])


def show_region(call: Call) -> Reply:
    """Show a region."""
    wanted = call.params["region_id"]
    if wanted != call.cloud.identity.catalog.region:
        raise NotFound(f"Could not find region: {wanted}.")
    return Reply({"region": _region(call)})


def _endpoints(call: Call) -> list[Endpoint]:
    return call.cloud.identity.catalog.endpoints(call.request.host_url, _ANY_PROJECT)


def _service(call: Call, service: CatalogService) -> Json:
    return {
        "id": service.id,
        "type": service.type,
        "name": service.name,
        "enabled": True,
        "links": {"self": call.url(f"/v3/services/{service.id}")},
    }


def _endpoint(call: Call, endpoint: Endpoint) -> Json:
    return {
        "id": endpoint.id,
        "service_id": endpoint.service.id,
        "interface": endpoint.interface,
        "region": endpoint.region,
        "region_id": endpoint.region,
        "url": endpoint.url,
        "enabled": True,
        "links": {"self": call.url(f"/v3/endpoints/{endpoint.id}")},
    }


def _region(call: Call) -> Json:
    region = call.cloud.identity.catalog.region
    return {
        "id": region,
        "description": "",
        "parent_region_id": None,
        "links": {"self": call.url(f"/v3/regions/{region}")},
    }
