"""What a packet filter holds: ports, groups, and whether it lets a connection through."""

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache

from nova_lite.drivers.net.base import PROVIDER, FilterGroup, FilterPort, FilterRule
from nova_lite.drivers.net.conntrack import Flow

PortKey = tuple[str, str]
"""An instance and a tap."""


@dataclasses.dataclass(frozen=True)
class FilterState:
    """All ports and groups of a host; a change is another state."""

    ports: Mapping[PortKey, FilterPort]
    groups: Mapping[str, FilterGroup]

    @classmethod
    def of(cls, ports: Iterable[FilterPort], groups: Iterable[FilterGroup]) -> "FilterState":
        """Return the state of exactly these; the operator's group is always there."""
        return cls(
            {key_of(port): port for port in ports},
            {PROVIDER: FilterGroup(PROVIDER)} | {group.id: group for group in groups},
        )

    def with_ports(self, ports: Iterable[FilterPort], groups: Iterable[FilterGroup]) -> "FilterState":
        """Return the state with these ports and groups added or renewed, without groups that nothing uses."""
        new = FilterState(
            {**self.ports, **{key_of(port): port for port in ports}},
            {**self.groups, **{group.id: group for group in groups}},
        )
        return new._without_unused()

    def groups_with(self, ports: Iterable[FilterPort]) -> list[FilterGroup] | None:
        """Return the groups of ports with these as members, too; None where one is not there."""
        new: dict[str, dict[str, None]] = {}
        for port in ports:
            for group_id in port.groups:
                addresses = [address for address in (port.address, port.address6) if address]
                new.setdefault(group_id, {}).update(dict.fromkeys(addresses))
        if not new.keys() <= self.groups.keys():
            return None
        return [
            dataclasses.replace(group, members=tuple(dict.fromkeys((*group.members, *new[group.id]))))
            for group in map(self.groups.__getitem__, new)
        ]

    def without_ports(self, keys: Iterable[PortKey]) -> "FilterState":
        """Return the state without these ports, and without groups that nothing uses any more."""
        gone = set(keys)
        left = {key: port for key, port in self.ports.items() if key not in gone}
        return FilterState(left, self.groups)._without_unused()

    def with_groups(self, groups: Iterable[FilterGroup]) -> "FilterState":
        """Return the state with groups that it has renewed, and with new ones that the rules of these name."""
        groups = list(groups)
        named = {rule.source_group for group in groups if group.id in self.groups for rule in group.rules}
        wanted = {group.id: group for group in groups if group.id in self.groups or group.id in named}
        return FilterState(self.ports, {**self.groups, **wanted})._without_unused()

    @cached_property
    def by_address(self) -> dict[str, FilterPort]:
        """The port to which each address belongs."""
        return {address: port for port in self.ports.values() for address in addresses_of(port)}

    def admits(self, flow: Flow) -> bool:
        """Tell whether a connection may come about; what leads to no guest of this host is no matter of ours."""
        port = self.by_address.get(flow.reply_source)
        if port is None:
            return True
        if any(self._matches(rule, flow) for rule in self.groups[PROVIDER].rules):
            return False
        if flow.protocol == "udp" and (flow.source, flow.from_port) == (port.dhcp_server, 67):
            return True
        rules = (rule for group in port.groups if group in self.groups for rule in self.groups[group].rules)
        return any(self._matches(rule, flow) for rule in rules)

    def ports_unlike(self, other: "FilterState") -> list[FilterPort]:
        """Return the ports that another state has not, or has otherwise."""
        return [
            port
            for key, port in self.ports.items()
            if (there := other.ports.get(key)) is not port and there != port
        ]

    def groups_unlike(self, other: "FilterState") -> list[FilterGroup]:
        """Return the groups that another state has not, or has otherwise."""
        return [
            group
            for key, group in self.groups.items()
            if (there := other.groups.get(key)) is not group and there != group
        ]

    def gone_since(self, before: "FilterState") -> set[str]:
        """Return the addresses that are no longer here."""
        had = {address for port in before.ports_unlike(self) for address in addresses_of(port)}
        return had - {address for port in self.ports_unlike(before) for address in addresses_of(port)}

    def narrowed_since(self, before: "FilterState") -> set[str]:
        """Return the addresses of ports to which less than ``before`` is let through."""
        changed = [group for group in self.groups_unlike(before) if group.id in before.groups]
        lost = {group.id for group in changed if _lost(before.groups[group.id], group)}
        fewer = {group.id for group in changed if set(before.groups[group.id].members) - set(group.members)}
        if fewer:
            lost |= {
                group.id
                for group in self.groups.values()
                if fewer.intersection(rule.source_group for rule in group.rules)
            }
        everybody = PROVIDER in lost
        return {
            address
            for key, port in self.ports.items()
            if everybody
            or lost.intersection(port.groups)
            or (key in before.ports and set(before.ports[key].groups) - set(port.groups))
            for address in addresses_of(port)
        }

    def _matches(self, rule: FilterRule, flow: Flow) -> bool:
        if (":" in flow.source) != (rule.ethertype == "IPv6"):
            return False
        if rule.source_group:
            group = self.groups.get(rule.source_group)
            if group is None or flow.source not in self._members(group.id):
                return False
        elif rule.cidr and not within(flow.source, rule.cidr):
            return False
        return _same_traffic(rule, flow)

    def _members(self, group_id: str) -> frozenset[str]:
        found = self._member_sets.get(group_id)
        if found is None:
            found = self._member_sets[group_id] = frozenset(self.groups[group_id].members)
        return found

    @cached_property
    def _member_sets(self) -> dict[str, frozenset[str]]:
        return {}

    def _without_unused(self) -> "FilterState":
        direct = {group for port in self.ports.values() for group in port.groups}
        used = direct | {PROVIDER} | {
            rule.source_group for key in direct & self.groups.keys() for rule in self.groups[key].rules
        }
        if self.groups.keys() <= used:
            return self
        return FilterState(self.ports, {key: group for key, group in self.groups.items() if key in used})


