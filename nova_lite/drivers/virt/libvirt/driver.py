"""The libvirt driver: guests as libvirt domains of QEMU, emulated or with KVM."""

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.diagnostics import Cpu, Diagnostics, DiskUse, Nic
from nova_lite.core.errors import ConfigurationError, DriverError, NotFound, NotSupported
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.base import (
    Capabilities,
    Guest,
    GuestImage,
    GuestInterface,
    GuestSnapshot,
    GuestSpec,
    HostResources,
    RebootKind,
    VirtDriver,
    aside,
)
from nova_lite.drivers.virt.libvirt import xml
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection, constant, lookup, tolerate
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.probe import kvm_works

_POWER = {
    "VIR_DOMAIN_RUNNING": PowerState.RUNNING,
    "VIR_DOMAIN_BLOCKED": PowerState.RUNNING,
    "VIR_DOMAIN_PAUSED": PowerState.PAUSED,
    "VIR_DOMAIN_SHUTDOWN": PowerState.RUNNING,
    "VIR_DOMAIN_SHUTOFF": PowerState.SHUTDOWN,
    "VIR_DOMAIN_CRASHED": PowerState.CRASHED,
    "VIR_DOMAIN_PMSUSPENDED": PowerState.SUSPENDED,
}
_LINKS = Path("/sys/class/net")
_LOOK_AGAIN = 0.25
_DETACH_SECONDS = 20.0
"""How long a guest has to let an interface go."""


