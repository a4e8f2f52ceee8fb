"""Network interfaces of guests that exist: plugged in and out, and their taps on the host."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nova_lite.core.errors import DriverError
from nova_lite.drivers.virt.guest import GuestInterface
from nova_lite.drivers.virt.libvirt import described, devices
from nova_lite.drivers.virt.libvirt.connection import constant, lookup, tolerate
from nova_lite.drivers.virt.libvirt.domains import Domains

_LINKS = Path("/sys/class/net")
_LOOK_AGAIN = 0.25
_DETACH_SECONDS = 20.0
"""How long a guest has to let an interface go."""


Described = Callable[[GuestInterface], str]


def attach(
    domains: Domains, uuid: str, interface: GuestInterface, describe: Described = devices.interface
) -> None:
    """Plug the interface into the guest's definition, and into the guest while it runs."""

    def work(found: Any) -> None:
        for scope in _scopes(found):
            if interface.mac not in described.macs(_description(found, scope)):
                found.attachDeviceFlags(describe(interface), scope)

    domains.run(uuid, work)
    plugged([interface])


def detach(
    domains: Domains, uuid: str, interface: GuestInterface, describe: Described = devices.interface
) -> None:
    """Unplug the interface; a guest that runs has to agree, which its kernel does when it is asked."""
    deadline = time.monotonic() + _DETACH_SECONDS
    while _ask_to_detach(domains, uuid, interface, describe):
        if time.monotonic() >= deadline:
            raise DriverError(f"the guest does not let the interface {interface.mac} go.")
        time.sleep(_LOOK_AGAIN)


def plugged(interfaces: Iterable[GuestInterface]) -> None:
    """Let bridges send back through a guest's tap what came in by it.

    A guest needs that to reach its own floating address: where bridges pass packets to nftables, the address is
    translated within the bridge. A tap that is in no bridge has no such file.
    """
    for interface in interfaces:
        with contextlib.suppress(OSError):
            (_LINKS / interface.tap / "brport/hairpin_mode").write_text("1")


def _ask_to_detach(domains: Domains, uuid: str, interface: GuestInterface, describe: Described) -> bool:
    """Ask the guest to let an interface go; returns whether it still has it."""

    def work(connection: Any) -> bool:
        found = lookup(connection, uuid)
        if found is None:
            return False
        held = [
            scope for scope in _scopes(found) if interface.mac in described.macs(_description(found, scope))
        ]
        for scope in held:
            # A guest that was asked already is not asked again until it answers.
            tolerate(
                functools.partial(found.detachDeviceFlags, describe(interface), scope),
                "VIR_ERR_OPERATION_FAILED", "VIR_ERR_OPERATION_INVALID", "VIR_ERR_DEVICE_MISSING",
            )  # fmt: skip
        return bool(held)

    return domains.connection.talk(work)


def _scopes(found: Any) -> list[int]:
    """Return where a change of a domain is made: in its definition, and in the guest while it runs."""
    running = [constant("VIR_DOMAIN_AFFECT_LIVE")] if found.isActive() else []
    return [constant("VIR_DOMAIN_AFFECT_CONFIG"), *running]


def _description(found: Any, scope: int) -> str:
    """Return the XML of a domain's definition, or of the guest that runs."""
    defined = scope == constant("VIR_DOMAIN_AFFECT_CONFIG")
    return str(found.XMLDesc(constant("VIR_DOMAIN_XML_INACTIVE") if defined else 0))
