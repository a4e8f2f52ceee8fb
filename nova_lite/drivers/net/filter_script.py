"""The packet filter of a compute host as nft scripts: the whole of it, or a change."""

from collections.abc import Iterable

from nova_lite.drivers.net.base import FilterGroup, FilterPort, FilterRule

INET, BRIDGE = "inet nova_compute", "bridge nova_compute"
TABLES = (("inet", "nova_compute"), ("bridge", "nova_compute"))


def whole(ports: Iterable[FilterPort], groups: Iterable[FilterGroup]) -> str:
    """Return the script that makes the whole filter where there is none."""
    return base() + put_groups(groups) + put_ports(ports)


def base() -> str:
    """Return the script of what is there without any guest; running it again changes nothing."""
    return _lines(
        f"add table {INET}",
        f"add map {INET} ports {{ type ipv4_addr : verdict; }}",
        f"add chain {INET} forward {{ type filter hook forward priority filter; policy accept; }}",
        f"add chain {INET} output {{ type filter hook output priority filter; policy accept; }}",
        f"flush chain {INET} forward",
        f"flush chain {INET} output",
        f"add rule {INET} forward ip daddr vmap @ports",
        f"add rule {INET} output ip daddr vmap @ports",
        f"add table {BRIDGE}",
        f"add map {BRIDGE} taps {{ type ifname : verdict; }}",
        f"add chain {BRIDGE} from_guests {{ type filter hook prerouting priority -200; policy accept; }}",
        f"flush chain {BRIDGE} from_guests",
        f"add rule {BRIDGE} from_guests iifname vmap @taps",
    )


def put_groups(groups: Iterable[FilterGroup]) -> str:
    """Return the script that makes or renews groups: a set of members and a chain of rules each."""
    groups = list(groups)
    sets = "".join(_members(group) for group in groups)
    chains = "".join(
        f"add chain {INET} {_group(group.id)}\nflush chain {INET} {_group(group.id)}\n" for group in groups
    )
    rules = "".join(
        f"add rule {INET} {_group(group.id)} {match} accept\n"
        for group in groups
        for match in sorted(_match(rule) for rule in group.rules if rule.ethertype == "IPv4")
    )
    return sets + chains + rules


def remove_groups(groups: Iterable[FilterGroup]) -> str:
    """Return the script that removes groups that no port uses."""
    groups = list(groups)
    chains = "".join(f"flush chain {INET} {_group(group.id)}\n" for group in groups)
    return chains + "".join(
        f"delete chain {INET} {_group(group.id)}\ndelete set {INET} {_set(group.id)}\n" for group in groups
    )


def put_ports(ports: Iterable[FilterPort]) -> str:
    """Return the script that makes or renews ports."""
    return "".join(_inbound(port) + _outbound(port) for port in ports)


def remove_ports(ports: Iterable[FilterPort]) -> str:
    """Return the script that removes ports."""
    return "".join(
        _lines(
            f"delete element {INET} ports {{ {port.address} }}",
            f"flush chain {INET} {_port(port)}",
            f"delete chain {INET} {_port(port)}",
            f'delete element {BRIDGE} taps {{ "{port.tap}" }}',
            f"flush chain {BRIDGE} {_port(port)}",
            f"delete chain {BRIDGE} {_port(port)}",
        )
        for port in ports
    )


def _inbound(port: FilterPort) -> str:
    """What may reach a guest: answers, its DHCP server, and what its groups allow."""
    chain = f"{INET} {_port(port)}"
    return _lines(
        f"add chain {chain}",
        f"flush chain {chain}",
        f"add rule {chain} ct state invalid drop",
        f"add rule {chain} ct state established,related accept",
        f"add rule {chain} ip saddr {port.dhcp_server} udp sport 67 udp dport 68 accept",
        *(f"add rule {chain} jump {_group(group)}" for group in sorted(port.groups)),
        f"add rule {chain} drop",
        f"add element {INET} ports {{ {port.address} : jump {_port(port)} }}",
    )


def _outbound(port: FilterPort) -> str:
    """What a guest may say it is: its own MAC and address, in ARP and in IPv4, and no DHCP server."""
    chain = f"{BRIDGE} {_port(port)}"
    return _lines(
        f"add chain {chain}",
        f"flush chain {chain}",
        f"add rule {chain} ether saddr != {port.mac} drop",
        f"add rule {chain} ether type arp arp saddr ether != {port.mac} drop",
        f"add rule {chain} ether type arp arp saddr ip != {{ 0.0.0.0, {port.address} }} drop",
        f"add rule {chain} ether type arp accept",
        f"add rule {chain} ether type ip udp sport 67 drop",
        f"add rule {chain} ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
        f"add rule {chain} ether type ip ip saddr {port.address} accept",
        f"add rule {chain} drop",
        f'add element {BRIDGE} taps {{ "{port.tap}" : jump {_port(port)} }}',
    )


def _members(group: FilterGroup) -> str:
    name = f"{INET} {_set(group.id)}"
    lines = [f"add set {name} {{ type ipv4_addr; }}", f"flush set {name}"]
    if group.members:
        lines.append(f"add element {name} {{ {', '.join(sorted(group.members))} }}")
    return _lines(*lines)


def _match(rule: FilterRule) -> str:
    parts = []
    if rule.source_group:
        parts.append(f"ip saddr @{_set(rule.source_group)}")
    elif rule.cidr and rule.cidr != "0.0.0.0/0":
        parts.append(f"ip saddr {rule.cidr}")
    parts.append(_protocol(rule))
    return " ".join(parts)


def _protocol(rule: FilterRule) -> str:
    if rule.protocol in ("tcp", "udp"):
        if rule.from_port == -1:
            return f"meta l4proto {rule.protocol}"
        ports = str(rule.from_port) if rule.from_port == rule.to_port else f"{rule.from_port}-{rule.to_port}"
        return f"{rule.protocol} dport {ports}"
    if rule.protocol == "icmp":
        kind = "meta l4proto icmp" if rule.from_port == -1 else f"icmp type {rule.from_port}"
        return kind if rule.to_port == -1 or rule.from_port == -1 else f"{kind} icmp code {rule.to_port}"
    return f"meta l4proto {rule.protocol}" if rule.protocol else "meta nfproto ipv4"


def _port(port: FilterPort) -> str:
    return f"port-{port.tap}"


def _group(group_id: str) -> str:
    return f"group-{group_id}"


def _set(group_id: str) -> str:
    return f"members-{group_id}"


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)
