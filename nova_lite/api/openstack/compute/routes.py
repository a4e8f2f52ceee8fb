"""The route table of the compute API."""

from typing import Any

from nova_lite.api.call import Handler, Microversion
from nova_lite.api.openstack.compute import (
    aggregates,
    flavors,
    hosts,
    hypervisors,
    key_pairs,
    migrations,
    networks,
    quotas,
    security_groups,
    server_actions,
    server_groups,
    server_tags,
    servers,
    services,
    usage,
    versions,
)
from nova_lite.api.openstack.schemas import compute as smaller
from nova_lite.api.openstack.schemas import servers as schemas
from nova_lite.api.route import PUBLIC, Route

_SERVERS = "/v2.1/servers"
_SERVER = "/v2.1/servers/{server_id}"
_RULE = "os_compute_api:servers"

_TAG_RULE = "os_compute_api:os-server-tags"
_TAGS_SINCE = Microversion(2, 26)


def _tags() -> tuple[Route, ...]:
    tags, tag = f"{_SERVER}/tags", f"{_SERVER}/tags/{{tag}}"
    return (
        Route("GET", tags, server_tags.listing, f"{_TAG_RULE}:index", since=_TAGS_SINCE),
        Route("PUT", tags, server_tags.replace, f"{_TAG_RULE}:update_all", schemas.SET_TAGS, since=_TAGS_SINCE),
        Route("DELETE", tags, server_tags.remove_all, f"{_TAG_RULE}:delete_all", status=204, since=_TAGS_SINCE),
        Route("GET", tag, server_tags.check, f"{_TAG_RULE}:show", status=204, since=_TAGS_SINCE),
        Route("PUT", tag, server_tags.add, f"{_TAG_RULE}:update", status=204, since=_TAGS_SINCE),
        Route("DELETE", tag, server_tags.remove, f"{_TAG_RULE}:delete", status=204, since=_TAGS_SINCE),
    )


SERVERS: tuple[Route, ...] = (
    *(
        Route("POST", _SERVERS, servers.create, f"{_RULE}:create", schema, status=202, since=first, until=last)
        for first, last, schema in schemas.create_variants()
    ),
    Route("GET", _SERVERS, servers.listing, f"{_RULE}:index"),
    Route("GET", f"{_SERVERS}/detail", servers.detail, f"{_RULE}:detail"),
    Route("GET", _SERVER, servers.show, f"{_RULE}:show"),
    Route("PUT", _SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE, until=Microversion(2, 18)),
    Route(
        "PUT", _SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE_219,
        since=Microversion(2, 19), until=Microversion(2, 89),
    ),
    Route("PUT", _SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE_290, since=Microversion(2, 90)),
    Route("DELETE", _SERVER, servers.delete, f"{_RULE}:delete", status=204),
    Route("GET", f"{_SERVER}/ips", servers.addresses, "os_compute_api:ips:index"),
    Route("GET", f"{_SERVER}/ips/{{label}}", servers.network_addresses, "os_compute_api:ips:show"),
    Route("GET", f"{_SERVER}/metadata", server_actions.list_metadata, "os_compute_api:server-metadata:index"),
    Route(
        "POST", f"{_SERVER}/metadata", server_actions.add_metadata, "os_compute_api:server-metadata:create",
        schemas.SET_METADATA,
    ),
    Route(
        "PUT", f"{_SERVER}/metadata", server_actions.replace_metadata,
        "os_compute_api:server-metadata:update_all", schemas.SET_METADATA,
    ),
    Route(
        "GET", f"{_SERVER}/metadata/{{key}}", server_actions.show_metadata_item,
        "os_compute_api:server-metadata:show",
    ),
    Route(
        "PUT", f"{_SERVER}/metadata/{{key}}", server_actions.set_metadata_item,
        "os_compute_api:server-metadata:update", schemas.SET_META_ITEM,
    ),
    Route(
        "DELETE", f"{_SERVER}/metadata/{{key}}", server_actions.delete_metadata_item,
        "os_compute_api:server-metadata:delete", status=204,
    ),
    *_tags(),
    Route(
        "GET", f"{_SERVER}/os-interface", server_actions.list_interfaces,
        "os_compute_api:os-attach-interfaces:list",
    ),
    Route(
        "GET", f"{_SERVER}/os-interface/{{port_id}}", server_actions.show_interface,
        "os_compute_api:os-attach-interfaces:show",
    ),
    Route(
        "GET", f"{_SERVER}/os-instance-actions", server_actions.list_actions,
        "os_compute_api:os-instance-actions:list",
    ),
    Route(
        "GET", f"{_SERVER}/os-instance-actions/{{request_id}}", server_actions.show_action,
        "os_compute_api:os-instance-actions:show",
    ),
)  # fmt: skip


