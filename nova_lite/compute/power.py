"""Stopping, starting and rebooting: one step each, which may run twice."""

from nova_lite.compute import protection
from nova_lite.compute.host import ComputeHost, guest_spec
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb
from nova_lite.drivers.virt.base import GuestSpec, RebootKind


class PowerFlow:
    """The steps of the power verbs."""

    def __init__(self, host: ComputeHost, instance: Instance, verb: Verb) -> None:
        self._host = host
        self._instance = instance
        self._verb = verb

    def steps(self) -> list[Step]:
        """Return the verb's steps."""
        return {
            Verb.STOP: [Step("powering-off", self.stop)],
            Verb.START: [Step("powering-on", self.start)],
            Verb.REBOOT: [Step("rebooting", lambda: self.reboot(RebootKind.SOFT))],
            Verb.REBOOT_HARD: [Step("rebooting", lambda: self.reboot(RebootKind.HARD))],
        }[self._verb]

    def stop(self) -> None:
        """Shut the guest down."""
        self._host.driver.power_off(self._instance.uuid, self._host.shutdown_timeout)

    def start(self) -> None:
        """Start the guest behind its filter."""
        self._host.driver.power_on(self._protected())

    def reboot(self, kind: RebootKind) -> None:
        """Restart the guest behind its filter."""
        self._host.driver.reboot(self._protected(), kind)

    def _protected(self) -> GuestSpec:
        """Return what the guest is like, its filter in force."""
        interfaces = self._host.interfaces(self._instance)
        self._host.firewall.protect(*protection.of(self._host.database, interfaces))
        return guest_spec(self._instance, interfaces)
