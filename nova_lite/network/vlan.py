"""VLAN: a network a project, apart from all others by its VLAN, with its own bridge, gateway and DHCP server.

A project gets its first network when it boots its first instance: one of those that the operator made for it, or
made for nobody yet.
"""

from nova_lite.core.network import NetworkMode
from nova_lite.network.manager import NetworkManager


class VlanManager(NetworkManager):
    """The mode of networking where each project has a VLAN."""

    mode = NetworkMode(vlans=True)
