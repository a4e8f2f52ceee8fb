"""The route table of the compute API."""

from typing import Any

from nova_lite.api.call import Handler, Microversion
from nova_lite.api.openstack.compute import (
    agents,
    aggregates,
    certificates,
    external_events,
    fixed_ips,
    flavors,
    floating_ip_dns,
    floating_ips,
    gone,
    hosts,
    hypervisors,
    images,
    key_pairs,
    migrations,
    networks,
    quotas,
    security_groups,
    server_groups,
    services,
    usage,
    versions,
    volume_attachments,
)
from nova_lite.api.openstack.compute.server_routes import SERVER, SERVER_ACTIONS, SERVERS, action_route
from nova_lite.api.openstack.schemas import compute as smaller
from nova_lite.api.openstack.schemas import guests as guest_schemas
from nova_lite.api.openstack.schemas import queries
from nova_lite.api.openstack.schemas import servers as schemas
from nova_lite.api.openstack.schemas import volumes as volume_schemas
from nova_lite.api.route import PUBLIC, Route

VERSIONS: tuple[Route, ...] = (
    Route("GET", "/", versions.root, PUBLIC),
    Route("GET", "/v2.1", versions.show, PUBLIC),
    Route("GET", "/v2", versions.show_old, PUBLIC),
    Route("GET", "/v1.1", versions.show_old, PUBLIC),
    Route("GET", "/v2.1/extensions", versions.extensions, "os_compute_api:extensions"),
    Route("GET", "/v2.1/extensions/{alias}", versions.extension, "os_compute_api:extensions"),
)

_FLAVORS = "/v2.1/flavors"
_FLAVOR = "/v2.1/flavors/{flavor_id}"
_MANAGE = "os_compute_api:os-flavor-manage"
_SPECS = "os_compute_api:os-flavor-extra-specs"
_ACCESS = "os_compute_api:os-flavor-access"

FLAVORS: tuple[Route, ...] = (
    Route("GET", _FLAVORS, flavors.listing, "os_compute_api:flavors", query=queries.FLAVORS),
    Route("GET", f"{_FLAVORS}/detail", flavors.detail, "os_compute_api:flavors", query=queries.FLAVORS),
    Route("GET", _FLAVOR, flavors.show, "os_compute_api:flavors"),
    Route("POST", _FLAVORS, flavors.create, f"{_MANAGE}:create", smaller.CREATE_FLAVOR, until=Microversion(2, 54)),
    Route("POST", _FLAVORS, flavors.create, f"{_MANAGE}:create", smaller.CREATE_FLAVOR_255, since=Microversion(2, 55)),
    Route("PUT", _FLAVOR, flavors.update, f"{_MANAGE}:update", smaller.UPDATE_FLAVOR, since=Microversion(2, 55)),
    Route("DELETE", _FLAVOR, flavors.delete, f"{_MANAGE}:delete", status=202),
    Route("GET", f"{_FLAVOR}/os-extra_specs", flavors.list_extra_specs, f"{_SPECS}:index"),
    Route("POST", f"{_FLAVOR}/os-extra_specs", flavors.add_extra_specs, f"{_SPECS}:create", smaller.EXTRA_SPECS),
    Route("GET", f"{_FLAVOR}/os-extra_specs/{{key}}", flavors.show_extra_spec, f"{_SPECS}:show"),
    Route("PUT", f"{_FLAVOR}/os-extra_specs/{{key}}", flavors.set_extra_spec, f"{_SPECS}:update", smaller.EXTRA_SPEC),
    Route("DELETE", f"{_FLAVOR}/os-extra_specs/{{key}}", flavors.delete_extra_spec, f"{_SPECS}:delete"),
    Route("GET", f"{_FLAVOR}/os-flavor-access", flavors.list_access, _ACCESS),
    Route(
        "POST", f"{_FLAVOR}/action", flavors.add_access, f"{_ACCESS}:add_tenant_access", smaller.ADD_ACCESS,
        action="addTenantAccess",
    ),
    Route(
        "POST", f"{_FLAVOR}/action", flavors.remove_access, f"{_ACCESS}:remove_tenant_access",
        smaller.REMOVE_ACCESS, action="removeTenantAccess",
    ),
)  # fmt: skip

_KEY_PAIRS = "/v2.1/os-keypairs"
_KEY_RULE = "os_compute_api:os-keypairs"

