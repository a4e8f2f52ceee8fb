"""The filter that keeps some hosts for some images."""

from collections.abc import Iterable
from typing import Any

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState


class IsolatedHostsFilter(HostFilter):
    """Passes isolated hosts for isolated images, and other hosts for other images."""

    def __init__(self, hosts: Iterable[str], images: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        self._images = frozenset(images)

    @classmethod
    def from_flags(cls, conf: Any) -> "IsolatedHostsFilter":
        """Build the filter from ``isolated_hosts`` and ``isolated_images``."""
        return cls(conf.isolated_hosts, conf.isolated_images)

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether host and image are both isolated, or neither is."""
        return (demand.image_id in self._images) == (host.host in self._hosts)
