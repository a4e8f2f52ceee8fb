"""A simulated hypervisor: guests are entries in memory, and files when they have to outlive the daemon."""

import contextlib
import dataclasses
import json
import socket
import threading
import time
from pathlib import Path
from string import ascii_lowercase as _LETTERS
from typing import Any

from nova_lite import concurrency
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.devices import DeviceKind, GuestDevice
from nova_lite.core.diagnostics import Cpu, Diagnostics, DiskUse, Nic
from nova_lite.core.errors import ConfigurationError, DriverError, NotFound, NotSupported
from nova_lite.core.instance_states import PowerState
from nova_lite.core.server_migration import CarriedDisk, Progress, Traveller
from nova_lite.drivers.virt import config_drive, storage
from nova_lite.drivers.virt.base import (
    BUNDLE,
    Capabilities,
    Changed,
    Guest,
    GuestImage,
    GuestInterface,
    GuestSnapshot,
    GuestSpec,
    HostResources,
    Injected,
    Join,
    RebootKind,
    VirtDriver,
    Watch,
    aside,
    disk_names,
    ephemeral_file,
)
from nova_lite.drivers.virt.fake_images import FakeImageCache

_GIB = 1024**3
_MIB = 1024**2
_BLOCK = 512
_COPIES = ("snapshot", "snapshot.new", "snapshot.tar")
_BOOT_FILES = ("kernel", "ramdisk", "kernel.rescue", "ramdisk.rescue")
_DISKS = (
    "disk", "disk.new", "disk.local", "disk.swap", "disk.rescue", *_BOOT_FILES,
    config_drive.NAME, f"{config_drive.NAME}.new",
)  # fmt: skip
_FILES = (*_DISKS, "injected", "interfaces", "memory", "console.log", *_COPIES)
"""What the folder of a guest may hold."""

_CONSOLES = {
    ConsoleType.NOVNC: 5900,
    ConsoleType.XVPVNC: 5900,
    ConsoleType.SPICE: 5901,
    ConsoleType.SERIAL: 10000,
}
"""The ports of the simulated consoles."""


