"""Guests as libvirt's domains: found, started, stopped and forgotten by their uuid."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from nova_lite.core.errors import DriverError, NotFound
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.guest import Guest
from nova_lite.drivers.virt.libvirt import described
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection, constant, lookup, tolerate

T = TypeVar("T")

_POWER = {
    "VIR_DOMAIN_RUNNING": PowerState.RUNNING,
    "VIR_DOMAIN_BLOCKED": PowerState.RUNNING,
    "VIR_DOMAIN_PAUSED": PowerState.PAUSED,
    "VIR_DOMAIN_SHUTDOWN": PowerState.RUNNING,
    "VIR_DOMAIN_SHUTOFF": PowerState.SHUTDOWN,
    "VIR_DOMAIN_CRASHED": PowerState.CRASHED,
    "VIR_DOMAIN_PMSUSPENDED": PowerState.SUSPENDED,
}
_LOOK_AGAIN = 0.25


class Domains:
    """The domains of the libvirtd that ``connection`` reaches."""

    forgotten: Sequence[str] = ("MANAGED_SAVE", "NVRAM")
    """What goes with a definition that is removed, by libvirt's names."""

    def __init__(self, connection: LibvirtConnection) -> None:
        self.connection = connection

    def guests(self) -> tuple[Guest, ...]:
        """Return our guests among the domains; one that goes meanwhile is left out."""

        def work(connection: Any) -> tuple[Guest, ...]:
            found: list[Guest] = []
            for one in connection.listAllDomains():
                tolerate(functools.partial(_add_ours, one, found), "VIR_ERR_NO_DOMAIN")
            return tuple(found)

        return self.connection.talk(work)

    def guest(self, uuid: str) -> Guest | None:
        """Return one guest, or None."""

        def work(connection: Any) -> Guest | None:
            found = lookup(connection, uuid)
            return None if found is None else _guest(found)

        return self.connection.talk(work)

    def require(self, uuid: str) -> None:
        """Raise NotFound when there is no such guest."""
        if self.guest(uuid) is None:
            raise _not_found(uuid)

    def run(self, uuid: str, work: Callable[[Any], T]) -> T:
        """Return what ``work`` makes of the guest's domain; raises NotFound."""

        def talk(connection: Any) -> T:
            found = lookup(connection, uuid)
            if found is None:
                raise _not_found(uuid)
            return work(found)

        return self.connection.talk(talk)

    def runs(self, uuid: str) -> bool:
        """Tell whether a guest is on, if only paused."""
        guest = self.guest(uuid)
        return guest is not None and guest.power_state in (PowerState.RUNNING, PowerState.PAUSED)

    def define(self, uuid: str, description: str) -> None:
        """Define a guest that is not known."""

        def work(connection: Any) -> None:
            if lookup(connection, uuid) is None:
                connection.defineXML(description)

        self.connection.talk(work)

    def redefine(self, description: str) -> None:
        """Let a guest be as described from its next start on."""
        self.connection.talk(lambda connection: connection.defineXML(description))

    def start(self, uuid: str, description: str) -> None:
        """Define and start a guest; one that is on is left alone."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if found is not None and found.isActive():
                return
            defined = connection.defineXML(description)
            tolerate(defined.create, "VIR_ERR_OPERATION_INVALID")

        self.connection.talk(work)

    def stop(self, uuid: str, timeout: float) -> None:
        """Press the guest's power button, and pull its plug when it has not stopped in time; raises NotFound."""
        deadline = time.monotonic() + timeout
        self.require(uuid)
        if timeout > 0:
            self._do(uuid, self.press_button)
        while self.runs(uuid):
            if time.monotonic() >= deadline:
                self._do(uuid, self.pull_plug)
                return
            time.sleep(_LOOK_AGAIN)

    def destroy(self, uuid: str) -> None:
        """Stop a guest at once and forget its definition; nothing there is not an error."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if found is None:
                return
            tolerate(functools.partial(self.pull_plug, found), "VIR_ERR_OPERATION_INVALID", "VIR_ERR_NO_DOMAIN")
            flags = sum(constant(f"VIR_DOMAIN_UNDEFINE_{name}") for name in self.forgotten)
            tolerate(lambda: found.undefineFlags(flags), "VIR_ERR_NO_DOMAIN")

        self.connection.talk(work)

    def press_button(self, found: Any) -> None:
        """Have a guest shut down by itself."""
        found.shutdown()

    def pull_plug(self, found: Any) -> None:
        """End a guest at once."""
        found.destroy()

    def await_job(self, uuid: str, stall_seconds: float) -> None:
        """Wait for the end of a guest's job, and end one that does not move for so long.

        Raises DriverError when it did not end well.
        """
        done, moved = None, time.monotonic()
        while (now := self._job(uuid)) is not None:
            if now != done:
                done, moved = now, time.monotonic()
            elif time.monotonic() - moved >= stall_seconds:
                self.abort_job(uuid)
                raise DriverError(
                    f"the copying of the guest's disk did not move for {stall_seconds:g} seconds and was broken off."
                )
            time.sleep(_LOOK_AGAIN)

        def work(found: Any) -> int:
            completed = found.jobStats(constant("VIR_DOMAIN_JOB_STATS_COMPLETED"))
            return int(completed.get("type", constant("VIR_DOMAIN_JOB_NONE")))

        if self.run(uuid, work) != constant("VIR_DOMAIN_JOB_COMPLETED"):
            raise DriverError("the copying of the guest's disk was broken off.")

    def abort_job(self, uuid: str) -> None:
        """End a guest's job; no job and no guest are not errors."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if found is None or not found.isActive():
                return
            if found.jobInfo()[0] != constant("VIR_DOMAIN_JOB_NONE"):
                tolerate(found.abortJob, "VIR_ERR_OPERATION_INVALID", "VIR_ERR_NO_DOMAIN")

        self.connection.talk(work)

    def job_runs(self, uuid: str) -> bool:
        """Tell whether libvirt does something to a guest that takes time; raises NotFound."""
        return self._job(uuid) is not None

    def _job(self, uuid: str) -> tuple[int, ...] | None:
        """Return how many bytes a guest's job has had and has left, None where there is none; raises NotFound."""

        def work(found: Any) -> tuple[int, ...] | None:
            kind, _elapsed, _remaining, *amounts = found.jobInfo()
            return None if kind == constant("VIR_DOMAIN_JOB_NONE") else tuple(amounts)

        return self.run(uuid, work)

    def _do(self, uuid: str, verb: Callable[[Any], object]) -> None:
        """Do a power verb to the guest's domain; one that is off already is not an error."""

        def work(connection: Any) -> None:
            found = lookup(connection, uuid)
            if found is not None:
                tolerate(functools.partial(verb, found), "VIR_ERR_OPERATION_INVALID", "VIR_ERR_NO_DOMAIN")

        self.connection.talk(work)


def power_state(found: Any) -> PowerState:
    """Return the power state of a domain."""
    state = found.state()[0]
    return next((power for name, power in _POWER.items() if constant(name) == state), PowerState.NOSTATE)


def _add_ours(found: Any, guests: list[Guest]) -> None:
    if described.is_ours(found.XMLDesc()):
        guests.append(_guest(found))


def _guest(found: Any) -> Guest:
    return Guest(found.UUIDString(), found.name(), power_state(found))


def _not_found(uuid: str) -> NotFound:
    return NotFound(f"Guest {uuid} could not be found.")
