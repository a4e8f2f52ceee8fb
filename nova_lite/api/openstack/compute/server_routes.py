"""The routes of servers and of what one does with them."""

from typing import Any

from nova_lite.api.call import Handler, Microversion
from nova_lite.api.openstack.compute import (
    consoles,
    guests,
    interfaces,
    migrations,
    server_actions,
    server_tags,
    servers,
)
from nova_lite.api.openstack.schemas import guests as guest_schemas
from nova_lite.api.openstack.schemas import queries
from nova_lite.api.openstack.schemas import server_actions as actions
from nova_lite.api.openstack.schemas import servers as schemas
from nova_lite.api.route import Route

_SERVERS = "/v2.1/servers"
SERVER = "/v2.1/servers/{server_id}"
_RULE = "os_compute_api:servers"

_INTERFACE_RULE = "os_compute_api:os-attach-interfaces"
_TAG_RULE = "os_compute_api:os-server-tags"
_PASSWORD_RULE = "os_compute_api:os-server-password"
_TAGS_SINCE = Microversion(2, 26)


def _tags() -> tuple[Route, ...]:
    tags, tag = f"{SERVER}/tags", f"{SERVER}/tags/{{tag}}"
    return (
        Route("GET", tags, server_tags.listing, f"{_TAG_RULE}:index", since=_TAGS_SINCE),
        Route(
            "PUT", tags, server_tags.replace, f"{_TAG_RULE}:update_all", schemas.SET_TAGS, since=_TAGS_SINCE
        ),
        Route(
            "DELETE", tags, server_tags.remove_all, f"{_TAG_RULE}:delete_all", status=204, since=_TAGS_SINCE
        ),
        Route("GET", tag, server_tags.check, f"{_TAG_RULE}:show", status=204, since=_TAGS_SINCE),
        Route("PUT", tag, server_tags.add, f"{_TAG_RULE}:update", status=204, since=_TAGS_SINCE),
        Route("DELETE", tag, server_tags.remove, f"{_TAG_RULE}:delete", status=204, since=_TAGS_SINCE),
    )


