"""What a hypervisor driver is: a small interface that every driver fills.

A driver knows guests by their instance's uuid. Each method may be called again after a crash in the middle:
the second call finds what the first left and finishes the work. Absent things are not errors where they are
to be removed. Methods raise ``DriverError`` (one sentence), ``NotFound`` where a guest must exist, and
``NotSupported`` for what the hypervisor cannot do.
"""

import abc
import dataclasses
import enum
from collections.abc import Callable
from typing import Any

from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.devices import GuestDevice
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.drivers.virt.guest import Guest, GuestImage, GuestInterface, GuestSnapshot, GuestSpec


@dataclasses.dataclass(frozen=True, slots=True)
class Capabilities:
    """What a driver can do beyond the interface, for the scheduler and for clear errors."""

    hypervisor_type: str
    has_imagecache: bool = False
    supports_soft_reboot: bool = False
    injects_files: bool = False
    cannot: frozenset[Verb] = frozenset()
    """Those of ``OPTIONAL`` that are refused to instances of such hosts."""


@dataclasses.dataclass(frozen=True, slots=True)
class HostResources:
    """The host's size: memory in MiB, disk in GiB below the instances' folder; ``cpu_info`` is JSON text."""

    hypervisor_hostname: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    local_gb: int
    disk_available_least: int
    cpu_info: str


class RebootKind(enum.StrEnum):
    """How a guest is restarted: asked to (ACPI), or reset with its definition made anew."""

    SOFT = "soft"
    HARD = "hard"


EVERY_GUEST = ""
"""Stands for a guest's uuid where any of them may have changed."""

Changed = Callable[[str, PowerState], None]
"""Told of a guest whose power changed, whoever did it, or of EVERY_GUEST; returns at once."""


