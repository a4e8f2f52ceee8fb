"""Networks, addresses and security groups as values."""

import dataclasses
import datetime
import enum
import hashlib
import ipaddress
import uuid


def subnet_id_of(network_uuid: str) -> str:
    """Return the id of a network's only subnet, which is always the same."""
    return str(uuid.uuid5(uuid.UUID(network_uuid), "subnet"))


def subnet_v6_id_of(network_uuid: str) -> str:
    """Return the id of a network's IPv6 subnet, which is always the same."""
    return str(uuid.uuid5(uuid.UUID(network_uuid), "subnet-v6"))


class Ipv6Backend(enum.StrEnum):
    """How the IPv6 addresses of a network's guests come about: the values of the flag ``ipv6_backend``.

    By RFC 2462 guests form them of their MACs; otherwise they are told of them, which say whose guests they are.
    """

    RFC2462 = "rfc2462"
    ACCOUNT_IDENTIFIER = "account_identifier"


def address_v6(cidr_v6: str, mac: str, backend: str = Ipv6Backend.RFC2462, project_id: str = "") -> str:
    """Return the address of a guest in a /64 prefix, of its MAC and, by account identifier, its project."""
    octets = bytes.fromhex(mac.replace(":", ""))
    if backend == Ipv6Backend.ACCOUNT_IDENTIFIER:
        # The form of Essex: which project it is stands in the upper half, in words that nobody can read.
        account = hashlib.sha1(project_id.encode(), usedforsecurity=False).digest()[:4]
        interface_id = bytes([*account, 0xFF, *octets[3:]])
    else:
        # RFC 4291, appendix A
        interface_id = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return str(ipaddress.IPv6Network(cidr_v6)[int.from_bytes(interface_id)])


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkMode:
    """What a mode of networking is about: the values of the flag ``network_manager``.

    ``vlans``: each network has a VLAN of its own, and belongs to one project from its first use on.
    ``bridges``: hosts make the networks' bridges by themselves. ``dhcp``: guests get their addresses by DHCP.
    """

    vlans: bool = False
    bridges: bool = True
    dhcp: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class HostInterfaces:
    """A host's own interfaces to the other hosts, where they are not called as the networks say.

    ``flat`` is for the network on ``flat_bridge``, ``vlan`` for those with a VLAN; empty: as the network says.
    """

    flat_bridge: str = ""
    flat: str = ""
    vlan: str = ""

    def of(self, bridge: str, vlan: int | None, named: str) -> str:
        """Return the interface of a network that names ``named``."""
        if vlan is not None:
            return self.vlan or named
        return (self.flat if bridge == self.flat_bridge else "") or named


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """A network from which instances get fixed addresses, with its bridge on the hosts.

    ``cidr`` is empty until the network has its subnet, and for IPv6 alone. ``host`` is where its DHCP server and
    gateway are, empty until a network daemon takes it, and for a ``multi_host`` one, which each compute host serves
    for its own guests. An empty ``project_id`` means that all projects share it; one with a ``vlan`` is free then, and
    belongs to the first project that needs it. ``injected``: guests find their address in a file. The
    addresses ``vpn_…`` are kept for the project's VPN. One that is not ``routed`` leads nowhere: by ``gateway``
    guests reach the host for addresses and metadata only.
    """

    id: int
    uuid: str
    label: str
    cidr: str
    gateway: str
    bridge: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    dhcp_start: str = ""
    dns1: str = ""
    dns2: str = ""
    bridge_interface: str = ""
    vlan: int | None = None
    mtu: int = 1500
    multi_host: bool = False
    host: str = ""
    project_id: str = ""
    subnet_name: str = ""
    dhcp_end: str = ""
    cidr_v6: str = ""
    gateway_v6: str = ""
    injected: bool = False
    vpn_public_address: str = ""
    vpn_public_port: int | None = None
    vpn_private_address: str = ""
    routed: bool = True
    ipv6_backend: str = Ipv6Backend.RFC2462
    revision: int = 1

    @property
    def subnet_id(self) -> str:
        """The id of its only subnet, for APIs that tell the two apart."""
        return subnet_id_of(self.uuid)

    @property
    def subnet_v6_id(self) -> str:
        """The id of its IPv6 subnet."""
        return subnet_v6_id_of(self.uuid)

    @property
    def has_subnet(self) -> bool:
        """Tell whether guests can get addresses of it, of either version of IP."""
        return bool(self.cidr or self.cidr_v6)

    @property
    def dns(self) -> tuple[str, ...]:
        """The name servers that guests are told of."""
        return tuple(server for server in (self.dns1, self.dns2) if server)


