"""What a domain's XML says of its guest."""

from xml.etree import ElementTree as ET

from nova_lite.drivers.virt.libvirt.xml import NAMESPACE


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


def vnc_port(xml: str) -> int | None:
    """Return the port of a running domain's VNC screen, or None where it has none."""
    screen = ET.fromstring(xml).find("devices/graphics[@type='vnc']")
    port = -1 if screen is None else int(screen.get("port", "-1"))
    return port if port > 0 else None


def disk_targets(xml: str) -> list[str]:
    """Return the names in the guest of a domain's disks."""
    return [str(found.get("dev")) for found in ET.fromstring(xml).findall("devices/disk/target")]
