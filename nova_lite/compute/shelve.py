"""Shelving an instance: its disk becomes an image, and its host is free of it; and the way back."""

import dataclasses

from nova_lite.compute.host import ComputeHost
from nova_lite.compute.snapshot import SnapshotFlow
from nova_lite.core.actions import Action
from nova_lite.core.context import RequestContext
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance
from nova_lite.drivers.virt.guest import Injected


class ShelveFlow:
    """The steps that stop an instance and make an image of its disk."""

    def __init__(self, host: ComputeHost, instance: Instance, action: Action) -> None:
        self._host = host
        self._instance = instance
        self._action = action
        self._copy = SnapshotFlow(host, instance, action)

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        return [
            Step("powering-off", self.power_off, self.power_on),
            Step("snapshotting", self.take, self._copy.give_up),
            Step("uploading", self.store),
        ]

    def power_off(self) -> None:
        """Shut the guest down, unless it is gone because this was done before."""
        if self._is_here():
            self._host.driver.power_off(self._instance.uuid, self._host.shutdown_timeout)

    def power_on(self) -> None:
        """Start the guest again."""
        if not self._action.parameters["off"]:
            self._host.driver.power_on(self._host.protected_spec(self._instance))

    def take(self) -> None:
        """Copy the disk."""
        if self._is_here():
            self._copy.take()

    def store(self) -> None:
        """Bring the copy to the image store."""
        if self._is_here():
            self._copy.store()
            self._copy.drop()

    def _is_here(self) -> bool:
        return self._host.driver.guest(self._instance.uuid) is not None


class OffloadFlow:
    """The step that frees the host of an instance whose image is there."""

    def __init__(self, host: ComputeHost, instance: Instance) -> None:
        self._host = host
        self._instance = instance

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        return [Step("offloading", self.offload)]

    def offload(self) -> None:
        """Remove the guest and its disks; its addresses stay its own."""
        self._host.driver.destroy(self._instance.uuid)
        self._host.driver.delete_disks(self._instance.uuid, self._instance.name)
        self._host.disconnect(self._instance)


class ArriveFlow:
    """The steps that make an instance's guest on a host that is new to it, with the addresses that it has."""

    def __init__(
        self, host: ComputeHost, context: RequestContext, instance: Instance, action: Action
    ) -> None:
        self._host = host
        self._context = context
        self._instance = instance
        self._action = action

    def unshelve_steps(self) -> list[Step]:
        """Return the steps for an instance that comes from the shelf; nothing stays of one that fails."""
        return [
            Step("networking", self.connect, self.disconnect),
            Step("disks", self.create_disks, self.delete_disks),
            Step("spawning", self.spawn, self.destroy),
        ]

    def evacuate_steps(self) -> list[Step]:
        """Return the steps for an instance whose host died; its disks may be there, on shared storage."""
        return [
            Step("networking", self.connect),
            Step("disks", self.create_disks),
            Step("spawning", self.spawn),
        ]

    def connect(self) -> None:
        """Let the network know of the instance here."""
        self._host.join(self._context, self._instance)

    def disconnect(self) -> None:
        """Remove the filter that the guest was made with."""
        self._host.disconnect(self._instance)

    def create_disks(self) -> None:
        """Make the disks from the action's image; whole ones are kept."""
        image_id = self._action.parameters["image_id"]
        facts = self._host.image_facts(image_id)
        source = dataclasses.replace(self._instance, image_id=image_id)
        spec = self._host.disk_spec(self._instance)
        if image_id != self._instance.image_id:
            # The guest's own disk, from the shelf: it has what was put in, and what became of it since.
            spec = dataclasses.replace(spec, injected=Injected())
        self._host.driver.create_disks(spec, self._host.guest_image(source, facts))

    def delete_disks(self) -> None:
        """Remove the disks."""
        self._host.driver.delete_disks(self._instance.uuid, self._instance.name)

    def spawn(self) -> None:
        """Make the guest, and start it unless it was off."""
        spec = self._host.protected_spec(self._instance)
        if self._action.parameters["off"]:
            self._host.driver.define(spec)
        else:
            self._host.driver.spawn(spec)
        self._host.note_devices(self._instance, spec)

    def destroy(self) -> None:
        """Stop the guest and forget it."""
        self._host.driver.destroy(self._instance.uuid)
