"""Plugging interfaces into guests and out of them; the rows were written when it was ordered."""

from collections.abc import Mapping
from typing import Any

from nova_lite.compute.host import ComputeHost, guest_interface, guest_spec
from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance
from nova_lite.core.network import VirtualInterface
from nova_lite.db import addresses
from nova_lite.drivers.virt.guest import GuestInterface


class InterfaceFlow:
    """The steps that attach an interface to a guest, or detach it; the interface is in the parameters."""

    def __init__(
        self, host: ComputeHost, context: RequestContext, instance: Instance, parameters: Mapping[str, Any]
    ) -> None:
        self._host = host
        self._context = context
        self._instance = instance
        self._parameters = parameters

    def attach_steps(self) -> list[Step]:
        """Return the steps that attach."""
        return [
            Step("networking", self.connect, self.disconnect),
            Step("attaching", self.plug, self.unplug),
        ]

    def detach_steps(self) -> list[Step]:
        """Return the steps that detach."""
        return [Step("detaching", self.unplug, self.plug), Step("networking", self.disconnect)]

    def connect(self) -> None:
        """Let DHCP know the address, and filter the interface's traffic before there is any."""
        self._host.network.allocate(self._context, [self._instance.uuid])
        self._host.connect(self._host.interfaces(self._instance))

    def disconnect(self) -> None:
        """Give the address back."""
        interface = self._interface()
        self._host.firewall.unprotect(self._instance.uuid, ids.tap_name(interface.id))
        self._host.database.run(
            "network.detach", lambda session: addresses.detach(session, interface.id, self._instance.uuid)
        )
        # Whoever has the address next is no member of the instance's groups.
        self._host.groups.left(self._instance.uuid, stays=True)
        self._host.refresh_networks(self._context, [interface.network_id])
        self._host.links.tidy()

    def plug(self) -> None:
        """Plug the interface in; a guest that is not defined finds it at its next start."""
        if self._host.driver.guest(self._instance.uuid) is not None:
            self._host.driver.attach_interface(self._instance.uuid, self._plugged())
            if self._interface().tag:
                spec = guest_spec(self._instance, self._host.interfaces(self._instance))
                self._host.note_devices(self._instance, spec)

    def unplug(self) -> None:
        """Unplug the interface."""
        self._host.driver.detach_interface(self._instance.uuid, self._plugged())

    def _plugged(self) -> GuestInterface:
        return guest_interface(self._interface(), self._instance.hardware)

    def _interface(self) -> VirtualInterface:
        return VirtualInterface(**self._parameters["interface"])
