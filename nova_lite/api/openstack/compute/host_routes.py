"""The routes of hosts, of those that are together, and of what happens on them: for operators."""

from typing import Any

from nova_lite.api.call import Handler, Microversion
from nova_lite.api.openstack.compute import (
    agents,
    aggregates,
    certificates,
    external_events,
    hosts,
    hypervisors,
    migrations,
    services,
)
from nova_lite.api.openstack.schemas import compute as smaller
from nova_lite.api.openstack.schemas import guests as guest_schemas
from nova_lite.api.openstack.schemas import queries
from nova_lite.api.route import Route

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

HOST_ROUTES: tuple[Route, ...] = (*HOSTS, *MIGRATIONS, *AGGREGATES, *AGENTS)
