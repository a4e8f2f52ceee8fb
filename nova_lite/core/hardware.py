"""What a guest's machine is made of, beyond its size: read off the flavor's extra specs and the image's properties.

The names are Nova's. What is asked for is checked here, before anything is changed, whoever asks.
"""

import dataclasses
import enum
import re
from collections.abc import Mapping
from typing import TypeVar

from nova_lite.core.errors import InvalidInput

Choice = TypeVar("Choice", bound=enum.StrEnum)


class DiskBus(enum.StrEnum):
    """How disks are plugged in."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    SATA = "sata"
    IDE = "ide"
    USB = "usb"

    @property
    def prefix(self) -> str:
        """How the names of such disks begin in the guest's definition."""
        return {DiskBus.VIRTIO: "vd", DiskBus.IDE: "hd"}.get(self, "sd")

    @property
    def places(self) -> int:
        """How many disks a guest may have on it."""
        return {DiskBus.IDE: 4, DiskBus.SATA: 6}.get(self, 26)


@dataclasses.dataclass(frozen=True, slots=True)
class Plug:
    """How one disk is plugged in where somebody says so; without a ``bus`` as its kind usually is."""

    bus: DiskBus | None = None
    is_cd: bool = False


AS_USUAL = Plug()


class VifModel(enum.StrEnum):
    """The models of network cards."""

    VIRTIO = "virtio"
    E1000 = "e1000"
    E1000E = "e1000e"
    RTL8139 = "rtl8139"
    NE2K_PCI = "ne2k_pci"
    PCNET = "pcnet"
    VMXNET3 = "vmxnet3"


class VideoModel(enum.StrEnum):
    """The models of graphics cards."""

    VGA = "vga"
    CIRRUS = "cirrus"
    VMVGA = "vmvga"
    QXL = "qxl"
    VIRTIO = "virtio"
    BOCHS = "bochs"
    NONE = "none"


class WatchdogAction(enum.StrEnum):
    """What becomes of a guest whose watchdog is not fed."""

    DISABLED = "disabled"
    RESET = "reset"
    POWEROFF = "poweroff"
    PAUSE = "pause"
    NONE = "none"


@dataclasses.dataclass(frozen=True, slots=True)
class Topology:
    """How the guest's processors are arranged."""

    sockets: int
    cores: int
    threads: int


@dataclasses.dataclass(frozen=True, slots=True)
class Hardware:
    """A guest's machine.

    ``tuning`` has what the host's kernel is to give its processors (shares, period, quota), ``disk_limits`` and
    ``vif_limits`` what its disks and interfaces may carry, by the names of the extra specs without their prefix.
    ``pages`` is "" for any, "large", or a size in KiB. ``random_rate`` is bytes a period of milliseconds.
    """

    disk_bus: DiskBus = DiskBus.VIRTIO
    vif_model: VifModel = VifModel.VIRTIO
    video: VideoModel = VideoModel.VGA
    video_ram_mb: int = 0
    guest_agent: bool = False
    watchdog: WatchdogAction = WatchdogAction.DISABLED
    random: bool = True
    random_rate: tuple[int, int] | None = None
    topology: Topology | None = None
    tuning: Mapping[str, int] = dataclasses.field(default_factory=dict)
    disk_limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    vif_limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    pages: str = ""
    machine: str = ""
    uefi: bool = False
    boot_menu: bool = False
    tablet: bool = False
    os_type: str = ""
    command_line: str = ""

    def bus_of(self, plug: Plug) -> DiskBus:
        """Return the bus that a disk is on: no CD can be on virtio's."""
        if plug.bus is not None:
            return plug.bus
        if plug.is_cd and self.disk_bus is DiskBus.VIRTIO:
            return DiskBus.SATA if "q35" in self.machine else DiskBus.IDE
        return self.disk_bus


PROPERTIES = frozenset(
    {
        "hw_boot_menu", "hw_cpu_cores", "hw_cpu_sockets", "hw_cpu_threads", "hw_disk_bus", "hw_firmware_type",
        "hw_machine_type", "hw_mem_page_size", "hw_pointer_model", "hw_qemu_guest_agent", "hw_rng_model",
        "hw_vif_model", "hw_video_model", "hw_video_ram", "hw_watchdog_action", "os_command_line", "os_type",
        "root_device_name",
    }
)  # fmt: skip
"""The properties of images that are kept with the instances that are made of them."""

