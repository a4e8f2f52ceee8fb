"""The packet filter of a compute host as nft scripts: the whole of it, or the change from one state to another.

The ``inet`` table dispatches packets to a guest by a verdict map from its address to its own chain, for what is
routed and, thanks to br_netfilter, for what is bridged. The ``bridge`` table lets a guest speak with its own MAC
and addresses only; it knows each tap by elements of sets, so it has as many rules for one guest as for a thousand.
"""

import dataclasses
import ipaddress
from collections.abc import Iterable

from nova_lite.drivers.net.base import PROVIDER, FilterGroup, FilterPort, FilterRule
from nova_lite.drivers.net.filter_state import FilterState, addresses6_of

INET, BRIDGE = "inet nova_compute", "bridge nova_compute"
TABLES = (("inet", "nova_compute"), ("bridge", "nova_compute"))


def whole(state: FilterState) -> str:
    """Return the script that makes the whole filter where there is none."""
    return _base() + _change(_Parts(), _parts(state.ports.values(), state.groups.values()))


def change(before: FilterState, after: FilterState) -> str:
    """Return the script that makes of one state the other; its length is that of the difference."""
    had, has = before.groups_unlike(after), after.groups_unlike(before)
    return _change(
        _parts(before.ports_unlike(after), [_without_common(group, after) for group in had]),
        _parts(after.ports_unlike(before), [_without_common(group, before) for group in has]),
    )


def _without_common(group: FilterGroup, other: FilterState) -> FilterGroup:
    """Return a group without the members that it has in the other state as well: there may be very many."""
    there = other.groups.get(group.id)
    if there is None:
        return group
    common = set(there.members)
    return dataclasses.replace(group, members=tuple(one for one in group.members if one not in common))


@dataclasses.dataclass
class _Parts:
    """Sets by name with their type, elements by set or map, and chains with their rules."""

    sets: dict[str, str] = dataclasses.field(default_factory=dict)
    elements: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    chains: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def put(self, name: str, element: str) -> None:
        """Add an element to a set or map."""
        self.elements.setdefault(name, {})[element] = None


def _change(before: _Parts, after: _Parts) -> str:
    """Return the script of a difference: what is referred to is made first and removed last."""
    gone = sorted(before.chains.keys() - after.chains.keys())
    lines = [f"add set {name} {{ {kind} }}" for name, kind in after.sets.items() if name not in before.sets]
    lines += [f"add chain {name}" for name in after.chains if name not in before.chains]
    for name, elements in before.elements.items():
        if name not in before.sets or name in after.sets:
            lines += _elements("delete", name, elements.keys() - after.elements.get(name, {}).keys())
    for name, rules in after.chains.items():
        if before.chains.get(name) != rules:
            lines += [f"flush chain {name}"] if name in before.chains else []
            lines += [f"add rule {name} {rule}" for rule in rules]
    for name, elements in after.elements.items():
        lines += _elements("add", name, elements.keys() - before.elements.get(name, {}).keys())
    lines += [f"flush chain {name}" for name in gone]
    lines += [f"delete chain {name}" for name in gone]
    lines += [f"delete set {name}" for name in before.sets if name not in after.sets]
    return "".join(f"{line}\n" for line in lines)


def _elements(verb: str, name: str, elements: Iterable[str]) -> list[str]:
    text = ", ".join(sorted(elements))
    return [f"{verb} element {name} {{ {text} }}"] if text else []


def _base() -> str:
    """Return the script of what is there without any guest."""
    sets = {
        f"map {INET} ports": "type ipv4_addr : verdict;",
        f"map {INET} ports6": "type ipv6_addr : verdict;",
        f"set {BRIDGE} taps": "type ifname;",
        f"set {BRIDGE} macs": "type ifname . ether_addr;",
        f"set {BRIDGE} sources": "type ifname . ether_addr . ipv4_addr;",
        f"set {BRIDGE} sources6": "type ifname . ether_addr . ipv6_addr;",
        # What a neighbour advertisement is about: the sixteen bytes after its flags.
        f"set {BRIDGE} targets6": "typeof iifname . @th,64,128;",
    }
    chains = {
        f"{INET} to_guests": _TO_GUESTS,
        f"{INET} every_port": [f"jump {_group(PROVIDER)}"],
        f"{INET} forward {{ type filter hook forward priority filter; policy accept; }}": ["jump to_guests"],
        f"{INET} output {{ type filter hook output priority filter; policy accept; }}": ["jump to_guests"],
        f"{BRIDGE} guest": _FROM_GUEST,
        f"{BRIDGE} from_guests {{ type filter hook prerouting priority -200; policy accept; }}": [
            "iifname @taps goto guest"
        ],
    }
    lines = [f"add table {INET}", f"add table {BRIDGE}", f"add chain {INET} {_group(PROVIDER)}"]
    lines += [f"add {name} {{ {kind} }}" for name, kind in sets.items()]
    lines += [f"add chain {name}" for name in chains]
    lines += [f"add rule {name.partition(' {')[0]} {rule}" for name, rules in chains.items() for rule in rules]
    return "".join(f"{line}\n" for line in lines)


