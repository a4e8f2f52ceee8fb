"""What the drivers of a host's network are: links, DHCP and NAT for nova-network, filters for nova-compute.

Everything is level-triggered: the caller says what should be, the driver makes the difference. Applying the
same plan twice changes nothing. Errors are ``DriverError`` with one sentence; what the operator has to mend
before start (a missing program, a missing interface) is ``ConfigurationError`` from ``start``.
"""

import abc
import dataclasses
from collections.abc import Mapping, Set
from typing import Any

from nova_lite.core.errors import DriverError
from nova_lite.core.network import PROVIDER_GROUP


@dataclasses.dataclass(frozen=True, slots=True)
class DhcpHost:
    """An address that a guest may get, by its MAC.

    ``options`` are (name or number, value) that only this guest is told; without ``routed`` it is told of no way
    out, because it has one in another network. ``address_v6`` is told by DHCPv6, empty for none.
    """

    mac: str
    address: str
    hostname: str
    options: tuple[tuple[str, str], ...] = ()
    routed: bool = True
    address_v6: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class FloatingAddress:
    """An address of the world that leads to a guest's, and the interface of the host that carries it."""

    address: str
    fixed_address: str
    interface: str


@dataclasses.dataclass(frozen=True, slots=True)
class LinkPlan:
    """A network's bridge as it should be on this host, with what leads from it to other hosts.

    ``interface`` is the host's interface (empty: none) that is in the bridge: itself, or with a ``vlan`` by the
    device that tags its packets. Without ``made`` the bridge is the operator's, and has to be there.
    """

    bridge: str
    interface: str = ""
    vlan: int | None = None
    mtu: int = 1500
    made: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One network as it should be on this host.

    ``gateway`` is the address that the bridge carries, ``bridge_interface`` the host's interface to put in it
    (empty: none), with a ``vlan`` by a device that tags. ``snat_source`` is the address that the guests' traffic
    leaves with; empty means masquerade. ``metadata_host`` and ``metadata_port`` are where 169.254.169.254:80 is
    redirected. What guests send to the ranges ``untranslated`` keeps their own addresses. ``cidr_v6`` (empty: none)
    is advertised by the bridge's ``gateway_v6``; with ``tells_v6`` guests get their addresses by DHCPv6. Where it is
    not ``routed`` guests are told of no way out, and the host forwards nothing to or from them but what they ask of
    the metadata service.
    """

    network_id: int
    uuid: str
    cidr: str
    gateway: str
    bridge: str
    dhcp_start: str
    dns: tuple[str, ...] = ()
    bridge_interface: str = ""
    mtu: int = 1500
    domain: str = "novalocal"
    lease_seconds: int = 120
    snat_source: str = ""
    untranslated: tuple[str, ...] = ()
    metadata_host: str = ""
    metadata_port: int = 8775
    hosts: tuple[DhcpHost, ...] = ()
    floating: tuple[FloatingAddress, ...] = ()
    vlan: int | None = None
    cidr_v6: str = ""
    gateway_v6: str = ""
    routed: bool = True
    tells_v6: bool = False

    @property
    def link(self) -> LinkPlan:
        """The network's bridge."""
        return LinkPlan(self.bridge, self.bridge_interface, self.vlan, self.mtu)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it should be: ``kind`` (bridge, dnsmasq, rule, address …), what, and a sentence."""

    kind: str
    name: str
    sentence: str


class NotServed(DriverError):
    """Some networks cannot be as planned; ``refused`` says why of each, by its id. The others are."""

    def __init__(self, refused: Mapping[int, DriverError]) -> None:
        super().__init__(" ".join(str(error) for error in refused.values()))
        self.refused = refused


class NetworkDriver(abc.ABC):
    """The links, DHCP servers and NAT rules of this host."""

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "NetworkDriver":
        """Build the driver from the daemon's flags; touches nothing yet."""

    @abc.abstractmethod
    def start(self) -> None:
        """Check programs, interfaces and folders; raises ConfigurationError."""

    @abc.abstractmethod
    def apply(self, plans: tuple[NetworkPlan, ...]) -> None:
        """Make the host's bridges, gateways, dnsmasq processes and NAT table as ``plans`` say, and no other.

        Raises NotServed where that cannot be for some networks, and DriverError where it cannot for any.
        """

    @abc.abstractmethod
    def set_hosts(self, plan: NetworkPlan) -> None:
        """Make the DHCP server of one network, already applied, serve ``plan.hosts``; cheap."""

    @abc.abstractmethod
    def set_floating(self, plan: NetworkPlan) -> None:
        """Make the floating addresses of one network, already applied, ``plan.floating``.

        A move is in force at once: the connections of addresses that lead elsewhere now are cut. Raises
        DriverError for an interface that is not there; the other addresses are in force then.
        """

    @abc.abstractmethod
    def differences(self, plans: tuple[NetworkPlan, ...]) -> tuple[Difference, ...]:
        """Compare the host with ``plans`` without changing anything."""

    @abc.abstractmethod
    def add_links(self, links: tuple[LinkPlan, ...]) -> None:
        """Make bridges that guests of this host need, beside those that are there; cheap where all are.

        Raises DriverError for an interface, or an operator's bridge, that is not there.
        """

    @abc.abstractmethod
    def set_links(self, links: tuple[LinkPlan, ...]) -> None:
        """Make exactly the bridges ``links`` for guests, and remove others that were made so; raises DriverError.

        What ``apply`` was told to make stays.
        """

    @abc.abstractmethod
    def link_differences(self, links: tuple[LinkPlan, ...]) -> tuple[Difference, ...]:
        """Compare the bridges that were made for guests with ``links`` without changing anything."""

    @abc.abstractmethod
    def remove(self) -> None:
        """Remove every bridge, process and rule of ours from this host."""


