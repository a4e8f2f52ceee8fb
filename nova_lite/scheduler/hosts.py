"""Hosts as the scheduler sees them: what is free, with ratios and reserves applied, held in memory."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite.core.hints import Hints
from nova_lite.core.hosts import ComputeNode
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.server_group import GroupPolicy

_UNBOUNDED = 2**31
"""As many processors as nobody asks for: where the hypervisor does not say how many there are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ratios:
    """How far a host may be overcommitted, and what is kept back of it before: memory in MiB, disk in MiB."""

    cpu: float = 16.0
    ram: float = 1.5
    disk: float = 1.0
    reserved_memory_mb: int = 512
    reserved_disk_mb: int = 0
    reserved_cpus: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Companions:
    """The server group of an instance, and how many of its members each host has."""

    uuid: str
    policy: GroupPolicy
    max_per_host: int
    placed: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What hints mean now: the server group, and the hosts of the instances that they name."""

    group: Companions | None = None
    same_hosts: frozenset[str] | None = None
    different_hosts: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """What an instance asks of a host: memory in MiB, disk in GiB.

    ``host`` is the one that an admin wants; where it ``is_forced``, filters and room do not count.
    """

    instance_uuid: str
    vcpus: int
    memory_mb: int
    local_gb: int
    availability_zone: str = ""
    host: str = ""
    is_forced: bool = False
    ignored_hosts: frozenset[str] = frozenset()
    extra_specs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    image_id: str = ""
    hints: Hints = dataclasses.field(default_factory=Hints)
    around: Surroundings = dataclasses.field(default_factory=Surroundings)

    @classmethod
    def of(cls, instance: Instance, parameters: Mapping[str, Any], around: Surroundings) -> "Demand":
        """Read the demand off an instance, its action's parameters and what its hints mean now."""
        wanted = parameters.get("flavor")
        flavor = Flavor(**wanted) if wanted else instance.flavor
        return cls(
            instance_uuid=instance.uuid,
            vcpus=flavor.vcpus,
            memory_mb=flavor.memory_mb,
            local_gb=flavor.root_gb + flavor.ephemeral_gb,
            availability_zone=instance.pinned_zone or "",
            host=parameters.get("force_host", ""),
            is_forced=parameters.get("is_forced", False),
            ignored_hosts=frozenset(parameters.get("ignored_hosts", ())),
            extra_specs=flavor.extra_specs,
            image_id=instance.image_id,
            hints=Hints.of(parameters),
            around=around,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class HostState:
    """A host and what may be given away of it in all, and what is: memory in MiB, disk in GiB.

    ``companions`` and ``companions_elsewhere`` count the members of the demand's server group on this host
    and on others.
    """

    host: str
    node: str
    availability_zone: str
    up: bool
    disabled: bool
    vcpus: float
    memory_mb: float
    local_gb: float
    vcpus_used: int
    memory_mb_used: int
    local_gb_used: int
    instances: int = 0
    address: str = ""
    companions: int = 0
    companions_elsewhere: int = 0
    hypervisor_type: str = ""
    hypervisor_version: int = 0
    cpu_info: str = ""

    @classmethod
    def of(cls, node: ComputeNode, ratios: Ratios) -> "HostState":
        """Apply ``ratios`` to what the database knows of a host."""
        return cls(
            host=node.host,
            node=node.hypervisor_hostname,
            availability_zone=node.service.availability_zone,
            up=node.service.up,
            disabled=node.service.disabled,
            vcpus=max(0, node.vcpus - ratios.reserved_cpus) * ratios.cpu if node.vcpus else _UNBOUNDED,
            memory_mb=max(0, node.memory_mb - ratios.reserved_memory_mb) * ratios.ram,
            local_gb=max(0, node.local_gb - ratios.reserved_disk_mb / 1024) * ratios.disk,
            vcpus_used=node.vcpus_used,
            memory_mb_used=node.memory_mb_used,
            local_gb_used=node.local_gb_used,
            instances=node.running_vms,
            address=node.host_ip,
            hypervisor_type=node.hypervisor_type,
            hypervisor_version=node.hypervisor_version,
            cpu_info=node.cpu_info,
        )

    @property
    def free_memory_mb(self) -> float:
        """Memory in MiB that may still be given away."""
        return self.memory_mb - self.memory_mb_used

    def beside(self, placed: Mapping[str, int]) -> "HostState":
        """Return this host as a member of a server group sees it whose members are so ``placed``."""
        here = placed.get(self.host, 0)
        return dataclasses.replace(self, companions=here, companions_elsewhere=sum(placed.values()) - here)

    def taking(self, demand: Demand) -> "HostState":
        """Return this host as it is after ``demand`` was placed on it."""
        return dataclasses.replace(
            self,
            vcpus_used=self.vcpus_used + demand.vcpus,
            memory_mb_used=self.memory_mb_used + demand.memory_mb,
            local_gb_used=self.local_gb_used + demand.local_gb,
            instances=self.instances + 1,
        )


def states(nodes: Iterable[ComputeNode], ratios: Ratios) -> tuple[HostState, ...]:
    """Return the view of all hosts."""
    return tuple(HostState.of(node, ratios) for node in nodes)
