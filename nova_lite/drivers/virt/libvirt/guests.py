"""What guests of libvirt have in common, whether they are machines or containers."""

import abc
import json
from typing import Any
from xml.etree import ElementTree as ET

from nova_lite.core.devices import GuestDevice
from nova_lite.drivers.virt.base import Changed, HostResources, RebootKind
from nova_lite.drivers.virt.folders import FolderDriver
from nova_lite.drivers.virt.guest import Guest, GuestImage, GuestInterface, GuestSnapshot, GuestSpec
from nova_lite.drivers.virt.libvirt import described, interfaces
from nova_lite.drivers.virt.libvirt.connection import constant
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.domains import Domains
from nova_lite.drivers.virt.libvirt.events import GuestEvents
from nova_lite.drivers.virt.libvirt.files import Files


class LibvirtGuests(FolderDriver):
    """The guests that are libvirt's ``domains``, with their files in ``disks``."""

    _disks: Disks

    def __init__(
        self, domains: Domains, disks: Disks, *, console_limit: int, soft_reboot_timeout: float
    ) -> None:
        self._connection = domains.connection
        self._domains = domains
        self._disks = disks
        self._console_limit = console_limit
        self._soft_reboot_timeout = soft_reboot_timeout

    @abc.abstractmethod
    def _described(self, spec: GuestSpec, files: Files) -> str:
        """Return the XML of a guest."""

    def _started(self, spec: GuestSpec) -> None:
        """Do what a guest needs that was started, or ran already."""
        interfaces.plugged(spec.interfaces)

    def watch(self, changed: Changed) -> None:
        """Pass libvirt's events on."""
        self._connection.watch(GuestEvents(changed))

    def host_resources(self) -> HostResources:
        """Return the host's size as libvirt sees it."""
        model, memory, cpus = self._connection.talk(lambda connection: connection.getInfo())[:3]
        hostname = self._connection.talk(lambda connection: connection.getHostname())
        version = self._connection.talk(lambda connection: connection.getVersion())
        total, free = self._disks.free_gb()
        cpu_info = {"arch": model, "model": model, "vendor": "", "topology": {"cores": cpus}, "features": []}
        return HostResources(hostname, version, cpus, memory, total, free, json.dumps(cpu_info))

    def was_rebooted(self) -> bool:
        """Compare with what was noted."""
        return self._disks.was_rebooted()

    def note_boot(self) -> None:
        """Write it into the folder of guests."""
        self._disks.note_boot()

    def bound_consoles(self) -> None:
        """Shorten the files of consoles."""
        self._disks.consoles.bound(self._console_limit)

    def host_uptime(self) -> str:
        """Return what the program says."""
        return self._disks.runner.run(["uptime"]).rstrip()

    def guests(self) -> tuple[Guest, ...]:
        """Return our guests among libvirt's domains."""
        return self._domains.guests()

    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""
        return self._domains.guest(uuid)

    def spawn(self, spec: GuestSpec) -> None:
        """Define and start the guest; a running one is left alone."""
        self._start_from(self._disks.files(spec.name), spec)

    def _start_from(self, files: Files, spec: GuestSpec) -> None:
        self._domains.start(spec.uuid, self._described(spec, files))
        self._started(spec)

    def destroy(self, uuid: str) -> None:
        """Stop the guest at once and forget its definition."""
        self._domains.destroy(uuid)

    def power_on(self, spec: GuestSpec) -> None:
        """Start the guest, defined anew."""
        self.spawn(spec)

    def power_off(self, uuid: str, timeout: float) -> None:
        """Press the guest's power button, and pull its plug when it has not stopped in time."""
        self._domains.stop(uuid, timeout)

    def reboot(self, spec: GuestSpec, kind: RebootKind) -> None:
        """Restart the guest: let it shut down and start it again, or reset it with a new definition."""
        if kind is RebootKind.SOFT:
            self.power_off(spec.uuid, self._soft_reboot_timeout)
        else:
            self.destroy(spec.uuid)
        self.spawn(spec)

    def pause(self, uuid: str) -> None:
        """Stop the guest's processors."""
        self._domains.run(uuid, lambda found: found.suspend())

    def unpause(self, uuid: str) -> None:
        """Let the guest's processors run on; those of a running guest do."""

        def work(found: Any) -> None:
            if found.state()[0] != constant("VIR_DOMAIN_RUNNING"):
                found.resume()

        self._domains.run(uuid, work)

    def rescue(self, spec: GuestSpec, image: GuestImage) -> None:
        """Define the guest with the rescue disk before its own."""
        if not self._disks.is_rescued(spec.name):
            self.destroy(spec.uuid)
            self._disks.create_rescue(spec.name, image)
        self._start_from(self._disks.rescue_files(spec.name), spec)

    def unrescue(self, spec: GuestSpec) -> None:
        """Define the guest without the rescue disk."""
        if self._disks.is_rescued(spec.name):
            self.destroy(spec.uuid)
            self._disks.drop_rescue(spec.name)
        self.spawn(spec)

    def pack(self, uuid: str, name: str) -> None:
        """Have qemu-img copy the disks."""
        self._domains.require(uuid)
        self.drop_snapshot(uuid, name)
        self._disks.snapshots.pack(name)

    def snapshot_file(self, uuid: str, name: str) -> GuestSnapshot:
        """Return the copy in the guest's folder."""
        return self._disks.snapshots.get(name)

    def define(self, spec: GuestSpec) -> None:
        """Define the guest and leave it off."""
        self._domains.define(spec.uuid, self._described(spec, self._disks.files(spec.name)))

    def devices(self, uuid: str) -> tuple[GuestDevice, ...]:
        """Return what libvirt chose when the guest was defined."""
        return self._domains.run(uuid, lambda found: described.devices(found.XMLDesc()))

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Plug the interface in."""
        interfaces.attach(self._domains, uuid, interface)

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Have the guest let the interface go."""
        interfaces.detach(self._domains, uuid, interface)

    def console_output(self, uuid: str, name: str, length: int | None) -> str:
        """Return the end of the guest's console log; what is not text is replaced."""
        self._domains.require(uuid)
        text = self._disks.consoles.end(name, self._console_limit).decode("utf-8", "replace")
        text = "".join(char for char in text if char.isprintable() or char in "\n\t")
        lines = text.splitlines(keepends=True)
        return "".join(lines if length is None else lines[max(0, len(lines) - length) :])

    def sharers(self) -> frozenset[str]:
        """Return the hosts that wrote themselves down in the folder."""
        return self._disks.sharers()


def offered_kinds(connection: Any) -> set[str]:
    """Return the kinds of guests that the host can run (qemu, kvm; lxc)."""
    capabilities = ET.fromstring(connection.getCapabilities())
    return {str(found.get("type")) for found in capabilities.findall("guest/arch/domain")}
