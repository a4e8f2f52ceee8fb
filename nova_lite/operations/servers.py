"""Servers: boot, list, show, update, delete and the power verbs, once for every front door.

Each verb is one transaction that writes the instance's state and its action, then one ring at a daemon.
"""

import contextlib
import dataclasses
import ipaddress
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids, patterns
from nova_lite.core.actions import Action, ActionState, new_action
from nova_lite.core.boot import Booted, BootRequest
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Protected,
    Unavailable,
)
from nova_lite.core.hosts import Service
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import TRANSITIONS, Verb, VmState
from nova_lite.core.network import VirtualInterface
from nova_lite.core.server_migration import MigrationStatus
from nova_lite.db import (
    actions,
    group_members,
    holdings,
    instance_pages,
    instance_rows,
    instances,
    moves,
    server_groups,
    services,
    virtual_interfaces,
)
from nova_lite.db.engine import Database
from nova_lite.db.instance_pages import Page
from nova_lite.operations.boot import Boot
from nova_lite.operations.orders import Order, Orders, find
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.network import NetworkProxy

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class ServerDetails:
    """An instance with what lists show beside it; ``host_status`` is read for admins only."""

    instance: Instance
    interfaces: tuple[VirtualInterface, ...]
    security_groups: tuple[str, ...]
    host_status: str = ""
    security_group_ids: tuple[str, ...] = ()
    server_group: str = ""


