"""The instance and what it is made from: the values that travel between the layers."""

import dataclasses
import datetime
from collections.abc import Mapping

from nova_lite.core import hardware
from nova_lite.core.devices import GuestDevice
from nova_lite.core.hardware import Hardware
from nova_lite.core.instance_options import InstanceOptions
from nova_lite.core.instance_states import PowerState, TaskState, VmState
from nova_lite.core.local_disks import EphemeralDisk, LocalDisks


@dataclasses.dataclass(frozen=True, slots=True)
class Flavor:
    """A size that users may rent: memory in MiB, disks in GiB, swap in MiB."""

    id: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    disabled: bool = False
    description: str | None = None
    extra_specs: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """Why an instance is in error: ``code`` is an HTTP-like number, ``message`` a sentence for the user."""

    code: int
    message: str
    created_at: datetime.datetime
    details: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Instance:
    """One virtual machine as the database knows it.

    ``flavor`` is the copy taken when it was booted, ``pinned_zone`` the availability zone that was asked for,
    ``availability_zone`` the one that it is in, ``shelved_image_id`` the image that its disk was made while it
    is shelved. ``locked_by`` is "owner" or "admin" while it is locked. ``devices`` tells where its devices that
    have a tag were when its guest was made last.
    """

    id: int
    uuid: str
    project_id: str
    user_id: str
    display_name: str
    hostname: str
    flavor: Flavor
    image_id: str
    vm_state: VmState
    task_state: TaskState | None
    power_state: PowerState
    created_at: datetime.datetime
    updated_at: datetime.datetime
    description: str | None = None
    host: str | None = None
    node: str | None = None
    availability_zone: str | None = None
    pinned_zone: str | None = None
    key_name: str | None = None
    public_key: str | None = None
    user_data: str | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()
    kernel_id: str = ""
    ramdisk_id: str = ""
    reservation_id: str = ""
    launch_index: int = 0
    root_device_name: str = "/dev/vda"
    config_drive: bool = False
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    disk_config: str = "MANUAL"
    admin_password_hash: str = ""
    locked_by: str = ""
    locked_reason: str | None = None
    shelved_image_id: str | None = None
    launched_at: datetime.datetime | None = None
    terminated_at: datetime.datetime | None = None
    fault: Fault | None = None
    local_disks: LocalDisks = dataclasses.field(default_factory=LocalDisks)
    devices: tuple[GuestDevice, ...] = ()
    image_properties: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: InstanceOptions = dataclasses.field(default_factory=InstanceOptions)

    @property
    def hardware(self) -> Hardware:
        """What its guest's machine is made of; raises InvalidInput where that was never checked."""
        return hardware.of(self.flavor.vcpus, self.flavor.extra_specs, self.image_properties)

    @property
    def ephemerals(self) -> tuple[EphemeralDisk, ...]:
        """The ephemeral disks in the order in which the guest has them."""
        if self.local_disks.ephemerals:
            return self.local_disks.ephemerals
        return (EphemeralDisk(self.flavor.ephemeral_gb),) if self.flavor.ephemeral_gb else ()

    @property
    def swap_mb(self) -> int:
        """The size of the swap disk in MiB, 0 where there is none."""
        wanted = self.local_disks.swap_mb
        return self.flavor.swap_mb if wanted is None else min(wanted, self.flavor.swap_mb)

    @property
    def name(self) -> str:
        """The name by which the hypervisor knows the guest: ``instance-`` and the id in eight hex digits."""
        return f"instance-{self.id:08x}"
