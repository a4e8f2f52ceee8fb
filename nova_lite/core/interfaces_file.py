"""The file /etc/network/interfaces of guests that find their addresses there, as Debian's ifupdown reads it."""

import ipaddress
from collections.abc import Iterator, Sequence

from nova_lite.core.network import VirtualInterface

_HEAD = """# Injected by Nova on instance boot
auto lo
iface lo inet loopback
"""


def render(interfaces: Sequence[VirtualInterface]) -> str:
    """Return the file's text, empty where no interface is of a network that wants it."""
    if not any(interface.injected for interface in interfaces):
        return ""
    return _HEAD + "".join(
        line for number, one in enumerate(interfaces) for line in _lines(f"eth{number}", one)
    )


def _lines(name: str, interface: VirtualInterface) -> Iterator[str]:
    yield f"\nauto {name}\n"
    if not interface.injected:
        yield f"iface {name} inet dhcp\n"
        return
    network = ipaddress.ip_network(interface.cidr)
    yield f"iface {name} inet static\n"
    yield f"    address {interface.address}\n    netmask {network.netmask}\n    broadcast {network.broadcast_address}\n"
    if interface.router:
        yield f"    gateway {interface.router}\n"
    if interface.dns:
        yield f"    dns-nameservers {' '.join(interface.dns)}\n"
    if interface.cidr_v6:
        yield f"iface {name} inet6 static\n    address {interface.address_v6}\n"
        yield f"    netmask {ipaddress.ip_network(interface.cidr_v6).prefixlen}\n"
        if interface.gateway_v6:
            yield f"    gateway {interface.gateway_v6}\n"
