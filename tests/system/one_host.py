"""A host with two guests and the world outside, in namespaces, and what tests do with them."""

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from nova_lite.drivers.net.base import DhcpHost, FilterPort, NetworkPlan
from nova_lite.drivers.net.dnsmasq import DnsmasqSettings
from nova_lite.drivers.net.firewall import NftablesFirewall
from nova_lite.drivers.net.linux import LinuxNetworkDriver
from nova_lite.drivers.runner import Runner
from tools.services.namespaces import Namespace, busybox, namespaces

GUESTS = {"a": ("fa:16:3e:00:00:0a", "10.0.0.10"), "b": ("fa:16:3e:00:00:0b", "10.0.0.11")}
OPEN = "11111111-1111-4111-8111-111111111111"
CLOSED = "22222222-2222-4222-8222-222222222222"


@dataclasses.dataclass
class Site:
    """A host with two guests, and the world outside."""

    host: Namespace
    outside: Namespace
    a: Namespace
    b: Namespace
    network: LinuxNetworkDriver
    firewall: NftablesFirewall
    plan: NetworkPlan


def port(name: str, *groups: str) -> FilterPort:
    mac, address = GUESTS[name]
    return FilterPort(
        instance_uuid=f"uuid-{name}", tap=f"tap-{name}", mac=mac, address=address,
        gateway="10.0.0.1", dhcp_server="10.0.0.1", groups=groups,
    )  # fmt: skip


def udhcpc() -> list[str]:
    """Return the words of a DHCP client that gives up soon."""
    script = str(Path(__file__).with_name("udhcpc.script"))
    return [busybox(), "udhcpc", "-i", "eth0", "-n", "-q", "-t", "5", "-T", "1", "-O", "staticroutes", "-s", script]


def dhcp(guest: Namespace) -> None:
    """Get an address as a guest does."""
    guest.run(*udhcpc())


def addressed(guest: Namespace, name: str) -> None:
    """Give a guest its address without DHCP."""
    guest.run("ip", "addr", "replace", f"{GUESTS[name][1]}/24", "dev", "eth0")
    guest.run("ip", "route", "replace", "default", "via", "10.0.0.1")


def pings(guest: Namespace, address: str) -> bool:
    return guest.succeeds("ping", "-c", "1", "-W", "1", address)


def listener(namespace: Namespace, number: int) -> "tuple[threading.Thread, list[str]]":
    """Listen for one TCP connection; the list gets the address that it came from."""
    seen: list[str] = []
    with namespace.entered():
        server = socket.create_server(("", number))

    def accept() -> None:
        with server:
            connection, (address, _) = server.accept()
            seen.append(address)
            connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    return thread, seen


def connects(namespace: Namespace, address: str, number: int) -> bool:
    return namespace.succeeds("timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{number}")


class Stream:
    """An open connection from one namespace to another by some address."""

    def __init__(self, source: Namespace, address: str, target: Namespace, number: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with target.entered():
            server = socket.create_server(("::" if ":" in address else "", number), family=family)
        with server:
            with source.entered():
                self._client = socket.create_connection((address, number), timeout=10)
            self._served, _ = server.accept()

    def flows(self) -> bool:
        """Send a byte there and tell whether it comes."""
        self._client.sendall(b"x")
        self._served.settimeout(1)
        try:
            return self._served.recv(1) == b"x"
        except TimeoutError:
            return False

    def close(self) -> None:
        self._client.close()
        self._served.close()


def refusing(folder: Path, name: str = "nft") -> Path:
    """Return a folder with a program that refuses everything."""
    program = folder / f"refusing-{name}" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text("#!/bin/sh\necho 'Error: refused' >&2\nexit 1\n")
    program.chmod(0o755)
    return program.parent


@contextlib.contextmanager
def built(tmp_path: Path) -> Iterator[Site]:
    """Build a site with its network up and an empty filter, and remove everything at the end."""
    script = tmp_path / "lease-script"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    with namespaces(["host", "outside", "a", "b"]) as (host, outside, a, b):
        host.link_to(outside, "ext0", "eth0")
        host.run("ip", "addr", "add", "198.51.100.1/24", "dev", "ext0")
        outside.run("ip", "addr", "add", "198.51.100.2/24", "dev", "eth0")
        plan = NetworkPlan(
            network_id=1, uuid="net", cidr="10.0.0.0/24", gateway="10.0.0.1", bridge="br100",
            dhcp_start="10.0.0.2", dns=("198.51.100.2",), snat_source="198.51.100.1",
            metadata_host="198.51.100.1", metadata_port=8775,
            hosts=tuple(DhcpHost(mac, address, f"vm-{name}") for name, (mac, address) in GUESTS.items()),
        )  # fmt: skip
        network = LinuxNetworkDriver(Runner(), DnsmasqSettings(tmp_path, str(script)))
        firewall = NftablesFirewall(Runner())
        with host.entered():
            network.start()
            firewall.start()
            network.apply((plan,))
            firewall.apply((), ())
        for name, guest in (("a", a), ("b", b)):
            host.link_to(guest, f"tap-{name}", "eth0")
            host.run("ip", "link", "set", f"tap-{name}", "master", "br100")
            guest.run("ip", "link", "set", "eth0", "address", GUESTS[name][0])
        yield Site(host, outside, a, b, network, firewall, plan)
        with host.entered():
            network.remove()
            firewall.remove()
