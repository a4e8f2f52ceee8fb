"""Resizing and migrating an instance: its disks are carried from host to host as an image, its guest made anew.

Hosts that keep disks in one folder, and a host that keeps its guest, carry nothing: the disks are copied there.

The work is done in phases, each on one host, and the action is handed from host to host between them. What
the guest was made of stays on its old host until the user confirms, so that everything can be turned back.

======== ============= ======================================================================
phase    on the host   what it does
======== ============= ======================================================================
leave    it comes from stops the guest, stores a copy of its disks, keeps the disks aside
arrive   it goes to    makes the guest of the copy; when that fails, ``return`` follows
retreat  it went to    removes the guest, at the user's wish; ``return`` follows
return   it came from  makes the guest of the disk that was kept aside
======== ============= ======================================================================
"""

import dataclasses

from nova_lite.compute.host import ComputeHost
from nova_lite.compute.snapshot import SnapshotFlow
from nova_lite.core.actions import Action
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Superseded
from nova_lite.core.flow import Step
from nova_lite.core.image import ImageFacts
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import TaskState
from nova_lite.core.server_migration import Phase
from nova_lite.db import images, server_migrations

TASKS = {
    "powering-off": (TaskState.RESIZE_PREP, TaskState.RESIZE_MIGRATING),
    "networking": (TaskState.RESIZE_MIGRATING, TaskState.RESIZE_FINISH),
}
"""The task state that a step of a resize shows, after those that it may follow."""

TASKS_MEANWHILE = (TaskState.RESIZE_PREP, TaskState.RESIZE_MIGRATING, TaskState.RESIZE_FINISH)


class ResizeFlow:
    """The steps of one phase on this host."""

    def __init__(
        self, host: ComputeHost, context: RequestContext, instance: Instance, action: Action
    ) -> None:
        self._host = host
        self._context = context
        self._instance = instance
        self._action = action
        self._copy = SnapshotFlow(host, instance, action, packed=True)

    def steps(self) -> list[Step]:
        """Return the steps of the action's phase."""
        match Phase(self._action.parameters["phase"]):
            case Phase.LEAVE:
                return [
                    Step("powering-off", self.power_off, self.power_on),
                    Step("snapshotting", self.take, self._copy.give_up),
                    Step("uploading", self.store),
                    Step("setting-aside", self.set_aside, self.put_back),
                ]
            case Phase.ARRIVE:
                return [
                    Step("networking", self.connect, self.disconnect),
                    Step("disks", self.receive, self.delete_disks),
                    Step("spawning", self.spawn, self.destroy),
                ]
            case Phase.RETREAT:
                return [Step("destroying", self.retreat)]
            case _:
                return [Step("putting-back", self.put_back), Step("respawning", self.spawn)]

    def power_off(self) -> None:
        """Shut the guest down, unless it is gone because this was done before."""
        if self._host.driver.guest(self._instance.uuid) is not None:
            self._host.driver.power_off(self._instance.uuid, self._host.shutdown_timeout)

    def power_on(self) -> None:
        """Start the guest again."""
        if self._was_on():
            self._host.driver.power_on(self._host.protected_spec(self._instance))

    def take(self) -> None:
        """Copy the disks, unless the new host can do that for itself."""
        if not self._is_aside() and not self._is_near():
            self._copy.take()

    def store(self) -> None:
        """Bring the copy to the image store."""
        if not self._is_aside() and not self._is_near():
            self._copy.store()
            self._copy.drop()

    def set_aside(self) -> None:
        """Forget the guest and keep its disk."""
        self._host.driver.set_aside(self._instance.uuid, self._instance.name)
        self._host.firewall.unprotect(self._instance.uuid)

    def put_back(self) -> None:
        """Make the guest known again, with the disk that was kept."""
        self._host.driver.put_back(self._instance.uuid, self._instance.name)
        self._host.driver.define(self._host.protected_spec(self._instance))

    def connect(self) -> None:
        """Let the network know of the instance here."""
        self._host.join(self._context, self._instance)

    def disconnect(self) -> None:
        """Remove the filter that the guest was made with; the addresses stay the instance's."""
        self._host.disconnect(self._instance)

    def receive(self) -> None:
        """Make the disks from the copy, or from what is kept aside where that is here too."""
        spec = self._host.disk_spec(self._instance)
        if self._is_near():
            self._host.driver.copy_aside(spec)
            return
        image_id = self._action.parameters["image_id"]
        stored = self._host.database.read("image.get", lambda session: images.get(session, image_id))
        if stored is None:
            # Only the end of the migration removes it.
            raise Superseded()
        facts = ImageFacts(stored.disk_format or "raw", stored.size or 0, 0, stored.os_hash_value or "")
        carried = dataclasses.replace(self._instance, image_id=image_id)
        self._host.driver.receive_disks(spec, self._host.guest_image(carried, facts))

    def delete_disks(self) -> None:
        """Remove the disks."""
        self._host.driver.delete_disks(self._instance.uuid, self._instance.name)

    def spawn(self) -> None:
        """Make the guest, and start it if it ran before."""
        spec = self._host.protected_spec(self._instance)
        if self._was_on():
            self._host.driver.spawn(spec)
        else:
            self._host.driver.define(spec)
        self._host.note_devices(self._instance, spec)

    def destroy(self) -> None:
        """Stop the guest and forget it."""
        self._host.driver.destroy(self._instance.uuid)

    def retreat(self) -> None:
        """Remove the guest and its disks."""
        self.destroy()
        self.delete_disks()
        self._host.disconnect(self._instance)

    def _is_near(self) -> bool:
        """Tell whether both hosts have the disks in one folder."""
        uuid = self._action.parameters["migration"]
        found = self._host.database.read(
            "migration.get", lambda session: server_migrations.get(session, uuid)
        )
        if found is None:
            raise Superseded()
        return {found.source_host, found.dest_host} <= self._host.driver.sharers()

    def _was_on(self) -> bool:
        return not self._action.parameters["off"]

    def _is_aside(self) -> bool:
        return self._host.driver.is_aside(self._instance.name)


class ConfirmFlow:
    """The step that removes what the old host kept."""

    def __init__(self, host: ComputeHost, instance: Instance) -> None:
        self._host = host
        self._instance = instance

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        return [Step("confirming", self.drop)]

    def drop(self) -> None:
        """Remove the disk that was kept aside."""
        self._host.driver.drop_aside(self._instance.name)
        if self._instance.host != self._host.name:
            self._host.links.tidy(self._instance.uuid)