class LibvirtDriver(VirtDriver):
    """Guests of the libvirtd that ``connection`` reaches; ``kind`` is auto, kvm or qemu."""

    def __init__(
        self, connection: LibvirtConnection, disks: Disks, machine: xml.Machine, *, console_limit: int,
        soft_reboot_timeout: float, console_host: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        self._connection = connection
        self._disks = disks
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
            LibvirtConnection(conf.libvirt_uri or "qemu:///system"),
            Disks(
                Runner.from_flag(conf.root_helper), Path(conf.instances_path), conf.base_dir_name, host=conf.host
            ),
            machine,
            console_limit=conf.max_console_bytes,
            soft_reboot_timeout=conf.soft_reboot_timeout,
            console_host=conf.vncserver_proxyclient_address,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What libvirt can do."""
        return Capabilities(hypervisor_type="QEMU", has_imagecache=True, supports_soft_reboot=True)

    def start(self) -> None:
        """Check libvirtd, the folders, and that guests can run in the way that the flags want."""
        self._disks.start()
        self._connection.start()
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

    def host_resources(self) -> HostResources:
        """Return the host's size as libvirt sees it."""
        model, memory, cpus = self._connection.talk(lambda connection: connection.getInfo())[:3]
        hostname = self._connection.talk(lambda connection: connection.getHostname())
        version = self._connection.talk(lambda connection: connection.getVersion())
        total, free = self._disks.free_gb()
        cpu_info = {"arch": model, "model": model, "vendor": "", "topology": {"cores": cpus}, "features": []}
        return HostResources(hostname, version, cpus, memory, total, free, json.dumps(cpu_info))

    def host_uptime(self) -> str:
        """Return what the program says."""
        return self._disks.runner.run(["uptime"]).rstrip()

    def guests(self) -> tuple[Guest, ...]:
        """Return our guests among libvirt's domains."""

        def work(connection: Any) -> tuple[Guest, ...]:
            ours = (one for one in connection.listAllDomains() if xml.is_ours(one.XMLDesc()))
            return tuple(_guest(one) for one in ours)

        return self._connection.talk(work)

    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""

        def work(connection: Any) -> Guest | None:
            found = lookup(connection, uuid)
            return None if found is None else _guest(found)

        return self._connection.talk(work)

    def create_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks as differences to the cached image."""
        self._disks.create(spec, image)

    def delete_disks(self, uuid: str, name: str) -> None:
        """Remove the guest's folder."""
        self._disks.delete(name)

    def spawn(self, spec: GuestSpec) -> None:
        """Define and start the guest; a running one is left alone."""
        self._start_from(self._disks.files(spec.name), spec)

    def _start_from(self, files: xml.Files, spec: GuestSpec) -> None:
        description = xml.domain(spec, files, self._machine)

        def work(connection: Any) -> None:
            found = lookup(connection, spec.uuid)
            if found is not None and found.isActive():
                return
            defined = connection.defineXML(description)
            tolerate(defined.create, "VIR_ERR_OPERATION_INVALID")

        self._connection.talk(work)
        _plugged(spec.interfaces)

    def destroy(self, uuid: str) -> None:
        """Stop the guest at once and forget its definition."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if found is None:
                return
            tolerate(found.destroy, "VIR_ERR_OPERATION_INVALID", "VIR_ERR_NO_DOMAIN")
            flags = constant("VIR_DOMAIN_UNDEFINE_MANAGED_SAVE") | constant("VIR_DOMAIN_UNDEFINE_NVRAM")
            tolerate(lambda: found.undefineFlags(flags), "VIR_ERR_NO_DOMAIN")

        self._connection.talk(work)

    def power_on(self, spec: GuestSpec) -> None:
        """Start the guest, defined anew."""
        self.spawn(spec)

    def power_off(self, uuid: str, timeout: float) -> None:
        """Press the guest's power button, and pull its plug when it has not stopped in time."""
        deadline = time.monotonic() + timeout
        self._required(uuid)
        if timeout > 0:
            self._press(uuid, "shutdown")
        while self._runs(uuid):
            if time.monotonic() >= deadline:
                self._press(uuid, "destroy")
                return
            time.sleep(_LOOK_AGAIN)

    def reboot(self, spec: GuestSpec, kind: RebootKind) -> None:
        """Restart the guest: let it shut down and start it again, or reset it with a new definition."""
        if kind is RebootKind.SOFT:
            self.power_off(spec.uuid, self._soft_reboot_timeout)
        else:
            self.destroy(spec.uuid)
        self.spawn(spec)

    def pause(self, uuid: str) -> None:
        """Stop the guest's processors."""
        self._with_domain(uuid, lambda found: found.suspend())

    def unpause(self, uuid: str) -> None:
        """Let the guest's processors run on; those of a running guest do."""

        def work(found: Any) -> None:
            if found.state()[0] != constant("VIR_DOMAIN_RUNNING"):
                found.resume()

        self._with_domain(uuid, work)

    def suspend(self, uuid: str) -> None:
        """Let libvirt keep the guest's memory in a file until it is started again."""

        def work(found: Any) -> None:
            if found.isActive() or not found.hasManagedSaveImage():
                found.managedSave()

        self._with_domain(uuid, work)

    def resume(self, spec: GuestSpec) -> None:
        """Start the guest from its memory's file."""

        def work(found: Any) -> None:
            if not found.isActive():
                tolerate(found.create, "VIR_ERR_OPERATION_INVALID")

        self._with_domain(spec.uuid, work)
        _plugged(spec.interfaces)

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
        self._required(uuid)
        self.drop_snapshot(uuid, name)
        if self._runs(uuid):
            description = xml.backup(self._disks.new_snapshot(name))
            self._with_domain(uuid, lambda found: found.backupBegin(description, None))
            self._await_job(uuid)
            self._disks.keep_snapshot(name)
        else:
            self._disks.copy(name)

    def snapshot_file(self, uuid: str, name: str) -> GuestSnapshot:
        """Return the copy in the guest's folder."""
        return self._disks.snapshot(name)

    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the copy, and abort the job that makes it."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if (
                found is not None
                and found.isActive()
                and found.jobInfo()[0] != constant("VIR_DOMAIN_JOB_NONE")
            ):
                tolerate(found.abortJob, "VIR_ERR_OPERATION_INVALID", "VIR_ERR_NO_DOMAIN")

        self._connection.talk(work)
        self._disks.drop_snapshot(name)

    def define(self, spec: GuestSpec) -> None:
        """Define the guest and leave it off."""
        description = xml.domain(spec, self._disks.files(spec.name), self._machine)

        def work(connection: Any) -> None:
            if lookup(connection, spec.uuid) is None:
                connection.defineXML(description)

        self._connection.talk(work)

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

    def receive_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Fetch the copy as the guest's own disk, without a base image below it."""
        self._disks.receive(spec, image)

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Plug the interface into the guest's definition, and into the guest while it runs."""

        def work(found: Any) -> None:
            for scope in _scopes(found):
                if interface.mac not in xml.macs(_description(found, scope)):
                    found.attachDeviceFlags(xml.interface(interface), scope)

        self._with_domain(uuid, work)
        _plugged([interface])

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Unplug the interface; a guest that runs has to agree, which its kernel does when it is asked."""
        deadline = time.monotonic() + _DETACH_SECONDS
        while self._ask_to_detach(uuid, interface):
            if time.monotonic() >= deadline:
                raise DriverError(f"the guest does not let the interface {interface.mac} go.")
            time.sleep(_LOOK_AGAIN)

    def _ask_to_detach(self, uuid: str, interface: GuestInterface) -> bool:
        """Ask the guest to let an interface go; returns whether it still has it."""

        def work(connection: Any) -> bool:
            found = lookup(connection, uuid)
            if found is None:
                return False
            held = [
                scope for scope in _scopes(found) if interface.mac in xml.macs(_description(found, scope))
            ]
            for scope in held:
                # A guest that was asked already is not asked again until it answers.
                tolerate(
                    functools.partial(found.detachDeviceFlags, xml.interface(interface), scope),
                    "VIR_ERR_OPERATION_FAILED", "VIR_ERR_OPERATION_INVALID", "VIR_ERR_DEVICE_MISSING",
                )  # fmt: skip
            return bool(held)

        return self._connection.talk(work)

    def set_admin_password(self, uuid: str, password: str) -> None:
        """Have QEMU's guest agent set root's password."""
        self._with_domain(uuid, lambda found: found.setUserPassword("root", password, 0))

    def inject_crash_dump(self, uuid: str) -> None:
        """Inject an NMI."""
        self._with_domain(uuid, lambda found: found.injectNMI(0))

    def diagnostics(self, uuid: str) -> Diagnostics:
        """Return what libvirt counts of the guest."""
        answers: list[Diagnostics] = []
        self._with_domain(uuid, lambda found: answers.append(_diagnostics(found, self._machine.kind)))
        return answers[-1]

    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return where the guest's VNC screen is."""
        if kind not in (ConsoleType.NOVNC, ConsoleType.XVPVNC) or not self._machine.vnc_listen:
            raise NotSupported(f"guests of this host have no console of the kind {kind}.")
        ports: list[int | None] = []
        self._with_domain(uuid, lambda found: ports.append(xml.vnc_port(found.XMLDesc())))
        if ports[-1] is None:
            raise DriverError("the guest shows no screen: it is off, or was started without one.")
        return ConsoleAddress(self._console_host, ports[-1])

    def _await_job(self, uuid: str) -> None:
        """Wait for the end of the domain's job; raises DriverError when it did not end well."""
        while self._job_runs(uuid):
            time.sleep(_LOOK_AGAIN)
        ended: list[int] = []

        def work(found: Any) -> None:
            completed = found.jobStats(constant("VIR_DOMAIN_JOB_STATS_COMPLETED"))
            ended.append(completed.get("type", constant("VIR_DOMAIN_JOB_NONE")))

        self._with_domain(uuid, work)
        if ended[-1] != constant("VIR_DOMAIN_JOB_COMPLETED"):
            raise DriverError("the copying of the guest's disk was broken off.")

    def _job_runs(self, uuid: str) -> bool:
        kinds: list[int] = []
        self._with_domain(uuid, lambda found: kinds.append(found.jobInfo()[0]))
        return kinds[-1] != constant("VIR_DOMAIN_JOB_NONE")

    def console_output(self, uuid: str, name: str, length: int | None) -> str:
        """Return the end of the guest's console log; what is not text is replaced."""
        self._required(uuid)
        text = self._disks.console(name, self._console_limit).decode("utf-8", "replace")
        text = "".join(char for char in text if char.isprintable() or char in "\n\t")
        lines = text.splitlines(keepends=True)
        return "".join(lines if length is None else lines[max(0, len(lines) - length) :])

    def sharers(self) -> frozenset[str]:
        """Return the hosts that wrote themselves down in the folder."""
        return self._disks.sharers()

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of guests that have a folder."""
        return self._disks.names()

    def _with_domain(self, uuid: str, work: Callable[[Any], None]) -> None:
        """Run ``work`` with the guest's domain; raises NotFound."""

        def talk(connection: Any) -> bool:
            found = lookup(connection, uuid)
            if found is not None:
                work(found)
            return found is not None

        if not self._connection.talk(talk):
            raise NotFound(f"Guest {uuid} could not be found.")

    def _required(self, uuid: str) -> None:
        if self.guest(uuid) is None:
            raise NotFound(f"Guest {uuid} could not be found.")

    def _runs(self, uuid: str) -> bool:
        guest = self.guest(uuid)
        return guest is not None and guest.power_state in (PowerState.RUNNING, PowerState.PAUSED)

    def _press(self, uuid: str, verb: str) -> None:
        """Do a power verb to the guest's domain; one that is off already is not an error."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if found is not None:
                tolerate(getattr(found, verb), "VIR_ERR_OPERATION_INVALID", "VIR_ERR_NO_DOMAIN")

        self._connection.talk(work)


def _guest(found: Any) -> Guest:
    state = found.state()[0]
    power = next((power for name, power in _POWER.items() if constant(name) == state), PowerState.NOSTATE)
    return Guest(found.UUIDString(), found.name(), power)


def _scopes(found: Any) -> list[int]:
    """Return where a change of a domain is made: in its definition, and in the guest while it runs."""
    running = [constant("VIR_DOMAIN_AFFECT_LIVE")] if found.isActive() else []
    return [constant("VIR_DOMAIN_AFFECT_CONFIG"), *running]


def _description(found: Any, scope: int) -> str:
    """Return the XML of a domain's definition, or of the guest that runs."""
    defined = scope == constant("VIR_DOMAIN_AFFECT_CONFIG")
    return str(found.XMLDesc(constant("VIR_DOMAIN_XML_INACTIVE") if defined else 0))


