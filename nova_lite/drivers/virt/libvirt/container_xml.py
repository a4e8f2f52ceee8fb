"""A container as libvirt's domain XML (https://libvirt.org/drvlxc.html)."""

from xml.etree import ElementTree as ET

from nova_lite.drivers.virt.guest import GuestInterface, GuestSpec
from nova_lite.drivers.virt.libvirt import devices, xml
from nova_lite.drivers.virt.libvirt.files import Files

KIND = "lxc"


def domain(spec: GuestSpec, files: Files, init: str) -> str:
    """Return the domain's XML; ``init`` is the program that a container begins with."""
    root = xml.begun(KIND, spec)
    system = ET.SubElement(root, "os")
    ET.SubElement(system, "type").text = "exe"
    ET.SubElement(system, "init").text = init
    features = ET.SubElement(root, "features")
    # Without it a container that has no interface would have the host's.
    ET.SubElement(features, "privnet")
    xml.add_tuning(root, spec.hardware)
    ET.SubElement(root, "clock", offset="utc")
    ET.SubElement(root, "on_poweroff").text = "destroy"
    ET.SubElement(root, "on_reboot").text = "restart"
    ET.SubElement(root, "on_crash").text = "destroy"
    elements = ET.SubElement(root, "devices")
    for number, disk in enumerate(files.disks):
        system = ET.SubElement(elements, "filesystem", type="file", accessmode="passthrough")
        ET.SubElement(system, "driver", type="loop", format="raw")
        ET.SubElement(system, "source", file=str(disk.path))
        ET.SubElement(system, "target", dir=_place(number))
    for number, one in enumerate(spec.interfaces):
        _add_interface(elements, one, f"eth{number}")
    console = ET.SubElement(elements, "console", type="pty")
    ET.SubElement(console, "target", type=KIND, port="0")
    return ET.tostring(root, encoding="unicode")


def interface(described: GuestInterface) -> str:
    """Return the XML of one network interface, which the container names by itself."""
    return ET.tostring(_add_interface(ET.Element("devices"), described), encoding="unicode")


def _add_interface(elements: ET.Element, described: GuestInterface, name: str = "") -> ET.Element:
    element = devices.add_interface(elements, described)
    model = element.find("model")
    if model is not None:
        element.remove(model)
    if name:
        ET.SubElement(element, "guest", dev=name)
    return element


def _place(number: int) -> str:
    """Return where a container finds a file system: the first is its root, the others are at /mnt, /mnt2 …"""
    return "/" if number == 0 else f"/mnt{number if number > 1 else ''}"
