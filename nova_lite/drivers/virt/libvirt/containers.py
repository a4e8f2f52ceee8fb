"""Containers of libvirt's LXC driver (``--libvirt_type=lxc``): guests that share the host's kernel.

They start in a moment, and do all that a process with files and interfaces of its own can do. They have no memory
that could be kept on disk or sent elsewhere, no screen, and no agent.
"""

import functools
import logging
from pathlib import Path
from typing import Any

from nova_lite import concurrency
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.diagnostics import Cpu, Diagnostics, DiskUse
from nova_lite.core.errors import ConfigurationError, DriverError, NotFound, NotSupported
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.abilities import Join
from nova_lite.drivers.virt.base import EVERY_GUEST, Capabilities, Changed
from nova_lite.drivers.virt.guest import GuestInterface, GuestSpec
from nova_lite.drivers.virt.libvirt import container_xml, control_groups, interfaces
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection, constant, tolerate
from nova_lite.drivers.virt.libvirt.container_console import ContainerConsoles
from nova_lite.drivers.virt.libvirt.container_disks import ContainerDisks
from nova_lite.drivers.virt.libvirt.container_xml import KIND
from nova_lite.drivers.virt.libvirt.diagnostics import nics_of
from nova_lite.drivers.virt.libvirt.domains import Domains, power_state
from nova_lite.drivers.virt.libvirt.files import Files
from nova_lite.drivers.virt.libvirt.guests import LibvirtGuests, offered_kinds

__all__ = ["KIND", "ContainerDriver"]

LOG = logging.getLogger(__name__)

_URI = "lxc:///system"
_NO_DRIVER = "no connection driver"
_CANNOT = frozenset({Verb.SUSPEND, Verb.LIVE_MIGRATE, Verb.CRASH_DUMP, Verb.CHANGE_PASSWORD})
_FLUSH_SECONDS = 300.0
_SIGNALS = {"SIGRTMIN+3": "RT3", "SIGPWR": "PWR", "SIGUSR1": "USR1", "SIGUSR2": "USR2", "SIGTERM": "TERM"}
"""By the value of the flag --libvirt_lxc_stop_signal, libvirt's name."""


class ContainerDomains(Domains):
    """Containers as libvirt's domains; ``stop_signal`` tells the first process of one to shut down."""

    # There is no more to one than its definition.
    forgotten = ()

    def __init__(self, connection: LibvirtConnection, stop_signal: str) -> None:
        super().__init__(connection)
        self._stop_signal = _SIGNALS[stop_signal]

    def press_button(self, found: Any) -> None:
        """Send the signal."""
        _signal(found, self._stop_signal)

    def pull_plug(self, found: Any) -> None:
        """Kill the first process, and with it all: libvirt by itself would ask first, and wait for seconds."""
        if found.state()[0] == constant("VIR_DOMAIN_RUNNING"):
            # One that began just now may not be known yet.
            tolerate(functools.partial(_signal, found, "KILL"), "VIR_ERR_OPERATION_INVALID", "VIR_ERR_SYSTEM_ERROR")
        found.destroy()


def _signal(found: Any, name: str) -> None:
    found.sendProcessSignal(1, constant(f"VIR_DOMAIN_PROCESS_SIGNAL_{name}"), 0)