def _action(
    handler: Handler, policy: str, schema: dict[str, Any], name: str, status: int = 202, **versions: Any
) -> Route:
    return Route("POST", f"{_SERVER}/action", handler, policy, schema, action=name, status=status, **versions)


def _plain_action(handler: Handler, policy: str, name: str) -> Route:
    return _action(handler, policy, schemas.action(name, schemas.ANYTHING), name)


SERVER_ACTIONS: tuple[Route, ...] = (
    _action(server_actions.start, f"{_RULE}:start", schemas.action("os-start", schemas.NO_ARGUMENTS), "os-start"),
    _action(server_actions.stop, f"{_RULE}:stop", schemas.action("os-stop", schemas.NO_ARGUMENTS), "os-stop"),
    _action(server_actions.reboot, f"{_RULE}:reboot", schemas.REBOOT, "reboot"),
    *(
        _action(servers.rebuild, f"{_RULE}:rebuild", schema, "rebuild", since=first, until=last)
        for first, last, schema in schemas.rebuild_variants()
    ),
    _action(server_actions.create_image, f"{_RULE}:create_image", schemas.CREATE_IMAGE, "createImage"),
    _action(
        server_actions.create_backup, "os_compute_api:os-create-backup", schemas.CREATE_BACKUP, "createBackup",
    ),
    _plain_action(server_actions.pause, "os_compute_api:os-pause-server:pause", "pause"),
    _plain_action(server_actions.unpause, "os_compute_api:os-pause-server:unpause", "unpause"),
    _plain_action(server_actions.suspend, "os_compute_api:os-suspend-server:suspend", "suspend"),
    _plain_action(server_actions.resume, "os_compute_api:os-suspend-server:resume", "resume"),
    _action(server_actions.rescue, "os_compute_api:os-rescue", schemas.RESCUE, "rescue", 200),
    _action(migrations.resize, f"{_RULE}:resize", schemas.RESIZE, "resize"),
    _action(
        migrations.confirm, f"{_RULE}:confirm_resize", schemas.action("confirmResize", schemas.ANYTHING),
        "confirmResize", 204,
    ),
    _plain_action(migrations.revert, f"{_RULE}:revert_resize", "revertResize"),
    _action(
        migrations.migrate, "os_compute_api:os-migrate-server:migrate",
        schemas.action("migrate", schemas.ANYTHING), "migrate", until=Microversion(2, 55),
    ),
    _action(
        migrations.migrate, "os_compute_api:os-migrate-server:migrate", schemas.MIGRATE_256, "migrate",
        since=Microversion(2, 56),
    ),
    _plain_action(server_actions.unrescue, "os_compute_api:os-unrescue", "unrescue"),
    _action(
        server_actions.lock, "os_compute_api:os-lock-server:lock", schemas.LOCK, "lock", until=Microversion(2, 72),
    ),
    _action(
        server_actions.lock, "os_compute_api:os-lock-server:lock", schemas.LOCK_273, "lock",
        since=Microversion(2, 73),
    ),
    _plain_action(server_actions.unlock, "os_compute_api:os-lock-server:unlock", "unlock"),
    _plain_action(server_actions.restore, "os_compute_api:os-deferred-delete:restore", "restore"),
    _plain_action(server_actions.shelve, "os_compute_api:os-shelve:shelve", "shelve"),
    _plain_action(server_actions.shelve_offload, "os_compute_api:os-shelve:shelve_offload", "shelveOffload"),
    *(
        _action(
            server_actions.unshelve, "os_compute_api:os-shelve:unshelve", schema, "unshelve", since=first, until=last,
        )
        for first, last, schema in schemas.UNSHELVE
    ),
    *(
        _action(
            server_actions.evacuate, "os_compute_api:os-evacuate", schema, "evacuate", 200, since=first, until=last,
        )
        for first, last, schema in schemas.EVACUATE
    ),
    _plain_action(server_actions.force_delete, "os_compute_api:os-deferred-delete:force", "forceDelete"),
    _action(
        server_actions.reset_state, "os_compute_api:os-admin-actions:reset_state", schemas.RESET_STATE,
        "os-resetState",
    ),
    _action(
        server_actions.console_output, "os_compute_api:os-console-output", schemas.CONSOLE_OUTPUT,
        "os-getConsoleOutput", 200,
    ),
)  # fmt: skip

VERSIONS: tuple[Route, ...] = (
    Route("GET", "/", versions.root, PUBLIC),
    Route("GET", "/v2.1", versions.show, PUBLIC),
    Route("GET", "/v2.1/extensions", versions.extensions, "os_compute_api:extensions"),
)

