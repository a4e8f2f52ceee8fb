"""What a domain's XML says of its guest."""

from pathlib import PurePath
from xml.etree import ElementTree as ET

from nova_lite.core.devices import DeviceKind, GuestDevice
from nova_lite.drivers.virt.guest import disk_names
from nova_lite.drivers.virt.libvirt.xml import NAMESPACE

_DRIVES = ("scsi", "ide", "sata")
"""The buses on which a disk's address is that of a drive."""


def is_ours(xml: str) -> bool:
    """Tell whether a domain is a guest of ours."""
    return ET.fromstring(xml).find(f"metadata/{{{NAMESPACE}}}instance") is not None


def macs(xml: str) -> set[str]:
    """Return the MAC addresses of a domain's interfaces."""
    return {str(found.get("address")) for found in ET.fromstring(xml).findall("devices/interface/mac")}


def nics(xml: str) -> list[tuple[str, str]]:
    """Return (MAC address, name on the host) of a domain's interfaces."""
    found = []
    for element in ET.fromstring(xml).findall("devices/interface"):
        mac, target = element.find("mac"), element.find("target")
        if mac is not None and target is not None:
            found.append((str(mac.get("address")), str(target.get("dev"))))
    return found


def devices(xml: str) -> tuple[GuestDevice, ...]:
    """Return where a domain's interfaces and disks are in it."""
    root = ET.fromstring(xml)
    found = []
    for element in root.findall("devices/interface"):
        mac = element.find("mac")
        if mac is not None:
            found.append(GuestDevice(DeviceKind.NIC, str(mac.get("address")), *_place(element, "")))
    names = disk_names()
    for element in root.findall("devices/disk"):
        source, target = element.find("source"), element.find("target")
        if source is not None and target is not None:
            name = names.get(PurePath(source.get("file", "")).name)
            if name:
                place = _place(element, target.get("bus", ""))
                found.append(GuestDevice(DeviceKind.DISK, name, *place, path=f"/dev/{target.get('dev')}"))
    return tuple(found)


def _place(device: ET.Element, bus: str) -> tuple[str, str]:
    """Return the bus that a device is on, and its address there."""
    address = device.find("address")
    if address is None:
        return "none", "none"
    parts = {name: value for name, value in address.items() if name != "type"}
    if address.get("type") == "pci":
        domain, number, slot, function = (int(parts[name], 16) for name in ("domain", "bus", "slot", "function"))
        return "pci", f"{domain:04x}:{number:02x}:{slot:02x}.{function:x}"
    if address.get("type") == "drive" and bus in _DRIVES:
        return bus, ":".join(parts[name] for name in ("controller", "bus", "target", "unit"))
    return (bus, f"{parts['bus']}:{parts['port']}") if address.get("type") == "usb" else ("none", "none")


def vnc_port(xml: str) -> int | None:
    """Return the port of a running domain's VNC screen, or None where it has none."""
    screen = ET.fromstring(xml).find("devices/graphics[@type='vnc']")
    port = -1 if screen is None else int(screen.get("port", "-1"))
    return port if port > 0 else None


def disk_targets(xml: str) -> list[str]:
    """Return the names in the guest of a domain's disks."""
    return [str(found.get("dev")) for found in ET.fromstring(xml).findall("devices/disk/target")]