class Servers:
    """The operations on servers."""

    def __init__(
        self,
        database: Database,
        boot: Boot,
        orders: Orders,
        compute: ComputeProxy,
        network: NetworkProxy,
        *,
        down_after: float,
        keeps_deleted: bool = False,
    ) -> None:
        self._database = database
        self._boot = boot
        self._orders = orders
        self._compute = compute
        self._network = network
        self._down_after = down_after
        self._keeps_deleted = keeps_deleted

    def boot(self, context: RequestContext, request: BootRequest) -> Booted:
        """Order new servers; they are scheduled and built after this returns.

        Raises InvalidInput for what does not exist or fit together, OverQuota, Forbidden.
        """
        return self._boot.boot(context, request)

    def get(self, context: RequestContext, uuid: str) -> ServerDetails:
        """Return a server; raises NotFound."""

        def work(session: Session) -> ServerDetails:
            return self._whole(session, context, uuid)

        return self._database.read("server.get", work)

    def instance(self, context: RequestContext, uuid: str) -> Instance:
        """Return a server's instance alone; raises NotFound."""
        return self._database.read("server.instance", lambda session: find(session, context, uuid))

    def listing(self, context: RequestContext, page: Page) -> list[ServerDetails]:
        """Return a page of servers; raises InvalidInput for an unknown marker."""

        def work(session: Session) -> list[ServerDetails]:
            return self._details(session, context, _page(session, page))

        return self._database.read("server.list", work)

    def listing_brief(self, context: RequestContext, page: Page) -> list[Instance]:
        """Return a page of instances alone, for lists of ids and names; raises as ``listing`` does."""
        return self._database.read("server.list_brief", lambda session: _page(session, page))

    def update(self, context: RequestContext, uuid: str, changes: Mapping[str, Any]) -> ServerDetails:
        """Change name, description, access addresses or disk_config; raises NotFound, InvalidInput."""
        for name in ("access_ip_v4", "access_ip_v6"):
            if changes.get(name):
                _check_address(changes[name], 6 if name.endswith("6") else 4)

        def work(session: Session) -> ServerDetails:
            instance = find(session, context, uuid)
            if changes:
                instances.update(session, instance.uuid, **changes)
            return self._whole(session, context, uuid)

        updated = self._database.run("server.update", work)
        if "display_name" in changes:
            with contextlib.suppress(Unavailable):
                self._network.refresh_names(context)
        return updated

    def delete(self, context: RequestContext, uuid: str) -> None:
        """Begin to delete a server; where the operator keeps deleted servers for a while, it may be restored.

        Raises NotFound, Locked.
        """
        if self._keeps_deleted and self._soft_delete(context, uuid):
            return
        self.force_delete(context, uuid)

    def _soft_delete(self, context: RequestContext, uuid: str) -> bool:
        """Begin to stop a server that may still be restored; False where it is in no state for that."""
        instance = self.instance(context, uuid)
        if instance.task_state is not None or instance.vm_state not in TRANSITIONS[Verb.SOFT_DELETE].sources:
            return False
        if instance.options.disable_delete and not context.is_admin:
            raise Protected(f"Instance {uuid} may not be deleted: its termination is disabled.")
        self.act(context, uuid, Verb.SOFT_DELETE)
        return True

    def force_delete(self, context: RequestContext, uuid: str) -> None:
        """Begin to delete a server for good, or do it here and now where no host has it; raises as ``delete``."""
        action_id = ids.new_uuid()

        def work(session: Session) -> Action | None:
            return _begin_delete(session, context, uuid, action_id)

        def landed(session: Session) -> Action | None:
            return actions.get(session, action_id)

        action = self._database.run("server.delete", work, landed=landed)
        self._ring(context, action)
        if action is not None and not action.host:
            self._release_addresses(context, uuid)

    def _release_addresses(self, context: RequestContext, uuid: str) -> None:
        """Give back what a shelved server had; while the network is away this is left to its own sweep."""
        if not self._database.read("server.ports", lambda session: virtual_interfaces.of_instances(session, [uuid])):
            return
        try:
            self._network.release(context, [uuid])
        except Unavailable as error:
            LOG.warning("addresses of %s are left to the network's sweep: %s", uuid, error)

    def act(self, context: RequestContext, uuid: str, verb: Verb) -> None:
        """Begin a verb on a server, such as stop or pause; raises NotFound, WrongState, Locked."""
        self._orders.place(context, uuid, Order(lambda _: verb))

    def lock(self, context: RequestContext, uuid: str, reason: str | None) -> None:
        """Keep others than admins from changing a server; raises NotFound.

        What the owner locked an admin may lock above them; the owner's lock above another does nothing.
        """

        def work(session: Session) -> None:
            instance = find(session, context, uuid)
            owns = instance.project_id == context.project_id
            if not (owns and instance.locked_by):
                instances.lock(session, uuid, "owner" if owns else "admin", reason)

        self._database.run("server.lock", work)

    def unlock(self, context: RequestContext, uuid: str) -> None:
        """Let a server be changed again; raises NotFound, Forbidden where an admin locked it."""

        def work(session: Session) -> None:
            instance = find(session, context, uuid)
            if instance.locked_by == "admin" and not context.is_admin:
                raise Forbidden(f"Instance {uuid} was locked by an administrator.")
            instances.lock(session, uuid, "", None)

        self._database.run("server.unlock", work)

    def set_options(self, context: RequestContext, uuid: str, **options: Any) -> Instance:
        """Change what the owner lays down about a server; raises NotFound."""

        def work(session: Session) -> Instance:
            instance = instances.locked(session, find(session, context, uuid).uuid)
            changed = dataclasses.replace(instance.options, **options)
            instances.update(session, uuid, options=instance_rows.options_to_json(changed))
            return dataclasses.replace(instance, options=changed)

        return self._database.run("server.options", work)

    def reset_state(self, context: RequestContext, uuid: str, state: VmState) -> None:
        """Say what a server is, whatever the database said before; raises NotFound."""

        def work(session: Session) -> None:
            instances.reset_state(session, find(session, context, uuid).uuid, state)
            actions.cancel(session, uuid, "The state of the instance was reset.")
            moves.close_of(session, uuid, MigrationStatus.ERROR)

        self._database.run("server.reset_state", work)

    def console_output(self, context: RequestContext, uuid: str, length: int | None) -> str:
        """Return the last ``length`` lines of the console, all when None; raises NotFound, Conflict."""
        instance = self.instance(context, uuid)
        if not instance.host:
            raise Conflict(f"Instance {uuid} is not ready: it has no host yet.")
        return self._compute.on(instance.host).console_output(context, uuid, length)

    def actions(self, context: RequestContext, uuid: str) -> list[Action]:
        """Return what was done to a server, deleted ones too, the newest first; raises NotFound."""

        def work(session: Session) -> list[Action]:
            found = actions.of_resource(session, uuid)
            mine = [action for action in found if context.scope() in (None, action.project_id)]
            if not mine:
                raise NotFound(f"Instance {uuid} could not be found.")
            return mine

        return self._database.read("server.actions", work)

    def action(self, context: RequestContext, uuid: str, request_id: str) -> Action:
        """Return what a request did to a server; raises NotFound."""
        for action in self.actions(context, uuid):
            if action.request_id == request_id:
                return action
        raise NotFound(f"Action for request_id {request_id} on instance {uuid} not found")

    def interfaces(self, context: RequestContext, uuid: str) -> list[VirtualInterface]:
        """Return a server's network interfaces; raises NotFound."""

        def work(session: Session) -> list[VirtualInterface]:
            instance = find(session, context, uuid)
            return list(virtual_interfaces.of_instances(session, [instance.uuid]).get(instance.uuid, ()))

        return self._database.read("server.interfaces", work)

    def _whole(self, session: Session, context: RequestContext, uuid: str) -> ServerDetails:
        """Return a server with what lists do not show of it."""
        (details,) = self._details(session, context, [find(session, context, uuid)])
        group = server_groups.of_instances(session, [uuid]).get(uuid, "")
        return dataclasses.replace(details, server_group=group) if group else details

    def _details(
        self, session: Session, context: RequestContext, found: list[Instance]
    ) -> list[ServerDetails]:
        """Add what is shown beside instances: a constant number of statements for any number of them."""
        uuids = [instance.uuid for instance in found]
        if not uuids:
            return []
        interfaces = virtual_interfaces.of_instances(session, uuids)
        groups = group_members.groups_of_instances(session, uuids)
        hosts = self._host_statuses(session, found) if context.is_admin else {}
        return [
            ServerDetails(
                instance,
                tuple(interfaces.get(instance.uuid, ())),
                tuple(name for _, name in groups.get(instance.uuid, ())),
                hosts.get(instance.host or "", ""),
                tuple(group_id for group_id, _ in groups.get(instance.uuid, ())),
            )
            for instance in found
        ]

    def _host_statuses(self, session: Session, found: Sequence[Instance]) -> dict[str, str]:
        """Return how the hosts of instances do, by host; where there is one only that is looked at."""
        hosts = {instance.host for instance in found if instance.host}
        only = hosts.pop() if len(hosts) == 1 else ""
        listing = services.listing(session, self._down_after, binary="nova-compute", host=only)
        return {service.host: _host_status(service) for service in listing}

    def _ring(self, context: RequestContext, action: Action | None) -> None:
        if action is not None and action.host:
            self._compute.on(action.host).perform(context, [action.id])