_FLAVORS = "/v2.1/flavors"
_FLAVOR = "/v2.1/flavors/{flavor_id}"
_MANAGE = "os_compute_api:os-flavor-manage"
_SPECS = "os_compute_api:os-flavor-extra-specs"
_ACCESS = "os_compute_api:os-flavor-access"

FLAVORS: tuple[Route, ...] = (
    Route("GET", _FLAVORS, flavors.listing, "os_compute_api:flavors"),
    Route("GET", f"{_FLAVORS}/detail", flavors.detail, "os_compute_api:flavors"),
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
    Route("GET", _KEY_PAIRS, key_pairs.listing, f"{_KEY_RULE}:index"),
    Route("GET", f"{_KEY_PAIRS}/{{name}}", key_pairs.show, f"{_KEY_RULE}:show"),
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
        since=Microversion(2, 10),
    ),
)  # fmt: skip

_QUOTA = "/v2.1/os-quota-sets/{project_id}"
_QUOTA_RULE = "os_compute_api:os-quota-sets"
_CLASS = "/v2.1/os-quota-class-sets/{name}"
_CLASS_RULE = "os_compute_api:os-quota-class-sets"

_USAGE = "/v2.1/os-simple-tenant-usage"
_USAGE_RULE = "os_compute_api:os-simple-tenant-usage"

QUOTAS: tuple[Route, ...] = (
    Route("GET", _USAGE, usage.listing, f"{_USAGE_RULE}:list"),
    Route("GET", f"{_USAGE}/{{project_id}}", usage.show, f"{_USAGE_RULE}:show"),
    Route("GET", "/v2.1/limits", quotas.limits, "os_compute_api:limits"),
    Route("GET", _QUOTA, quotas.show, f"{_QUOTA_RULE}:show"),
    Route("GET", f"{_QUOTA}/detail", quotas.detail, f"{_QUOTA_RULE}:detail"),
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
    Route("GET", _SERVICES, services.listing, f"{_SERVICE_RULE}:list"),
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
    Route("GET", "/v2.1/os-hosts", hosts.listing, f"{_HOST_RULE}:list", until=_HOSTS_UNTIL),
    Route("GET", "/v2.1/os-hosts/{host}", hosts.show, f"{_HOST_RULE}:show", until=_HOSTS_UNTIL),
    Route(
        "PUT", "/v2.1/os-hosts/{host}", hosts.update, f"{_HOST_RULE}:update", smaller.UPDATE_HOST, until=_HOSTS_UNTIL,
    ),
    Route("GET", _ZONES, services.zones, "os_compute_api:os-availability-zone:list"),
    Route("GET", f"{_ZONES}/detail", services.zones_detail, "os_compute_api:os-availability-zone:detail"),
    Route("GET", _HYPERVISORS, hypervisors.listing, f"{_HYPERVISOR_RULE}:list"),
    Route("GET", f"{_HYPERVISORS}/detail", hypervisors.detail, f"{_HYPERVISOR_RULE}:list-detail"),
    Route(
        "GET", f"{_HYPERVISORS}/statistics", hypervisors.statistics, f"{_HYPERVISOR_RULE}:statistics",
        until=Microversion(2, 87),
    ),
    Route("GET", _HYPERVISOR, hypervisors.show, f"{_HYPERVISOR_RULE}:show"),
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


MIGRATIONS: tuple[Route, ...] = (
    Route("GET", "/v2.1/os-migrations", migrations.listing, "os_compute_api:os-migrations:index"),
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
)

_SERVER_GROUPS = "/v2.1/os-server-groups"
_SERVER_GROUP = "/v2.1/os-server-groups/{group_id}"
_SERVER_GROUP_RULE = "os_compute_api:os-server-groups"

SERVER_GROUPS: tuple[Route, ...] = (
    Route("GET", _SERVER_GROUPS, server_groups.listing, f"{_SERVER_GROUP_RULE}:index"),
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
    Route("GET", f"{_SERVER}/os-security-groups", security_groups.of_server, f"{_GROUP_RULE}:list"),
    _action(
        security_groups.add_to_server, f"{_GROUP_RULE}:add", smaller.ADD_SECURITY_GROUP, "addSecurityGroup",
    ),
    _action(
        security_groups.remove_from_server, f"{_GROUP_RULE}:remove", smaller.REMOVE_SECURITY_GROUP,
        "removeSecurityGroup",
    ),
    Route("GET", "/v2.1/os-networks", networks.listing, "os_compute_api:os-networks:list", until=_PROXIED),
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
        "GET", f"{_SERVER}/os-virtual-interfaces", networks.virtual_interfaces,
        "os_compute_api:os-virtual-interfaces", until=Microversion(2, 43),
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
    *SERVER_GROUPS,
    *NETWORKS,
)
