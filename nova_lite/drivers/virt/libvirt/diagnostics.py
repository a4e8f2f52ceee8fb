"""What libvirt counts of a guest."""

import functools
from collections.abc import Iterator
from typing import Any

from nova_lite.core.diagnostics import Cpu, Diagnostics, DiskUse, Nic
from nova_lite.drivers.virt.libvirt import described
from nova_lite.drivers.virt.libvirt.connection import tolerate
from nova_lite.drivers.virt.libvirt.domains import power_state


def measure(found: Any, kind: str) -> Diagnostics:
    """Return how the guest of a domain does; ``kind`` is what its hypervisor is called."""
    description = found.XMLDesc()
    memory = found.memoryStats()
    return Diagnostics(
        state=power_state(found),
        driver="libvirt",
        hypervisor=kind,
        uptime=None,
        cpus=tuple(Cpu(cpu[0], cpu[2]) for cpu in found.vcpus()[0]),
        nics=tuple(nics_of(found, description)),
        disks=tuple(_disk(found, target) for target in described.disk_targets(description)),
        memory_maximum=found.info()[1] // 1024,
        memory_used=(memory.get("available", 0) - memory.get("unused", 0)) // 1024
        or memory.get("rss", 0) // 1024,
    )


def nics_of(found: Any, description: str) -> Iterator[Nic]:
    """Yield what went through the interfaces; one that is unplugged meanwhile is left out."""
    for mac, device in described.nics(description):
        counted: list[int] = []
        count = functools.partial(_count, found, device, counted)
        tolerate(count, "VIR_ERR_INVALID_ARG")
        if counted:
            # What the host sends is what the guest receives, and the other way round.
            yield Nic(mac, *counted[:4], *counted[4:8])


def _count(found: Any, device: str, counted: list[int]) -> None:
    counted.extend(found.interfaceStats(device))


def _disk(found: Any, target: str) -> DiskUse:
    requests_in, bytes_in, requests_out, bytes_out, errors = found.blockStats(target)
    counted = errors if errors >= 0 else None
    return DiskUse(target, bytes_in, requests_in, bytes_out, requests_out, counted)
