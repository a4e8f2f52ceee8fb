"""The disks that a guest has beside its root disk, on its host and for as long as it lives."""

import dataclasses

from nova_lite.core.devices import ROOT, SWAP, ephemeral_name
from nova_lite.core.hardware import AS_USUAL, Plug

FILE_SYSTEMS = ("ext2", "ext3", "ext4", "xfs")
"""What an ephemeral disk may be formatted as where a user says so."""


@dataclasses.dataclass(frozen=True, slots=True)
class EphemeralDisk:
    """An empty disk of ``size_gb`` GiB; without a ``file_system`` the host chooses one."""

    size_gb: int
    file_system: str = ""
    tag: str = ""
    plug: Plug = AS_USUAL


@dataclasses.dataclass(frozen=True, slots=True)
class LocalDisks:
    """What a user asked for in place of what the flavor says.

    Without ``ephemerals`` there is one as large as the flavor's; one with the size 0 is to have that size, too.
    ``swap_mb`` is in MiB, None for the flavor's. Disks that have a tag are told to the guest by it.
    """

    ephemerals: tuple[EphemeralDisk, ...] = ()
    swap_mb: int | None = None
    swap_tag: str = ""
    root_tag: str = ""
    swap_plug: Plug = AS_USUAL
    root_plug: Plug = AS_USUAL

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the disks that have one, by the names of the disks."""
        tags = {ROOT: self.root_tag, SWAP: self.swap_tag}
        tags |= {ephemeral_name(number): disk.tag for number, disk in enumerate(self.ephemerals)}
        return {name: tag for name, tag in tags.items() if tag}

    @property
    def plugs(self) -> dict[str, Plug]:
        """How the disks are plugged in of which that was said, by the names of the disks."""
        plugs = {ROOT: self.root_plug, SWAP: self.swap_plug}
        plugs |= {ephemeral_name(number): disk.plug for number, disk in enumerate(self.ephemerals)}
        return {name: plug for name, plug in plugs.items() if plug != AS_USUAL}