@dataclasses.dataclass(frozen=True, slots=True)
class FilterRule:
    """An ingress permission for a guest, for the addresses of ``cidr`` or the members of ``source_group``.

    ``protocol`` empty means any; ports inclusive, -1 for any; for ICMP ``from_port`` is the type and
    ``to_port`` the code.
    """

    protocol: str
    from_port: int
    to_port: int
    cidr: str = ""
    source_group: str = ""
    ethertype: str = "IPv4"


PROVIDER = PROVIDER_GROUP
"""The id of the group whose rules the operator made: what they match reaches no guest, whatever others allow."""


@dataclasses.dataclass(frozen=True, slots=True)
class FilterGroup:
    """A security group: its rules and the addresses of all its members, on any host."""

    id: str
    rules: tuple[FilterRule, ...] = ()
    members: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class FilterPort:
    """A guest's interface on this host: what it may claim to be, and the groups whose rules let traffic in.

    Its link-local IPv6 address is that of its MAC.
    """

    instance_uuid: str
    tap: str
    mac: str
    address: str
    gateway: str
    dhcp_server: str
    groups: tuple[str, ...] = ()
    address6: str = ""


class FirewallDriver(abc.ABC):
    """The packet filter before the guests of this host; owned by nova-compute.

    A change is in force as a whole or, where it is refused, not at all: then DriverError is raised. Connections
    that are no longer allowed are cut, and no others. The group ``PROVIDER`` is always in use.
    """

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "FirewallDriver":
        """Build the driver from the daemon's flags; touches nothing yet."""

    @abc.abstractmethod
    def start(self) -> None:
        """Check what the driver needs; raises ConfigurationError."""

    @abc.abstractmethod
    def apply(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Make the filter hold exactly ``ports`` and ``groups``, whatever it is now: at start and for repair."""

    @abc.abstractmethod
    def protect(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Add or renew these ports and the groups that they use, before their guests start; others stay."""

    @abc.abstractmethod
    def groups(self) -> Set[str]:
        """Return the ids of the groups that the filter holds."""

    @abc.abstractmethod
    def join(self, ports: tuple[FilterPort, ...]) -> bool:
        """Add or renew ports all of whose groups the filter holds, their addresses as members of these.

        It costs what is new. False, and nothing is done, where a group is missing.
        """

    @abc.abstractmethod
    def unprotect(self, instance_uuid: str, tap: str = "") -> None:
        """Remove the filter of an instance's ports, or of one, with the connections that they let through."""

    @abc.abstractmethod
    def refresh(self, groups: tuple[FilterGroup, ...]) -> None:
        """Renew rules and members of groups in use; connections that are no longer allowed are cut."""

    @abc.abstractmethod
    def differences(
        self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]
    ) -> tuple[Difference, ...]:
        """Compare the filter with what it should hold without changing anything."""

    @abc.abstractmethod
    def restore(self) -> tuple[Difference, ...]:
        """Have in force again what this daemon put in force last; returns what somebody else had made of it.

        Others may change ports and groups meanwhile. A driver that has put nothing in force yet does nothing.
        """

    @abc.abstractmethod
    def remove(self) -> None:
        """Remove the whole filter from this host."""