KEY_PAIRS: tuple[Route, ...] = (
    Route("GET", _KEY_PAIRS, key_pairs.listing, f"{_KEY_RULE}:index", query=queries.KEY_PAIRS),
    Route("GET", f"{_KEY_PAIRS}/{{name}}", key_pairs.show, f"{_KEY_RULE}:show", query=queries.KEY_PAIR),
    Route("DELETE", f"{_KEY_PAIRS}/{{name}}", key_pairs.delete, f"{_KEY_RULE}:delete", status=202),
    Route(
        "POST", _KEY_PAIRS, key_pairs.create, f"{_KEY_RULE}:create", smaller.CREATE_KEY_PAIR,
        until=Microversion(2, 1),
    ),
    Route(
        "POST", _KEY_PAIRS, key_pairs.create, f"{_KEY_RULE}:create", smaller.CREATE_KEY_PAIR_22,
        since=Microversion(2, 2), until=Microversion(2, 9),
    ),
    Route(
        "POST", _KEY_PAIRS, key_pairs.create, f"{_KEY_RULE}:create", smaller.CREATE_KEY_PAIR_210,
        since=Microversion(2, 10), until=Microversion(2, 91),
    ),
    Route(
        "POST", _KEY_PAIRS, key_pairs.create, f"{_KEY_RULE}:create", smaller.CREATE_KEY_PAIR_292,
        since=Microversion(2, 92),
    ),
)  # fmt: skip

_QUOTA = "/v2.1/os-quota-sets/{project_id}"
_QUOTA_RULE = "os_compute_api:os-quota-sets"
_CLASS = "/v2.1/os-quota-class-sets/{name}"
_CLASS_RULE = "os_compute_api:os-quota-class-sets"

_USAGE = "/v2.1/os-simple-tenant-usage"
_USAGE_RULE = "os_compute_api:os-simple-tenant-usage"

QUOTAS: tuple[Route, ...] = (
    Route("GET", _USAGE, usage.listing, f"{_USAGE_RULE}:list", query=queries.USAGES),
    Route("GET", f"{_USAGE}/{{project_id}}", usage.show, f"{_USAGE_RULE}:show", query=queries.USAGES),
    Route("GET", "/v2.1/limits", quotas.limits, "os_compute_api:limits", query=queries.LIMITS),
    Route("GET", _QUOTA, quotas.show, f"{_QUOTA_RULE}:show", query=queries.QUOTA_SET),
    Route("GET", f"{_QUOTA}/detail", quotas.detail, f"{_QUOTA_RULE}:detail", query=queries.QUOTA_SET),
    Route("GET", f"{_QUOTA}/defaults", quotas.defaults, f"{_QUOTA_RULE}:defaults"),
    Route("PUT", _QUOTA, quotas.update, f"{_QUOTA_RULE}:update", smaller.QUOTA_SET, until=Microversion(2, 35)),
    Route(
        "PUT", _QUOTA, quotas.update, f"{_QUOTA_RULE}:update", smaller.QUOTA_SET_236,
        since=Microversion(2, 36), until=Microversion(2, 56),
    ),
    Route("PUT", _QUOTA, quotas.update, f"{_QUOTA_RULE}:update", smaller.QUOTA_SET_257, since=Microversion(2, 57)),
    Route("DELETE", _QUOTA, quotas.delete, f"{_QUOTA_RULE}:delete", status=202),
    Route("GET", _CLASS, quotas.show_class, f"{_CLASS_RULE}:show"),
    Route("PUT", _CLASS, quotas.update_class, f"{_CLASS_RULE}:update", smaller.QUOTA_CLASS),
)  # fmt: skip

_SERVICES = "/v2.1/os-services"
_SERVICE_RULE = "os_compute_api:os-services"
_HYPERVISORS = "/v2.1/os-hypervisors"
_HYPERVISOR = "/v2.1/os-hypervisors/{hypervisor_id}"
_HYPERVISOR_RULE = "os_compute_api:os-hypervisors"
_ZONES = "/v2.1/os-availability-zone"
_BY_UUID = Microversion(2, 53)
_BY_HOST = Microversion(2, 52)
_HOST_RULE = "os_compute_api:os-hosts"
_HOSTS_UNTIL = Microversion(2, 42)

