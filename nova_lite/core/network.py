"""Networks, addresses and security groups as values."""

import dataclasses
import datetime
import ipaddress
import uuid


def subnet_id_of(network_uuid: str) -> str:
    """Return the id of a network's only subnet, which is always the same."""
    return str(uuid.uuid5(uuid.UUID(network_uuid), "subnet"))


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """A network from which instances get fixed addresses, with its bridge on the hosts.

    ``cidr`` is empty until the network has its subnet. ``host`` is where its DHCP server and gateway are,
    empty until a network daemon takes it. An empty ``project_id`` means that all projects share it.
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

    @property
    def subnet_id(self) -> str:
        """The id of its only subnet, for APIs that tell the two apart."""
        return subnet_id_of(self.uuid)

    @property
    def prefix_length(self) -> int:
        """The number of network bits of the CIDR."""
        return ipaddress.ip_network(self.cidr).prefixlen

    @property
    def dns(self) -> tuple[str, ...]:
        """The name servers that guests are told of."""
        return tuple(server for server in (self.dns1, self.dns2) if server)


@dataclasses.dataclass(frozen=True, slots=True)
class VirtualInterface:
    """A guest's network interface with the fixed address that it holds."""

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


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """An interface as users look for it: with whose it is and where; ``active`` while its guest runs."""

    interface: VirtualInterface
    project_id: str
    hostname: str
    host: str
    availability_zone: str
    active: bool
    security_group_ids: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class HeldAddress:
    """A fixed address that a guest holds, as a DHCP server has to know it."""

    mac: str
    address: str
    hostname: str
    instance_uuid: str
    network_id: int
    leased: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class AddressCount:
    """How many addresses a network has for guests, and how many of them are held."""

    total: int
    used: int


@dataclasses.dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """An ingress permission: an empty protocol means any, ports are inclusive, -1 is any ICMP type or code.

    Exactly one of ``cidr`` and ``source_group_id`` is set.
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


@dataclasses.dataclass(frozen=True, slots=True)
class GroupMembers:
    """A security group as a packet filter has to know it: its rules and all its members' addresses."""

    group_id: str
    rules: tuple[SecurityGroupRule, ...]
    addresses: tuple[str, ...]
