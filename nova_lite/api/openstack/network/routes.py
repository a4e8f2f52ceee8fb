"""The route table of the network API."""

import dataclasses

from nova_lite.api.openstack.network import (
    agents,
    discovery,
    floating_ips,
    networks,
    ports,
    quotas,
    routers,
    security_groups,
    subnets,
    tags,
)
from nova_lite.api.openstack.network.revisions import matched
from nova_lite.api.openstack.schemas import networks as schemas
from nova_lite.api.route import PUBLIC, Route

_FLOATING = "/v2.0/floatingips"
_GROUPS = "/v2.0/security-groups"
_ROUTERS = "/v2.0/routers"
_ROUTER = "/v2.0/routers/{router_id}"
_RULES = "/v2.0/security-group-rules"

_AGENT = "/v2.0/agents/{agent_id}"
_AVAILABILITY = "/v2.0/network-ip-availabilities"


def _tags() -> tuple[Route, ...]:
    """Return the routes of tags, which are the same for each collection that has them."""
    found: list[Route] = []
    for collection in tags.FINDERS:
        every = f"/v2.0/{collection}/{{resource_id}}/tags"
        one = f"{every}/{{tag}}"
        singular = collection.removesuffix("s").replace("-", "_")
        get, change = f"get_{singular}", f"update_{singular}"
        found += [
            Route("GET", every, tags.listing(collection), get),
            Route("PUT", every, tags.replace(collection), change, schemas.REPLACE_TAGS),
            Route("DELETE", every, tags.remove_all(collection), change, status=204),
            Route("GET", one, tags.check(collection), get, status=204),
            Route("PUT", one, tags.add(collection), change, status=201),
            Route("DELETE", one, tags.remove(collection), change, status=204),
        ]
    return tuple(found)


def _conditional(route: Route) -> Route:
    """Return a row that heeds If-Match where it changes or deletes one resource."""
    collection = route.path.split("/")[2] if route.path.count("/") > 2 else ""
    if route.method not in ("PUT", "DELETE") or collection not in tags.FINDERS:
        return route
    return dataclasses.replace(route, handler=matched(route.handler))


