"""Rescuing an instance: its guest runs from a disk of its own, with the instance's disk beside it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nova_lite.compute.host import ComputeHost
from nova_lite.core.flow import Step
from nova_lite.core.image import ImageFacts
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import VmState
from nova_lite.drivers.virt.guest import GuestImage


class RescueFlow:
    """The steps into a rescue and out of it."""

    def __init__(self, host: ComputeHost, instance: Instance, parameters: Mapping[str, Any]) -> None:
        self._host = host
        self._instance = instance
        self._parameters = parameters

    def rescue_steps(self) -> list[Step]:
        """Return the steps that begin a rescue."""
        return [Step("rescuing", self.rescue, self.give_up)]

    def unrescue_steps(self) -> list[Step]:
        """Return the steps that end it."""
        return [Step("unrescuing", self.unrescue)]

    def rescue(self) -> None:
        """Start the guest from a fresh disk of the rescue image."""
        self._host.driver.rescue(self._host.protected_spec(self._instance), self._image())

    def unrescue(self) -> None:
        """Start the guest from its own disk again, and remove the other."""
        self._host.driver.unrescue(self._host.protected_spec(self._instance))

    def give_up(self) -> None:
        """Bring the guest back to where it was."""
        self.unrescue()
        if self._instance.vm_state is VmState.STOPPED:
            self._host.driver.power_off(self._instance.uuid, 0.0)

    def _image(self) -> GuestImage:
        chosen = dataclasses.replace(
            self._instance, image_id=self._parameters["image_id"], kernel_id="", ramdisk_id=""
        )
        return self._host.guest_image(chosen, ImageFacts(**self._parameters["image"]))
