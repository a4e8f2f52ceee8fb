"""Flat: bridges that the operator makes and joins, and no DHCP: a guest finds its address in a file.

The way out of the network is the operator's, too, so there are no floating addresses to translate.
"""

from nova_lite.core.network import Network, NetworkMode
from nova_lite.drivers.net.base import NetworkPlan
from nova_lite.network.manager import NetworkManager


class FlatManager(NetworkManager):
    """The mode of networking where addresses are only given out."""

    mode = NetworkMode(bridges=False, dhcp=False)

    def plan(self, network: Network) -> NetworkPlan | None:
        """Return None: the host serves nothing."""
        return None
