"""The filter for availability zones."""

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState


class AvailabilityZoneFilter(HostFilter):
    """Passes hosts of the zone that was asked for, any host where none was."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host is in the wanted zone."""
        return demand.availability_zone in ("", host.availability_zone)