_TUNING = ("cpu_shares", "cpu_period", "cpu_quota")
_DISK_LIMITS = (
    "disk_read_bytes_sec", "disk_read_iops_sec", "disk_write_bytes_sec", "disk_write_iops_sec",
    "disk_total_bytes_sec", "disk_total_iops_sec",
)  # fmt: skip
_VIF_LIMITS = tuple(f"vif_{way}bound_{what}" for way in ("in", "out") for what in ("average", "peak", "burst"))
_DEVICE = re.compile(r"(/dev/)?(vd|sd|hd|xvd|ubd)[a-z][0-9]*")
_PAGE_UNITS = {"K": 1, "M": 1024, "G": 1024**2}
_MOUSE, _TABLET = "ps2mouse", "usbtablet"
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_MOST = 2**31 - 1
LOCATION = "image_location"
"""The property of an image that was registered by a manifest: where that is, which its guests are told."""


def kept(properties: Mapping[str, str]) -> dict[str, str]:
    """Return those of an image's properties that its instances need for as long as they live."""
    return {name: value for name, value in properties.items() if name in PROPERTIES or name == LOCATION}


def root_device(properties: Mapping[str, str], plug: Plug = AS_USUAL) -> str:
    """Return the name of the root disk in the guest; raises InvalidInput for one that no disk has."""
    name = properties.get("root_device_name", "")
    if not name:
        bus = _choice(DiskBus, "hw_disk_bus", properties.get("hw_disk_bus", ""), DiskBus.VIRTIO)
        machine = _word("hw_machine_type", properties.get("hw_machine_type", ""))
        return f"/dev/{Hardware(disk_bus=bus, machine=machine).bus_of(plug).prefix}a"
    if not _DEVICE.fullmatch(name):
        raise InvalidInput(f"The image's root_device_name '{name}' is not the name of a disk.")
    return name if name.startswith("/dev/") else f"/dev/{name}"


def of(vcpus: int, specs: Mapping[str, str], properties: Mapping[str, str]) -> Hardware:
    """Return the machine that a flavor and an image ask for; raises InvalidInput for what is none."""
    video_ram = _number("hw_video_ram", properties.get("hw_video_ram", ""), 0)
    most = _number("hw_video:ram_max_mb", specs.get("hw_video:ram_max_mb", ""), 0)
    if video_ram > most:
        raise InvalidInput(f"The image's hw_video_ram of {video_ram} MiB is more than the flavor allows ({most} MiB).")
    os_type = properties.get("os_type", "")
    return Hardware(
        disk_bus=_choice(DiskBus, "hw_disk_bus", properties.get("hw_disk_bus", ""), DiskBus.VIRTIO),
        vif_model=_choice(VifModel, "hw_vif_model", properties.get("hw_vif_model", ""), VifModel.VIRTIO),
        video=_choice(VideoModel, "hw_video_model", properties.get("hw_video_model", ""), VideoModel.VGA),
        video_ram_mb=video_ram,
        guest_agent=_truth("hw_qemu_guest_agent", properties.get("hw_qemu_guest_agent", ""), False),
        watchdog=_watchdog(specs, properties),
        random=_truth("hw_rng:allowed", specs.get("hw_rng:allowed", ""), True),
        random_rate=_random_rate(specs),
        topology=_topology(vcpus, specs, properties),
        tuning=_numbers(specs, _TUNING),
        disk_limits=_numbers(specs, _DISK_LIMITS),
        vif_limits=_numbers(specs, _VIF_LIMITS),
        pages=_pages(specs, properties),
        machine=_word("hw_machine_type", properties.get("hw_machine_type", "")),
        uefi=_one_of("hw_firmware_type", properties.get("hw_firmware_type", "bios"), ("bios", "uefi")) == "uefi",
        boot_menu=_truth("hw_boot_menu", specs.get("hw:boot_menu") or properties.get("hw_boot_menu", ""), False),
        tablet=_one_of("hw_pointer_model", properties.get("hw_pointer_model", _MOUSE), (_MOUSE, _TABLET)) == _TABLET,
        os_type=os_type,
        command_line=_line("os_command_line", properties.get("os_command_line", "")),
    )


