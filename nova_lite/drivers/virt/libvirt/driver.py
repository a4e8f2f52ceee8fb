"""The libvirt driver: guests as libvirt domains of QEMU, emulated or with KVM, or containers where flags say so."""

from typing import Any

from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.errors import ConfigurationError, DriverError, NotSupported
from nova_lite.core.server_migration import Traveller
from nova_lite.drivers.virt.abilities import Join, Watch
from nova_lite.drivers.virt.base import Capabilities, VirtDriver
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from nova_lite.drivers.virt.libvirt import described, interfaces, serial, xml
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection, tolerate
from nova_lite.drivers.virt.libvirt.containers import KIND as CONTAINERS
from nova_lite.drivers.virt.libvirt.containers import ContainerDriver
from nova_lite.drivers.virt.libvirt.diagnostics import measure
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.domains import Domains
from nova_lite.drivers.virt.libvirt.files import Files
from nova_lite.drivers.virt.libvirt.guests import LibvirtGuests, offered_kinds
from nova_lite.drivers.virt.libvirt.migration import Migrations, MigrationSettings
from nova_lite.drivers.virt.libvirt.probe import kvm_works


class LibvirtDriver(LibvirtGuests):
    """Guests of QEMU; ``machine.kind`` is auto, kvm or qemu until the host was looked at."""

    def __init__(
        self, connection: LibvirtConnection, disks: Disks, machine: xml.Machine, *, console_limit: int,
        soft_reboot_timeout: float, console_host: str = "127.0.0.1", migration: MigrationSettings,
        copy_stall_seconds: float,
    ) -> None:  # fmt: skip
        super().__init__(
            Domains(connection), disks, console_limit=console_limit, soft_reboot_timeout=soft_reboot_timeout
        )
        self._migrations = Migrations(self._domains, disks, migration)
        self._machine = machine
        self._copy_stall_seconds = copy_stall_seconds
        self._console_host = console_host

    @classmethod
    def from_flags(cls, conf: Any) -> VirtDriver:
        """Build the driver that nova-compute's flags want."""
        if conf.libvirt_type == CONTAINERS:
            return ContainerDriver.from_flags(conf)
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
            copy_stall_seconds=conf.libvirt_copy_stall_seconds,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What libvirt can do with QEMU."""
        return Capabilities(
            hypervisor_type="QEMU", has_imagecache=True, supports_soft_reboot=True, injects_files=self._disks.injects
        )

    def start(self) -> None:
        """Check libvirtd, the folders, and that guests can run in the way that the flags want."""
        self._disks.start()
        self._connection.start()
        self._migrations.start()
        offered = self._connection.talk(offered_kinds)
        kind = self._machine.kind
        if kind == "auto":
            kind = "kvm" if "kvm" in offered and kvm_works(self._disks.runner) else "qemu"
        if kind not in offered:
            raise ConfigurationError(f"The flag --libvirt_type is {kind}, which this host cannot do.")
        cpu_mode = self._machine.cpu_mode
        if cpu_mode == "auto":
            cpu_mode = "host-model" if kind == "kvm" else "none"
        self._machine = xml.Machine(kind, cpu_mode, self._machine.vnc_listen)

    def _described(self, spec: GuestSpec, files: Files) -> str:
        """Return the XML of a machine."""
        return xml.domain(spec, files, self._machine)

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

    def snapshot(self, uuid: str, name: str) -> None:
        """Have QEMU copy the disk of a guest that runs, and qemu-img that of one that is off."""
        self._domains.require(uuid)
        self.drop_snapshot(uuid, name)
        if self._domains.runs(uuid):
            target = self._disks.snapshots.new(name)

            def work(found: Any) -> None:
                root = described.disk_targets(found.XMLDesc())[0]
                found.backupBegin(xml.backup(target, root), None)

            self._domains.run(uuid, work)
            self._domains.await_job(uuid, self._copy_stall_seconds)
            self._disks.snapshots.keep(name)
        else:
            self._disks.snapshots.copy(name)

    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the copy, and abort the job that makes it."""
        self._domains.abort_job(uuid)
        self._disks.snapshots.drop(name)

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
        self._domains.redefine(self._described(spec, self._disks.files(spec.name)))
        interfaces.plugged(spec.interfaces)

    def open_disks(self) -> tuple[str, ...]:
        """Return the disks that a nova-compute which was killed was writing into."""
        return self._disks.open_disks()

    def close_disk(self, name: str) -> None:
        """End the process that shows one of them."""
        self._disks.close_disk(name)
