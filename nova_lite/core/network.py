"""Networks, addresses and security groups as values."""

import dataclasses
import datetime
import ipaddress


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """A network from which instances get fixed addresses, with its bridge on the hosts."""

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
