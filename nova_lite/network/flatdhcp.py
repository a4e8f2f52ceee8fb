"""FlatDHCP: one bridge a network with its own DHCP server and gateway, on the network's host.

The interface ``flat_interface`` is put in the bridge of the first such network and leads to the other hosts; the
host's own addresses and routes by it move over to the bridge.
"""

from nova_lite.core.network import NetworkMode
from nova_lite.network.manager import NetworkManager


class FlatDHCPManager(NetworkManager):
    """The mode of networking where hosts make bridges and serve addresses on them."""

    mode = NetworkMode()
