"""Weighers: each gives a host a number, and the host with the greatest sum is taken first."""

import abc

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
