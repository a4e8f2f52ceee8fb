"""A guest as libvirt's domain XML (https://libvirt.org/formatdomain.html)."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree as ET

from nova_lite import __version__
from nova_lite.core.hardware import Hardware
from nova_lite.drivers.virt.guest import GuestSpec
from nova_lite.drivers.virt.libvirt import devices
from nova_lite.drivers.virt.libvirt.files import Files

NAMESPACE = "https://nova-lite.example/xmlns/instance/1"
"""Of the metadata element by which our guests are known."""

ET.register_namespace("nova", NAMESPACE)


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What the host's flags say of every guest: ``kind`` is kvm or qemu, ``vnc_listen`` empty for no screen."""

    kind: str
    cpu_mode: str
    vnc_listen: str = ""


def backup(target: Path, name: str) -> str:
    """Return the XML of a job that copies the disk ``name``, and no other, as a whole to ``target``."""
    root = ET.Element("domainbackup", mode="push")
    disks = ET.SubElement(root, "disks")
    disk = ET.SubElement(disks, "disk", name=name, backup="yes", type="file")
    ET.SubElement(disk, "driver", type="qcow2")
    ET.SubElement(disk, "target", file=str(target))
    return ET.tostring(root, encoding="unicode")


def domain(spec: GuestSpec, files: Files, machine: Machine) -> str:
    """Return the domain's XML."""
    root = begun(machine.kind, spec)
    _memory(root, spec.hardware)
    _product(root, spec)
    _system(root, files, spec)
    features = ET.SubElement(root, "features")
    ET.SubElement(features, "acpi")
    _processors(root, spec.hardware, machine)
    # Windows takes the clock of the machine for its local time.
    ET.SubElement(root, "clock", offset="localtime" if spec.hardware.os_type == "windows" else "utc")
    _text(root, "on_poweroff", "destroy")
    _text(root, "on_reboot", "restart")
    _text(root, "on_crash", "destroy")
    elements = ET.SubElement(root, "devices")
    devices.add_disks(elements, files.disks, spec)
    for interface in spec.interfaces:
        devices.add_interface(elements, interface)
    devices.add_console(elements, files.console_log)
    if machine.vnc_listen:
        devices.add_screen(elements, machine.vnc_listen, spec.hardware)
    devices.add_others(elements, spec.hardware)
    return ET.tostring(root, encoding="unicode")


def begun(kind: str, spec: GuestSpec) -> ET.Element:
    """Return a domain's element with what says who it is and how large."""
    root = ET.Element("domain", type=kind)
    _text(root, "uuid", spec.uuid)
    _text(root, "name", spec.name)
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, f"{{{NAMESPACE}}}instance", name=spec.name)
    _text(root, "memory", str(spec.memory_mb), unit="MiB")
    _text(root, "vcpu", str(spec.vcpus))
    return root


def add_tuning(root: ET.Element, hardware: Hardware) -> None:
    """Say what the host gives a guest of its processors."""
    if hardware.tuning:
        tuning = ET.SubElement(root, "cputune")
        for name, value in hardware.tuning.items():
            _text(tuning, name.removeprefix("cpu_"), str(value))


def _product(root: ET.Element, spec: GuestSpec) -> None:
    """Let the guest's firmware say what it is by the words that programs in guests look for, and its uuid."""
    system = ET.SubElement(ET.SubElement(root, "sysinfo", type="smbios"), "system")
    entries = {
        "manufacturer": "OpenStack Foundation",
        "product": "OpenStack Nova",
        "version": __version__,
        "serial": spec.uuid,
        "uuid": spec.uuid,
        "family": "Virtual Machine",
    }
    for name, value in entries.items():
        _text(system, "entry", value, name=name)


def _memory(root: ET.Element, hardware: Hardware) -> None:
    """Have the guest's memory in large pages where that is wanted."""
    if hardware.pages:
        pages = ET.SubElement(ET.SubElement(root, "memoryBacking"), "hugepages")
        if hardware.pages != "large":
            ET.SubElement(pages, "page", size=hardware.pages, unit="KiB")


def _processors(root: ET.Element, hardware: Hardware, machine: Machine) -> None:
    """Say what processors a guest sees, and what the host gives them."""
    add_tuning(root, hardware)
    if machine.cpu_mode == "none" and hardware.topology is None:
        return
    processor = ET.SubElement(root, "cpu", {} if machine.cpu_mode == "none" else {"mode": machine.cpu_mode})
    if hardware.topology is not None:
        parts = dataclasses.asdict(hardware.topology)
        ET.SubElement(processor, "topology", {name: str(count) for name, count in parts.items()})


def _system(root: ET.Element, files: Files, spec: GuestSpec) -> None:
    hardware = spec.hardware
    system = ET.SubElement(root, "os", {"firmware": "efi"} if hardware.uefi else {})
    _text(system, "type", "hvm", **({"machine": hardware.machine} if hardware.machine else {}))
    if files.kernel is not None:
        _text(system, "kernel", str(files.kernel))
        if files.ramdisk is not None:
            _text(system, "initrd", str(files.ramdisk))
        line = f"root={_root_of(files, spec)} console=tty0 console=ttyS0"
        _text(system, "cmdline", hardware.command_line or line)
    else:
        ET.SubElement(system, "boot", dev="cdrom" if devices.plug_of(files.disks[0], spec).is_cd else "hd")
        if hardware.boot_menu:
            ET.SubElement(system, "bootmenu", enable="yes", timeout="3000")
    ET.SubElement(system, "smbios", mode="sysinfo")


def _root_of(files: Files, spec: GuestSpec) -> str:
    """Return where the kernel finds the root.

    Bundles say /dev/sda1, as the hypervisors had it that they were made for; on another bus nothing is there.
    """
    bus = spec.hardware.bus_of(devices.plug_of(files.disks[0], spec))
    first = f"/dev/{bus.prefix}"
    return spec.root_device if spec.root_device.startswith(first) else f"{first}a"


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text
