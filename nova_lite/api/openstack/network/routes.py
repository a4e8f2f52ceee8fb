"""The route table of the network API."""

from nova_lite.api.openstack.network import discovery, networks, ports, quotas, security_groups, subnets
from nova_lite.api.openstack.schemas import networks as schemas
from nova_lite.api.route import PUBLIC, Route

_GROUPS = "/v2.0/security-groups"
_RULES = "/v2.0/security-group-rules"

ROUTES: tuple[Route, ...] = (
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
    Route("GET", "/v2.0/ports/{port_id}", ports.show, "get_port"),
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
    Route("GET", "/v2.0/floatingips", discovery.empty("floatingips"), "get_floatingip"),
    Route("GET", "/v2.0/floatingips/{item_id}", discovery.absent("Floating IP"), "get_floatingip"),
    Route("GET", "/v2.0/routers", discovery.empty("routers"), "get_router"),
    Route("GET", "/v2.0/routers/{item_id}", discovery.absent("Router"), "get_router"),
    Route("GET", "/v2.0/subnetpools", discovery.empty("subnetpools"), "get_subnetpool"),
    Route("GET", "/v2.0/address-groups", discovery.empty("address_groups"), "get_address_group"),
    Route("GET", "/v2.0/agents", discovery.empty("agents"), "get_agent"),
    Route("GET", "/v2.0/availability_zones", discovery.empty("availability_zones"), "get_availability_zone"),
)
