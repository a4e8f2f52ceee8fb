"""The libvirt driver: guests as libvirt domains of QEMU, emulated or with KVM."""

import json
from typing import Any
from xml.etree import ElementTree as ET

from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.devices import GuestDevice
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.errors import ConfigurationError, DriverError, NotSupported
from nova_lite.core.server_migration import Traveller
from nova_lite.drivers.virt.base import (
    Capabilities,
    Changed,
    Guest,
    GuestImage,
    GuestInterface,
    GuestSnapshot,
    GuestSpec,
    HostResources,
    Join,
    RebootKind,
    VirtDriver,
    Watch,
    aside,
)
from nova_lite.drivers.virt.libvirt import described, interfaces, serial, xml
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection, constant, tolerate
from nova_lite.drivers.virt.libvirt.diagnostics import measure
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.domains import Domains
from nova_lite.drivers.virt.libvirt.events import GuestEvents
from nova_lite.drivers.virt.libvirt.files import Files
from nova_lite.drivers.virt.libvirt.migration import Migrations, MigrationSettings
from nova_lite.drivers.virt.libvirt.probe import kvm_works


class LibvirtDriver(VirtDriver):
    """Guests of the libvirtd that ``connection`` reaches; ``kind`` is auto, kvm or qemu."""

    def __init__(
        self, connection: LibvirtConnection, disks: Disks, machine: xml.Machine, *, console_limit: int,
        soft_reboot_timeout: float, console_host: str = "127.0.0.1", migration: MigrationSettings,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._domains = Domains(connection)
        self._disks = disks
        self._migrations = Migrations(self._domains, disks, migration)
        self._machine = machine
        self._console_limit = console_limit
        self._soft_reboot_timeout = soft_reboot_timeout
        self._console_host = console_host

    @classmethod
    def from_flags(cls, conf: Any) -> "LibvirtDriver":
        """Build the driver from nova-compute's flags."""
        machine = xml.Machine(
            conf.libvirt_type, conf.libvirt_cpu_mode, conf.vncserver_listen if conf.vnc_enabled else ""
        )
        return cls(
            LibvirtConnection(conf.libvirt_uri or "qemu:///system", patience=conf.libvirt_reconnect_seconds),
            Disks.from_flags(conf),
            machine,
            console_limit=conf.max_console_bytes,
            soft_reboot_timeout=conf.soft_reboot_timeout,
            console_host=conf.vncserver_proxyclient_address,
            migration=MigrationSettings.from_flags(conf),
        )

    @property
    def capabilities(self) -> Capabilities:
        """What libvirt can do."""
        return Capabilities(
            hypervisor_type="QEMU", has_imagecache=True, supports_soft_reboot=True, injects_files=self._disks.injects
        )

    def start(self) -> None:
        """Check libvirtd, the folders, and that guests can run in the way that the flags want."""
        self._disks.start()
        self._connection.start()
        self._migrations.start()
        offered = self._connection.talk(_offered_kinds)
        kind = self._machine.kind
        if kind == "auto":
            kind = "kvm" if "kvm" in offered and kvm_works(self._disks.runner) else "qemu"
        if kind not in offered:
            raise ConfigurationError(f"The flag --libvirt_type is {kind}, which this host cannot do.")
        cpu_mode = self._machine.cpu_mode
        if cpu_mode == "auto":
            cpu_mode = "host-model" if kind == "kvm" else "none"
        self._machine = xml.Machine(kind, cpu_mode, self._machine.vnc_listen)

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
        self._disks.bound_consoles(self._console_limit)

    def host_uptime(self) -> str:
        """Return what the program says."""
        return self._disks.runner.run(["uptime"]).rstrip()

    def guests(self) -> tuple[Guest, ...]:
        """Return our guests among libvirt's domains."""
        return self._domains.guests()

    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""
        return self._domains.guest(uuid)

    def create_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks as differences to the cached image."""
        self._disks.create(spec, image)

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Write the drive's file again."""
        self._disks.renew_config_drive(spec)

    def delete_disks(self, uuid: str, name: str) -> None:
        """Remove the guest's folder."""
        self._disks.delete(name)

    def spawn(self, spec: GuestSpec) -> None:
        """Define and start the guest; a running one is left alone."""
        self._start_from(self._disks.files(spec.name), spec)

    def _start_from(self, files: Files, spec: GuestSpec) -> None:
        self._domains.start(spec.uuid, xml.domain(spec, files, self._machine))
        interfaces.plugged(spec.interfaces)

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

    def suspend(self, uuid: str) -> None:
        """Let libvirt keep the guest's memory in a file until it is started again."""

        def work(found: Any) -> None:
            if found.isActive() or not found.hasManagedSaveImage():
                found.managedSave()

        self._domains.run(uuid, work)

    def resume(self, spec: GuestSpec) -> None:
        """Start the guest from its memory's file."""

        def work(found: Any) -> None:
            if not found.isActive():
                tolerate(found.create, "VIR_ERR_OPERATION_INVALID")

        self._domains.run(spec.uuid, work)
        interfaces.plugged(spec.interfaces)

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

    def snapshot(self, uuid: str, name: str) -> None:
        """Have QEMU copy the disk of a guest that runs, and qemu-img that of one that is off."""
        self._domains.require(uuid)
        self.drop_snapshot(uuid, name)
        if self._domains.runs(uuid):
            target = self._disks.new_snapshot(name)

            def work(found: Any) -> None:
                root = described.disk_targets(found.XMLDesc())[0]
                found.backupBegin(xml.backup(target, root), None)

            self._domains.run(uuid, work)
            self._domains.await_job(uuid)
            self._disks.keep_snapshot(name)
        else:
            self._disks.copy(name)

    def pack(self, uuid: str, name: str) -> None:
        """Have qemu-img copy the disks."""
        self._domains.require(uuid)
        self.drop_snapshot(uuid, name)
        self._disks.pack(name)

    def snapshot_file(self, uuid: str, name: str) -> GuestSnapshot:
        """Return the copy in the guest's folder."""
        return self._disks.snapshot(name)

    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the copy, and abort the job that makes it."""
        self._domains.abort_job(uuid)
        self._disks.drop_snapshot(name)

    def define(self, spec: GuestSpec) -> None:
        """Define the guest and leave it off."""
        self._domains.define(spec.uuid, xml.domain(spec, self._disks.files(spec.name), self._machine))

    def set_aside(self, uuid: str, name: str) -> None:
        """Undefine the guest and rename its folder."""
        self.destroy(uuid)
        self._disks.set_aside(name)

    def is_aside(self, name: str) -> bool:
        """Tell whether there is a folder of that other name."""
        return self._disks.is_aside(name)

    def put_back(self, uuid: str, name: str) -> None:
        """Rename the folder back."""
        if self.is_aside(name):
            self.destroy(uuid)
            self._disks.put_back(name)

    def drop_aside(self, name: str) -> None:
        """Remove the folder of that other name."""
        self._disks.delete(aside(name))

    def copy_aside(self, spec: GuestSpec) -> None:
        """Copy the folder of that other name, differences to cached images as such."""
        self._disks.copy_aside(spec)

    def receive_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Fetch the copy as the guest's own disk, without a base image below it."""
        self._disks.receive(spec, image)

    def devices(self, uuid: str) -> tuple[GuestDevice, ...]:
        """Return what libvirt chose when the guest was defined."""
        return self._domains.run(uuid, lambda found: described.devices(found.XMLDesc()))

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Plug the interface in."""
        interfaces.attach(self._domains, uuid, interface)

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Have the guest let the interface go."""
        interfaces.detach(self._domains, uuid, interface)

    def set_admin_password(self, uuid: str, password: str) -> None:
        """Have QEMU's guest agent set root's password."""
        self._domains.run(uuid, lambda found: found.setUserPassword("root", password, 0))

    def inject_crash_dump(self, uuid: str) -> None:
        """Inject an NMI."""
        self._domains.run(uuid, lambda found: found.injectNMI(0))

    def diagnostics(self, uuid: str) -> Diagnostics:
        """Return what libvirt counts of the guest."""
        return self._domains.run(uuid, lambda found: measure(found, self._machine.kind))

    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return where the guest's VNC screen is."""
        if kind not in (ConsoleType.NOVNC, ConsoleType.XVPVNC) or not self._machine.vnc_listen:
            raise NotSupported(f"guests of this host have no console of the kind {kind}.")
        port = self._domains.run(uuid, lambda found: described.vnc_port(found.XMLDesc()))
        if port is None:
            raise DriverError("the guest shows no screen: it is off, or was started without one.")
        return ConsoleAddress(self._console_host, port)

    def open_serial(self, uuid: str) -> Join:
        """Open the guest's serial port by a stream of libvirt."""
        return serial.open_port(self._connection.uri, uuid)

    def traveller(self, uuid: str, name: str) -> Traveller:
        """Return what libvirt says of this host, and qemu-img of the disks."""
        return self._migrations.traveller(uuid, name, self._machine.kind)

    def expect(self, spec: GuestSpec, image: GuestImage, traveller: Traveller, *, shared: bool) -> str:
        """Compare the hosts, and make the disks where they are not there already."""
        self._migrations.compare(traveller, self._machine.kind)
        return self._migrations.expect(spec, image, traveller, shared=shared)

    def turn_away(self, uuid: str, name: str, *, shared: bool) -> None:
        """Forget the guest, and remove its folder."""
        self.destroy(uuid)
        if not shared:
            self._disks.delete(name)

    def move(self, spec: GuestSpec, uri: str, *, shared: bool, watch: Watch) -> None:
        """Have libvirt bring the guest there."""
        self._migrations.move(spec, uri, shared=shared, watch=watch)

    def has_arrived(self, uuid: str, name: str) -> bool:
        """Tell whether libvirt runs the guest here, and not only while it is coming."""
        return self._migrations.has_arrived(uuid)

    def take_over(self, spec: GuestSpec) -> None:
        """Define the guest as one of this host."""
        self._domains.require(spec.uuid)
        self._domains.redefine(xml.domain(spec, self._disks.files(spec.name), self._machine))
        interfaces.plugged(spec.interfaces)

    def console_output(self, uuid: str, name: str, length: int | None) -> str:
        """Return the end of the guest's console log; what is not text is replaced."""
        self._domains.require(uuid)
        text = self._disks.console(name, self._console_limit).decode("utf-8", "replace")
        text = "".join(char for char in text if char.isprintable() or char in "\n\t")
        lines = text.splitlines(keepends=True)
        return "".join(lines if length is None else lines[max(0, len(lines) - length) :])

    def cache_image(self, image: GuestImage) -> None:
        """Bring an image, and the kernel and ramdisk that it needs, into the cache; raises DriverError."""
        self._disks.cache_image(image)

    def clean_cache(self) -> tuple[str, ...]:
        """Remove cached images that nothing is based on any more."""
        return self._disks.clean_cache()

    def open_disks(self) -> tuple[str, ...]:
        """Return the disks that a nova-compute which was killed was writing into."""
        return self._disks.open_disks()

    def close_disk(self, name: str) -> None:
        """End the process that shows one of them."""
        self._disks.close_disk(name)

    def sharers(self) -> frozenset[str]:
        """Return the hosts that wrote themselves down in the folder."""
        return self._disks.sharers()

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of guests that have a folder."""
        return self._disks.names()


def _offered_kinds(connection: Any) -> set[str]:
    """Return the kinds of guests that the host can run (qemu, kvm)."""
    capabilities = ET.fromstring(connection.getCapabilities())
    return {str(found.get("type")) for found in capabilities.findall("guest/arch/domain")}
