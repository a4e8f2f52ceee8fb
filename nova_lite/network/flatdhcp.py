"""FlatDHCP: one bridge a network with its own DHCP server and gateway, on the network's host."""

from nova_lite.core.network import Network
from nova_lite.drivers.net.base import NetworkPlan
from nova_lite.network.manager import NetworkManager


class FlatDHCPManager(NetworkManager):
    """The mode of networking where a host makes bridges and serves addresses on them."""

    def plan(self, network: Network) -> NetworkPlan:
        """Return the network as a bridge that carries the gateway's address and has a DHCP server."""
        return NetworkPlan(
            network_id=network.id,
            uuid=network.uuid,
            cidr=network.cidr,
            gateway=network.gateway,
            bridge=network.bridge,
            dhcp_start=network.dhcp_start,
            dns=network.dns,
            bridge_interface=network.bridge_interface,
            mtu=network.mtu,
            domain=self.settings.domain,
            lease_seconds=self.settings.lease_seconds,
            snat_source=self.settings.snat_source,
            metadata_host=self.settings.metadata_host,
            metadata_port=self.settings.metadata_port,
        )
