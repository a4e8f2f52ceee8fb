"""A simulated hypervisor: guests are entries in memory, and files when they have to outlive the daemon."""

import contextlib
import dataclasses
import itertools
import json
import socket
import time
from collections import Counter
from pathlib import Path
from string import ascii_lowercase as _LETTERS
from typing import Any

from nova_lite import concurrency
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.devices import DeviceKind, GuestDevice
from nova_lite.core.diagnostics import Cpu, Diagnostics, DiskUse, Nic
from nova_lite.core.errors import ConfigurationError, DriverError, NotSupported
from nova_lite.core.hardware import DiskBus
from nova_lite.core.instance_states import PowerState
from nova_lite.core.server_migration import Progress, Traveller
from nova_lite.drivers.virt import config_drive, storage
from nova_lite.drivers.virt.abilities import Join, Watch
from nova_lite.drivers.virt.base import Capabilities, Changed, HostResources, RebootKind
from nova_lite.drivers.virt.fake_disks import FakeDisks
from nova_lite.drivers.virt.fake_guests import FakeGuests, store
from nova_lite.drivers.virt.fake_images import FakeImageCache
from nova_lite.drivers.virt.folders import FolderDriver
from nova_lite.drivers.virt.guest import Guest, GuestImage, GuestInterface, GuestSnapshot, GuestSpec

_CONSOLES = {
    ConsoleType.NOVNC: 5900,
    ConsoleType.XVPVNC: 5900,
    ConsoleType.SPICE: 5901,
    ConsoleType.SERIAL: 10000,
}
"""The ports of the simulated consoles."""