class ContainerDriver(LibvirtGuests):
    """Containers; ``init`` is the program that each begins with."""

    _disks: ContainerDisks

    def __init__(
        self, connection: LibvirtConnection, disks: ContainerDisks, *, init: str, stop_signal: str,
        console_limit: int, soft_reboot_timeout: float,
    ) -> None:  # fmt: skip
        super().__init__(
            ContainerDomains(connection, stop_signal), disks,
            console_limit=console_limit, soft_reboot_timeout=soft_reboot_timeout,
        )  # fmt: skip
        self._init = init
        self._consoles = ContainerConsoles(connection.uri)

    @classmethod
    def from_flags(cls, conf: Any) -> "ContainerDriver":
        """Build the driver from nova-compute's flags."""
        return cls(
            LibvirtConnection(conf.libvirt_uri or _URI, patience=conf.libvirt_reconnect_seconds),
            ContainerDisks.from_flags(conf),
            init=conf.libvirt_lxc_init,
            stop_signal=conf.libvirt_lxc_stop_signal,
            console_limit=conf.max_console_bytes,
            soft_reboot_timeout=conf.soft_reboot_timeout,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What libvirt can do with containers."""
        return Capabilities(
            hypervisor_type="LXC", has_imagecache=True, supports_soft_reboot=True, injects_files=self._disks.injects,
            cannot=_CANNOT,
        )  # fmt: skip

    def start(self) -> None:
        """Check libvirtd, the folders, and that containers can run; follow those that do."""
        self._disks.start()
        try:
            self._connection.start()
        except ConfigurationError as error:
            if _NO_DRIVER not in str(error):
                raise
            raise ConfigurationError(
                f"The flag --libvirt_type is {KIND}, and libvirtd at {self._connection.uri} has no driver for "
                "containers: on Debian it is the package libvirt-daemon-driver-lxc."
            ) from error
        if KIND not in self._connection.talk(offered_kinds):
            raise ConfigurationError(
                f"The flag --libvirt_type is {KIND}, and libvirt at {self._connection.uri} is not that of containers: "
                f"--libvirt_uri has to be like {_URI}."
            )
        self._consoles.start()
        self._follow_all()

    def watch(self, changed: Changed) -> None:
        """Pass libvirt's events on, and follow containers that somebody else starts."""

        def told(uuid: str, power: PowerState) -> None:
            changed(uuid, power)
            if uuid == EVERY_GUEST:
                concurrency.spawn(self._follow_all)
            elif power is PowerState.RUNNING:
                concurrency.spawn(self._follow, uuid)

        super().watch(told)

    def bound_consoles(self) -> None:
        """Shorten the files of consoles, and see that all are followed."""
        super().bound_consoles()
        self._follow_all()

    def _described(self, spec: GuestSpec, files: Files) -> str:
        """Return the XML of a container."""
        return container_xml.domain(spec, files, self._init)

    def destroy(self, uuid: str) -> None:
        """Stop the container at once, and forget its definition and control groups."""
        guest = self.guest(uuid)
        super().destroy(uuid)
        if guest is not None:
            control_groups.remove_left(self._disks.runner, guest.name)

    def _started(self, spec: GuestSpec) -> None:
        super()._started(spec)
        self._follow(spec.uuid)

    def _follow_all(self) -> None:
        for guest in self.guests():
            self._follow(guest.uuid)

    def _follow(self, uuid: str) -> None:
        """Follow what a container prints; one that ended meanwhile prints nothing."""
        guest = self.guest(uuid)
        if guest is None or guest.power_state not in (PowerState.RUNNING, PowerState.PAUSED):
            return
        try:
            self._consoles.follow(uuid, self._disks.consoles.of(guest.name))
        except (DriverError, NotFound, OSError) as error:
            LOG.warning("the console of %s is not followed: %s", guest.name, error)

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Write what stands for the drive again; a container that runs has read it, and its disk is mounted."""
        if not self._domains.runs(spec.uuid):
            super().renew_config_drive(spec)

    def suspend(self, uuid: str) -> None:
        """Refuse: what a container has in memory cannot be kept on disk."""
        self._domains.require(uuid)
        raise NotSupported("containers cannot be suspended; they can be paused.")

    def resume(self, spec: GuestSpec) -> None:
        """Start a container that is off."""
        self._domains.require(spec.uuid)
        self.spawn(spec)

    def snapshot(self, uuid: str, name: str) -> None:
        """Copy the disk; a container that runs stands still for it, all that it wrote being on the disk."""
        self._domains.require(uuid)
        self.drop_snapshot(uuid, name)
        guest = self.guest(uuid)
        if guest is None or guest.power_state not in (PowerState.RUNNING, PowerState.PAUSED):
            self._disks.snapshots.copy(name)
            return
        if guest.power_state is PowerState.RUNNING:
            self._disks.note_frozen(name)
            self.pause(uuid)
        try:
            self._domains.run(uuid, lambda found: _flush(found, self._disks.runner))
            self._disks.snapshots.copy(name)
        finally:
            self._thaw(uuid, name)

    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the copy, and let a container go on that stands still for one."""
        self._thaw(uuid, name)
        self._disks.snapshots.drop(name)

    def _thaw(self, uuid: str, name: str) -> None:
        if self._disks.is_frozen(name):
            if self._domains.runs(uuid):
                self.unpause(uuid)
            self._disks.note_thawed(name)

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Plug the interface in."""
        interfaces.attach(self._domains, uuid, interface, container_xml.interface)

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Unplug the interface; the container is not asked."""
        interfaces.detach(self._domains, uuid, interface, container_xml.interface)

    def set_admin_password(self, uuid: str, password: str) -> None:
        """Refuse: containers have no agent."""
        self._domains.require(uuid)
        raise NotSupported("containers have no agent that could change a password.")

    def inject_crash_dump(self, uuid: str) -> None:
        """Refuse: the kernel is the host's."""
        self._domains.require(uuid)
        raise NotSupported("containers have no kernel of their own that could dump its memory.")

    def diagnostics(self, uuid: str) -> Diagnostics:
        """Return what the kernel counts of the container."""
        return self._domains.run(uuid, _measure)

    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Refuse: containers have no screen."""
        self._domains.require(uuid)
        raise NotSupported(f"containers have no console of the kind {kind}.")

    def open_serial(self, uuid: str) -> Join:
        """Give the container's console to somebody."""
        guest = self.guest(uuid)
        if guest is None:
            raise NotFound(f"Guest {uuid} could not be found.")
        return self._consoles.join(uuid, self._disks.consoles.of(guest.name))


def _flush(found: Any, runner: Runner) -> None:
    """Have the kernel write to a container's disks what it keeps of them in memory."""
    controller = found.ID()
    inits = Path(f"/proc/{controller}/task/{controller}/children").read_text().split()
    if not inits:
        raise DriverError("the container ended while its disk was copied.")
    runner.privileged(["sync", "-f", f"/proc/{inits[0]}/root"], timeout=_FLUSH_SECONDS)


def _measure(found: Any) -> Diagnostics:
    _, maximum, used, _, time = found.info()
    requests_in, bytes_in, requests_out, bytes_out, _ = found.blockStats("")
    return Diagnostics(
        state=power_state(found),
        driver="libvirt",
        hypervisor=KIND,
        uptime=None,
        cpus=(Cpu(0, time),),
        nics=tuple(nics_of(found, found.XMLDesc())),
        disks=(DiskUse("/", bytes_in, requests_in, bytes_out, requests_out),),
        memory_maximum=maximum // 1024,
        memory_used=used // 1024,
    )
