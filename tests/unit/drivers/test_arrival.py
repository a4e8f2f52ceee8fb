"""A guest that only comes, or that only was to come, has not arrived."""

import libvirt
import pytest

from nova_lite.drivers.virt.libvirt.migration import _is_here


class Domain:
    """What libvirt says of a guest."""

    def __init__(self, state: int, reason: int, *, active: bool, persistent: bool) -> None:
        self._state = [state, reason]
        self._active = active
        self._persistent = persistent

    def lookupByUUIDString(self, uuid: str) -> "Domain":
        return self

    def state(self) -> list[int]:
        return self._state

    def isActive(self) -> int:
        return int(self._active)

    def isPersistent(self) -> int:
        return int(self._persistent)


ON, COMING = {"active": True, "persistent": True}, {"active": True, "persistent": False}
OFF = {"active": False, "persistent": False}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Domain(libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_MIGRATED, **ON), True),
        (Domain(libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER, **ON), True),
        (Domain(libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION, **ON), None),
        (Domain(libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP, **ON), None),
        # What a libvirtd that came back says of one that only comes, until it ends it.
        (Domain(libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER, **COMING), None),
        (Domain(libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_UNKNOWN, **COMING), None),
        # QEMU is being started for it, or is being ended.
        (Domain(libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_UNKNOWN, **ON), None),
        (Domain(libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED, **OFF), False),
        # It has come, and was shut down since.
        (Domain(libvirt.VIR_DOMAIN_SHUTOFF, 0, active=False, persistent=True), True),
    ],
)
def test_who_has_arrived_is_told_from_who_is_coming(found: Domain, expected: bool | None) -> None:
    assert _is_here(found, "uuid") is expected
