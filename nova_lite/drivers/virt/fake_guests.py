"""Which simulated guests there are on a host, and what they wear: small files, so that they outlive the daemon."""

import json
import threading
from pathlib import Path

from nova_lite.core.errors import DriverError, NotFound
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.base import Changed
from nova_lite.drivers.virt.guest import Guest


class FakeGuests:
    """The guests that have a file in ``definitions``; their own folders are below ``folder``."""

    def __init__(self, folder: Path, definitions: Path) -> None:
        self._folder = folder
        self.definitions = definitions
        self.changed: Changed = lambda uuid, power: None
        self._guests: dict[str, Guest] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Find the guests that are there already; raises OSError."""
        found = [_read(file) for file in self.definitions.glob("instance-*.json")]
        with self._lock:
            self._guests = {guest.uuid: guest for guest in found}

    def all(self) -> tuple[Guest, ...]:
        """Return every guest, with those that other hosts wrote down here."""
        self._notice()
        with self._lock:
            return tuple(self._guests.values())

    def find(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""
        with self._lock:
            return self._guests.get(uuid)

    def get(self, uuid: str) -> Guest:
        """Return one guest; raises NotFound."""
        guest = self.find(uuid)
        if guest is None:
            raise NotFound(f"Guest {uuid} could not be found.")
        return guest

    def running(self, uuid: str) -> Guest:
        """Return one guest; raises NotFound, DriverError for one that is off."""
        guest = self.get(uuid)
        if guest.power_state is PowerState.SHUTDOWN:
            raise DriverError(f"the guest {guest.name} is not running.")
        return guest

    def write(self, guest: Guest) -> None:
        """Write a guest down as it is now, and tell of it."""
        store(self._definition(guest.name), guest)
        with self._lock:
            self._guests[guest.uuid] = guest
        self.changed(guest.uuid, guest.power_state)

    def forget(self, uuid: str) -> None:
        """Strike a guest out, and tell of it; one that is not there is not an error."""
        if self.find(uuid) is None:
            self._notice()
        with self._lock:
            guest = self._guests.pop(uuid, None)
        if guest is not None:
            self.memory(guest.name).unlink(missing_ok=True)
            self._definition(guest.name).unlink(missing_ok=True)
            self.changed(uuid, PowerState.NOSTATE)

    def arrived(self, uuid: str, name: str) -> bool:
        """Tell whether another host wrote a guest down here."""
        if not self._definition(name).exists():
            return False
        with self._lock:
            self._guests.setdefault(uuid, _read(self._definition(name)))
        return True

    def _notice(self) -> None:
        """Read of guests that came from other hosts since the last look."""
        with self._lock:
            known = {guest.name for guest in self._guests.values()}
            for file in self.definitions.glob("instance-*.json"):
                if file.stem not in known:
                    guest = _read(file)
                    self._guests[guest.uuid] = guest

    def memory(self, name: str) -> Path:
        """Return the file that is there while a guest is suspended."""
        return self._folder / name / "memory"

    def plugged(self, name: str) -> list[str]:
        """Return the MAC addresses of a guest's interfaces."""
        try:
            return (self._folder / name / "interfaces").read_text().split()
        except FileNotFoundError:
            return []

    def plug(self, name: str, *macs: str) -> None:
        """Write a guest's MAC addresses down."""
        (self._folder / name / "interfaces").write_text("\n".join(dict.fromkeys(macs)))

    def say(self, name: str, line: str) -> None:
        """Let a guest print a line on its console."""
        with (self._folder / name / "console.log").open("a") as console:
            console.write(line + "\n")

    def said(self, name: str) -> list[str]:
        """Return the lines that a guest printed."""
        try:
            return (self._folder / name / "console.log").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []

    def _definition(self, name: str) -> Path:
        return self.definitions / f"{name}.json"


def store(file: Path, guest: Guest) -> None:
    """Write a guest down."""
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps([guest.uuid, guest.name, int(guest.power_state)]))
    temporary.rename(file)


def _read(file: Path) -> Guest:
    uuid, name, power = json.loads(file.read_text())
    return Guest(uuid, name, PowerState(power))
