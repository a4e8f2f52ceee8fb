"""Verbs that are one call of the hypervisor: one step each, which may run twice."""

from collections.abc import Mapping
from typing import Any

from nova_lite.compute.host import ComputeHost
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb
from nova_lite.drivers.virt.base import RebootKind


class PowerFlow:
    """The steps of these verbs."""

    def __init__(
        self, host: ComputeHost, instance: Instance, verb: Verb, parameters: Mapping[str, Any]
    ) -> None:
        self._host = host
        self._instance = instance
        self._verb = verb
        self._parameters = parameters

    def steps(self) -> list[Step]:
        """Return the verb's steps."""
        return {
            Verb.STOP: [Step("powering-off", self.stop)],
            Verb.START: [Step("powering-on", self.start)],
            Verb.REBOOT: [Step("rebooting", lambda: self.reboot(RebootKind.SOFT))],
            Verb.REBOOT_HARD: [Step("rebooting", lambda: self.reboot(RebootKind.HARD))],
            Verb.PAUSE: [Step("pausing", self.pause)],
            Verb.UNPAUSE: [Step("unpausing", self.unpause)],
            Verb.SUSPEND: [Step("suspending", self.suspend)],
            Verb.RESUME: [Step("resuming", self.resume)],
            Verb.SOFT_DELETE: [Step("powering-off", self.stop)],
            Verb.RESTORE: [Step("powering-on", self.start)],
            Verb.UNSHELVE_HERE: [Step("powering-on", self.start)],
            Verb.CHANGE_PASSWORD: [Step("setting-password", self.set_password)],
            Verb.CRASH_DUMP: [Step("dumping", self.dump)],
        }[self._verb]

    def stop(self) -> None:
        """Shut the guest down."""
        self._host.driver.power_off(self._instance.uuid, self._host.shutdown_timeout)

    def start(self) -> None:
        """Start the guest behind its filter."""
        spec = self._host.protected_spec(self._instance)
        self._host.driver.power_on(spec)
        self._host.note_devices(self._instance, spec)

    def reboot(self, kind: RebootKind) -> None:
        """Restart the guest behind its filter."""
        spec = self._host.protected_spec(self._instance)
        self._host.driver.reboot(spec, kind)
        self._host.note_devices(self._instance, spec)

    def set_password(self) -> None:
        """Change the administrator's password in the guest."""
        password = self._host.seal.open(self._parameters["password"])
        self._host.driver.set_admin_password(self._instance.uuid, password)

    def dump(self) -> None:
        """Have the guest's kernel dump its memory."""
        self._host.driver.inject_crash_dump(self._instance.uuid)

    def pause(self) -> None:
        """Stop the guest's processors; its memory stays."""
        self._host.driver.pause(self._instance.uuid)

    def unpause(self) -> None:
        """Let the guest's processors run on."""
        self._host.driver.unpause(self._instance.uuid)

    def suspend(self) -> None:
        """Put the guest's memory on disk and stop it."""
        self._host.driver.suspend(self._instance.uuid)

    def resume(self) -> None:
        """Let a suspended guest go on behind its filter."""
        self._host.driver.resume(self._host.protected_spec(self._instance))
