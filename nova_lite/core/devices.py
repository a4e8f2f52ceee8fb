"""What a guest is told of its devices that have a tag, so that it knows which is which."""

import dataclasses
import enum


class DeviceKind(enum.StrEnum):
    """What a device is."""

    NIC = "nic"
    DISK = "disk"


ROOT, SWAP = "root", "swap"
"""The names of the disks of which there is one."""


def ephemeral_name(number: int) -> str:
    """Return the name of an ephemeral disk, of which the first has the number 0."""
    return f"ephemeral{number}"


@dataclasses.dataclass(frozen=True, slots=True)
class GuestDevice:
    """Where a device is in a guest: at an address of a bus, "none" for what the guest cannot be told.

    ``name`` is an interface's MAC address, or a disk's name among the server's; ``path`` is where guests look for
    a disk, empty for an interface.
    """

    kind: DeviceKind
    name: str
    bus: str = "none"
    address: str = "none"
    path: str = ""