class FakeVirtDriver(FolderDriver):
    """Guests that only pretend.

    They live in small files below ``instances_path``, as real guests live on when their daemon dies: one
    folder a guest, ``disk`` in it once there are disks, ``interfaces`` with the MAC addresses of its own, and
    ``memory`` while it is suspended. What is defined has a file in the folder of the host. A live migration
    takes ``migration_seconds``.
    """

    _disks: FakeDisks

    def __init__(
        self, instances_path: Path, *, hostname: str, size: HostResources, migration_seconds: float = 0.0,
        cache: FakeImageCache | None = None, drives: config_drive.ConfigDrives | None = None, injects: bool = False,
    ) -> None:  # fmt: skip
        self._path = instances_path
        self._guests = FakeGuests(instances_path, storage.folder_of(instances_path, hostname))
        self._disks = FakeDisks(
            instances_path, cache or FakeImageCache(instances_path / "_base"), drives or config_drive.ConfigDrives()
        )
        self._injects = injects
        self._hostname = hostname
        self._size = size
        self._migration_seconds = migration_seconds
        self._began = time.monotonic()

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
        self._disks.start()
        try:
            storage.register(self._path, self._hostname)
            self._guests.start()
        except OSError as error:
            raise ConfigurationError(f"cannot use instances_path {self._path}: {error.strerror}") from error

    def watch(self, changed: Changed) -> None:
        """Tell of every guest that is written down or forgotten."""
        self._guests.changed = changed

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
        return self._guests.all()

    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""
        return self._guests.find(uuid)

    def spawn(self, spec: GuestSpec) -> None:
        """Let the guest run."""
        self._disks.require(spec.name)
        guest = self.guest(spec.uuid)
        if guest is None or guest.power_state is not PowerState.RUNNING:
            self._guests.memory(spec.name).unlink(missing_ok=True)
            self._guests.plug(spec.name, *(interface.mac for interface in spec.interfaces))
            self._guests.write(Guest(spec.uuid, spec.name, PowerState.RUNNING))
            self._guests.say(spec.name, f"{spec.name}: simulated guest started")

    def destroy(self, uuid: str) -> None:
        """Forget the guest."""
        self._guests.forget(uuid)

    def power_on(self, spec: GuestSpec) -> None:
        """Let the guest run."""
        self.spawn(spec)

    def power_off(self, uuid: str, timeout: float) -> None:
        """Stop the guest."""
        guest = self._guests.get(uuid)
        self._guests.write(dataclasses.replace(guest, power_state=PowerState.SHUTDOWN))
        self._guests.say(guest.name, f"{guest.name}: simulated guest stopped")

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
        guest = self._guests.get(uuid)
        if guest.power_state is PowerState.SHUTDOWN and self._guests.memory(guest.name).exists():
            return
        self._turn(uuid, PowerState.SHUTDOWN)
        self._guests.memory(guest.name).touch()

    def resume(self, spec: GuestSpec) -> None:
        """Let the guest run on."""
        guest = self._guests.get(spec.uuid)
        self._guests.memory(spec.name).unlink(missing_ok=True)
        self._guests.write(dataclasses.replace(guest, power_state=PowerState.RUNNING))

    def rescue(self, spec: GuestSpec, image: GuestImage) -> None:
        """Let the guest run with a file that stands for the other disk."""
        self._disks.require(spec.name)
        if not self._disks.is_rescued(spec.name):
            self.destroy(spec.uuid)
            self._disks.create_rescue(spec.name, image)
        self.spawn(spec)

    def unrescue(self, spec: GuestSpec) -> None:
        """Let the guest run without the file."""
        if self._disks.is_rescued(spec.name):
            self.destroy(spec.uuid)
            self._disks.drop_rescue(spec.name)
        self.spawn(spec)

    def snapshot(self, uuid: str, name: str) -> None:
        """Write a few bytes that stand for the disk."""
        self._guests.get(uuid)
        self._disks.copy(name)

    def pack(self, uuid: str, name: str) -> None:
        """Write how each ephemeral disk begins, or what a snapshot writes where there is none."""
        self._guests.get(uuid)
        self._disks.pack(name)

    def snapshot_file(self, uuid: str, name: str) -> GuestSnapshot:
        """Return the file that stands for the disk."""
        return self._disks.snapshot(name)

    def drop_snapshot(self, uuid: str, name: str) -> None:
        """Remove the file."""
        self._disks.drop_snapshot(name)

    def define(self, spec: GuestSpec) -> None:
        """Write the guest down as one that is off."""
        self._disks.require(spec.name)
        if self.guest(spec.uuid) is None:
            self._guests.plug(spec.name, *(interface.mac for interface in spec.interfaces))
            self._guests.write(Guest(spec.uuid, spec.name, PowerState.SHUTDOWN))

    def _turn(self, uuid: str, power: PowerState) -> None:
        guest = self._guests.running(uuid)
        self._guests.write(dataclasses.replace(guest, power_state=power))

    def devices(self, uuid: str) -> tuple[GuestDevice, ...]:
        """Return places as QEMU's guests have them: interfaces first, then disks, from the third slot on."""
        name = self._guests.get(uuid).name
        slots, letters = itertools.count(3), Counter[str]()
        found = [GuestDevice(DeviceKind.NIC, mac, "pci", _slot(next(slots))) for mac in self._guests.plugged(name)]
        for disk, bus in self._disks.buses(name):
            number = letters[bus.prefix]
            letters[bus.prefix] += 1
            path = f"/dev/{bus.prefix}{_LETTERS[number]}"
            place = ("pci", _slot(next(slots))) if bus is DiskBus.VIRTIO else (str(bus), f"0:0:0:{number}")
            found.append(GuestDevice(DeviceKind.DISK, disk, *place, path=path))
        return tuple(found)

    def attach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Write the interface's MAC address down."""
        guest = self._guests.get(uuid)
        self._guests.plug(guest.name, *self._guests.plugged(guest.name), interface.mac)

    def detach_interface(self, uuid: str, interface: GuestInterface) -> None:
        """Strike the interface's MAC address out."""
        guest = self.guest(uuid)
        if guest is not None:
            self._guests.plug(guest.name, *(mac for mac in self._guests.plugged(guest.name) if mac != interface.mac))

    def set_admin_password(self, uuid: str, password: str) -> None:
        """Print that the password is another one."""
        guest = self._guests.running(uuid)
        self._guests.say(guest.name, f"{guest.name}: the administrator's password was changed")

    def inject_crash_dump(self, uuid: str) -> None:
        """Print that the memory was dumped."""
        guest = self._guests.running(uuid)
        self._guests.say(guest.name, f"{guest.name}: memory was dumped")

    def diagnostics(self, uuid: str) -> Diagnostics:
        """Return figures of a guest that does nothing."""
        guest = self._guests.running(uuid)
        return Diagnostics(
            state=guest.power_state,
            driver="fake",
            hypervisor="fake",
            uptime=int(time.monotonic() - self._began),
            cpus=(Cpu(0, 0),),
            nics=tuple(Nic(mac, 0, 0, 0, 0, 0, 0, 0, 0) for mac in self._guests.plugged(guest.name)),
            disks=(DiskUse("vda", errors_count=0),),
            memory_maximum=0,
            memory_used=0,
        )

    def console(self, uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return an address at which nobody shows anything."""
        self._guests.running(uuid)
        if kind not in _CONSOLES:
            raise NotSupported(f"simulated guests have no console of the kind {kind}.")
        return ConsoleAddress("127.0.0.1", _CONSOLES[kind])

    def open_serial(self, uuid: str) -> Join:
        """Let who types read it again, and keep it in the console's log."""
        name = self._guests.running(uuid).name

        def join(connection: socket.socket) -> None:
            concurrency.spawn(self._echo, name, connection)

        return join

    def _echo(self, name: str, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(f"{name} login: ".encode())
            while typed := connection.recv(4096):
                connection.sendall(typed)
                self._guests.say(name, typed.decode("utf-8", "replace").strip())

    def console_output(self, uuid: str, name: str, length: int | None) -> str:
        """Return what the guest pretended to print."""
        self._guests.get(uuid)
        lines = self._guests.said(name)
        return "".join(lines if length is None else lines[max(0, len(lines) - length) :])

    def traveller(self, uuid: str, name: str) -> Traveller:
        """Return that it is a simulated one."""
        self._guests.running(uuid)
        return Traveller(
            "fake", self._size.hypervisor_version, str(self._path), disks=self._disks.carried(name)
        )

    def expect(self, spec: GuestSpec, image: GuestImage, traveller: Traveller, *, shared: bool) -> str:
        """Make a folder with a file that stands for the disk; the folder is where the guest is taken in."""
        if traveller.hypervisor != "fake":
            raise DriverError(f"a guest of {traveller.hypervisor} cannot go on as a simulated one.")
        if not shared:
            self.create_disks(spec, image)
        return str(self._guests.definitions)

    def turn_away(self, uuid: str, name: str, *, shared: bool) -> None:
        """Forget the guest, and remove its folder."""
        if not shared:
            self._disks.delete(name)

    def move(self, spec: GuestSpec, uri: str, *, shared: bool, watch: Watch) -> None:
        """Write the guest down there, after as many seconds as were wished."""
        guest = self._guests.running(spec.uuid)
        began = time.monotonic()
        memory = spec.memory_mb * 1024**2
        while (passed := time.monotonic() - began) < self._migration_seconds:
            done = int(memory * passed / self._migration_seconds)
            if watch(Progress(memory, done, memory - done)):
                break
            time.sleep(0.05)
        watch(Progress(memory, memory, 0))
        definitions = Path(uri)
        if not shared:
            self._disks.send(guest.name, definitions.parents[1] / guest.name)
        store(definitions / f"{guest.name}.json", guest)
        self.destroy(spec.uuid)

    def has_arrived(self, uuid: str, name: str) -> bool:
        """Tell whether the guest was written down here."""
        return self._guests.arrived(uuid, name)

    def take_over(self, spec: GuestSpec) -> None:
        """Print that it is here."""
        self._guests.say(self._guests.get(spec.uuid).name, f"{spec.name}: simulated guest arrived")

    def sharers(self) -> frozenset[str]:
        """Return the hosts that wrote themselves down in the folder."""
        return storage.sharers(self._path)


def _slot(number: int) -> str:
    return f"0000:00:{number:02x}.0"