@dataclasses.dataclass(frozen=True, slots=True)
class VirtualInterface:
    """A guest's network interface with the fixed address that it holds, and the floating ones that lead to it.

    ``address`` is empty in a network of IPv6 alone.

    ``dhcp_server`` is who answers the guest on its host, and its way out where each host is a gateway
    (``multi_host``). ``owner_id`` is the project whose guest, or port, it is.
    """

    id: str
    mac: str
    instance_uuid: str
    network_id: int
    network_uuid: str
    network_label: str
    address: str
    cidr: str = ""
    gateway: str = ""
    bridge: str = ""
    mtu: int = 1500
    created_at: datetime.datetime | None = None
    floating: tuple[str, ...] = ()
    tag: str = ""
    vlan: int | None = None
    bridge_interface: str = ""
    multi_host: bool = False
    injected: bool = False
    dhcp_server: str = ""
    dns1: str = ""
    dns2: str = ""
    cidr_v6: str = ""
    gateway_v6: str = ""
    routed: bool = True
    ipv6_backend: str = Ipv6Backend.RFC2462
    owner_id: str = ""

    @property
    def address_v6(self) -> str:
        """The IPv6 address of the guest, empty without such a network."""
        return address_v6(self.cidr_v6, self.mac, self.ipv6_backend, self.owner_id) if self.cidr_v6 else ""

    @property
    def router(self) -> str:
        """Who the guest's way out of the network is, empty where there is none."""
        if not self.routed:
            return ""
        return self.dhcp_server if self.multi_host and self.dhcp_server else self.gateway

    @property
    def router_v6(self) -> str:
        """The guest's way out for IPv6."""
        return self.gateway_v6 if self.routed else ""

    @property
    def dns(self) -> tuple[str, ...]:
        """The name servers that the guest is told of."""
        return tuple(server for server in (self.dns1, self.dns2) if server)


@dataclasses.dataclass(frozen=True, slots=True)
class DhcpOption:
    """An option (RFC 2132) that a guest is told by DHCP: its name or number, and its value."""

    name: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """An interface as users look for it: with whose it is and where; ``active`` while its guest runs.

    One that no server has holds its address by itself.
    """

    interface: VirtualInterface
    project_id: str
    hostname: str
    host: str
    availability_zone: str
    active: bool
    security_group_ids: tuple[str, ...] = ()
    name: str = ""
    description: str = ""
    dhcp_options: tuple[DhcpOption, ...] = ()
    revision: int = 1

    @property
    def is_attached(self) -> bool:
        """Tell whether a server has it."""
        return self.interface.instance_uuid != self.interface.id


def external_network_id(pool: str) -> str:
    """Return the id of the network that stands for a pool of floating addresses, which is always the same."""
    return str(uuid.uuid5(_POOLS, pool))


_POOLS = uuid.UUID("0f7d6d5c-3f43-4d6e-9d9d-6f6d9a8b1c52")


@dataclasses.dataclass(frozen=True, slots=True)
class FloatingIp:
    """An address of the world that may lead to a guest's.

    ``project_id`` is empty while nobody has it. ``interface`` is the host's interface that carries it. While it
    leads somewhere ``vif_id``, ``fixed_address``, ``instance_uuid`` and ``network_id`` say where.
    """

    id: str
    address: str
    pool: str
    interface: str
    project_id: str
    auto_assigned: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime
    vif_id: str = ""
    fixed_address: str = ""
    instance_uuid: str = ""
    network_id: int = 0
    revision: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class FloatingPool:
    """A pool of floating addresses: how many there are, and how many somebody has."""

    name: str
    total: int
    used: int

    @property
    def network_id(self) -> str:
        """The id of the network that stands for it."""
        return external_network_id(self.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Router:
    """What clients keep as the way between networks and the world; ``pool`` is empty without a gateway."""

    id: str
    name: str
    project_id: str
    admin_state_up: bool
    pool: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    network_uuids: tuple[str, ...] = ()
    revision: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class HeldAddress:
    """A fixed address that a guest holds, as a DHCP server has to know it.

    ``options`` are (name, value) that the guest is told besides; ``first`` ones are in the guest's first network.
    ``address_v6`` is one that the guest does not form by itself.
    """

    mac: str
    address: str
    hostname: str
    instance_uuid: str
    network_id: int
    leased: bool = False
    options: tuple[tuple[str, str], ...] = ()
    first: bool = True
    address_v6: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class FixedIp:
    """An address of a network, as operators see it; without an instance what tells of one is empty.

    ``reserved`` ones are not given to guests; ``leased`` is what the DHCP server says.
    """

    address: str
    cidr: str
    gateway: str
    reserved: bool
    leased: bool
    instance_uuid: str
    hostname: str
    host: str


@dataclasses.dataclass(frozen=True, slots=True)
class AddressCount:
    """How many addresses a network has for guests, and how many of them are held."""

    total: int
    used: int


@dataclasses.dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """An ingress permission: an empty protocol means any, ports are inclusive, -1 is any ICMP type or code.

    Exactly one of ``cidr`` and ``source_group_id`` is set; with the latter an empty ``ethertype`` means both.
    """

    id: str
    group_id: str
    protocol: str = ""
    from_port: int = -1
    to_port: int = -1
    cidr: str = ""
    source_group_id: str = ""
    ethertype: str = "IPv4"
    description: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A named set of rules of a project."""

    id: str
    name: str
    description: str
    project_id: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    rules: tuple[SecurityGroupRule, ...] = ()
    revision: int = 1


PROVIDER_GROUP = "provider"
"""The id of the group that all rules of the operator are in, which no project has."""


@dataclasses.dataclass(frozen=True, slots=True)
class ProviderRule:
    """What the operator lets reach no guest, whatever their groups allow; the fields are as a group's rule has them."""

    id: str
    protocol: str
    from_port: int
    to_port: int
    cidr: str
    ethertype: str = "IPv4"


@dataclasses.dataclass(frozen=True, slots=True)
class GroupMembers:
    """A security group as a packet filter has to know it: its rules and all its members' addresses."""

    group_id: str
    rules: tuple[SecurityGroupRule, ...]
    addresses: tuple[str, ...]
