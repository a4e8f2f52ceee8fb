"""How a guest does, as its hypervisor counts it."""

import dataclasses

from nova_lite.core.instance_states import PowerState


@dataclasses.dataclass(frozen=True, slots=True)
class Cpu:
    """What a processor of a guest did: the time that it ran, in nanoseconds."""

    id: int
    time: int


@dataclasses.dataclass(frozen=True, slots=True)
class Nic:
    """What went through an interface of a guest, as the guest sees it; None where it is not counted."""

    mac: str
    rx_octets: int | None = None
    rx_packets: int | None = None
    rx_errors: int | None = None
    rx_drop: int | None = None
    tx_octets: int | None = None
    tx_packets: int | None = None
    tx_errors: int | None = None
    tx_drop: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class DiskUse:
    """What a guest read from a disk and wrote to it."""

    target: str
    read_bytes: int = 0
    read_requests: int = 0
    write_bytes: int = 0
    write_requests: int = 0
    errors_count: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnostics:
    """How a guest does; ``uptime`` in seconds, memory in MiB."""

    state: PowerState
    driver: str
    hypervisor: str
    uptime: int | None
    cpus: tuple[Cpu, ...]
    nics: tuple[Nic, ...]
    disks: tuple[DiskUse, ...]
    memory_maximum: int
    memory_used: int