_TO_GUESTS = [
    "ct state established,related accept",
    # Guests cannot say these for others: the bridge table sees to it.
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept",
    "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
    "ip daddr vmap @ports",
    "ip6 daddr vmap @ports6",
]
"""What may reach a guest whatever its groups are: answers, and what tells it where its neighbours are."""

_FROM_GUEST = [
    "iifname . ether saddr != @macs drop",
    "ether type arp arp saddr ip 0.0.0.0 iifname . arp saddr ether @macs accept",
    "ether type arp iifname . arp saddr ether . arp saddr ip @sources accept",
    "ether type ip udp sport 67 drop",
    "ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
    "ether type ip iifname . ether saddr . ip saddr @sources accept",
    # A fragment that does not show what it carries could hide what the next rules refuse (RFC 7113, section 2.2).
    "ether type ip6 frag nexthdr { 0, 43, 44, 60, 135, 139, 140 } drop",
    "ether type ip6 icmpv6 type { nd-router-advert, nd-redirect } drop",
    "ether type ip6 udp sport 547 drop",
    "ether type ip6 icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @targets6 drop",
    # A guest that looks whether its address is free has none yet (RFC 4862, section 5.4.2).
    "ether type ip6 ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld2-listener-report } accept",
    "ether type ip6 iifname . ether saddr . ip6 saddr @sources6 accept",
    "drop",
]
"""What a guest may say it is: its own MAC and addresses; and no server of DHCP, no router."""


def _parts(ports: Iterable[FilterPort], groups: Iterable[FilterGroup]) -> _Parts:
    parts = _Parts()
    for group in groups:
        _add_group(parts, group)
    for port in ports:
        _add_port(parts, port)
    return parts


def _add_group(parts: _Parts, group: FilterGroup) -> None:
    if group.id == PROVIDER:
        # Its chain is part of the base; a rule of it refuses.
        matches = sorted(_match(rule) for rule in group.rules)
        parts.chains[f"{INET} {_group(PROVIDER)}"] = [f"{match} drop" for match in matches]
        return
    parts.sets[f"{INET} {_set(group.id, 4)}"] = "type ipv4_addr;"
    parts.sets[f"{INET} {_set(group.id, 6)}"] = "type ipv6_addr;"
    for member in group.members:
        parts.put(f"{INET} {_set(group.id, 6 if ':' in member else 4)}", member)
    parts.chains[f"{INET} {_group(group.id)}"] = [
        f"{match} accept" for match in sorted({_match(rule) for rule in group.rules})
    ]


def _add_port(parts: _Parts, port: FilterPort) -> None:
    chain = f"port-{port.tap}"
    parts.chains[f"{INET} {chain}"] = [
        "ct state invalid drop",
        "jump every_port",
        *([f"ip saddr {port.dhcp_server} udp sport 67 udp dport 68 accept"] if port.dhcp_server else []),
        *(f"jump {_group(group)}" for group in sorted(port.groups)),
        "drop",
    ]
    tap = f'"{port.tap}"'
    parts.put(f"{BRIDGE} taps", tap)
    parts.put(f"{BRIDGE} macs", f"{tap} . {port.mac}")
    if port.address:
        parts.put(f"{INET} ports", f"{port.address} : jump {chain}")
        parts.put(f"{BRIDGE} sources", f"{tap} . {port.mac} . {port.address}")
    for address in addresses6_of(port):
        number = int(ipaddress.IPv6Address(address))
        parts.put(f"{INET} ports6", f"{address} : jump {chain}")
        parts.put(f"{BRIDGE} sources6", f"{tap} . {port.mac} . {address}")
        parts.put(f"{BRIDGE} targets6", f"{tap} . 0x{number:032x}")


def _match(rule: FilterRule) -> str:
    version = 6 if rule.ethertype == "IPv6" else 4
    family = "ip6" if version == 6 else "ip"
    if rule.source_group:
        source = f"{family} saddr @{_set(rule.source_group, version)}"
    elif rule.cidr and ipaddress.ip_network(rule.cidr).prefixlen:
        source = f"{family} saddr {rule.cidr}"
    else:
        source = f"meta nfproto ipv{version}"
    return f"{source} {_protocol(rule, version)}".rstrip()


def _protocol(rule: FilterRule, version: int) -> str:
    if rule.protocol in ("tcp", "udp"):
        if rule.from_port == -1:
            return f"meta l4proto {rule.protocol}"
        ports = str(rule.from_port) if rule.from_port == rule.to_port else f"{rule.from_port}-{rule.to_port}"
        return f"{rule.protocol} dport {ports}"
    if rule.protocol == "icmp":
        name, number = ("icmpv6", "ipv6-icmp") if version == 6 else ("icmp", "icmp")
        if rule.from_port == -1:
            return f"meta l4proto {number}"
        code = "" if rule.to_port == -1 else f" {name} code {rule.to_port}"
        return f"{name} type {rule.from_port}{code}"
    return f"meta l4proto {rule.protocol}" if rule.protocol else ""


def _group(group_id: str) -> str:
    return f"group-{group_id}"


def _set(group_id: str, version: int) -> str:
    return f"members{version}-{group_id}"
