"""The routes by which compute speaks for the network, and by which servers have its addresses and groups."""

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.compute import (
    fixed_ips,
    floating_ip_dns,
    floating_ips,
    networks,
    security_groups,
)
from nova_lite.api.openstack.compute.server_routes import SERVER, action_route
from nova_lite.api.openstack.schemas import compute as smaller
from nova_lite.api.openstack.schemas import server_actions as actions
from nova_lite.api.route import Route

_GROUPS = "/v2.1/os-security-groups"
_GROUP = "/v2.1/os-security-groups/{group_id}"
_RULES = "/v2.1/os-security-group-rules"
_GROUP_RULE = "os_compute_api:os-security-groups"
_FLOATING = "/v2.1/os-floating-ips"
_DNS = "/v2.1/os-floating-ip-dns"
_DNS_ENTRY = "/v2.1/os-floating-ip-dns/{domain}/entries/{name}"
_DNS_RULE = "os_compute_api:os-floating-ip-dns"
_FIXED = "/v2.1/os-fixed-ips/{address}"
_ADDRESSES_UNTIL = Microversion(2, 43)
"""The last version at which compute gives servers addresses."""
_PROXIED = Microversion(2, 35)
"""The last version at which compute speaks for the network."""

NETWORKS: tuple[Route, ...] = (
    Route("GET", _GROUPS, security_groups.listing, f"{_GROUP_RULE}:get", until=_PROXIED),
    Route(
        "POST", _GROUPS, security_groups.create, f"{_GROUP_RULE}:create", smaller.CREATE_SECURITY_GROUP,
        until=_PROXIED,
    ),
    Route("GET", _GROUP, security_groups.show, f"{_GROUP_RULE}:show", until=_PROXIED),
    Route(
        "PUT", _GROUP, security_groups.update, f"{_GROUP_RULE}:update", smaller.UPDATE_SECURITY_GROUP,
        until=_PROXIED,
    ),
    Route("DELETE", _GROUP, security_groups.delete, f"{_GROUP_RULE}:delete", status=202, until=_PROXIED),
    Route(
        "POST", _RULES, security_groups.create_rule, f"{_GROUP_RULE}:rule:create",
        smaller.CREATE_SECURITY_GROUP_RULE, until=_PROXIED,
    ),
    Route(
        "DELETE", f"{_RULES}/{{rule_id}}", security_groups.delete_rule, f"{_GROUP_RULE}:rule:delete", status=202,
        until=_PROXIED,
    ),
    Route("GET", f"{SERVER}/os-security-groups", security_groups.of_server, f"{_GROUP_RULE}:list"),
    action_route(
        security_groups.add_to_server, f"{_GROUP_RULE}:add", smaller.ADD_SECURITY_GROUP, "addSecurityGroup",
    ),
    action_route(
        security_groups.remove_from_server, f"{_GROUP_RULE}:remove", smaller.REMOVE_SECURITY_GROUP,
        "removeSecurityGroup",
    ),
    Route("GET", "/v2.1/os-networks", networks.listing, "os_compute_api:os-networks:list", until=_PROXIED),
    Route(
        "POST", "/v2.1/os-networks", networks.create, "os_compute_api:os-networks:create", smaller.CREATE_NETWORK,
        until=_PROXIED,
    ),
    Route(
        "POST", "/v2.1/os-networks/add", networks.add, "os_compute_api:os-networks-associate", smaller.ADD_NETWORK,
        status=202, until=_PROXIED,
    ),
    Route(
        "DELETE", "/v2.1/os-networks/{network_id}", networks.delete, "os_compute_api:os-networks:delete", status=202,
        until=_PROXIED,
    ),
    *(
        Route(
            "POST", "/v2.1/os-networks/{network_id}/action", handler,
            "os_compute_api:os-networks-associate", actions.action(name, takes), action=name,
            status=202, until=_PROXIED,
        )
        for name, handler, takes in (
            ("disassociate", networks.disassociate, actions.NO_ARGUMENTS),
            ("disassociate_project", networks.disassociate, actions.NO_ARGUMENTS),
            ("disassociate_host", networks.disassociate_host, actions.NO_ARGUMENTS),
            ("associate_host", networks.associate_host, smaller.ASSOCIATE_HOST),
        )
    ),
    Route("GET", _FIXED, fixed_ips.show, "os_compute_api:os-fixed-ips:show", until=_PROXIED),
    *(
        Route(
            "POST", f"{_FIXED}/action", handler, f"os_compute_api:os-fixed-ips:{name}",
            actions.action(name, actions.ANYTHING), action=name, status=202, until=_PROXIED,
        )
        for name, handler in (("reserve", fixed_ips.reserve), ("unreserve", fixed_ips.unreserve))
    ),
    Route(
        "GET", "/v2.1/os-networks/{network_id}", networks.show, "os_compute_api:os-networks:show", until=_PROXIED,
    ),
    Route(
        "GET", "/v2.1/os-tenant-networks", networks.tenant_listing, "os_compute_api:os-tenant-networks:list",
        until=_PROXIED,
    ),
    Route(
        "GET", "/v2.1/os-tenant-networks/{network_id}", networks.tenant_show,
        "os_compute_api:os-tenant-networks:show", until=_PROXIED,
    ),
    Route(
        "POST", "/v2.1/os-tenant-networks", networks.tenant_create, "os_compute_api:os-tenant-networks:create",
        smaller.CREATE_TENANT_NETWORK, until=_PROXIED,
    ),
    Route(
        "DELETE", "/v2.1/os-tenant-networks/{network_id}", networks.delete,
        "os_compute_api:os-tenant-networks:delete", status=202, until=_PROXIED,
    ),
    Route(
        "GET", "/v2.1/os-floating-ip-pools", floating_ips.pools, "os_compute_api:os-floating-ip-pools", until=_PROXIED,
    ),
    Route("GET", _FLOATING, floating_ips.listing, "os_compute_api:os-floating-ips:list", until=_PROXIED),
    Route(
        "POST", _FLOATING, floating_ips.create, "os_compute_api:os-floating-ips:create", smaller.CREATE_FLOATING_IP,
        until=_PROXIED,
    ),
    Route(
        "GET", f"{_FLOATING}/{{floating_id}}", floating_ips.show, "os_compute_api:os-floating-ips:show",
        until=_PROXIED,
    ),
    Route(
        "DELETE", f"{_FLOATING}/{{floating_id}}", floating_ips.delete, "os_compute_api:os-floating-ips:delete",
        status=202, until=_PROXIED,
    ),
    action_route(
        floating_ips.add_to_server, "os_compute_api:os-floating-ips:add", smaller.ADD_FLOATING_IP, "addFloatingIp",
        until=_ADDRESSES_UNTIL,
    ),
    action_route(
        floating_ips.remove_from_server, "os_compute_api:os-floating-ips:remove", smaller.REMOVE_FLOATING_IP,
        "removeFloatingIp", until=_ADDRESSES_UNTIL,
    ),
    Route(
        "GET", _DNS, floating_ip_dns.domains, f"{_DNS_RULE}:list", until=_PROXIED,
    ),
    Route(
        "PUT", f"{_DNS}/{{domain}}", floating_ip_dns.create_domain, f"{_DNS_RULE}:domain:update",
        smaller.CREATE_DNS_DOMAIN, until=_PROXIED,
    ),
    Route(
        "DELETE", f"{_DNS}/{{domain}}", floating_ip_dns.delete_domain, f"{_DNS_RULE}:domain:delete", status=202,
        until=_PROXIED,
    ),
    Route("GET", f"{_DNS}/{{domain}}/entries", floating_ip_dns.entries, f"{_DNS_RULE}:list", until=_PROXIED),
    Route("GET", _DNS_ENTRY, floating_ip_dns.show_entry, f"{_DNS_RULE}:list", until=_PROXIED),
    Route(
        "PUT", _DNS_ENTRY, floating_ip_dns.set_entry, f"{_DNS_RULE}:entry", smaller.SET_DNS_ENTRY, until=_PROXIED,
    ),
    Route(
        "DELETE", _DNS_ENTRY, floating_ip_dns.delete_entry, f"{_DNS_RULE}:entry", status=202, until=_PROXIED,
    ),
    Route(
        "GET", f"{_FLOATING}-bulk", floating_ips.every, "os_compute_api:os-floating-ips-bulk:list", until=_PROXIED,
    ),
    Route(
        "POST", f"{_FLOATING}-bulk", floating_ips.create_range, "os_compute_api:os-floating-ips-bulk:create",
        smaller.CREATE_FLOATING_IPS, until=_PROXIED,
    ),
    Route(
        "PUT", f"{_FLOATING}-bulk/delete", floating_ips.delete_range, "os_compute_api:os-floating-ips-bulk:delete",
        smaller.DELETE_FLOATING_IPS, until=_PROXIED,
    ),
    Route(
        "GET", f"{SERVER}/os-virtual-interfaces", networks.virtual_interfaces,
        "os_compute_api:os-virtual-interfaces", until=Microversion(2, 43),
    ),
)  # fmt: skip
