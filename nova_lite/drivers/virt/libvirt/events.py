"""What libvirt tells of guests without being asked.

Its callbacks come in a thread of its own, where libvirt must not be asked anything: they only leave a letter.
"""

import contextlib
import dataclasses
from typing import Any

from nova_lite import concurrency
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.base import EVERY_GUEST, Changed

try:
    import libvirt
except ImportError:
    libvirt = None

_POWER = {
    "VIR_DOMAIN_EVENT_UNDEFINED": PowerState.NOSTATE,
    "VIR_DOMAIN_EVENT_STARTED": PowerState.RUNNING,
    "VIR_DOMAIN_EVENT_RESUMED": PowerState.RUNNING,
    "VIR_DOMAIN_EVENT_SUSPENDED": PowerState.PAUSED,
    "VIR_DOMAIN_EVENT_STOPPED": PowerState.SHUTDOWN,
    "VIR_DOMAIN_EVENT_CRASHED": PowerState.CRASHED,
    "VIR_DOMAIN_EVENT_PMSUSPENDED": PowerState.SUSPENDED,
}
"""The power state that a guest is in after an event; other events do not change it."""
_EVERY = (EVERY_GUEST, PowerState.NOSTATE)


@dataclasses.dataclass(frozen=True, slots=True)
class _Opened:
    """The letter of a connection that is new."""

    connection: Any


class GuestEvents:
    """Passes on what the connections of one driver are told, whichever of them is open."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._letters: concurrency.Mailbox[tuple[str, PowerState] | _Opened] = concurrency.Mailbox()
        self._power = {getattr(libvirt, name): power for name, power in _POWER.items()}
        concurrency.spawn(self._deliver)

    def subscribe(self, connection: Any) -> None:
        """Be told by a connection that was opened just now; what was said while there was none is made up for."""
        connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._happened, None)
        connection.registerCloseCallback(self._closed, None)
        self._letters.put(_Opened(connection))

    def _happened(self, _connection: Any, domain: Any, event: int, _detail: int, _more: Any) -> None:
        power = self._power.get(event)
        if power is not None:
            self._letters.put((domain.UUIDString(), power))

    def _closed(self, _connection: Any, _reason: int, _more: Any) -> None:
        # Looking at all guests opens a connection, as soon as there is somebody to connect to.
        self._letters.put(_EVERY)

    def _deliver(self) -> None:
        while True:
            letter = self._letters.get()
            if isinstance(letter, _Opened):
                concurrency.spawn(self._look_again, letter.connection)
                letter = _EVERY
            self._changed(*letter)

    def _look_again(self, connection: Any) -> None:
        """Make up for what a libvirtd that has come back does not tell.

        It says of its guests what its files say until it has found their processes again, and nothing of those
        that it does not find.
        """
        concurrency.blocking(_await_found, connection)
        self._letters.put(_EVERY)


def _await_found(connection: Any) -> None:
    """Ask for something that libvirt only tells when it has found the guest, or knows that it is off."""
    with contextlib.suppress(libvirt.libvirtError):
        for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            with contextlib.suppress(libvirt.libvirtError):
                domain.memoryStats()
