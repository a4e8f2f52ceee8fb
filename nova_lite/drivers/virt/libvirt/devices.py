"""The devices of a guest as elements of its domain XML."""

import string
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from nova_lite.core.hardware import AS_USUAL, DiskBus, Hardware, Plug, WatchdogAction
from nova_lite.drivers.virt.guest import GuestInterface, GuestSpec, disk_names
from nova_lite.drivers.virt.libvirt.files import Disk

_LAST = {DiskBus.IDE: "d", DiskBus.SATA: "f"}

def interface(described: GuestInterface) -> str:
    """Return the XML of one network interface."""
    return ET.tostring(add_interface(ET.Element("devices"), described), encoding="unicode")


def add_disks(devices: ET.Element, disks: Sequence[Disk], spec: GuestSpec) -> None:
    """Add disks, each on its bus, and the controllers that libvirt would choose otherwise than guests like them."""
    letters = Counter[str]()
    plugs = [plug_of(disk, spec) for disk in disks]
    if DiskBus.SCSI in map(spec.hardware.bus_of, plugs):
        ET.SubElement(devices, "controller", type="scsi", model="virtio-scsi")
    for disk, plug in zip(disks, plugs, strict=True):
        bus = spec.hardware.bus_of(plug)
        letter = _LAST.get(bus, "z") if disk.target.endswith("z") else string.ascii_lowercase[letters[bus.prefix]]
        letters[bus.prefix] += 1
        # One that cannot be written is a CD on buses whose disks always can.
        is_cd = plug.is_cd or (disk.readonly and bus in _LAST)
        _add_disk(devices, disk, f"{bus.prefix}{letter}", bus, is_cd=is_cd, limits=spec.hardware.disk_limits)


def plug_of(disk: Disk, spec: GuestSpec) -> Plug:
    """Return how a disk is plugged in."""
    return spec.plugs.get(disk_names().get(disk.path.name, ""), AS_USUAL)


def _add_disk(
    devices: ET.Element, disk: Disk, target: str, bus: DiskBus, *, is_cd: bool, limits: Mapping[str, int]
) -> None:
    element = ET.SubElement(devices, "disk", type="file", device="cdrom" if is_cd else "disk")
    ET.SubElement(element, "driver", name="qemu", type=disk.disk_format, cache=disk.cache)
    ET.SubElement(element, "source", file=str(disk.path))
    ET.SubElement(element, "target", dev=target, bus=bus)
    if disk.readonly or is_cd:
        ET.SubElement(element, "readonly")
    if not disk.readonly and limits:
        tuned = ET.SubElement(element, "iotune")
        for name, value in limits.items():
            ET.SubElement(tuned, name.removeprefix("disk_")).text = str(value)


def add_interface(devices: ET.Element, interface: GuestInterface) -> ET.Element:
    """Add a network interface and return it."""
    element = ET.SubElement(devices, "interface", type="bridge")
    ET.SubElement(element, "mac", address=interface.mac)
    ET.SubElement(element, "source", bridge=interface.bridge)
    ET.SubElement(element, "target", dev=interface.tap)
    ET.SubElement(element, "model", type=interface.model)
    ET.SubElement(element, "mtu", size=str(interface.mtu))
    if interface.limits:
        _add_bandwidth(element, interface)
    return element


def _add_bandwidth(element: ET.Element, interface: GuestInterface) -> None:
    """Add what an interface may carry in KiB a second; a way without an average is not bounded."""
    bandwidth = ET.SubElement(element, "bandwidth")
    for way in ("inbound", "outbound"):
        found = {
            name.removeprefix(f"vif_{way}_"): str(value)
            for name, value in interface.limits.items()
            if name.startswith(f"vif_{way}_")
        }
        if "average" in found:
            ET.SubElement(bandwidth, way, found)


def add_console(devices: ET.Element, log: Path) -> None:
    """Add one serial port that is an interactive console and is written to a file."""
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=str(log), append="on")
    ET.SubElement(serial, "target", port="0")
    console = ET.SubElement(devices, "console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")


def add_screen(devices: ET.Element, listen: str, hardware: Hardware) -> None:
    """Add a VNC screen that listens at an address of the host."""
    ET.SubElement(devices, "graphics", type="vnc", autoport="yes", listen=listen)
    memory = {"vram": str(hardware.video_ram_mb * 1024)} if hardware.video_ram_mb else {}
    ET.SubElement(ET.SubElement(devices, "video"), "model", {"type": hardware.video, **memory})
    if hardware.tablet:
        ET.SubElement(devices, "input", type="tablet", bus="usb")


def add_others(devices: ET.Element, hardware: Hardware) -> None:
    """Add what a guest has beside disks, interfaces and consoles."""
    if hardware.random:
        random = ET.SubElement(devices, "rng", model="virtio")
        if hardware.random_rate is not None:
            size, period = hardware.random_rate
            ET.SubElement(random, "rate", bytes=str(size), period=str(period))
        ET.SubElement(random, "backend", model="random").text = "/dev/urandom"
    if hardware.guest_agent:
        channel = ET.SubElement(devices, "channel", type="unix")
        ET.SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    if hardware.watchdog is not WatchdogAction.DISABLED:
        ET.SubElement(devices, "watchdog", model="i6300esb", action=hardware.watchdog)