HOSTS: tuple[Route, ...] = (
    Route("GET", _SERVICES, services.listing, f"{_SERVICE_RULE}:list", query=queries.SERVICES),
    Route(
        "PUT", f"{_SERVICES}/enable", services.enable, f"{_SERVICE_RULE}:update", smaller.ENABLE_SERVICE,
        until=_BY_HOST,
    ),
    Route(
        "PUT", f"{_SERVICES}/disable", services.disable, f"{_SERVICE_RULE}:update", smaller.ENABLE_SERVICE,
        until=_BY_HOST,
    ),
    Route(
        "PUT", f"{_SERVICES}/disable-log-reason", services.disable_log_reason, f"{_SERVICE_RULE}:update",
        smaller.DISABLE_SERVICE, until=_BY_HOST,
    ),
    Route(
        "PUT", f"{_SERVICES}/force-down", services.force_down, f"{_SERVICE_RULE}:update", smaller.FORCE_DOWN,
        since=Microversion(2, 11), until=_BY_HOST,
    ),
    Route(
        "PUT", f"{_SERVICES}/{{service_id}}", services.update, f"{_SERVICE_RULE}:update",
        smaller.UPDATE_SERVICE, since=_BY_UUID,
    ),
    Route("DELETE", f"{_SERVICES}/{{service_id}}", services.delete, f"{_SERVICE_RULE}:delete", status=204),
    Route("GET", "/v2.1/os-hosts", hosts.listing, f"{_HOST_RULE}:list", until=_HOSTS_UNTIL),
    Route("GET", "/v2.1/os-hosts/{host}", hosts.show, f"{_HOST_RULE}:show", until=_HOSTS_UNTIL),
    Route(
        "PUT", "/v2.1/os-hosts/{host}", hosts.update, f"{_HOST_RULE}:update", smaller.UPDATE_HOST, until=_HOSTS_UNTIL,
    ),
    *(
        Route(
            "GET", f"/v2.1/os-hosts/{{host}}/{power}", hosts.power, f"{_HOST_RULE}:{power}", until=_HOSTS_UNTIL,
        )
        for power in ("startup", "shutdown", "reboot")
    ),
    Route("GET", _ZONES, services.zones, "os_compute_api:os-availability-zone:list"),
    Route("GET", f"{_ZONES}/detail", services.zones_detail, "os_compute_api:os-availability-zone:detail"),
    Route("GET", _HYPERVISORS, hypervisors.listing, f"{_HYPERVISOR_RULE}:list", query=queries.HYPERVISORS),
    Route(
        "GET", f"{_HYPERVISORS}/detail", hypervisors.detail, f"{_HYPERVISOR_RULE}:list-detail",
        query=queries.HYPERVISORS,
    ),
    Route(
        "GET", f"{_HYPERVISORS}/statistics", hypervisors.statistics, f"{_HYPERVISOR_RULE}:statistics",
        until=Microversion(2, 87),
    ),
    Route("GET", _HYPERVISOR, hypervisors.show, f"{_HYPERVISOR_RULE}:show", query=queries.HYPERVISOR),
    Route(
        "GET", f"{_HYPERVISOR}/uptime", hypervisors.uptime, f"{_HYPERVISOR_RULE}:uptime",
        until=Microversion(2, 87),
    ),
    Route(
        "GET", f"{_HYPERVISORS}/{{text}}/search", hypervisors.search, f"{_HYPERVISOR_RULE}:search",
        until=_BY_HOST,
    ),
    Route(
        "GET", f"{_HYPERVISORS}/{{text}}/servers", hypervisors.servers, f"{_HYPERVISOR_RULE}:servers",
        until=_BY_HOST,
    ),
)  # fmt: skip

_AGGREGATES = "/v2.1/os-aggregates"
_AGGREGATE = "/v2.1/os-aggregates/{aggregate_id}"
_AGGREGATE_RULE = "os_compute_api:os-aggregates"


def _aggregate_action(handler: Handler, schema: dict[str, Any], name: str) -> Route:
    return Route("POST", f"{_AGGREGATE}/action", handler, f"{_AGGREGATE_RULE}:{name}", schema, action=name)


_CERTIFICATES = "/v2.1/os-certificates"
_AGENTS = "/v2.1/os-agents"
_AGENT = "/v2.1/os-agents/{agent_id}"

