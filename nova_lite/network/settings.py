"""What the managers of networks need to know from the flags."""

import dataclasses
import ipaddress
from typing import Any

from nova_lite.core.errors import ConfigurationError
from nova_lite.core.network import HostInterfaces, Network


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkSettings:
    """A network host's name and the values that its networks share.

    ``serves_new`` says whether networks that no host serves yet become this one's.
    ``lease_seconds`` is how long a guest holds its address without renewing; a freed address counts as
    leased for at most ``disassociate_seconds``. An empty ``snat_source`` is the outgoing interface's
    address; to the ranges ``untranslated`` guests speak with their own. ``lease_socket`` is where dnsmasq's script
    reports, empty for nowhere.
    ``auto_assign_pool`` is where each new instance gets a floating address from, empty for none.
    ``network_host`` serves networks that are nobody's yet; a daemon is down ``down_after`` seconds after its last
    word. ``interfaces`` are this host's own that lead to the other hosts. ``single_gateway``: a guest in several
    networks is told of the first's way out only. What somebody else has got is tried ``attempts`` times.
    """

    host: str
    serves_new: bool = True
    domain: str = "novalocal"
    lease_seconds: int = 120
    disassociate_seconds: int = 600
    snat_source: str = ""
    untranslated: tuple[str, ...] = ()
    metadata_host: str = ""
    metadata_port: int = 8775
    lease_socket: str = ""
    auto_assign_pool: str = ""
    network_host: str = ""
    down_after: int = 60
    interfaces: HostInterfaces = dataclasses.field(default_factory=HostInterfaces)
    single_gateway: bool = False
    attempts: int = 5

    def interface_of(self, network: Network) -> str:
        """Return this host's interface that leads to the other hosts of a network, empty for none."""
        return self.interfaces.of(network.bridge, network.vlan, network.bridge_interface)

    @classmethod
    def from_flags(cls, conf: Any) -> "NetworkSettings":
        """Take the settings from the daemon's flags."""
        return cls(
            host=conf.host,
            serves_new=conf.network_host == conf.host,
            domain=conf.dhcp_domain,
            lease_seconds=conf.dhcp_lease_time,
            disassociate_seconds=conf.fixed_ip_disassociate_timeout,
            snat_source=conf.routing_source_ip,
            untranslated=tuple(_range("dmz_cidr", text) for text in conf.dmz_cidr),
            metadata_host=conf.metadata_host,
            metadata_port=conf.metadata_port,
            auto_assign_pool=conf.default_floating_pool if conf.auto_assign_floating_ip else "",
            lease_socket=f"{conf.networks_path}/{LEASE_SOCKET}",
            network_host=conf.network_host,
            down_after=conf.service_down_time,
            interfaces=host_interfaces(conf),
            single_gateway=conf.use_single_default_gateway,
            attempts=conf.create_unique_mac_address_attempts,
        )


LEASE_SOCKET = "leases.sock"
"""The socket's name in the folder of the DHCP servers' files."""


def _range(flag: str, text: str) -> str:
    """Return a range of IPv4 addresses that a flag has as nft writes it; raises ConfigurationError."""
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError as error:
        raise ConfigurationError(f"The flag --{flag} has '{text}', which is no range of IPv4 addresses.") from error


def host_interfaces(conf: Any) -> HostInterfaces:
    """Take a host's own interfaces to the other hosts from its flags."""
    return HostInterfaces(conf.flat_network_bridge, conf.flat_interface, conf.vlan_interface)