class VirtDriver(abc.ABC):
    """A hypervisor on this host."""

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "VirtDriver":
        """Build the driver from the daemon's flags; touches nothing yet."""

    @property
    @abc.abstractmethod
    def capabilities(self) -> Capabilities:
        """What this driver can do."""

    @abc.abstractmethod
    def start(self) -> None:
        """Check that the hypervisor answers and the folders are usable; raises ConfigurationError if not."""

    @abc.abstractmethod
    def watch(self, changed: Changed) -> None:
        """Tell ``changed`` of every guest whose power changes from now on; returns at once."""

    @abc.abstractmethod
    def host_resources(self) -> HostResources:
        """Return the host's size."""

    @abc.abstractmethod
    def was_rebooted(self) -> bool:
        """Tell whether the host was booted since that was noted last."""

    @abc.abstractmethod
    def note_boot(self) -> None:
        """Note that what a boot of the host asks for is done."""

    @abc.abstractmethod
    def host_uptime(self) -> str:
        """Return since when the host runs and how busy it is, in the words of the program ``uptime``."""

    @abc.abstractmethod
    def guests(self) -> tuple[Guest, ...]:
        """Return every guest of ours that the hypervisor knows, running or not."""

    @abc.abstractmethod
    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None when the hypervisor does not know it."""

    @abc.abstractmethod
    def create_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks from the image; a disk that is already whole is kept."""

    @abc.abstractmethod
    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Make the config drive of a guest that is off anew, of what the spec says now."""

    @abc.abstractmethod
    def delete_disks(self, uuid: str, name: str) -> None:
        """Remove the guest's disks, console log and folder."""

    @abc.abstractmethod
    def spawn(self, spec: GuestSpec) -> None:
        """Define and start the guest on disks that ``create_disks`` made; a running one is left alone."""

    @abc.abstractmethod
    def destroy(self, uuid: str) -> None:
        """Stop the guest at once and forget its definition; its disks stay."""

    @abc.abstractmethod
    def power_on(self, spec: GuestSpec) -> None:
        """Start a guest that is shut off; its definition is made again if it is gone."""

    @abc.abstractmethod
    def power_off(self, uuid: str, timeout: float) -> None:
        """Ask the guest to shut down, and stop it when it has not within ``timeout`` seconds."""

    @abc.abstractmethod
    def reboot(self, spec: GuestSpec, kind: RebootKind) -> None:
        """Restart the guest; a soft reboot that the guest ignores becomes a hard one."""

    @abc.abstractmethod
    def pause(self, uuid: str) -> None:
        """Stop the guest's processors; raises DriverError for one that is off, NotFound."""

    @abc.abstractmethod
    def unpause(self, uuid: str) -> None:
        """Let a paused guest's processors run on; raises DriverError for one that is off, NotFound."""

    @abc.abstractmethod
    def suspend(self, uuid: str) -> None:
        """Put the guest's memory on disk and stop it, so that it shows as shut off.

        Raises DriverError for one that is off without having been suspended, NotFound.
        """

    @abc.abstractmethod
    def resume(self, spec: GuestSpec) -> None:
        """Let a suspended guest go on where it was; one that runs is left alone. Raises NotFound."""

    @abc.abstractmethod
    def rescue(self, spec: GuestSpec, image: GuestImage) -> None:
        """Start the guest from a fresh disk of ``image``, its own disk the second; raises DriverError.

        A guest that runs so already is left alone.
        """

    @abc.abstractmethod
    def unrescue(self, spec: GuestSpec) -> None:
        """Start the guest from its own disk, and remove the other if there is one; raises DriverError."""

    @abc.abstractmethod
    def snapshot(self, uuid: str, name: str) -> None:
        """Copy the root disk as it is at one moment while the guest goes on; an older copy is replaced.

        Raises DriverError, NotFound.
        """

    @abc.abstractmethod
    def pack(self, uuid: str, name: str) -> None:
        """Copy all disks that a guest that is off cannot have made anew, as ``receive_disks`` takes them.

        The copy is in the place of that of ``snapshot``. Raises DriverError, NotFound.
        """

    @abc.abstractmethod
    def snapshot_file(self, uuid: str, name: str) -> GuestSnapshot:
        """Return the copy that ``snapshot`` or ``pack`` made; raises DriverError when there is none."""

    @abc.abstractmethod
    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the copy, and end the copying if it goes on; nothing there is not an error."""

    @abc.abstractmethod
    def define(self, spec: GuestSpec) -> None:
        """Make the guest known without starting it; one that is known is left alone."""

    @abc.abstractmethod
    def set_aside(self, uuid: str, name: str) -> None:
        """Forget the guest and keep its disks where no guest of that name is in their way; they may be there."""

    @abc.abstractmethod
    def is_aside(self, name: str) -> bool:
        """Tell whether disks of a guest are kept aside."""

    @abc.abstractmethod
    def put_back(self, uuid: str, name: str) -> None:
        """Give a guest of that name the disks that were kept aside, in place of its own; without any, nothing."""

    @abc.abstractmethod
    def drop_aside(self, name: str) -> None:
        """Remove the disks that are kept aside; nothing there is not an error."""

    @abc.abstractmethod
    def copy_aside(self, spec: GuestSpec) -> None:
        """Make the guest's disks as copies of those that are kept aside, which may grow; whole ones are kept.

        Raises DriverError when none are kept, or they are larger than the guest's.
        """

    @abc.abstractmethod
    def receive_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make the guest's disks of those that were packed, which may grow; whole ones are kept.

        Raises DriverError for a copy that is larger than the guest's disk.
        """

    @abc.abstractmethod
    def devices(self, uuid: str) -> tuple[GuestDevice, ...]:
        """Return where a guest's interfaces and disks, but for the config drive, are in it; raises NotFound."""

    @abc.abstractmethod
    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Plug an interface in, for good; one that is there is left alone. Raises DriverError, NotFound."""

    @abc.abstractmethod
    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Unplug an interface, for good; absent ones and guests are not errors.

        Raises DriverError when the guest does not let it go.
        """

    @abc.abstractmethod
    def set_admin_password(self, uuid: str, password: str) -> None:
        """Have the guest's agent change the administrator's password.

        Raises DriverError when none answers, NotFound.
        """

    @abc.abstractmethod
    def inject_crash_dump(self, uuid: str) -> None:
        """Send the guest a non-maskable interrupt, upon which its kernel may dump its memory.

        Raises DriverError for one that is off, NotFound.
        """

    @abc.abstractmethod
    def diagnostics(self, uuid: str) -> Diagnostics:
        """Return how a guest does; raises DriverError for one that is off, NotFound."""

    @abc.abstractmethod
    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return where the guest's console can be reached.

        Raises NotSupported for a kind that the guest has not, DriverError for one that is off, NotFound.
        """

    @abc.abstractmethod
    def console_output(self, uuid: str, name: str, length: int | None) -> str:
        """Return the last ``length`` lines that the guest printed on its console, all when None."""

    @abc.abstractmethod
    def sharers(self) -> frozenset[str]:
        """Return the names of the compute hosts that keep guests' disks in the same folder, this one included."""

    @abc.abstractmethod
    def leftovers(self) -> tuple[str, ...]:
        """Return the names (``instance-…``) for which files or folders exist on this host.

        What is kept aside has the name that ``aside`` makes of the guest's.
        """
