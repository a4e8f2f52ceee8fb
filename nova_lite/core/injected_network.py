"""A guest's /etc/network/interfaces (Debian's interfaces(5)), for networks whose addresses no DHCP server tells."""

import ipaddress
from collections.abc import Sequence

from nova_lite.core.network import Ipv6Backend, VirtualInterface

PATH = "/etc/network/interfaces"


def content(interfaces: Sequence[VirtualInterface]) -> str:
    """Return the file that brings up the interfaces in injected networks, empty when there are none.

    The guest's interfaces are numbered as they are plugged in. Those that DHCP serves are in the file, too: it takes
    the place of the image's own, by which they would have been brought up.
    """
    if not any(interface.injected for interface in interfaces):
        return ""
    stanzas = [_stanza(f"eth{number}", interface) for number, interface in enumerate(interfaces)]
    return "\n".join(["auto lo\niface lo inet loopback\n", *stanzas])


def _stanza(device: str, interface: VirtualInterface) -> str:
    if not interface.injected:
        return f"auto {device}\niface {device} {_asking(interface)}\n"
    lines = [f"auto {device}", *(_static(device, interface) if interface.cidr else [])]
    if interface.cidr_v6:
        lines += [
            f"iface {device} inet6 static",
            f"    address {interface.address_v6}",
            f"    netmask {ipaddress.IPv6Network(interface.cidr_v6).prefixlen}",
            *([f"    gateway {interface.router_v6}"] if interface.router_v6 else []),
        ]
    return "\n".join(lines) + "\n"


def _asking(interface: VirtualInterface) -> str:
    """Return how a guest comes to its address by itself."""
    if interface.cidr:
        return "inet dhcp"
    return "inet6 auto" if interface.ipv6_backend == Ipv6Backend.RFC2462 else "inet6 dhcp"


def _static(device: str, interface: VirtualInterface) -> list[str]:
    network = ipaddress.IPv4Network(interface.cidr)
    return [
        f"iface {device} inet static",
        f"    address {interface.address}",
        f"    netmask {network.netmask}",
        f"    broadcast {network.broadcast_address}",
        *([f"    gateway {interface.router}"] if interface.router else []),
        f"    mtu {interface.mtu}",
        *([f"    dns-nameservers {' '.join(interface.dns)}"] if interface.dns else []),
    ]
