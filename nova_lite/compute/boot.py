"""Booting an instance: address, disks, guest; each with its undo."""

from collections.abc import Mapping
from typing import Any

from nova_lite.compute.host import ComputeHost, guest_spec
from nova_lite.core.context import RequestContext
from nova_lite.core.flow import Step
from nova_lite.core.image import ImageFacts
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import TaskState
from nova_lite.core.network import VirtualInterface

TASKS = {"spawning": (TaskState.NETWORKING, TaskState.SPAWNING)}
"""The task state that a step shows, after those that it may follow."""

TASKS_MEANWHILE = (TaskState.NETWORKING, TaskState.SPAWNING)


class BootFlow:
    """The steps that make an instance's guest on this host."""

    def __init__(
        self, host: ComputeHost, context: RequestContext, instance: Instance, parameters: Mapping[str, Any]
    ) -> None:
        self._host = host
        self._context = context
        self._instance = instance
        self._image = ImageFacts(**parameters["image"])
        self._interfaces: tuple[VirtualInterface, ...] = ()

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        return [
            Step("networking", self.connect, self.disconnect),
            Step("disks", self.create_disks, self.delete_disks),
            Step("spawning", self.spawn, self.destroy),
        ]

    def connect(self) -> None:
        """Have the network give the instance its addresses, and filter its traffic before it has any."""
        found = self._host.network.allocate(self._context, [self._instance.uuid])
        self._interfaces = tuple(found.get(self._instance.uuid, ()))
        self._host.connect(self._interfaces)

    def disconnect(self) -> None:
        """Give the addresses back."""
        self._host.disconnect(self._instance)
        self._host.release_addresses(self._context, self._instance)

    def create_disks(self) -> None:
        """Make the disks from the image."""
        spec = self._host.disk_spec(self._instance)
        self._host.driver.create_disks(spec, self._host.guest_image(self._instance, self._image))
        if self._tells_devices():
            self._host.tell_devices(self._instance, guest_spec(self._instance, self._interfaces))

    def _tells_devices(self) -> bool:
        """Tell whether the config drive is to say where devices are that have a tag."""
        tagged = self._instance.local_disks.tags or any(interface.tag for interface in self._interfaces)
        return self._instance.config_drive and bool(tagged)

    def delete_disks(self) -> None:
        """Remove the disks, and a guest that was defined so that its drive could be made."""
        if self._instance.config_drive:
            self._host.driver.destroy(self._instance.uuid)
        self._host.driver.delete_disks(self._instance.uuid, self._instance.name)

    def spawn(self) -> None:
        """Define and start the guest."""
        spec = guest_spec(self._instance, self._interfaces)
        self._host.driver.spawn(spec)
        self._host.note_devices(self._instance, spec)

    def destroy(self) -> None:
        """Stop the guest and forget it."""
        self._host.driver.destroy(self._instance.uuid)
