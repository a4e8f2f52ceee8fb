"""The route table of the compute API: what servers are ordered with, and the tables of everything else together."""

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.compute import (
    flavors,
    gone,
    key_pairs,
    quotas,
    server_groups,
    usage,
    versions,
)
from nova_lite.api.openstack.compute.host_routes import HOST_ROUTES
from nova_lite.api.openstack.compute.network_routes import NETWORKS
from nova_lite.api.openstack.compute.server_routes import SERVER_ACTIONS, SERVERS
from nova_lite.api.openstack.compute.storage_routes import IMAGES, VOLUMES
from nova_lite.api.openstack.schemas import compute as smaller
from nova_lite.api.openstack.schemas import queries
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

ROUTES: tuple[Route, ...] = (
    *VERSIONS,
    *SERVERS,
    *SERVER_ACTIONS,
    *FLAVORS,
    *KEY_PAIRS,
    *QUOTAS,
    *HOST_ROUTES,
    *SERVER_GROUPS,
    *IMAGES,
    *NETWORKS,
    *VOLUMES,
    *gone.routes(),
)