_ROWS: tuple[Route, ...] = (
    Route("GET", "/", discovery.versions, PUBLIC),
    Route("GET", "/v2.0", discovery.resources, PUBLIC),
    Route("GET", "/v2.0/extensions", discovery.extensions, "get_extension"),
    Route("GET", "/v2.0/extensions/{alias}", discovery.extension, "get_extension"),
    Route("GET", "/v2.0/networks", networks.listing, "get_network"),
    Route("POST", "/v2.0/networks", networks.create, "create_network", schemas.CREATE_NETWORK, status=201),
    Route("GET", "/v2.0/networks/{network_id}", networks.show, "get_network"),
    Route("PUT", "/v2.0/networks/{network_id}", networks.update, "update_network", schemas.UPDATE_NETWORK),
    Route("DELETE", "/v2.0/networks/{network_id}", networks.delete, "delete_network", status=204),
    Route("GET", "/v2.0/subnets", subnets.listing, "get_subnet"),
    Route("POST", "/v2.0/subnets", subnets.create, "create_subnet", schemas.CREATE_SUBNET, status=201),
    Route("GET", "/v2.0/subnets/{subnet_id}", subnets.show, "get_subnet"),
    Route("PUT", "/v2.0/subnets/{subnet_id}", subnets.update, "update_subnet", schemas.UPDATE_SUBNET),
    Route("DELETE", "/v2.0/subnets/{subnet_id}", subnets.delete, "delete_subnet", status=204),
    Route("GET", "/v2.0/ports", ports.listing, "get_port"),
    Route("POST", "/v2.0/ports", ports.create, "create_port", schemas.CREATE_PORT, status=201),
    Route("GET", "/v2.0/ports/{port_id}", ports.show, "get_port"),
    Route("PUT", "/v2.0/ports/{port_id}", ports.update, "update_port", schemas.UPDATE_PORT),
    Route("DELETE", "/v2.0/ports/{port_id}", ports.delete, "delete_port", status=204),
    Route("GET", _GROUPS, security_groups.listing, "get_security_group"),
    Route("POST", _GROUPS, security_groups.create, "create_security_group", schemas.CREATE_GROUP, status=201),
    Route("GET", f"{_GROUPS}/{{group_id}}", security_groups.show, "get_security_group"),
    Route(
        "PUT",
        f"{_GROUPS}/{{group_id}}",
        security_groups.update,
        "update_security_group",
        schemas.UPDATE_GROUP,
    ),
    Route("DELETE", f"{_GROUPS}/{{group_id}}", security_groups.delete, "delete_security_group", status=204),
    Route("GET", _RULES, security_groups.list_rules, "get_security_group_rule"),
    Route(
        "POST",
        _RULES,
        security_groups.create_rule,
        "create_security_group_rule",
        schemas.CREATE_RULE,
        status=201,
    ),
    Route("GET", f"{_RULES}/{{rule_id}}", security_groups.show_rule, "get_security_group_rule"),
    Route(
        "DELETE",
        f"{_RULES}/{{rule_id}}",
        security_groups.delete_rule,
        "delete_security_group_rule",
        status=204,
    ),
    Route("GET", "/v2.0/quotas/{project_id}", quotas.show, "get_quota"),
    Route("GET", "/v2.0/quotas/{project_id}/default", quotas.show_default, "get_quota"),
    Route("GET", "/v2.0/quotas/{project_id}/details", quotas.show_details, "get_quota"),
    Route("PUT", "/v2.0/quotas/{project_id}", quotas.update, "update_quota", schemas.UPDATE_QUOTA),
    Route("DELETE", "/v2.0/quotas/{project_id}", quotas.delete, "delete_quota", status=204),
    Route("GET", _FLOATING, floating_ips.listing, "get_floatingip"),
    Route("POST", _FLOATING, floating_ips.create, "create_floatingip", schemas.CREATE_FLOATING_IP, status=201),
    Route("GET", f"{_FLOATING}/{{floatingip_id}}", floating_ips.show, "get_floatingip"),
    Route(
        "PUT",
        f"{_FLOATING}/{{floatingip_id}}",
        floating_ips.update,
        "update_floatingip",
        schemas.UPDATE_FLOATING_IP,
    ),
    Route("DELETE", f"{_FLOATING}/{{floatingip_id}}", floating_ips.delete, "delete_floatingip", status=204),
    Route("GET", _ROUTERS, routers.listing, "get_router"),
    Route("POST", _ROUTERS, routers.create, "create_router", schemas.CREATE_ROUTER, status=201),
    Route("GET", _ROUTER, routers.show, "get_router"),
    Route("PUT", _ROUTER, routers.update, "update_router", schemas.UPDATE_ROUTER),
    Route("DELETE", _ROUTER, routers.delete, "delete_router", status=204),
    Route(
        "PUT",
        f"{_ROUTER}/add_router_interface",
        routers.add_interface,
        "add_router_interface",
        schemas.ROUTER_INTERFACE,
    ),
    Route(
        "PUT",
        f"{_ROUTER}/remove_router_interface",
        routers.remove_interface,
        "remove_router_interface",
        schemas.ROUTER_INTERFACE,
    ),
    *(
        Route("PUT", f"{_ROUTER}/{verb}", routers.change_routes, verb, schemas.EXTRA_ROUTES)
        for verb in ("add_extraroutes", "remove_extraroutes")
    ),
    Route("GET", "/v2.0/subnetpools", discovery.empty("subnetpools"), "get_subnetpool"),
    Route("GET", "/v2.0/address-groups", discovery.empty("address_groups"), "get_address_group"),
    Route("GET", "/v2.0/agents", agents.listing, "get_agent"),
    Route("GET", _AGENT, agents.show, "get_agent"),
    Route("PUT", _AGENT, agents.update, "update_agent", schemas.UPDATE_AGENT),
    Route("DELETE", _AGENT, agents.delete, "delete_agent", status=204),
    Route("GET", "/v2.0/availability_zones", agents.zones, "get_availability_zone"),
    Route("GET", "/v2.0/service-providers", agents.providers, "get_service_provider"),
    Route("GET", _AVAILABILITY, agents.availabilities, "get_network_ip_availability"),
    Route("GET", f"{_AVAILABILITY}/{{network_id}}", agents.availability, "get_network_ip_availability"),
)

ROUTES: tuple[Route, ...] = tuple(map(_conditional, (*_ROWS, *_tags())))
