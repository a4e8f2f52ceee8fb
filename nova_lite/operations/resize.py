"""Resizing and migrating servers, and the user's word that ends it."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import hardware, ids
from nova_lite.core.actions import Action, new_action
from nova_lite.core.context import RequestContext, system_context
from nova_lite.core.errors import InvalidInput, NoValidHost, Unavailable, WrongState
from nova_lite.core.image import Image, Visibility
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.instance_states import PowerState, Verb, VmState
from nova_lite.core.quota import Limits, Usage
from nova_lite.core.server_migration import (
    MigrationKind,
    MigrationStatus,
    Phase,
    ServerMigration,
)
from nova_lite.db import actions, flavors, images, instance_rows, instances, quotas, server_migrations
from nova_lite.db.engine import Database
from nova_lite.operations import server_images
from nova_lite.operations.images import new_image
from nova_lite.operations.orders import find
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.scheduler import SchedulerProxy

_PATIENCE = 120.0
"""Seconds for which the caller of ``change_flavor`` waits at most."""
_PAUSE = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What the operator's flags say of resizes."""

    limits: Limits
    same_host: bool


class Resize:
    """The operations that bring a server to another size or host."""

    def __init__(
        self, database: Database, scheduler: SchedulerProxy, compute: ComputeProxy, rules: Rules
    ) -> None:
        self._database = database
        self._scheduler = scheduler
        self._compute = compute
        self._rules = rules

    def resize(self, context: RequestContext, uuid: str, flavor_id: str) -> None:
        """Begin to give a server another size.

        Raises NotFound, WrongState, Locked, OverQuota, InvalidInput for a flavor that does not exist or fit.
        """

        def wanted(session: Session, instance: Instance) -> Flavor:
            flavor = flavors.get(session, flavor_id, context.scope())
            if flavor is None or flavor.disabled:
                raise InvalidInput(f"Flavor {flavor_id} could not be found.")
            if flavor.id == instance.flavor.id:
                raise InvalidInput("When resizing, instances must change flavor!")
            _check_fit(session, instance, flavor)
            return flavor

        self._begin(context, uuid, wanted, MigrationKind.RESIZE)

    def change_flavor(self, context: RequestContext, uuid: str, flavor_id: str) -> None:
        """Give a server that is off another size, and wait until it has it.

        Raises as ``resize``, NoValidHost where no host takes it, Unavailable where it takes too long: then the same
        may be asked again.
        """
        server = self._now(context, uuid)
        if server.flavor.id != flavor_id:
            self.resize(context, uuid, flavor_id)
            server = self._wait(context, uuid)
        if server.flavor.id != flavor_id:
            raise NoValidHost(server.fault.message if server.fault else "")
        if server.vm_state is VmState.RESIZED:
            self.confirm(context, uuid)
            self._wait(context, uuid)

    def _wait(self, context: RequestContext, uuid: str) -> Instance:
        """Return a server once nothing is going on with it any more; raises Unavailable when that takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while (server := self._now(context, uuid)).task_state is not None:
            if time.monotonic() > deadline:
                raise Unavailable(f"Instance {uuid} is still being resized.")
            time.sleep(_PAUSE)
        return server

    def _now(self, context: RequestContext, uuid: str) -> Instance:
        return self._database.read("server.instance", lambda session: find(session, context, uuid))

    def migrate(self, context: RequestContext, uuid: str, host: str = "") -> None:
        """Begin to bring a server to another host, of the scheduler's choice or ``host``; raises as ``resize``."""

        def wanted(session: Session, instance: Instance) -> Flavor:
            if host and host == instance.host:
                raise InvalidInput("Cannot migrate a server to the host that it is on.")
            return instance.flavor

        self._begin(context, uuid, wanted, MigrationKind.MIGRATION, {"force_host": host} if host else {})

    def confirm(self, context: RequestContext, uuid: str) -> None:
        """Keep a server as it is after its resize; raises NotFound, WrongState, Locked."""
        self._end(context, uuid, Verb.CONFIRM_RESIZE)

    def revert(self, context: RequestContext, uuid: str) -> None:
        """Bring a server back to where and what it was before its resize; raises NotFound, WrongState, Locked."""
        self._end(context, uuid, Verb.REVERT_RESIZE)

    def listing(self, context: RequestContext, filters: Mapping[str, str]) -> list[ServerMigration]:
        """Return migrations that match columns exactly, the newest first."""
        return self._database.read(
            "migration.list", lambda session: server_migrations.listing(session, **filters)
        )

    def _begin(
        self,
        context: RequestContext,
        uuid: str,
        wanted: Callable[[Session, Instance], Flavor],
        kind: MigrationKind,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Write the migration and its action in one transaction, and ring the scheduler."""
        action_id = ids.new_uuid()

        def work(session: Session) -> str:
            instance = find(session, context, uuid)
            flavor = wanted(session, instance)
            instances.begin(session, instance, Verb.RESIZE, despite_lock=context.is_admin)
            migration = dataclasses.replace(
                ServerMigration.begun(instance, context.user_id, kind, MigrationStatus.PRE_MIGRATING),
                new_flavor=flavor,
                image_id=ids.new_uuid(),
            )
            surplus = migration.surplus()
            if surplus != Usage():
                quotas.reserve(session, instance.project_id, self._rules.limits, surplus)
            server_migrations.insert(session, migration)
            images.insert(session, _carrier(instance, migration.image_id))
            parameters = {**_parameters(instance, migration), **more}
            if kind is MigrationKind.MIGRATION or not self._rules.same_host:
                parameters["ignored_hosts"] = [instance.host]
            action = new_action(context, instance, Verb.RESIZE, action_id, parameters)
            actions.insert(session, [dataclasses.replace(action, host="")])
            return action_id

        def landed(session: Session) -> str | None:
            return action_id if actions.get(session, action_id) is not None else None

        self._scheduler.place(context, [self._database.run("server.resize", work, landed=landed)])

    def _end(self, context: RequestContext, uuid: str, verb: Verb) -> None:
        action_id = ids.new_uuid()
        reverts = verb is Verb.REVERT_RESIZE

        def work(session: Session) -> Action:
            instance = find(session, context, uuid)
            migration = server_migrations.open_of(session, uuid)
            if migration is None or migration.status is not MigrationStatus.FINISHED:
                raise WrongState(f"Instance {uuid} has not been resized.")
            instances.begin(session, instance, verb, despite_lock=context.is_admin)
            status = MigrationStatus.REVERTING if reverts else MigrationStatus.CONFIRMING
            server_migrations.move(session, migration.uuid, {MigrationStatus.FINISHED}, status)
            parameters = {"migration": migration.uuid, "off": _is_off(instance)}
            if reverts:
                parameters |= {"phase": Phase.RETREAT, "image_id": ""}
            action = new_action(context, instance, verb, action_id, parameters)
            host = migration.dest_host if reverts else migration.source_host
            actions.insert(session, [dataclasses.replace(action, host=host)])
            return dataclasses.replace(action, host=host)

        def landed(session: Session) -> Action | None:
            return actions.get(session, action_id)

        action = self._database.run("server.end_resize", work, landed=landed)
        self._compute.on(action.host).perform(context, [action.id])


def _is_off(instance: Instance) -> bool:
    return instance.power_state is PowerState.SHUTDOWN


def _check_fit(session: Session, instance: Instance, flavor: Flavor) -> None:
    """Raise InvalidInput for a flavor that the server's disk or image does not fit in."""
    if flavor.root_gb < instance.flavor.root_gb:
        raise InvalidInput("Resize down is not allowed: the flavor's disk is smaller than the server's.")
    if flavor.ephemeral_gb < sum(disk.size_gb for disk in instance.ephemerals):
        raise InvalidInput("Resize down is not allowed: the server's ephemeral disks are larger than the flavor's.")
    hardware.of(flavor.vcpus, flavor.extra_specs, instance.image_properties)
    image = images.get(session, instance.image_id)
    if image is not None:
        server_images.check_fit(flavor, image)


def _carrier(instance: Instance, image_id: str) -> Image:
    """Return the image that carries the disk: nobody's, and not in lists."""
    return new_image(
        system_context(),
        image_id,
        name=f"{instance.uuid}-resize-temp",
        owner="",
        visibility=Visibility.PRIVATE,
        os_hidden=True,
    )


def _parameters(instance: Instance, migration: ServerMigration) -> dict[str, Any]:
    return {
        "migration": migration.uuid,
        "image_id": migration.image_id,
        "flavor": instance_rows.flavor_to_json(migration.new_flavor),
        "phase": Phase.LEAVE,
        "off": _is_off(instance),
        "title": "migrate" if migration.kind is MigrationKind.MIGRATION else "",
    }
