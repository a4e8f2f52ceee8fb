"""What only some hypervisor drivers can do: small protocols beside the interface that every driver fills."""

import socket
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from nova_lite.core.server_migration import Progress, Traveller
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec

Join = Callable[[socket.socket], None]
"""Carries bytes between a connection, which it owns from then on, and a port; returns at once."""


@runtime_checkable
class SerialConsole(Protocol):
    """What a driver has that lets people at the serial ports of guests."""

    def open_serial(self, uuid: str) -> Join:
        """Open a guest's serial port, away from who has it open; returns what joins it to a connection.

        Raises DriverError for a guest that is off, NotFound.
        """


@runtime_checkable
class CachesImages(Protocol):
    """What a driver has that keeps images for further guests."""

    def cache_image(self, image: GuestImage) -> None:
        """Bring an image here ahead of its guests; one that is here is left alone. Raises DriverError."""

    def clean_cache(self) -> tuple[str, ...]:
        """Remove what no guest has used for as long as the flags say; returns the names of what was removed."""


@runtime_checkable
class KeepsConsoles(Protocol):
    """What a driver has that writes all that guests print on their consoles to files."""

    def bound_consoles(self) -> None:
        """Shorten the files that have grown too long, their ends kept."""


@runtime_checkable
class OpensDisks(Protocol):
    """What a driver has that opens guests' disks on the host for a while, to write into them."""

    def open_disks(self) -> tuple[str, ...]:
        """Return names of those that a process which is no more left open."""

    def close_disk(self, name: str) -> None:
        """Close one of those; raises DriverError."""


Watch = Callable[[Progress], bool]
"""Asked often while a guest moves: True when it may stand still for it; raises to call it off."""


@runtime_checkable
class LiveMigration(Protocol):
    """What a driver has that can move a running guest to another host, where the same driver runs.

    ``shared`` tells that both hosts have the guest's disks in the same folder: then they are left alone.
    """

    def traveller(self, uuid: str, name: str) -> Traveller:
        """Return what the host that a guest is to go to has to know of it.

        Raises DriverError for a guest that is off, NotFound.
        """

    def expect(self, spec: GuestSpec, image: GuestImage, traveller: Traveller, *, shared: bool) -> str:
        """Make ready for a guest, on the host that it goes to; returns where ``move`` has to send it.

        Disks that are to be copied are made here, of the same size. Raises DriverError for a guest that
        could not run here, or has no room.
        """

    def turn_away(self, uuid: str, name: str, *, shared: bool) -> None:
        """Remove what ``expect`` made; nothing there is not an error."""

    def move(self, spec: GuestSpec, uri: str, *, shared: bool, watch: Watch) -> None:
        """Send the guest to the host that expects it at ``uri``; its disks stay here, unused.

        Raises DriverError, the guest being where it was, and what ``watch`` raises.
        """

    def has_arrived(self, uuid: str, name: str) -> bool:
        """Tell whether the guest is here for good, on the host that expected it."""

    def take_over(self, spec: GuestSpec) -> None:
        """Let a guest that arrived be like one that was made here; raises NotFound."""