AGENTS: tuple[Route, ...] = (
    Route("GET", f"{_CERTIFICATES}/root", certificates.show_root, "os_compute_api:os-certificates:show"),
    Route(
        "POST",
        _CERTIFICATES,
        certificates.create,
        "os_compute_api:os-certificates:create",
        smaller.CREATE_CERTIFICATE,
    ),
    Route("GET", _AGENTS, agents.listing, "os_compute_api:os-agents:list", query=queries.AGENTS),
    Route("POST", _AGENTS, agents.create, "os_compute_api:os-agents:create", smaller.CREATE_AGENT),
    Route("PUT", _AGENT, agents.update, "os_compute_api:os-agents:update", smaller.UPDATE_AGENT),
    Route("DELETE", _AGENT, agents.delete, "os_compute_api:os-agents:delete"),
)

MIGRATIONS: tuple[Route, ...] = (
    *(
        Route(
            "POST",
            "/v2.1/os-server-external-events",
            external_events.create,
            "os_compute_api:os-server-external-events:create",
            schema,
            since=first,
            until=last,
        )
        for first, last, schema in guest_schemas.EXTERNAL_EVENTS
    ),
    Route(
        "GET",
        "/v2.1/os-migrations",
        migrations.listing,
        "os_compute_api:os-migrations:index",
        query=queries.MIGRATIONS,
    ),
)

AGGREGATES: tuple[Route, ...] = (
    Route("GET", _AGGREGATES, aggregates.listing, f"{_AGGREGATE_RULE}:index"),
    Route("POST", _AGGREGATES, aggregates.create, f"{_AGGREGATE_RULE}:create", smaller.CREATE_AGGREGATE),
    Route("GET", _AGGREGATE, aggregates.show, f"{_AGGREGATE_RULE}:show"),
    Route("PUT", _AGGREGATE, aggregates.update, f"{_AGGREGATE_RULE}:update", smaller.UPDATE_AGGREGATE),
    Route("DELETE", _AGGREGATE, aggregates.delete, f"{_AGGREGATE_RULE}:delete"),
    _aggregate_action(aggregates.add_host, smaller.ADD_HOST, "add_host"),
    _aggregate_action(aggregates.remove_host, smaller.REMOVE_HOST, "remove_host"),
    _aggregate_action(aggregates.set_metadata, smaller.SET_AGGREGATE_METADATA, "set_metadata"),
    Route(
        "POST", f"{_AGGREGATE}/images", aggregates.cache_images, "compute:aggregates:images", smaller.CACHE_IMAGES,
        status=202, since=Microversion(2, 81),
    ),
)  # fmt: skip

_SERVER_GROUPS = "/v2.1/os-server-groups"
_SERVER_GROUP = "/v2.1/os-server-groups/{group_id}"
_SERVER_GROUP_RULE = "os_compute_api:os-server-groups"

SERVER_GROUPS: tuple[Route, ...] = (
    Route("GET", _SERVER_GROUPS, server_groups.listing, f"{_SERVER_GROUP_RULE}:index", query=queries.SERVER_GROUPS),
    Route(
        "POST", _SERVER_GROUPS, server_groups.create, f"{_SERVER_GROUP_RULE}:create", smaller.CREATE_SERVER_GROUP,
        until=Microversion(2, 14),
    ),
    Route(
        "POST", _SERVER_GROUPS, server_groups.create, f"{_SERVER_GROUP_RULE}:create",
        smaller.CREATE_SERVER_GROUP_215, since=Microversion(2, 15), until=Microversion(2, 63),
    ),
    Route(
        "POST", _SERVER_GROUPS, server_groups.create, f"{_SERVER_GROUP_RULE}:create",
        smaller.CREATE_SERVER_GROUP_264, since=Microversion(2, 64),
    ),
    Route("GET", _SERVER_GROUP, server_groups.show, f"{_SERVER_GROUP_RULE}:show"),
    Route("DELETE", _SERVER_GROUP, server_groups.delete, f"{_SERVER_GROUP_RULE}:delete", status=204),
)  # fmt: skip

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

_IMAGES = "/v2.1/images"
_IMAGE = "/v2.1/images/{image_id}"
_IMAGE_METADATA = "/v2.1/images/{image_id}/metadata"
_IMAGE_ITEM = "/v2.1/images/{image_id}/metadata/{key}"
_IMAGE_RULE = "os_compute_api:images"
_METADATA_RULE = "os_compute_api:image-metadata"
_METADATA_UNTIL = Microversion(2, 38)

