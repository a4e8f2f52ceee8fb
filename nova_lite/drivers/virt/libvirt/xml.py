"""A guest as libvirt's domain XML (https://libvirt.org/formatdomain.html)."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree as ET

from nova_lite.drivers.virt.base import GuestInterface, GuestSpec

NAMESPACE = "https://nova-lite.example/xmlns/instance/1"
"""Of the metadata element by which our guests are known."""

ET.register_namespace("nova", NAMESPACE)


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What the host's flags say of every guest: ``kind`` is kvm or qemu, ``vnc_listen`` empty for no screen."""

    kind: str
    cpu_mode: str
    vnc_listen: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Disk:
    """One disk: its file, format (raw, qcow2) and name in the guest (vda, vdb …)."""

    path: Path
    disk_format: str
    target: str
    readonly: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Files:
    """A guest's files; ``kernel`` and ``ramdisk`` are None where the disk boots by itself."""

    disks: tuple[Disk, ...]
    console_log: Path
    kernel: Path | None = None
    ramdisk: Path | None = None


def backup(target: Path) -> str:
    """Return the XML of a job that copies the root disk, and no other, as a whole to ``target``."""
    root = ET.Element("domainbackup", mode="push")
    disks = ET.SubElement(root, "disks")
    disk = ET.SubElement(disks, "disk", name="vda", backup="yes", type="file")
    ET.SubElement(disk, "driver", type="qcow2")
    ET.SubElement(disk, "target", file=str(target))
    return ET.tostring(root, encoding="unicode")


def domain(spec: GuestSpec, files: Files, machine: Machine) -> str:
    """Return the domain's XML."""
    root = ET.Element("domain", type=machine.kind)
    _text(root, "uuid", spec.uuid)
    _text(root, "name", spec.name)
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, f"{{{NAMESPACE}}}instance", name=spec.name)
    _text(root, "memory", str(spec.memory_mb), unit="MiB")
    _text(root, "vcpu", str(spec.vcpus))
    _system(root, files)
    features = ET.SubElement(root, "features")
    ET.SubElement(features, "acpi")
    if machine.cpu_mode != "none":
        ET.SubElement(root, "cpu", mode=machine.cpu_mode)
    ET.SubElement(root, "clock", offset="utc")
    _text(root, "on_poweroff", "destroy")
    _text(root, "on_reboot", "restart")
    _text(root, "on_crash", "destroy")
    devices = ET.SubElement(root, "devices")
    for disk in files.disks:
        _disk(devices, disk)
    for interface in spec.interfaces:
        _interface(devices, interface)
    _console(devices, files.console_log)
    if machine.vnc_listen:
        ET.SubElement(devices, "graphics", type="vnc", autoport="yes", listen=machine.vnc_listen)
        ET.SubElement(ET.SubElement(devices, "video"), "model", type="vga")
    random = ET.SubElement(devices, "rng", model="virtio")
    _text(random, "backend", "/dev/urandom", model="random")
    return ET.tostring(root, encoding="unicode")


def is_ours(xml: str) -> bool:
    """Tell whether a domain is a guest of ours."""
    return ET.fromstring(xml).find(f"metadata/{{{NAMESPACE}}}instance") is not None


def interface(described: GuestInterface) -> str:
    """Return the XML of one network interface."""
    return ET.tostring(_interface(ET.Element("devices"), described), encoding="unicode")


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


def _system(root: ET.Element, files: Files) -> None:
    system = ET.SubElement(root, "os")
    _text(system, "type", "hvm")
    if files.kernel is not None:
        _text(system, "kernel", str(files.kernel))
        if files.ramdisk is not None:
            _text(system, "initrd", str(files.ramdisk))
        _text(system, "cmdline", "root=/dev/vda console=tty0 console=ttyS0")
    else:
        ET.SubElement(system, "boot", dev="hd")


def _disk(devices: ET.Element, disk: Disk) -> None:
    element = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(element, "driver", name="qemu", type=disk.disk_format, cache="writeback")
    ET.SubElement(element, "source", file=str(disk.path))
    ET.SubElement(element, "target", dev=disk.target, bus="virtio")
    if disk.readonly:
        ET.SubElement(element, "readonly")


def _interface(devices: ET.Element, interface: GuestInterface) -> ET.Element:
    element = ET.SubElement(devices, "interface", type="bridge")
    ET.SubElement(element, "mac", address=interface.mac)
    ET.SubElement(element, "source", bridge=interface.bridge)
    ET.SubElement(element, "target", dev=interface.tap)
    ET.SubElement(element, "model", type="virtio")
    ET.SubElement(element, "mtu", size=str(interface.mtu))
    return element


def _console(devices: ET.Element, log: Path) -> None:
    """One serial port that is an interactive console and is written to a file."""
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=str(log), append="on")
    ET.SubElement(serial, "target", port="0")
    console = ET.SubElement(devices, "console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text
