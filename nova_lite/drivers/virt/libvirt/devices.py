"""The devices of a guest as elements of its domain XML."""

from pathlib import Path
from xml.etree import ElementTree as ET

from nova_lite.core.hardware import DiskBus, Hardware, WatchdogAction
from nova_lite.drivers.virt.base import GuestInterface
from nova_lite.drivers.virt.libvirt.files import Disk

_LAST = {DiskBus.IDE: "d", DiskBus.SATA: "f"}

def interface(described: GuestInterface) -> str:
    """Return the XML of one network interface."""
    return ET.tostring(add_interface(ET.Element("devices"), described), encoding="unicode")


def add_disk(devices: ET.Element, disk: Disk, hardware: Hardware) -> None:
    """Add a disk; one that cannot be written is a CD on buses whose disks always can."""
    is_cd = disk.readonly and hardware.disk_bus in _LAST
    element = ET.SubElement(devices, "disk", type="file", device="cdrom" if is_cd else "disk")
    ET.SubElement(element, "driver", name="qemu", type=disk.disk_format, cache=disk.cache)
    ET.SubElement(element, "source", file=str(disk.path))
    ET.SubElement(element, "target", dev=_target(disk, hardware.disk_bus), bus=hardware.disk_bus)
    if disk.readonly:
        ET.SubElement(element, "readonly")
    elif hardware.disk_limits:
        limits = ET.SubElement(element, "iotune")
        for name, value in hardware.disk_limits.items():
            ET.SubElement(limits, name.removeprefix("disk_")).text = str(value)


def _target(disk: Disk, bus: DiskBus) -> str:
    """Return a disk's name on a bus; the last one of those of which there are few stands for ``z``."""
    letter = disk.target[-1]
    return bus.prefix + (_LAST.get(bus, letter) if letter == "z" else letter)


def add_buses(devices: ET.Element, hardware: Hardware) -> None:
    """Add the controllers that libvirt would choose otherwise than guests like them."""
    if hardware.disk_bus is DiskBus.SCSI:
        ET.SubElement(devices, "controller", type="scsi", model="virtio-scsi")


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
