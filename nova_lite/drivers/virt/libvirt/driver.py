"""The libvirt driver: guests as libvirt domains of QEMU, emulated or with KVM."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from nova_lite.core.errors import ConfigurationError, DriverError, NotFound
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.base import (
    Capabilities,
    Guest,
    GuestImage,
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
_LOOK_AGAIN = 0.25


class LibvirtDriver(VirtDriver):
    """Guests of the libvirtd that ``connection`` reaches; ``kind`` is auto, kvm or qemu."""

    def __init__(
        self, connection: LibvirtConnection, disks: Disks, machine: xml.Machine, *, console_limit: int,
        soft_reboot_timeout: float,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._disks = disks
        self._machine = machine
        self._console_limit = console_limit
        self._soft_reboot_timeout = soft_reboot_timeout

    @classmethod
    def from_flags(cls, conf: Any) -> "LibvirtDriver":
        """Build the driver from nova-compute's flags."""
        machine = xml.Machine(
            conf.libvirt_type, conf.libvirt_cpu_mode, conf.vncserver_listen if conf.vnc_enabled else ""
        )
        return cls(
            LibvirtConnection(conf.libvirt_uri or "qemu:///system"),
            Disks(Runner.from_flag(conf.root_helper), Path(conf.instances_path), conf.base_dir_name),
            machine,
            console_limit=conf.max_console_bytes,
            soft_reboot_timeout=conf.soft_reboot_timeout,
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
            if found is not None and found.isActive() and found.jobInfo()[0] != constant("VIR_DOMAIN_JOB_NONE"):
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


def _offered_kinds(connection: Any) -> set[str]:
    """Return the kinds of guests that the host can run (qemu, kvm)."""
    capabilities = ET.fromstring(connection.getCapabilities())
    return {str(found.get("type")) for found in capabilities.findall("guest/arch/domain")}