SERVERS: tuple[Route, ...] = (
    *(
        Route("POST", _SERVERS, servers.create, f"{_RULE}:create", schema, status=202, since=first, until=last)
        for first, last, schema in schemas.create_variants()
    ),
    Route("GET", _SERVERS, servers.listing, f"{_RULE}:index", query=queries.SERVERS),
    Route("GET", f"{_SERVERS}/detail", servers.detail, f"{_RULE}:detail", query=queries.SERVERS),
    Route("GET", SERVER, servers.show, f"{_RULE}:show"),
    Route("PUT", SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE, until=Microversion(2, 18)),
    Route(
        "PUT", SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE_219,
        since=Microversion(2, 19), until=Microversion(2, 89),
    ),
    Route(
        "PUT", SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE_290,
        since=Microversion(2, 90), until=Microversion(2, 93),
    ),
    Route("PUT", SERVER, servers.update, f"{_RULE}:update", schemas.UPDATE_294, since=Microversion(2, 94)),
    Route("DELETE", SERVER, servers.delete, f"{_RULE}:delete", status=204),
    Route("GET", f"{SERVER}/ips", servers.addresses, "os_compute_api:ips:index"),
    Route("GET", f"{SERVER}/ips/{{label}}", servers.network_addresses, "os_compute_api:ips:show"),
    Route("GET", f"{SERVER}/metadata", server_actions.list_metadata, "os_compute_api:server-metadata:index"),
    Route(
        "POST", f"{SERVER}/metadata", server_actions.add_metadata, "os_compute_api:server-metadata:create",
        schemas.SET_METADATA,
    ),
    Route(
        "PUT", f"{SERVER}/metadata", server_actions.replace_metadata,
        "os_compute_api:server-metadata:update_all", schemas.SET_METADATA,
    ),
    Route(
        "GET", f"{SERVER}/metadata/{{key}}", server_actions.show_metadata_item,
        "os_compute_api:server-metadata:show",
    ),
    Route(
        "PUT", f"{SERVER}/metadata/{{key}}", server_actions.set_metadata_item,
        "os_compute_api:server-metadata:update", schemas.SET_META_ITEM,
    ),
    Route(
        "DELETE", f"{SERVER}/metadata/{{key}}", server_actions.delete_metadata_item,
        "os_compute_api:server-metadata:delete", status=204,
    ),
    *_tags(),
    Route(
        "GET", f"{SERVER}/os-interface", interfaces.listing, f"{_INTERFACE_RULE}:list",
    ),
    Route("GET", f"{SERVER}/os-interface/{{port_id}}", interfaces.show, f"{_INTERFACE_RULE}:show"),
    Route(
        "POST", f"{SERVER}/os-interface", interfaces.attach, f"{_INTERFACE_RULE}:create",
        guest_schemas.ATTACH_INTERFACE, until=Microversion(2, 48),
    ),
    Route(
        "POST", f"{SERVER}/os-interface", interfaces.attach, f"{_INTERFACE_RULE}:create",
        guest_schemas.ATTACH_INTERFACE_249, since=Microversion(2, 49),
    ),
    Route(
        "DELETE", f"{SERVER}/os-interface/{{port_id}}", interfaces.detach, f"{_INTERFACE_RULE}:delete", status=202,
    ),
    Route("GET", f"{SERVER}/diagnostics", guests.diagnostics, "os_compute_api:os-server-diagnostics"),
    Route(
        "GET", f"{SERVER}/topology", guests.topology, "compute:server:topology:index",
    ),
    Route("GET", f"{SERVER}/os-server-password", guests.show_password, f"{_PASSWORD_RULE}:show"),
    Route(
        "DELETE", f"{SERVER}/os-server-password", guests.clear_password, f"{_PASSWORD_RULE}:clear", status=204,
    ),
    Route(
        "POST", f"{SERVER}/remote-consoles", consoles.create, "os_compute_api:os-remote-consoles",
        guest_schemas.REMOTE_CONSOLE_26, since=Microversion(2, 6), until=Microversion(2, 7),
    ),
    Route(
        "POST", f"{SERVER}/remote-consoles", consoles.create, "os_compute_api:os-remote-consoles",
        guest_schemas.REMOTE_CONSOLE_28, since=Microversion(2, 8),
    ),
    Route(
        "GET", "/v2.1/os-console-auth-tokens/{token}", consoles.authorization,
        "os_compute_api:os-console-auth-tokens",
    ),
    Route(
        "GET", f"{SERVER}/migrations", migrations.of_server, "os_compute_api:servers:migrations:index",
        since=Microversion(2, 23),
    ),
    Route(
        "GET", f"{SERVER}/migrations/{{migration_id}}", migrations.show_of_server,
        "os_compute_api:servers:migrations:show", since=Microversion(2, 23),
    ),
    Route(
        "POST", f"{SERVER}/migrations/{{migration_id}}/action", migrations.force_complete,
        "os_compute_api:servers:migrations:force_complete", actions.action("force_complete", {"type": "null"}),
        status=202, since=Microversion(2, 22),
    ),
    Route(
        "DELETE", f"{SERVER}/migrations/{{migration_id}}", migrations.abort, "os_compute_api:servers:migrations:delete",
        status=202, since=Microversion(2, 24),
    ),
    Route(
        "GET", f"{SERVER}/os-instance-actions", server_actions.list_actions,
        "os_compute_api:os-instance-actions:list", query=queries.INSTANCE_ACTIONS,
    ),
    Route(
        "GET", f"{SERVER}/os-instance-actions/{{request_id}}", server_actions.show_action,
        "os_compute_api:os-instance-actions:show",
    ),
)  # fmt: skip


def action_route(
    handler: Handler, policy: str, schema: dict[str, Any], name: str, status: int = 202, **versions: Any
) -> Route:
    """Return the route of an action on a server."""
    return Route("POST", f"{SERVER}/action", handler, policy, schema, action=name, status=status, **versions)


def _plain_action(handler: Handler, policy: str, name: str) -> Route:
    return action_route(handler, policy, actions.action(name, actions.ANYTHING), name)


