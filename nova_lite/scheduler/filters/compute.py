"""The filter for hosts that work."""

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState


class ComputeFilter(HostFilter):
    """Passes hosts whose nova-compute is up and not disabled."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host's daemon is up and enabled."""
        return host.up and not host.disabled
