"""The filters for room on a host; overcommit ratios are already in the host's figures."""

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState


class RamFilter(HostFilter):
    """Passes hosts with enough memory left."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host's memory suffices."""
        return host.memory_mb_used + demand.memory_mb <= host.memory_mb


class CoreFilter(HostFilter):
    """Passes hosts with enough virtual processors left."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host's processors suffice."""
        return host.vcpus_used + demand.vcpus <= host.vcpus


class DiskFilter(HostFilter):
    """Passes hosts with enough disk left."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host's disk suffices."""
        return host.local_gb_used + demand.local_gb <= host.local_gb
