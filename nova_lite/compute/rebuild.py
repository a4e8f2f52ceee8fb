"""Rebuilding an instance: its guest and disks removed and made anew, its addresses kept.

What a rebuild removes cannot come back, so there is no undo: an instance whose rebuild failed is in error,
and may be rebuilt again.
"""

from collections.abc import Mapping
from typing import Any

from nova_lite.compute.host import ComputeHost
from nova_lite.core.flow import Step
from nova_lite.core.image import ImageFacts
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb


class RebuildFlow:
    """The steps that make an instance's guest on this host once more."""

    def __init__(
        self, host: ComputeHost, instance: Instance, verb: Verb, parameters: Mapping[str, Any]
    ) -> None:
        self._host = host
        self._instance = instance
        self._verb = verb
        self._image = ImageFacts(**parameters["image"])

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        steps = [
            Step("destroying", self.destroy),
            Step("disks", self.create_disks),
            Step("spawning", self.spawn),
        ]
        return [*steps, Step("powering-off", self.power_off)] if self._stays_off() else steps

    def destroy(self) -> None:
        """Stop the guest and remove its disks."""
        self._host.driver.destroy(self._instance.uuid)
        self._host.driver.delete_disks(self._instance.uuid, self._instance.name)

    def create_disks(self) -> None:
        """Make the disks from the image that the instance has now."""
        spec = self._host.disk_spec(self._instance)
        self._host.driver.create_disks(spec, self._host.guest_image(self._instance, self._image))

    def spawn(self) -> None:
        """Start the new guest behind its filter."""
        spec = self._host.protected_spec(self._instance)
        self._host.driver.spawn(spec)
        self._host.note_devices(self._instance, spec)

    def power_off(self) -> None:
        """Stop the guest of an instance that was stopped: it has nothing yet to lose."""
        self._host.driver.power_off(self._instance.uuid, 0.0)

    def _stays_off(self) -> bool:
        return self._verb is Verb.REBUILD_STOPPED