def name_pattern(text: str) -> str:
    """Return the regular expression for a ``name`` filter: the text itself, escaped where it is not one."""
    return text if patterns.is_pattern(text) else re.escape(text)


def _begin_delete(session: Session, context: RequestContext, uuid: str, action_id: str) -> Action | None:
    instance = instances.locked(session, uuid, context.scope())
    if instance.task_state == "deleting":
        return None
    if instance.options.disable_delete and not context.is_admin:
        raise Protected(f"Instance {uuid} may not be deleted: its termination is disabled.")
    instances.begin(session, instance, Verb.DELETE, despite_lock=context.is_admin)
    if instance.task_state is not None:
        # It may wait for a host, which the scheduler cannot choose any more.
        actions.cancel(session, uuid, "The instance was deleted before a host was chosen.")
    action = new_action(context, instance, Verb.DELETE, action_id, moves.of_deletion(session, instance))
    if instance.host:
        actions.insert(session, [action])
        return action
    done = dataclasses.replace(action, state=ActionState.DONE)
    actions.insert(session, [done])
    holdings.retire(session, instance)
    return done


def _host_status(service: Service) -> str:
    """Say how a compute host does, in the compute API's words."""
    if service.forced_down:
        return "DOWN"
    if service.disabled:
        return "MAINTENANCE"
    return "UP" if service.up else "UNKNOWN"


def _page(session: Session, page: Page) -> list[Instance]:
    try:
        return instance_pages.listing(session, page)
    except NotFound as error:
        raise InvalidInput(str(error)) from error


def _check_address(text: str, version: int) -> None:
    try:
        right = ipaddress.ip_address(text).version == version
    except ValueError:
        right = False
    if not right:
        raise InvalidInput(f"{text} is not an IPv{version} address.")