SERVER_ACTIONS: tuple[Route, ...] = (
    action_route(server_actions.start, f"{_RULE}:start", actions.action("os-start", actions.NO_ARGUMENTS), "os-start"),
    action_route(server_actions.stop, f"{_RULE}:stop", actions.action("os-stop", actions.NO_ARGUMENTS), "os-stop"),
    action_route(server_actions.reboot, f"{_RULE}:reboot", actions.REBOOT, "reboot"),
    *(
        action_route(servers.rebuild, f"{_RULE}:rebuild", schema, "rebuild", since=first, until=last)
        for first, last, schema in schemas.rebuild_variants()
    ),
    action_route(server_actions.create_image, f"{_RULE}:create_image", actions.CREATE_IMAGE, "createImage"),
    action_route(
        server_actions.create_backup, "os_compute_api:os-create-backup", actions.CREATE_BACKUP, "createBackup",
    ),
    _plain_action(server_actions.pause, "os_compute_api:os-pause-server:pause", "pause"),
    _plain_action(server_actions.unpause, "os_compute_api:os-pause-server:unpause", "unpause"),
    _plain_action(server_actions.suspend, "os_compute_api:os-suspend-server:suspend", "suspend"),
    _plain_action(server_actions.resume, "os_compute_api:os-suspend-server:resume", "resume"),
    action_route(server_actions.rescue, "os_compute_api:os-rescue", actions.RESCUE, "rescue", 200),
    action_route(migrations.resize, f"{_RULE}:resize", actions.RESIZE, "resize"),
    action_route(
        migrations.confirm, f"{_RULE}:confirm_resize", actions.action("confirmResize", actions.ANYTHING),
        "confirmResize", 204,
    ),
    _plain_action(migrations.revert, f"{_RULE}:revert_resize", "revertResize"),
    action_route(
        migrations.migrate, "os_compute_api:os-migrate-server:migrate",
        actions.action("migrate", actions.ANYTHING), "migrate", until=Microversion(2, 55),
    ),
    action_route(
        migrations.migrate, "os_compute_api:os-migrate-server:migrate", actions.MIGRATE_256, "migrate",
        since=Microversion(2, 56),
    ),
    *(
        action_route(
            migrations.live_migrate, "os_compute_api:os-migrate-server:migrate_live", schema, "os-migrateLive",
            since=first, until=last,
        )
        for first, last, schema in actions.MIGRATE_LIVE
    ),
    action_route(
        guests.change_password, "os_compute_api:os-admin-password", guest_schemas.CHANGE_PASSWORD, "changePassword",
    ),
    action_route(
        guests.crash_dump, f"{_RULE}:trigger_crash_dump", actions.action("trigger_crash_dump", actions.ANYTHING),
        "trigger_crash_dump", since=Microversion(2, 17),
    ),
    action_route(
        interfaces.add_fixed_ip, "os_compute_api:os-multinic:add", guest_schemas.ADD_FIXED_IP, "addFixedIp",
    ),
    action_route(
        interfaces.remove_fixed_ip, "os_compute_api:os-multinic:remove", guest_schemas.REMOVE_FIXED_IP, "removeFixedIp",
    ),
    _plain_action(server_actions.unrescue, "os_compute_api:os-unrescue", "unrescue"),
    action_route(
        server_actions.lock, "os_compute_api:os-lock-server:lock", actions.LOCK, "lock", until=Microversion(2, 72),
    ),
    action_route(
        server_actions.lock, "os_compute_api:os-lock-server:lock", actions.LOCK_273, "lock",
        since=Microversion(2, 73),
    ),
    _plain_action(server_actions.unlock, "os_compute_api:os-lock-server:unlock", "unlock"),
    _plain_action(server_actions.restore, "os_compute_api:os-deferred-delete:restore", "restore"),
    _plain_action(server_actions.shelve, "os_compute_api:os-shelve:shelve", "shelve"),
    _plain_action(server_actions.shelve_offload, "os_compute_api:os-shelve:shelve_offload", "shelveOffload"),
    *(
        action_route(
            server_actions.unshelve, "os_compute_api:os-shelve:unshelve", schema, "unshelve", since=first, until=last,
        )
        for first, last, schema in actions.UNSHELVE
    ),
    *(
        action_route(
            server_actions.evacuate, "os_compute_api:os-evacuate", schema, "evacuate", 200, since=first, until=last,
        )
        for first, last, schema in actions.EVACUATE
    ),
    _plain_action(server_actions.force_delete, "os_compute_api:os-deferred-delete:force", "forceDelete"),
    action_route(
        server_actions.reset_state, "os_compute_api:os-admin-actions:reset_state", actions.RESET_STATE,
        "os-resetState",
    ),
    action_route(
        server_actions.console_output, "os_compute_api:os-console-output", guest_schemas.CONSOLE_OUTPUT,
        "os-getConsoleOutput", 200,
    ),
    *(
        action_route(
            consoles.opener(name), "os_compute_api:os-remote-consoles", schema, name, 200, until=last,
        )
        for name, (last, schema) in guest_schemas.CONSOLES.items()
    ),
)  # fmt: skip