def _diagnostics(found: Any, kind: str) -> Diagnostics:
    description = found.XMLDesc()
    maximum = found.info()[1] // 1024
    memory = found.memoryStats()
    nics = []
    for mac, device in xml.nics(description):
        received = found.interfaceStats(device)
        # What the host sends is what the guest receives, and the other way round.
        nics.append(Nic(mac, *received[:4], *received[4:8]))
    disks = []
    for target in xml.disk_targets(description):
        requests_in, bytes_in, requests_out, bytes_out, errors = found.blockStats(target)
        counted = errors if errors >= 0 else None
        disks.append(DiskUse(target, bytes_in, requests_in, bytes_out, requests_out, counted))
    return Diagnostics(
        state=_guest(found).power_state,
        driver="libvirt",
        hypervisor=kind,
        uptime=None,
        cpus=tuple(Cpu(cpu[0], cpu[2]) for cpu in found.vcpus()[0]),
        nics=tuple(nics),
        disks=tuple(disks),
        memory_maximum=maximum,
        memory_used=(memory.get("available", 0) - memory.get("unused", 0)) // 1024
        or memory.get("rss", 0) // 1024,
    )


def _plugged(interfaces: Iterable[GuestInterface]) -> None:
    """Let bridges send back through a guest's tap what came in by it.

    A guest needs that to reach its own floating address: where bridges pass packets to nftables, the address is
    translated within the bridge. A tap that is in no bridge has no such file.
    """
    for interface in interfaces:
        with contextlib.suppress(OSError):
            (_LINKS / interface.tap / "brport/hairpin_mode").write_text("1")


def _offered_kinds(connection: Any) -> set[str]:
    """Return the kinds of guests that the host can run (qemu, kvm)."""
    capabilities = ET.fromstring(connection.getCapabilities())
    return {str(found.get("type")) for found in capabilities.findall("guest/arch/domain")}