@lru_cache(maxsize=65536)
def within(address: str, cidr: str) -> bool:
    """Tell whether an address is in a range of its own version of IP; there are many connections to ask about."""
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)


def key_of(port: FilterPort) -> PortKey:
    """Return the key of a port."""
    return (port.instance_uuid, port.tap)


def addresses_of(port: FilterPort) -> tuple[str, ...]:
    """Return the addresses that a port's guest may have, its link-local one too."""
    return (*((port.address,) if port.address else ()), *addresses6_of(port))


def addresses6_of(port: FilterPort) -> tuple[str, ...]:
    """Return the IPv6 addresses that a port's guest may have."""
    return (link_local(port.mac), *((port.address6,) if port.address6 else ()))


@lru_cache(maxsize=4096)
def link_local(mac: str) -> str:
    """Return the link-local address that a guest makes of its MAC (RFC 4291, appendix A)."""
    parts = [int(part, 16) for part in mac.split(":")]
    number = bytes([parts[0] ^ 2, *parts[1:3], 0xFF, 0xFE, *parts[3:]])
    return str(ipaddress.IPv6Address(b"\xfe\x80" + b"\0" * 6 + number))


def _lost(before: FilterGroup, after: FilterGroup) -> bool:
    """Tell whether a group lets less through; the operator's refuses with every rule."""
    if after.id == PROVIDER:
        return bool(set(after.rules) - set(before.rules))
    return bool(set(before.rules) - set(after.rules))


def _same_traffic(rule: FilterRule, flow: Flow) -> bool:
    if not rule.protocol:
        return True
    if rule.protocol in ("tcp", "udp"):
        in_range = rule.from_port == -1 or rule.from_port <= flow.reply_port <= rule.to_port
        return rule.protocol == flow.protocol and in_range
    if rule.protocol == "icmp":
        kind = rule.from_port in (-1, flow.kind) and rule.to_port in (-1, flow.code)
        return flow.protocol in ("icmp", "icmpv6") and kind
    return rule.protocol == flow.protocol