class FakeVirtDriver(VirtDriver):
    """Guests that only pretend.

    They live in small files below ``instances_path``, as real guests live on when their daemon dies: one
    folder a guest, ``disk`` in it once there are disks, ``interfaces`` with the MAC addresses of its own, and
    ``memory`` while it is suspended. What is defined has a file in the folder of the host. A live migration
    takes ``migration_seconds``.
    """

    def __init__(
        self, instances_path: Path, *, hostname: str, size: HostResources, migration_seconds: float = 0.0,
        cache: FakeImageCache | None = None, drives: config_drive.ConfigDrives | None = None, injects: bool = False,
    ) -> None:  # fmt: skip
        self._path = instances_path
        self._drives = drives or config_drive.ConfigDrives()
        self._injects = injects
        self._cache = cache or FakeImageCache(instances_path / "_base")
        self._definitions = storage.folder_of(instances_path, hostname)
        self._hostname = hostname
        self._size = size
        self._migration_seconds = migration_seconds
        self._guests: dict[str, Guest] = {}
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._changed: Changed = lambda uuid, power: None

    @classmethod
    def from_flags(cls, conf: Any) -> "FakeVirtDriver":
        """Build the driver from the daemon's flags."""
        size = HostResources(
            hypervisor_hostname=conf.host,
            hypervisor_version=1,
            vcpus=conf.fake_vcpus,
            memory_mb=conf.fake_memory_mb,
            local_gb=conf.fake_local_gb,
            disk_available_least=conf.fake_local_gb,
            cpu_info=json.dumps(
                {"arch": "x86_64", "model": "fake", "vendor": "fake", "topology": {}, "features": []}
            ),
        )
        return cls(
            Path(conf.instances_path),
            hostname=conf.host,
            size=size,
            migration_seconds=conf.fake_live_migration_seconds,
            drives=config_drive.ConfigDrives(conf.config_drive_format),
            injects=conf.libvirt_inject_partition != -2,
            cache=FakeImageCache(
                Path(conf.instances_path, conf.base_dir_name),
                age=conf.remove_unused_original_minimum_age_seconds if conf.remove_unused_base_images else None,
            ),
        )

    @property
    def capabilities(self) -> Capabilities:
        """What a simulated hypervisor can do."""
        return Capabilities(
            hypervisor_type="fake", has_imagecache=True, supports_soft_reboot=True, injects_files=self._injects
        )

    def start(self) -> None:
        """Make the folder and find the guests that are there already."""
        self._drives.start()
        try:
            storage.register(self._path, self._hostname)
            found = [_read(file) for file in self._definitions.glob("instance-*.json")]
        except OSError as error:
            raise ConfigurationError(f"cannot use instances_path {self._path}: {error.strerror}") from error
        with self._lock:
            self._guests = {guest.uuid: guest for guest in found}

    def watch(self, changed: Changed) -> None:
        """Tell of every guest that is written down or forgotten."""
        self._changed = changed

    def host_resources(self) -> HostResources:
        """Return the size that the flags say."""
        return self._size

    def was_rebooted(self) -> bool:
        """Compare with what was noted."""
        return storage.was_rebooted(self._path, self._hostname)

    def note_boot(self) -> None:
        """Write it into the folder."""
        storage.note_boot(self._path, self._hostname)

    def host_uptime(self) -> str:
        """Return the driver's own age as that of the host that it pretends to be."""
        minutes = int(time.monotonic() - self._began) // 60
        return f" {time.strftime('%H:%M:%S')} up {minutes} min,  0 users,  load average: 0.00, 0.00, 0.00"

    def guests(self) -> tuple[Guest, ...]:
        """Return every guest."""
        with self._lock:
            return tuple(self._guests.values())

    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""
        with self._lock:
            return self._guests.get(uuid)

    def create_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Check that the image fits, and write small files that stand for the disks."""
        folder = self._path / spec.name
        if not (folder / "disk").exists():
            name = self._cache.use(image, spec.root_gb * _GIB)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "disk").write_text(name)
            if spec.injected != Injected():
                (folder / "injected").write_text(repr(spec.injected))
        self._add_others(spec, image)

    def _add_others(self, spec: GuestSpec, image: GuestImage) -> None:
        """Write what a guest has beside its root disk."""
        folder = self._path / spec.name
        self._add_boot_files(folder, image)
        self._add_blank_disks(spec)
        self._drives.make(spec.config_drive, folder)

    def _add_blank_disks(self, spec: GuestSpec) -> None:
        """Write ephemeral and swap disks, or let those that are there grow."""
        folder = self._path / spec.name
        sizes = {ephemeral_file(number): one.size_gb * _GIB for number, one in enumerate(spec.ephemerals)}
        for name, size in (sizes | {"disk.swap": spec.swap_mb * _MIB}).items():
            if size:
                with (folder / name).open("ab") as disk:
                    disk.truncate(size)

    @staticmethod
    def _add_boot_files(folder: Path, image: GuestImage, suffix: str = "") -> None:
        for name, needed in (("kernel", image.kernel), ("ramdisk", image.ramdisk)):
            path = folder / (name + suffix)
            if needed is not None and not path.exists():
                needed.fetch(path)

    def cache_image(self, image: GuestImage) -> None:
        """Look at an image and note its size, as for a guest."""
        self._cache.use(image, 0)

    def clean_cache(self) -> tuple[str, ...]:
        """Forget images that no guest's disk is of."""
        return self._cache.clean({_text_of(path) for path in self._path.glob("*/disk*") if path.is_file()})

    def renew_config_drive(self, spec: GuestSpec) -> None:
        """Write the drive again, which is a real one."""
        self._drives.renew(spec.config_drive, self._path / spec.name)

    def delete_disks(self, uuid: str, name: str) -> None:
        """Remove the guest's folder."""
        self._remove(name)

    def _remove(self, name: str) -> None:
        folder = self._path / name
        for file in _FILES:
            (folder / file).unlink(missing_ok=True)
        for path in folder.glob("disk.eph*"):
            path.unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()

    def spawn(self, spec: GuestSpec) -> None:
        """Let the guest run."""
        self._require_disk(spec.name)
        guest = self.guest(spec.uuid)
        if guest is None or guest.power_state is not PowerState.RUNNING:
            self._memory(spec.name).unlink(missing_ok=True)
            self._plug(spec.name, *(interface.mac for interface in spec.interfaces))
            self._write(Guest(spec.uuid, spec.name, PowerState.RUNNING))
            self._print(spec.name, f"{spec.name}: simulated guest started")

    def destroy(self, uuid: str) -> None:
        """Forget the guest."""
        with self._lock:
            guest = self._guests.pop(uuid, None)
        if guest is not None:
            self._memory(guest.name).unlink(missing_ok=True)
            self._definition(guest.name).unlink(missing_ok=True)
            self._changed(uuid, PowerState.NOSTATE)

    def power_on(self, spec: GuestSpec) -> None:
        """Let the guest run."""
        self.spawn(spec)

    def power_off(self, uuid: str, timeout: float) -> None:
        """Stop the guest."""
        guest = self._existing(uuid)
        self._write(dataclasses.replace(guest, power_state=PowerState.SHUTDOWN))
        self._print(guest.name, f"{guest.name}: simulated guest stopped")

    def reboot(self, spec: GuestSpec, kind: RebootKind) -> None:
        """Let the guest run, again."""
        if kind is RebootKind.SOFT:
            # The guest stays defined: whoever takes a soft reboot up again has to find it.
            self.power_off(spec.uuid, 0.0)
        else:
            self.destroy(spec.uuid)
        self.spawn(spec)

    def pause(self, uuid: str) -> None:
        """Let the guest stand still."""
        self._turn(uuid, PowerState.PAUSED)

    def unpause(self, uuid: str) -> None:
        """Let the guest run on."""
        self._turn(uuid, PowerState.RUNNING)

    def suspend(self, uuid: str) -> None:
        """Stop the guest with an empty file that stands for its memory."""
        guest = self._existing(uuid)
        if guest.power_state is PowerState.SHUTDOWN and self._memory(guest.name).exists():
            return
        self._turn(uuid, PowerState.SHUTDOWN)
        self._memory(guest.name).touch()

    def resume(self, spec: GuestSpec) -> None:
        """Let the guest run on."""
        guest = self._existing(spec.uuid)
        self._memory(spec.name).unlink(missing_ok=True)
        self._write(dataclasses.replace(guest, power_state=PowerState.RUNNING))

    def rescue(self, spec: GuestSpec, image: GuestImage) -> None:
        """Let the guest run with a file that stands for the other disk."""
        self._require_disk(spec.name)
        rescue = self._path / spec.name / "disk.rescue"
        if not rescue.exists():
            self.destroy(spec.uuid)
            rescue.write_text(self._cache.use(image, 0))
            self._add_boot_files(self._path / spec.name, image, ".rescue")
        self.spawn(spec)

    def unrescue(self, spec: GuestSpec) -> None:
        """Let the guest run without the file."""
        rescue = self._path / spec.name / "disk.rescue"
        if rescue.exists():
            self.destroy(spec.uuid)
            for file in ("kernel.rescue", "ramdisk.rescue", "disk.rescue"):
                (self._path / spec.name / file).unlink(missing_ok=True)
        self.spawn(spec)

    def snapshot(self, uuid: str, name: str) -> None:
        """Write a few bytes that stand for the disk."""
        self._existing(uuid)
        new = self._path / name / "snapshot.new"
        new.write_bytes(f"{name}: the disk of a simulated guest\n".encode() * 8)
        new.rename(self._path / name / "snapshot")

    def pack(self, uuid: str, name: str) -> None:
        """Write how each ephemeral disk begins, or what a snapshot writes where there is none."""
        self.snapshot(uuid, name)
        heads = {path.name: _head(path).hex() for path in self._ephemerals(name)}
        if heads:
            new = self._path / name / "snapshot.new"
            new.write_text(json.dumps(heads))
            new.rename(self._path / name / "snapshot.tar")

    def _ephemerals(self, name: str) -> list[Path]:
        files = (self._path / name / file for file in disk_names() if file not in ("disk", "disk.swap"))
        return [path for path in files if path.exists()]

    def snapshot_file(self, uuid: str, name: str) -> GuestSnapshot:
        """Return the file that stands for the disk."""
        path = self._path / name / "snapshot.tar"
        if path.exists():
            return GuestSnapshot(path, BUNDLE, path.stat().st_size)
        path = self._path / name / "snapshot"
        if not path.exists():
            raise DriverError(f"there is no snapshot of {name}.")
        return GuestSnapshot(path, "raw", path.stat().st_size)

    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the file."""
        for file in _COPIES:
            (self._path / name / file).unlink(missing_ok=True)

    def define(self, spec: GuestSpec) -> None:
        """Write the guest down as one that is off."""
        self._require_disk(spec.name)
        if self.guest(spec.uuid) is None:
            self._plug(spec.name, *(interface.mac for interface in spec.interfaces))
            self._write(Guest(spec.uuid, spec.name, PowerState.SHUTDOWN))

    def set_aside(self, uuid: str, name: str) -> None:
        """Rename the guest's folder."""
        self.destroy(uuid)
        if not self.is_aside(name):
            self._require_disk(name)
            (self._path / name).rename(self._path / aside(name))

    def is_aside(self, name: str) -> bool:
        """Tell whether there is a folder of that other name."""
        return (self._path / aside(name)).exists()

    def put_back(self, uuid: str, name: str) -> None:
        """Rename the folder back."""
        if self.is_aside(name):
            self.destroy(uuid)
            self._remove(name)
            (self._path / aside(name)).rename(self._path / name)

    def drop_aside(self, name: str) -> None:
        """Remove the folder of that other name."""
        self._remove(aside(name))

    def copy_aside(self, spec: GuestSpec) -> None:
        """Copy the files of the folder of that other name."""
        kept, folder = self._path / aside(spec.name), self._path / spec.name
        if not (kept / "disk").exists():
            raise DriverError(f"there are no disks of {spec.name} that were kept aside.")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "disk").exists():
            for path in self._ephemerals(aside(spec.name)):
                (folder / path.name).write_bytes(_head(path))
            (folder / "disk.new").write_bytes((kept / "disk").read_bytes())
            (folder / "disk.new").rename(folder / "disk")
        self._add_blank_disks(spec)
        self._drives.make(spec.config_drive, folder)

    def receive_disks(self, spec: GuestSpec, image: GuestImage) -> None:
        """Fetch the copy."""
        if spec.root_gb and image.size > spec.root_gb * _GIB:
            raise DriverError(f"cannot make the disk: image {image.id} is larger than the flavor's disk.")
        folder = self._path / spec.name
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "disk").exists():
            image.fetch(folder / "disk.new")
            if image.disk_format == BUNDLE:
                self._unpack(folder)
            (folder / "disk.new").rename(folder / "disk")
        self._add_others(spec, image)

    @staticmethod
    def _unpack(folder: Path) -> None:
        """Write what each ephemeral disk begins with; raises DriverError for what was not packed."""
        try:
            heads = json.loads((folder / "disk.new").read_text())
        except ValueError as error:
            raise DriverError("the copy of the guest's disks is damaged.") from error
        for file, head in heads.items():
            (folder / file).write_bytes(bytes.fromhex(head))

    def _require_disk(self, name: str) -> None:
        if not (self._path / name / "disk").exists():
            raise DriverError(f"cannot start {name}: it has no disk.")

    def _turn(self, uuid: str, power: PowerState) -> None:
        guest = self._running(uuid)
        self._write(dataclasses.replace(guest, power_state=power))

    def _memory(self, name: str) -> Path:
        return self._path / name / "memory"

    def devices(self, uuid: str) -> tuple[GuestDevice, ...]:
        """Return places as QEMU's guests have them: interfaces first, then disks, from the third slot on."""
        name = self._existing(uuid).name
        disks = [one for file, one in disk_names().items() if (self._path / name / file).exists()]
        places = [(DeviceKind.NIC, mac, "") for mac in self._plugged(name)]
        places += [(DeviceKind.DISK, one, f"/dev/vd{letter}") for one, letter in zip(disks, _LETTERS, strict=False)]
        return tuple(
            GuestDevice(kind, one, "pci", f"0000:00:{slot:02x}.0", path)
            for slot, (kind, one, path) in enumerate(places, start=3)
        )

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Write the interface's MAC address down."""
        guest = self._existing(uuid)
        self._plug(guest.name, *self._plugged(guest.name), interface.mac)

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Strike the interface's MAC address out."""
        guest = self.guest(uuid)
        if guest is not None:
            self._plug(guest.name, *(mac for mac in self._plugged(guest.name) if mac != interface.mac))

    def set_admin_password(self, uuid: str, password: str) -> None:
        """Print that the password is another one."""
        guest = self._running(uuid)
        self._print(guest.name, f"{guest.name}: the administrator's password was changed")

    def inject_crash_dump(self, uuid: str) -> None:
        """Print that the memory was dumped."""
        guest = self._running(uuid)
        self._print(guest.name, f"{guest.name}: memory was dumped")

    def diagnostics(self, uuid: str) -> Diagnostics:
        """Return figures of a guest that does nothing."""
        guest = self._running(uuid)
        return Diagnostics(
            state=guest.power_state,
            driver="fake",
            hypervisor="fake",
            uptime=int(time.monotonic() - self._began),
            cpus=(Cpu(0, 0),),
            nics=tuple(Nic(mac, 0, 0, 0, 0, 0, 0, 0, 0) for mac in self._plugged(guest.name)),
            disks=(DiskUse("vda", errors_count=0),),
            memory_maximum=0,
            memory_used=0,
        )

    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return an address at which nobody shows anything."""
        self._running(uuid)
        if kind not in _CONSOLES:
            raise NotSupported(f"simulated guests have no console of the kind {kind}.")
        return ConsoleAddress("127.0.0.1", _CONSOLES[kind])

    def open_serial(self, uuid: str) -> Join:
        """Let who types read it again, and keep it in the console's log."""
        name = self._running(uuid).name

        def join(connection: socket.socket) -> None:
            concurrency.spawn(self._echo, name, connection)

        return join

    def _echo(self, name: str, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(f"{name} login: ".encode())
            while typed := connection.recv(4096):
                connection.sendall(typed)
                self._print(name, typed.decode("utf-8", "replace").strip())

    def _plugged(self, name: str) -> list[str]:
        try:
            return (self._path / name / "interfaces").read_text().split()
        except FileNotFoundError:
            return []

    def _plug(self, name: str, *macs: str) -> None:
        (self._path / name / "interfaces").write_text("\n".join(dict.fromkeys(macs)))

    def _running(self, uuid: str) -> Guest:
        guest = self._existing(uuid)
        if guest.power_state is PowerState.SHUTDOWN:
            raise DriverError(f"the guest {guest.name} is not running.")
        return guest

    def console_output(self, uuid: str, name: str, length: int | None) -> str:
        """Return what the guest pretended to print."""
        self._existing(uuid)
        try:
            lines = (self._path / name / "console.log").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return ""
        return "".join(lines if length is None else lines[max(0, len(lines) - length) :])

    def traveller(self, uuid: str, name: str) -> Traveller:
        """Return that it is a simulated one."""
        self._running(uuid)
        found = [path for file in disk_names() if (path := self._path / name / file).exists()]
        disks = [CarriedDisk(path.name, "raw", path.stat().st_size, path.stat().st_blocks * _BLOCK) for path in found]
        return Traveller("fake", self._size.hypervisor_version, str(self._path), disks=tuple(disks))

    def expect(self, spec: GuestSpec, image: GuestImage, traveller: Traveller, *, shared: bool) -> str:
        """Make a folder with a file that stands for the disk; the folder is where the guest is taken in."""
        if traveller.hypervisor != "fake":
            raise DriverError(f"a guest of {traveller.hypervisor} cannot go on as a simulated one.")
        if not shared:
            self.create_disks(spec, image)
        return str(self._definitions)

    def turn_away(self, uuid: str, name: str, *, shared: bool) -> None:
        """Forget the guest, and remove its folder."""
        if not shared:
            self._remove(name)

    def move(self, spec: GuestSpec, uri: str, *, shared: bool, watch: Watch) -> None:
        """Write the guest down there, after as many seconds as were wished."""
        guest = self._running(spec.uuid)
        began = time.monotonic()
        memory = spec.memory_mb * 1024**2
        while (passed := time.monotonic() - began) < self._migration_seconds:
            done = int(memory * passed / self._migration_seconds)
            if watch(Progress(memory, done, memory - done)):
                break
            time.sleep(0.05)
        watch(Progress(memory, memory, 0))
        definitions, disks = Path(uri), Path(uri).parents[1] / guest.name
        for path in self._ephemerals(guest.name) if not shared else ():
            with (disks / path.name).open("r+b") as copied:
                copied.write(_head(path))
        for file in ("interfaces", "console.log", config_drive.NAME):
            if not shared and (self._path / guest.name / file).exists():
                (disks / file).write_bytes((self._path / guest.name / file).read_bytes())
        _store(definitions / f"{guest.name}.json", guest)
        self.destroy(spec.uuid)

    def has_arrived(self, uuid: str, name: str) -> bool:
        """Tell whether the guest was written down here."""
        if not self._definition(name).exists():
            return False
        with self._lock:
            self._guests.setdefault(uuid, _read(self._definition(name)))
        return True

    def take_over(self, spec: GuestSpec) -> None:
        """Print that it is here."""
        self._print(self._existing(spec.uuid).name, f"{spec.name}: simulated guest arrived")

    def sharers(self) -> frozenset[str]:
        """Return the hosts that wrote themselves down in the folder."""
        return storage.sharers(self._path)

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of guests' folders."""
        return tuple(sorted(folder.name for folder in self._path.glob("instance-*") if folder.is_dir()))

    def _existing(self, uuid: str) -> Guest:
        guest = self.guest(uuid)
        if guest is None:
            raise NotFound(f"Guest {uuid} could not be found.")
        return guest

    def _write(self, guest: Guest) -> None:
        _store(self._definition(guest.name), guest)
        with self._lock:
            self._guests[guest.uuid] = guest
        self._changed(guest.uuid, guest.power_state)

    def _definition(self, name: str) -> Path:
        return self._definitions / f"{name}.json"

    def _print(self, name: str, line: str) -> None:
        with (self._path / name / "console.log").open("a") as console:
            console.write(line + "\n")


def _store(file: Path, guest: Guest) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps([guest.uuid, guest.name, int(guest.power_state)]))
    temporary.rename(file)


def _read(file: Path) -> Guest:
    uuid, name, power = json.loads(file.read_text())
    return Guest(uuid, name, PowerState(power))


def _head(path: Path) -> bytes:
    """Return how a disk begins: what stands for all that is in it."""
    with path.open("rb") as disk:
        return disk.read(512)


def _text_of(path: Path) -> str:
    return path.read_bytes()[:64].decode(errors="replace")
