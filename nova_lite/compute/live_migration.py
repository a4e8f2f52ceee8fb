"""Moving a running guest from host to host.

The work is done in phases, each on one host, and the action is handed from host to host between them:

====== ============= =====================================================================================
phase  on the host   what it does
====== ============= =====================================================================================
expect it goes to    makes network, filter and disks ready, and tells where the hypervisor takes the guest in
move   it comes from sends the guest, and removes what is left of it
land   it goes to    sees whether the guest is there: keeps it or, if not, removes what was made ready
====== ============= =====================================================================================

The guest itself is where it is: an action that goes on after a crash, or without the old host, asks the
hypervisor of the new one, and writes down what that says.
"""

import dataclasses
import time
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.compute.host import ComputeHost
from nova_lite.core.actions import Action
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import DriverError, NotSupported, Superseded
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import TaskState
from nova_lite.core.server_migration import CarriedDisk, Phase, Progress, ServerMigration, Wish
from nova_lite.db import instances, moves, server_migrations
from nova_lite.drivers.virt.abilities import LiveMigration
from nova_lite.drivers.virt.base import VirtDriver

_GIB = 1024**3
_NOTED_EVERY = 1.0
"""Seconds between two looks at what is wanted of a migration that goes on."""


class LiveMigrationFlow:
    """The steps of one phase on this host."""

    def __init__(
        self, host: ComputeHost, context: RequestContext, instance: Instance, action: Action
    ) -> None:
        self._host = host
        self._context = context
        self._instance = instance
        self._action = action
        self._noted_at = 0.0
        self._wish: Wish | None = None

    def steps(self) -> list[Step]:
        """Return the steps of the action's phase."""
        match Phase(self._action.parameters["phase"]):
            case Phase.EXPECT:
                return [
                    Step("networking", self.connect, self.disconnect),
                    Step("expecting", self.expect, self.turn_away),
                ]
            case Phase.MOVE:
                return [Step("moving", self.move), Step("leaving", self.leave)]
            case _:
                return [
                    Step("landing", self.land, self.settle),
                    Step("connecting", self.connect),
                    Step("taking-over", self.take_over),
                ]

    def connect(self) -> None:
        """Let the network know of the instance here."""
        self._host.join(self._context, self._instance)

    def disconnect(self) -> None:
        """Remove the filter that the guest was expected with; the addresses stay the instance's."""
        self._host.disconnect(self._instance)

    def expect(self) -> None:
        """Make ready for the guest, its disks included where the hosts do not share them."""
        driver = able_to_move(self._host.driver)
        migration = self._migration()
        shared = migration.source_host in self._host.driver.sharers()
        wanted = self._action.parameters["block_migration"]
        if wanted is not None and wanted == shared:
            raise DriverError(
                f"{migration.source_host} and {migration.dest_host} share their disks: nothing is to be copied."
                if shared
                else f"{migration.source_host} and {migration.dest_host} share no disks: they have to be copied."
            )
        image = self._host.guest_image(self._instance, self._host.image_facts(self._instance.image_id))
        drive = self._host.disk_spec(self._instance).config_drive
        spec = dataclasses.replace(self._host.protected_spec(self._instance), config_drive=drive)
        traveller = self._host.compute.on(migration.source_host).traveller(self._context, self._instance.uuid)
        if not shared:
            self._check_room(traveller.disks)
        uri = driver.expect(spec, image, traveller, shared=shared)

        def work(session: Session) -> None:
            server_migrations.update(session, migration.uuid, uri=uri, shared=shared)

        self._host.database.run("live_migration.expect", work)

    def _check_room(self, disks: Sequence[CarriedDisk]) -> None:
        """Raise DriverError where the disks do not fit; what its admin said tells how they are counted."""
        over_commit = self._action.parameters.get("disk_over_commit")
        if over_commit is None:
            return
        needed = sum(disk.used if over_commit else disk.size for disk in disks)
        available = self._host.driver.host_resources().disk_available_least * _GIB
        if needed > available:
            raise DriverError(
                f"unable to migrate {self._instance.uuid}: disk of instance is too large"
                f" (available on destination host: {available} < need: {needed})."
            )

    def turn_away(self) -> None:
        """Remove what was made ready."""
        if isinstance(self._host.driver, LiveMigration):
            shared = self._migration().source_host in self._host.driver.sharers()
            self._host.driver.turn_away(self._instance.uuid, self._instance.name, shared=shared)

    def move(self) -> None:
        """Send the guest, unless it has gone because this was done before."""
        driver = able_to_move(self._host.driver)
        migration = self._migration()
        if self._host.driver.guest(self._instance.uuid) is None:
            return
        if migration.wish is Wish.ABORT:
            raise DriverError("the migration was aborted.")
        spec = self._host.protected_spec(self._instance)
        driver.move(spec, migration.uri, shared=migration.shared, watch=self._watch)

    def leave(self) -> None:
        """Remove what is left of the guest here."""
        self._host.disconnect(self._instance)
        if not self._migration().shared:
            self._host.driver.delete_disks(self._instance.uuid, self._instance.name)

    def land(self) -> None:
        """Write down that the guest is here; raises DriverError, all of it removed, when it is not."""
        if not self._has_landed():
            raise DriverError(self._action.parameters.get("error") or "the guest did not arrive.")

    def settle(self) -> None:
        """Write down that the guest is here, or remove what was made ready: whatever failed, it is somewhere."""
        self._has_landed()

    def _has_landed(self) -> bool:
        migration = self._migration()
        if not able_to_move(self._host.driver).has_arrived(self._instance.uuid, self._instance.name):
            self.turn_away()
            self.disconnect()
            return False
        self._host.database.run("live_migration.land", lambda session: moves.land(session, migration))
        return True

    def take_over(self) -> None:
        """Let the guest be one of this host's own."""
        spec = self._host.protected_spec(self._instance)
        able_to_move(self._host.driver).take_over(spec)
        self._host.note_devices(self._instance, spec)

    def _watch(self, progress: Progress) -> bool:
        """Note the progress, and tell whether the guest may stand still.

        Raises DriverError where its admin called it off, Superseded where another action took the instance over.
        """
        if time.monotonic() - self._noted_at >= _NOTED_EVERY:
            self._wish = self._note(progress)
            self._noted_at = time.monotonic()
        if self._wish is Wish.ABORT:
            raise DriverError("the migration was aborted.")
        return self._wish is Wish.COMPLETE

    def _note(self, progress: Progress) -> Wish | None:
        """Write the progress down and return what is wanted."""
        uuid = self._action.parameters["migration"]

        def work(session: Session) -> Wish | None:
            now = instances.get(session, self._instance.uuid)
            found = server_migrations.get(session, uuid)
            if now is None or now.task_state is not TaskState.MIGRATING or found is None:
                raise Superseded()
            server_migrations.update(session, uuid, progress=progress)
            return found.wish

        return self._host.database.run("live_migration.progress", work)

    def _migration(self) -> ServerMigration:
        uuid = self._action.parameters["migration"]
        found = self._host.database.read(
            "live_migration.get", lambda session: server_migrations.get(session, uuid)
        )
        if found is None:
            raise Superseded()
        return found


def able_to_move(driver: VirtDriver) -> LiveMigration:
    """Return a driver as one that moves running guests; raises NotSupported."""
    if not isinstance(driver, LiveMigration):
        raise NotSupported(f"The hypervisor {driver.capabilities.hypervisor_type} cannot move running guests.")
    return driver
