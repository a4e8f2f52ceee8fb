"""The filter that leaves every host."""

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState


class AllHostsFilter(HostFilter):
    """Passes every host."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Let the host pass."""
        return True
