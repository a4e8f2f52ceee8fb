"""Weighers: each gives a host a number, and the host with the greatest sum is taken first."""

import abc

from nova_lite.core.server_group import GroupPolicy
from nova_lite.scheduler.hosts import Demand, HostState


class Weigher(abc.ABC):
    """Says how well a host suits a demand."""

    @abc.abstractmethod
    def weigh(self, host: HostState, demand: Demand) -> float:
        """Return the host's weight; greater is better."""


class FreeMemoryWeigher(Weigher):
    """Prefers the host with the most free memory, in MiB: it spreads instances over the hosts."""

    def weigh(self, host: HostState, demand: Demand) -> float:
        """Return the host's free memory."""
        return host.free_memory_mb


class FillFirstWeigher(Weigher):
    """Prefers the host with the least free memory, in MiB: it keeps hosts empty for large instances."""

    def weigh(self, host: HostState, demand: Demand) -> float:
        """Return the host's free memory, negated."""
        return -host.free_memory_mb


_COMPANION = 1_000_000.0
"""What a companion counts: more than any host's free memory in MiB."""


class ServerGroupSoftAffinityWeigher(Weigher):
    """Prefers the host with most members of a soft-affinity group."""

    def weigh(self, host: HostState, demand: Demand) -> float:
        """Return the number of companions there, in units above all other weights."""
        return _COMPANION * host.companions if _wants(demand, GroupPolicy.SOFT_AFFINITY) else 0.0


class ServerGroupSoftAntiAffinityWeigher(Weigher):
    """Prefers the host with fewest members of a soft-anti-affinity group."""

    def weigh(self, host: HostState, demand: Demand) -> float:
        """Return the number of companions there, negated, in units above all other weights."""
        return -_COMPANION * host.companions if _wants(demand, GroupPolicy.SOFT_ANTI_AFFINITY) else 0.0


def _wants(demand: Demand, policy: GroupPolicy) -> bool:
    return demand.around.group is not None and demand.around.group.policy is policy
