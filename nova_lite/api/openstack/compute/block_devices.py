"""The disks that a create asks for: the image of the root disk, and what else is made on the host.

There is no volume service: whatever is or would become a volume is refused.
"""

import dataclasses
from typing import Any

from nova_lite.api.call import Json
from nova_lite.core.errors import InvalidInput
from nova_lite.core.hardware import DiskBus, Plug
from nova_lite.core.local_disks import FILE_SYSTEMS, EphemeralDisk, LocalDisks

_INVALID = "Block Device Mapping is Invalid:"
_CD = "cdrom"
_DEVICES = ("disk", _CD)


@dataclasses.dataclass(frozen=True, slots=True)
class Disks:
    """What was asked for; without ``image_id`` no device is one to boot from."""

    image_id: str
    local: LocalDisks


def wanted_disks(server: Json) -> Disks:
    """Read both forms of block device mappings of a create; raises InvalidInput for what cannot be had."""
    reference: str = server.get("imageRef", "").rsplit("/", 1)[-1]
    legacy = server.get("block_device_mapping") or []
    current = server.get("block_device_mapping_v2") or []
    if legacy and current:
        raise InvalidInput(
            "Using different block_device_mapping syntaxes is not allowed in the same request."
        )
    devices = [_modern(device) for device in legacy] or current
    devices = [device for device in devices if not device.get("no_device")]
    for device in devices:
        _refuse_volumes(device)
    images = [device for device in devices if device.get("source_type") == "image"]
    local = _local([device for device in devices if device.get("source_type") == "blank"])
    root = images[0] if images else {}
    local = dataclasses.replace(local, root_tag=root.get("tag", ""), root_plug=_plug(root))
    return Disks(_root(reference, images), local)


def _modern(device: Json) -> Json:
    """Return a device of the older form in the words of the newer one."""
    common = {name: device[name] for name in ("volume_size", "no_device") if name in device}
    for kind in ("volume", "snapshot"):
        if device.get(f"{kind}_id"):
            return common | {"source_type": kind, "uuid": device[f"{kind}_id"]}
    name = device.get("virtual_name", "")
    if device.get("no_device") or name == "NoDevice":
        return {"no_device": True}
    if name == "swap":
        return common | {"source_type": "blank", "destination_type": "local", "guest_format": "swap"}
    if name.startswith("ephemeral"):
        return common | {"source_type": "blank", "destination_type": "local"}
    raise InvalidInput(
        f"{_INVALID} {name or 'a device'} is neither a volume nor a snapshot nor a disk of the host."
    )


def _refuse_volumes(device: Json) -> None:
    """Raise InvalidInput for a device that is incomplete, or that only a volume service could give."""
    source = device.get("source_type")
    if source is None:
        raise InvalidInput("The source_type of a block device must be specified.")
    if source in ("volume", "snapshot"):
        raise InvalidInput(f"{_INVALID} failed to get {source} {device.get('uuid', '')}.")
    if source == "image" and not device.get("uuid"):
        raise InvalidInput(f"{_INVALID} an image has to be named by its uuid.")
    if device.get("destination_type", "local") == "volume":
        raise InvalidInput(f"{_INVALID} failed to create a volume: there is no volume service.")


def _root(reference: str, images: list[Json]) -> str:
    """Return the image to boot from, named by itself, as a device, or as both."""
    for image in images:
        if _index(image) != 0:
            raise InvalidInput(
                f"{_INVALID} mapping image to local is not supported, but for the disk to boot from."
            )
    if len(images) > 1:
        raise InvalidInput(
            f"{_INVALID} boot sequence for the instance and image/block device mapping combination is not valid."
        )
    named = images[0]["uuid"] if images else reference
    if reference and named != reference:
        raise InvalidInput("The image and the block device mapping name different images.")
    if not named:
        raise InvalidInput(f"{_INVALID} neither imageRef nor a block device names an image to boot from.")
    return str(named)


def _index(device: Json) -> int:
    """Return a device's place in the order of booting; one without is not booted from."""
    index: Any = device.get("boot_index", -1)
    return -1 if index in (None, "None") else int(index)


def _local(blank: list[Json]) -> LocalDisks:
    """Return the sizes of the empty disks that the host is to make."""
    for device in blank:
        if _index(device) >= 0:
            raise InvalidInput(f"{_INVALID} an empty disk cannot be booted from.")
        if device.get("uuid"):
            raise InvalidInput(f"{_INVALID} an empty disk has no uuid.")
    swaps = [device for device in blank if device.get("guest_format") == "swap"]
    others = [device for device in blank if device.get("guest_format") != "swap"]
    if len(swaps) > 1:
        raise InvalidInput("More than one swap drive requested.")
    ephemerals = tuple(
        EphemeralDisk(_size(device) or 0, _file_system(device), device.get("tag", ""), _plug(device))
        for device in others
    )
    swap = swaps[0] if swaps else {}
    return LocalDisks(ephemerals, _size(swap), swap.get("tag", ""), swap_plug=_plug(swap))


def _plug(device: Json) -> Plug:
    """Return how a disk is to be plugged in; raises InvalidInput for what no guest has.

    What it is named is up to the guest: names that users wish are not listened to, as it is with Nova.
    """
    kind, bus = device.get("device_type") or "disk", device.get("disk_bus") or ""
    if kind not in _DEVICES:
        raise InvalidInput(f"{_INVALID} device_type {kind} is not one of {', '.join(_DEVICES)}.")
    if bus and bus not in tuple(DiskBus):
        raise InvalidInput(f"{_INVALID} disk_bus {bus} is not one of {', '.join(DiskBus)}.")
    if kind == _CD and bus == DiskBus.VIRTIO:
        raise InvalidInput(f"{_INVALID} no cdrom can be on the bus {bus}.")
    return Plug(DiskBus(bus) if bus else None, kind == _CD)


def _size(device: Json) -> int | None:
    return int(device["volume_size"]) if "volume_size" in device else None


def _file_system(device: Json) -> str:
    """Return what an empty disk is to be formatted as; raises InvalidInput for what no host can make."""
    wanted: str = device.get("guest_format") or ""
    if wanted and wanted not in FILE_SYSTEMS:
        raise InvalidInput(f"{_INVALID} {wanted} format is not supported.")
    return wanted
