"""The route table of the compute API."""

from typing import Any

from nova_lite.api.call import Handler, Microversion
from nova_lite.api.openstack.compute import server_actions, servers
from nova_lite.api.openstack.schemas import servers as schemas
from nova_lite.api.route import Route

_SERVERS = "/v2.1/servers"
_SERVER = "/v2.1/servers/{server_id}"
_RULE = "os_compute_api:servers"

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
    Route(
        "GET", f"{_SERVER}/os-interface", server_actions.list_interfaces,
        "os_compute_api:os-attach-interfaces:list",
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


def _action(handler: Handler, policy: str, schema: dict[str, Any], name: str, status: int = 202) -> Route:
    return Route("POST", f"{_SERVER}/action", handler, policy, schema, action=name, status=status)


SERVER_ACTIONS: tuple[Route, ...] = (
    _action(server_actions.start, f"{_RULE}:start", schemas.action("os-start", schemas.NO_ARGUMENTS), "os-start"),
    _action(server_actions.stop, f"{_RULE}:stop", schemas.action("os-stop", schemas.NO_ARGUMENTS), "os-stop"),
    _action(server_actions.reboot, f"{_RULE}:reboot", schemas.REBOOT, "reboot"),
    _action(
        server_actions.console_output, "os_compute_api:os-console-output", schemas.CONSOLE_OUTPUT,
        "os-getConsoleOutput", 200,
    ),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (*SERVERS, *SERVER_ACTIONS)
