"""What drivers are given and tell of guests: a guest's description, its image and interfaces, and how it is seen."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from nova_lite.core.devices import ROOT, SWAP, ephemeral_name
from nova_lite.core.hardware import Hardware, Plug
from nova_lite.core.instance_states import PowerState
from nova_lite.core.local_disks import EphemeralDisk


@dataclasses.dataclass(frozen=True, slots=True)
class GuestInterface:
    """One network interface of a guest: its MAC, the host's end (tap) and the bridge that it is put in.

    ``limits`` is what it may carry, by the names of ``Hardware.vif_limits``; by its ``tag`` the guest is told of it.
    """

    mac: str
    tap: str
    bridge: str
    address: str
    mtu: int = 1500
    model: str = "virtio"
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    tag: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class GuestImage:
    """The image that a guest starts from.

    ``fetch(path)`` writes the image's bytes, verified against its checksum, to ``path``; the driver calls it
    only when its cache has no copy. ``kernel`` and ``ramdisk`` are other images, of a disk that does not boot
    by itself.
    """

    id: str
    disk_format: str
    size: int
    fetch: Callable[[Path], None]
    min_disk: int = 0
    kernel: "GuestImage | None" = None
    ramdisk: "GuestImage | None" = None


@dataclasses.dataclass(frozen=True, slots=True)
class Injected:
    """What is put into a guest's root disk: files by their path, a public key, the file of its network interfaces.

    ``metadata`` is the text of /meta.js, ``password_hash`` root's password as /etc/shadow has it.
    """

    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    key: str = ""
    interfaces: str = ""
    metadata: str = ""
    password_hash: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class GuestSpec:
    """Everything that a driver needs to make a guest: memory in MiB, the root disk in GiB, swap in MiB.

    ``root_gb`` 0 means: as large as the image; ``root_device`` is the root disk's name in the guest.
    ``plugs`` tells of disks, by their names, how they are plugged in where that is not as is usual.
    ``config_drive`` has the content of each file by its path; it is there only where disks are made, and empty for a
    guest without such a drive; so is ``injected`` for drivers that put things into disks.
    """

    uuid: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemerals: tuple[EphemeralDisk, ...] = ()
    swap_mb: int = 0
    interfaces: tuple[GuestInterface, ...] = ()
    extra_specs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    config_drive: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    root_device: str = "/dev/vda"
    hardware: Hardware = dataclasses.field(default_factory=Hardware)
    injected: Injected = dataclasses.field(default_factory=Injected)
    plugs: Mapping[str, Plug] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Guest:
    """A guest as the hypervisor sees it."""

    uuid: str
    name: str
    power_state: PowerState


@dataclasses.dataclass(frozen=True, slots=True)
class GuestSnapshot:
    """A copy of a guest's root disk, or of several in a BUNDLE, that stands for itself; ``virtual_size`` in bytes."""

    path: Path
    disk_format: str
    virtual_size: int


BUNDLE = "tar"
"""The format of several disks in one file, which no guest starts from."""

_MOST_DISKS = 26


def aside(name: str) -> str:
    """Return the name under which the disks of the guest ``name`` are kept aside."""
    return f"{name}_resize"


def ephemeral_file(number: int) -> str:
    """Return the name of the file of a guest's ephemeral disk, of which the first has the number 0."""
    return f"disk.eph{number}" if number else "disk.local"


def disk_names() -> dict[str, str]:
    """Return the names of a guest's disks by those of their files, as many as there can be."""
    ephemerals = {ephemeral_file(number): ephemeral_name(number) for number in range(_MOST_DISKS)}
    return {"disk": ROOT} | ephemerals | {"disk.swap": SWAP}
