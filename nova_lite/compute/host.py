"""What the flows work with on one compute host: the database, the drivers and the other daemons."""

import base64
import dataclasses
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from nova_lite.compute.group_filters import GroupFilters
from nova_lite.compute.links import HostLinks
from nova_lite.compute.serial import SerialPorts
from nova_lite.core import config_drive, ids, injected_network
from nova_lite.core.context import RequestContext
from nova_lite.core.devices import GuestDevice
from nova_lite.core.errors import DriverError, NotFound, Unavailable
from nova_lite.core.hardware import Hardware
from nova_lite.core.image import ImageFacts
from nova_lite.core.instance import Instance
from nova_lite.core.metadata import InstanceMetadata, MetadataSettings
from nova_lite.core.network import VirtualInterface
from nova_lite.db import images, instance_metadata, instances, virtual_interfaces
from nova_lite.db.engine import Database
from nova_lite.drivers.image.base import ImageStore
from nova_lite.drivers.net.base import FirewallDriver
from nova_lite.drivers.seal import Seal
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.guest import GuestImage, GuestInterface, GuestSpec, Injected
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.network import NetworkProxy

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class ComputeHost:
    """A compute host's name and tools. ``told`` is what all guests are told, ``shutdown_timeout`` in seconds."""

    name: str
    database: Database
    driver: VirtDriver
    firewall: FirewallDriver
    images: ImageStore
    network: NetworkProxy
    compute: ComputeProxy
    seal: Seal
    serial: SerialPorts
    links: HostLinks
    groups: GroupFilters
    told: MetadataSettings = dataclasses.field(default_factory=MetadataSettings)
    shutdown_timeout: float = 60.0

    def interfaces(self, instance: Instance) -> tuple[VirtualInterface, ...]:
        """Return the instance's network interfaces as the database has them."""

        def work(session: Session) -> tuple[VirtualInterface, ...]:
            return tuple(virtual_interfaces.of_instances(session, [instance.uuid]).get(instance.uuid, ()))

        return self.database.read("compute.interfaces", work)

    def release_addresses(self, context: RequestContext, instance: Instance) -> None:
        """Give the instance's addresses back; while the network is away this is left to its own sweep."""
        try:
            self.network.release(context, [instance.uuid])
        except Unavailable as error:
            LOG.warning("addresses of %s are left to the network's sweep: %s", instance.uuid, error)
        # Whoever has an address next is no member of the instance's groups.
        self.groups.left(instance.uuid)

    def refresh_networks(self, context: RequestContext, network_ids: Sequence[int]) -> None:
        """Have DHCP know who holds addresses now; while the network is away this is left to its own sweep."""
        try:
            self.network.refresh(context, list(network_ids))
        except (Unavailable, DriverError) as error:
            LOG.warning("the DHCP servers of networks %s are told later: %s", network_ids, error)

    def disk_spec(self, instance: Instance) -> GuestSpec:
        """Return what an instance's guest is like as far as its disks are concerned."""
        spec = guest_spec(instance, ())
        if instance.config_drive:
            return dataclasses.replace(spec, config_drive=config_drive.files(self._metadata(instance)))
        if self.driver.capabilities.injects_files:
            return dataclasses.replace(spec, injected=self._injected(instance))
        return spec

    def _metadata(self, instance: Instance) -> InstanceMetadata:
        return self.database.read(
            "compute.metadata", lambda session: instance_metadata.of(session, instance, self.told)
        )

    def _injected(self, instance: Instance) -> Injected:
        """Return what an instance's guest is to find in its disk."""
        told = self._metadata(instance)
        return Injected(
            files={file.path: base64.b64decode(file.contents) for file in told.files},
            key=instance.public_key or "",
            interfaces=injected_network.content(told.interfaces),
            metadata=json.dumps(dict(instance.metadata)) if instance.metadata else "",
            password_hash=instance.admin_password_hash,
        )

    def protected_spec(self, instance: Instance) -> GuestSpec:
        """Return what an instance's guest is like, the filter of its interfaces in force."""
        interfaces = self.interfaces(instance)
        self.connect(interfaces)
        return guest_spec(instance, interfaces)

    def note_devices(self, instance: Instance, spec: GuestSpec) -> tuple[GuestDevice, ...]:
        """Write down where the devices of a guest that was made are, if any has a tag by which it is told of it."""
        tagged = {interface.mac for interface in spec.interfaces if interface.tag} | set(instance.local_disks.tags)
        if not tagged:
            return ()
        devices = tuple(one for one in self.driver.devices(instance.uuid) if one.name in tagged)
        if devices != instance.devices:
            self.database.run(
                "compute.devices", lambda session: instances.set_devices(session, instance.uuid, devices)
            )
        return devices

    def tell_devices(self, instance: Instance, spec: GuestSpec) -> None:
        """Have the config drive of a new guest tell where its tagged devices are: the hypervisor says it only now."""
        self.driver.define(spec)
        devices = self.note_devices(instance, spec)
        told = self.disk_spec(dataclasses.replace(instance, devices=devices))
        self.driver.renew_config_drive(told)

    def connect(self, interfaces: Sequence[VirtualInterface]) -> None:
        """Have the bridges that interfaces are put in, and the filter of their traffic in force."""
        self.links.ready(interfaces)
        for uuid in {interface.instance_uuid for interface in interfaces}:
            self.groups.protect(uuid, [one for one in interfaces if one.instance_uuid == uuid])

    def disconnect(self, instance: Instance) -> None:
        """Remove what was made for an instance's interfaces: it is not here any more."""
        self.firewall.unprotect(instance.uuid)
        self.links.tidy(instance.uuid)

    def join(self, context: RequestContext, instance: Instance) -> None:
        """Let the network know of an instance that comes from another host; where it was served, too."""
        found = self.network.allocate(context, [instance.uuid]).get(instance.uuid, ())
        moved = sorted({interface.network_id for interface in found if interface.multi_host})
        if moved:
            self.refresh_networks(context, moved)

    def image_facts(self, image_id: str) -> ImageFacts:
        """Return what the database says of an image; of one that is gone, nothing."""
        stored = self.database.read("image.get", lambda session: images.get(session, image_id))
        return ImageFacts() if stored is None else stored.facts

    def guest_image(self, instance: Instance, facts: ImageFacts) -> GuestImage:
        """Return the instance's image in the form that drivers take.

        One that was made of the instance itself is started with the instance's own kernel and ramdisk.
        """
        kernel = facts.kernel_id or instance.kernel_id
        ramdisk = facts.ramdisk_id or instance.ramdisk_id
        return self._bootable(instance.image_id, facts, kernel, ramdisk)

    def cached_image(self, image_id: str) -> GuestImage:
        """Return an image that no instance was made of yet in the form that drivers take; raises NotFound."""
        stored = self.database.read("image.get", lambda session: images.get(session, image_id))
        if stored is None or stored.status != "active":
            raise NotFound(f"Image {image_id} could not be found.")
        facts = stored.facts
        return self._bootable(image_id, facts, facts.kernel_id, facts.ramdisk_id)

    def _bootable(self, image_id: str, facts: ImageFacts, kernel: str, ramdisk: str) -> GuestImage:
        return dataclasses.replace(
            self._image(image_id, facts), kernel=self._boot_file(kernel), ramdisk=self._boot_file(ramdisk)
        )

    def _image(self, image_id: str, facts: ImageFacts) -> GuestImage:
        """Return an image that needs no others."""

        def fetch(path: Path) -> None:
            self._fetch(image_id, facts.sha512, path)

        return GuestImage(
            id=image_id,
            disk_format=facts.disk_format,
            size=facts.size,
            fetch=fetch,
            min_disk=facts.min_disk,
        )

    def _boot_file(self, image_id: str) -> GuestImage | None:
        """Return the image of a kernel or ramdisk, None for none."""
        return self._image(image_id, self.image_facts(image_id)) if image_id else None

    def _fetch(self, image_id: str, checksum: str, path: Path) -> None:
        """Write an image to ``path``; raises DriverError when its bytes are not those that were uploaded."""
        digest = hashlib.sha512()
        with path.open("wb") as target:
            for chunk in self.images.read(image_id):
                digest.update(chunk)
                target.write(chunk)
        if checksum and digest.hexdigest() != checksum:
            raise DriverError(f"Image {image_id} is damaged: its checksum does not match.")


def guest_spec(instance: Instance, interfaces: Sequence[VirtualInterface]) -> GuestSpec:
    """Describe an instance as drivers take it."""
    flavor, hardware = instance.flavor, instance.hardware
    return GuestSpec(
        uuid=instance.uuid,
        name=instance.name,
        memory_mb=flavor.memory_mb,
        vcpus=flavor.vcpus,
        root_gb=flavor.root_gb,
        ephemerals=instance.ephemerals,
        swap_mb=instance.swap_mb,
        interfaces=tuple(guest_interface(interface, hardware) for interface in interfaces),
        extra_specs=flavor.extra_specs,
        hardware=hardware,
        root_device=instance.root_device_name,
        plugs=instance.local_disks.plugs,
    )


def guest_interface(interface: VirtualInterface, hardware: Hardware) -> GuestInterface:
    """Describe an interface as drivers take it."""
    return GuestInterface(
        mac=interface.mac,
        tap=ids.tap_name(interface.id),
        bridge=interface.bridge,
        address=interface.address,
        mtu=interface.mtu,
        model=hardware.vif_model,
        limits=hardware.vif_limits,
        tag=interface.tag,
    )
