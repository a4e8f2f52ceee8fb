"""What a filter is."""

import abc
from typing import Any

from nova_lite.scheduler.hosts import Demand, HostState


class HostFilter(abc.ABC):
    """Says of each host whether it can take a demand; holds no state between questions."""

    @classmethod
    def from_flags(cls, conf: Any) -> "HostFilter":
        """Build the filter from the scheduler's flags; those that read none are built without."""
        return cls()

    @abc.abstractmethod
    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether ``host`` can take ``demand``."""
