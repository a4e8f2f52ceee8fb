"""The devices of a guest as elements of its domain XML."""

from pathlib import Path
from xml.etree import ElementTree as ET

from nova_lite.drivers.virt.base import GuestInterface
from nova_lite.drivers.virt.libvirt.files import Disk


def interface(described: GuestInterface) -> str:
    """Return the XML of one network interface."""
    return ET.tostring(add_interface(ET.Element("devices"), described), encoding="unicode")


def add_disk(devices: ET.Element, disk: Disk) -> None:
    """Add a disk."""
    element = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(element, "driver", name="qemu", type=disk.disk_format, cache="writeback")
    ET.SubElement(element, "source", file=str(disk.path))
    ET.SubElement(element, "target", dev=disk.target, bus="virtio")
    if disk.readonly:
        ET.SubElement(element, "readonly")


def add_interface(devices: ET.Element, interface: GuestInterface) -> ET.Element:
    """Add a network interface and return it."""
    element = ET.SubElement(devices, "interface", type="bridge")
    ET.SubElement(element, "mac", address=interface.mac)
    ET.SubElement(element, "source", bridge=interface.bridge)
    ET.SubElement(element, "target", dev=interface.tap)
    ET.SubElement(element, "model", type="virtio")
    ET.SubElement(element, "mtu", size=str(interface.mtu))
    return element


def add_console(devices: ET.Element, log: Path) -> None:
    """Add one serial port that is an interactive console and is written to a file."""
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=str(log), append="on")
    ET.SubElement(serial, "target", port="0")
    console = ET.SubElement(devices, "console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")


def add_screen(devices: ET.Element, listen: str) -> None:
    """Add a VNC screen that listens at an address of the host."""
    ET.SubElement(devices, "graphics", type="vnc", autoport="yes", listen=listen)
    ET.SubElement(ET.SubElement(devices, "video"), "model", type="vga")


def add_random(devices: ET.Element) -> None:
    """Add a source of random numbers."""
    random = ET.SubElement(devices, "rng", model="virtio")
    ET.SubElement(random, "backend", model="random").text = "/dev/urandom"
