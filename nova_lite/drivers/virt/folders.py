"""Drivers whose guests have a folder each, with all that is on disk of them, and who keeps the folders."""

from typing import Protocol

from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec, aside


class Folders(Protocol):
    """The folders of a host's guests, by the guests' names, and the images that their disks begin with."""

    def create(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make a guest's disks; whole ones are kept. Raises DriverError for an image that does not fit."""

    def receive(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make a guest's disks of those that were packed; raises DriverError as ``create``."""

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Make a guest's config drive anew."""

    def delete(self, name: str) -> None:
        """Remove a folder; none there is not an error."""

    def names(self) -> tuple[str, ...]:
        """Return the names of guests that have a folder."""

    def is_aside(self, name: str) -> bool:
        """Tell whether a guest's folder is kept aside."""

    def set_aside(self, name: str) -> None:
        """Keep a guest's folder aside; raises DriverError for a guest without a disk."""

    def put_back(self, name: str) -> None:
        """Give a guest its folder back, in place of one that was made since."""

    def copy_aside(self, spec: GuestSpec) -> None:
        """Make a guest's disks of those that are kept aside; raises DriverError."""

    def cache_image(self, image: GuestImage) -> None:
        """Bring an image here; raises DriverError for one that is no disk."""

    def clean_cache(self) -> tuple[str, ...]:
        """Remove the images that no guest uses, and return their names."""


class FolderDriver(VirtDriver):
    """A driver that leaves what is on disk of guests to ``_disks``."""

    _disks: Folders

    def create_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Make what is not in the guest's folder."""
        self._disks.create(spec, image)

    def receive_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Fetch the copy into the guest's folder."""
        self._disks.receive(spec, image)

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Write the drive again."""
        self._disks.renew_config_drive(spec)

    def delete_disks(self, uuid: str, name: str) -> None:
        """Remove the guest's folder."""
        self._disks.delete(name)

    def set_aside(self, uuid: str, name: str) -> None:
        """Forget the guest and rename its folder."""
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

    def copy_aside(self, spec: GuestSpec) -> None:
        """Copy what is in the folder of that other name."""
        self._disks.copy_aside(spec)

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of guests that have a folder."""
        return self._disks.names()

    def cache_image(self, image: GuestImage) -> None:
        """Bring an image, and what it needs, for further guests."""
        self._disks.cache_image(image)

    def clean_cache(self) -> tuple[str, ...]:
        """Remove images that no guest's disk is of."""
        return self._disks.clean_cache()
