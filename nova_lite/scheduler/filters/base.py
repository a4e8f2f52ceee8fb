"""What a filter is."""

import abc

from nova_lite.scheduler.hosts import Demand, HostState


class HostFilter(abc.ABC):
    """Says of each host whether it can take a demand; holds no state between questions."""

    @abc.abstractmethod
    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether ``host`` can take ``demand``."""