IMAGES: tuple[Route, ...] = (
    Route("GET", _IMAGES, images.listing, f"{_IMAGE_RULE}:index", until=_PROXIED),
    Route("GET", f"{_IMAGES}/detail", images.detail, f"{_IMAGE_RULE}:detail", until=_PROXIED),
    Route("GET", _IMAGE, images.show, f"{_IMAGE_RULE}:show", until=_PROXIED),
    Route("DELETE", _IMAGE, images.delete, f"{_IMAGE_RULE}:delete", status=204, until=_PROXIED),
    Route("GET", _IMAGE_METADATA, images.list_metadata, f"{_METADATA_RULE}:index", until=_METADATA_UNTIL),
    Route(
        "POST", _IMAGE_METADATA, images.add_metadata, f"{_METADATA_RULE}:create", schemas.SET_METADATA,
        until=_METADATA_UNTIL,
    ),
    Route(
        "PUT", _IMAGE_METADATA, images.replace_metadata, f"{_METADATA_RULE}:update_all", schemas.SET_METADATA,
        until=_METADATA_UNTIL,
    ),
    Route("GET", _IMAGE_ITEM, images.show_metadata_item, f"{_METADATA_RULE}:show", until=_METADATA_UNTIL),
    Route(
        "PUT", _IMAGE_ITEM, images.set_metadata_item, f"{_METADATA_RULE}:update", schemas.SET_META_ITEM,
        until=_METADATA_UNTIL,
    ),
    Route(
        "DELETE", _IMAGE_ITEM, images.delete_metadata_item, f"{_METADATA_RULE}:delete", status=204,
        until=_METADATA_UNTIL,
    ),
)  # fmt: skip

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
            "os_compute_api:os-networks-associate", schemas.action(name, takes), action=name,
            status=202, until=_PROXIED,
        )
        for name, handler, takes in (
            ("disassociate", networks.disassociate, schemas.NO_ARGUMENTS),
            ("disassociate_project", networks.disassociate, schemas.NO_ARGUMENTS),
            ("disassociate_host", networks.disassociate_host, schemas.NO_ARGUMENTS),
            ("associate_host", networks.associate_host, smaller.ASSOCIATE_HOST),
        )
    ),
    Route("GET", _FIXED, fixed_ips.show, "os_compute_api:os-fixed-ips:show", until=_PROXIED),
    *(
        Route(
            "POST", f"{_FIXED}/action", handler, f"os_compute_api:os-fixed-ips:{name}",
            schemas.action(name, schemas.ANYTHING), action=name, status=202, until=_PROXIED,
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

_VOLUMES = f"{SERVER}/os-volume_attachments"
_VOLUME = f"{_VOLUMES}/{{volume_id}}"
_VOLUME_RULE = "os_compute_api:os-volumes-attachments"
_SNAPSHOTS = "/v2.1/os-assisted-volume-snapshots"
_SNAPSHOT_RULE = "os_compute_api:os-assisted-volume-snapshots"

VOLUMES: tuple[Route, ...] = (
    Route("GET", _VOLUMES, volume_attachments.listing, f"{_VOLUME_RULE}:index", query=queries.PAGE),
    Route("GET", _VOLUME, volume_attachments.show, f"{_VOLUME_RULE}:show"),
    *(
        Route("POST", _VOLUMES, volume_attachments.attach, f"{_VOLUME_RULE}:create", schema, since=first, until=last)
        for first, last, schema in volume_schemas.ATTACH
    ),
    *(
        Route(
            "PUT", _VOLUME, volume_attachments.swap, f"{_VOLUME_RULE}:update", schema, status=202,
            since=first, until=last,
        )
        for first, last, schema in volume_schemas.UPDATE
    ),
    Route("DELETE", _VOLUME, volume_attachments.detach, f"{_VOLUME_RULE}:delete", status=202),
    Route(
        "POST", _SNAPSHOTS, volume_attachments.create_snapshot, f"{_SNAPSHOT_RULE}:create",
        volume_schemas.CREATE_SNAPSHOT,
    ),
    Route(
        "DELETE", f"{_SNAPSHOTS}/{{snapshot_id}}", volume_attachments.delete_snapshot, f"{_SNAPSHOT_RULE}:delete",
        status=204, query=queries.ASSISTED_SNAPSHOT,
    ),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (
    *VERSIONS,
    *SERVERS,
    *SERVER_ACTIONS,
    *FLAVORS,
    *KEY_PAIRS,
    *QUOTAS,
    *HOSTS,
    *MIGRATIONS,
    *AGGREGATES,
    *AGENTS,
    *SERVER_GROUPS,
    *IMAGES,
    *NETWORKS,
    *VOLUMES,
    *gone.routes(),
)
