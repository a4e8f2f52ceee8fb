"""What libvirt tells of guests without being asked.

Its callbacks come in a thread of its own, where libvirt must not be asked anything: they only leave a letter.
"""

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


class GuestEvents:
    """Passes on what the connections of one driver are told, whichever of them is open."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._letters: concurrency.Mailbox[tuple[str, PowerState]] = concurrency.Mailbox()
        self._power = {getattr(libvirt, name): power for name, power in _POWER.items()}
        concurrency.spawn(self._deliver)

    def subscribe(self, connection: Any) -> None:
        """Be told by a connection that was opened just now; what was said while there was none is made up for."""
        connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._happened, None)
        connection.registerCloseCallback(self._closed, None)
        self._letters.put((EVERY_GUEST, PowerState.NOSTATE))

    def _happened(self, _connection: Any, domain: Any, event: int, _detail: int, _more: Any) -> None:
        power = self._power.get(event)
        if power is not None:
            self._letters.put((domain.UUIDString(), power))

    def _closed(self, _connection: Any, _reason: int, _more: Any) -> None:
        # Looking at all guests opens a connection, as soon as there is somebody to connect to.
        self._letters.put((EVERY_GUEST, PowerState.NOSTATE))

    def _deliver(self) -> None:
        while True:
            self._changed(*self._letters.get())
