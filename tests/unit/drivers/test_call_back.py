"""A guest that moves is called back, whatever libvirt and the guest's process do."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import libvirt
import pytest

from nova_lite.core.errors import DriverError, HypervisorUnavailable, Superseded
from nova_lite.core.server_migration import Progress
from nova_lite.drivers.virt.libvirt import migration
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection
from nova_lite.drivers.virt.libvirt.domains import Domains
from nova_lite.drivers.virt.libvirt.migration import _Journey
from nova_lite.drivers.virt.libvirt.patience import Patience


class Domain:
    """What libvirt says of a guest whose process hangs, so that nobody comes back who asks for it."""

    def __init__(self) -> None:
        self.awake = threading.Event()

    def talk(self, work: Callable[[Any], Any], *, once: bool = False) -> Any:
        return work(self)

    def lookupByUUIDString(self, uuid: str) -> "Domain":
        return self

    def isActive(self) -> int:
        return 1

    def jobInfo(self) -> list[int]:
        assert self.awake.wait(60)
        return [libvirt.VIR_DOMAIN_JOB_NONE]

    def jobStats(self) -> dict[str, int]:
        assert self.awake.wait(60)
        return {}

    def migrateToURI3(self, uri: str, parameters: dict[str, Any], flags: int) -> None:
        assert self.awake.wait(60)


@pytest.fixture
def found() -> Iterator[Domain]:
    found = Domain()
    yield found
    found.awake.set()


@pytest.mark.parametrize(
    ("asked", "told"), [(DriverError("aborted."), HypervisorUnavailable), (Superseded(), Superseded)]
)
def test_a_guest_whose_process_hangs_is_left_to_who_takes_the_work_up(
    found: Domain, monkeypatch: pytest.MonkeyPatch, asked: Exception, told: type[Exception]
) -> None:
    monkeypatch.setattr(migration, "_CALL_BACK_SECONDS", 0.1)
    journey = _Journey(Domains(cast(LibvirtConnection, found)), "uuid", Patience(0, 0))
    journey.begin("qemu+tcp://there/system", {}, 0)
    seen = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        raise asked

    with pytest.raises(told):
        journey.watch(watch)
    assert seen == [Progress()]


def test_a_guest_of_which_nothing_moves_is_called_back_though_nobody_can_say_how_far_it_is(
    found: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "_CALL_BACK_SECONDS", 0.1)
    journey = _Journey(Domains(cast(LibvirtConnection, found)), "uuid", Patience(0, 0.01))
    journey.begin("qemu+tcp://there/system", {}, 0)

    with pytest.raises(HypervisorUnavailable, match="does not call the guest back"):
        journey.watch(lambda progress: False)