def _watchdog(specs: Mapping[str, str], properties: Mapping[str, str]) -> WatchdogAction:
    """Return the watchdog's action: the image's word goes before the flavor's."""
    name = "hw_watchdog_action"
    if name in properties:
        return _choice(WatchdogAction, name, properties[name], WatchdogAction.DISABLED)
    asked = specs.get("hw:watchdog_action", "")
    return _choice(WatchdogAction, "hw:watchdog_action", asked, WatchdogAction.DISABLED)


def _random_rate(specs: Mapping[str, str]) -> tuple[int, int] | None:
    size = _number("hw_rng:rate_bytes", specs.get("hw_rng:rate_bytes", ""), 0)
    period = _number("hw_rng:rate_period", specs.get("hw_rng:rate_period", ""), 1000)
    return (size, max(1, period)) if size else None


def _topology(vcpus: int, specs: Mapping[str, str], properties: Mapping[str, str]) -> Topology | None:
    """Return the arrangement of processors; what is not asked for is chosen so that their number comes out."""
    asked = {}
    for part in ("sockets", "cores", "threads"):
        name = f"hw:cpu_{part}"
        of_image = _number(f"hw_cpu_{part}", properties.get(f"hw_cpu_{part}", ""), 0)
        found = _number(name, specs.get(name, ""), of_image)
        if found:
            asked[part] = found
    if not asked:
        return None
    known = 1
    for count in asked.values():
        known *= count
    free = next((part for part in ("sockets", "cores", "threads") if part not in asked), "")
    if vcpus % known or (not free and known != vcpus):
        wanted = ", ".join(f"{count} {part}" for part, count in asked.items())
        raise InvalidInput(f"The flavor's {vcpus} processors cannot be arranged in {wanted}.")
    if free:
        asked[free] = vcpus // known
    return Topology(asked.get("sockets", 1), asked.get("cores", 1), asked.get("threads", 1))


def _numbers(specs: Mapping[str, str], names: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for name in names:
        text = specs.get(f"quota:{name}", "")
        if text:
            least = -1 if name == "cpu_quota" else 0
            found[name] = _number(f"quota:{name}", text, 0, least=least)
    return found


def _pages(specs: Mapping[str, str], properties: Mapping[str, str]) -> str:
    text = specs.get("hw:mem_page_size") or properties.get("hw_mem_page_size", "")
    if text in ("", "any", "small"):
        return ""
    if text == "large":
        return text
    found = re.fullmatch(r"([0-9]+)\s*([A-Za-z]*)", text)
    unit = _PAGE_UNITS.get((found.group(2) or "K").upper().removesuffix("B").removesuffix("I")) if found else None
    if found is None or unit is None or not int(found.group(1)):
        raise InvalidInput(f"The value '{text}' of hw:mem_page_size is not small, large, any or a size.")
    return str(int(found.group(1)) * unit)


def _choice(kind: type[Choice], name: str, text: str, default: Choice) -> Choice:
    return kind(_one_of(name, text, tuple(kind))) if text else default


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise InvalidInput(f"The value '{text}' of {name} is not one of {', '.join(choices)}.")
    return text


def _truth(name: str, text: str, default: bool) -> bool:
    if not text:
        return default
    if text.strip().lower() in _TRUE | _FALSE:
        return text.strip().lower() in _TRUE
    raise InvalidInput(f"The value '{text}' of {name} is neither true nor false.")


def _number(name: str, text: str, default: int, *, least: int = 0) -> int:
    if not text:
        return default
    try:
        number = int(text)
    except ValueError as error:
        raise InvalidInput(f"The value '{text}' of {name} is not a number.") from error
    if not least <= number <= _MOST:
        raise InvalidInput(f"The value '{text}' of {name} is out of range.")
    return number


def _word(name: str, text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text):
        raise InvalidInput(f"The value '{text}' of {name} is not a name.")
    return text


def _line(name: str, text: str) -> str:
    if not text.isprintable():
        raise InvalidInput(f"The value of {name} is not a line of text.")
    return text
