"""Hosts and the daemons on them as values."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """A daemon that reported itself; ``up`` is judged when the row is read."""

    id: int
    uuid: str
    binary: str
    host: str
    availability_zone: str
    disabled: bool
    disabled_reason: str | None
    forced_down: bool
    heartbeat_at: datetime.datetime
    version: int
    up: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ComputeNode:
    """A hypervisor's room: memory in MiB, disk in GiB; ``used`` is what the database has given away."""

    id: int
    uuid: str
    host: str
    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    host_ip: str
    vcpus: int
    memory_mb: int
    local_gb: int
    vcpus_used: int
    memory_mb_used: int
    local_gb_used: int
    running_vms: int
    disk_available_least: int
    cpu_info: str
    service: Service
