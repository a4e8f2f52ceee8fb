"""The copying of a running guest's disk is waited for as long as it moves."""

from collections.abc import Callable
from typing import Any, cast

import libvirt
import pytest

from nova_lite.core.errors import DriverError
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection
from nova_lite.drivers.virt.libvirt.domains import Domains


class Domain:
    """What libvirt says of a guest whose job has copied so many bytes at each look."""

    def __init__(self, *copied: int) -> None:
        self._copied = list(copied)
        self.aborted = False

    def talk(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def lookupByUUIDString(self, uuid: str) -> "Domain":
        return self

    def isActive(self) -> int:
        return 1

    def jobInfo(self) -> list[int]:
        if not self._copied:
            return [libvirt.VIR_DOMAIN_JOB_NONE] + [0] * 11
        now = self._copied.pop(0)
        return [libvirt.VIR_DOMAIN_JOB_UNBOUNDED, 1, 1, 100, now, 100 - now, 0, 0, 0, 100, now, 100 - now]

    def jobStats(self, flags: int) -> dict[str, int]:
        return {"type": libvirt.VIR_DOMAIN_JOB_COMPLETED}

    def abortJob(self) -> None:
        self.aborted = True


def domains_of(found: Domain) -> Domains:
    return Domains(cast(LibvirtConnection, found))


def test_copying_that_moves_is_waited_for() -> None:
    found = Domain(1, 2, 3)
    domains_of(found).await_job("uuid", 0.0)
    assert not found.aborted


def test_copying_that_stands_still_is_broken_off() -> None:
    found = Domain(1, 2, 2, 2)
    with pytest.raises(DriverError, match="did not move for 0 seconds and was broken off"):
        domains_of(found).await_job("uuid", 0.0)
    assert found.aborted
