"""The tables of nova-network as an nft script: address translation, and what the host does not forward."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping

from nova_lite.drivers.net.base import FloatingAddress, NetworkPlan
from nova_lite.drivers.net.links import METADATA_ADDRESS

TABLE = ("ip", "nova_network")
CLOSED = ("inet", "nova_network")
"""The table that keeps networks without a way out for themselves; it is there only if there are such."""


def moves(before: Collection[FloatingAddress], after: Collection[FloatingAddress]) -> str:
    """Return the script that has the table of one network's addresses lead where they are to lead now."""
    lines = []
    touched = {one.fixed_address for one in set(before) ^ set(after)}
    before, after = ([one for one in those if one.fixed_address in touched] for those in (before, after))
    for name, of in (("floating", _leads), ("fixed", _back)):
        had, has = of(before), of(after)
        for verb, these, others in (("delete", had, has), ("add", has, had)):
            elements = [f"{key} : {value}" for key, value in these.items() if others.get(key) != value]
            if elements:
                lines.append(f"{verb} element {' '.join(TABLE)} {name} {{ {', '.join(elements)} }}\n")
    return "".join(lines)


def script(plans: Iterable[NetworkPlan], local: set[str]) -> str:
    """Return the whole tables for ``plans``; ``local`` are this host's own addresses.

    Guests reach the metadata service at 169.254.169.254 with their own address, each other untranslated, and
    the world as the host, or as the first of the floating addresses that lead to them. Who asks for a floating
    address of its own network is heard so, too: the answer has to come back this way. Rules of the host's own
    firewall hold beside these: an accept here cannot undo a drop there.
    """
    family, name = TABLE
    inbound: list[str] = []
    outbound: list[str] = []
    floating: list[FloatingAddress] = []
    plans = sorted(plans, key=lambda plan: plan.bridge)
    for plan in plans:
        if plan.cidr:
            inbound.append(_metadata(plan, local))
        if plan.cidr and plan.routed:
            outbound += _leaving(plan, local)
            floating += plan.floating
    return "\n".join(
        [
            f"table {family} {name} {{",
            *_map("floating", _leads(floating)),
            *_map("fixed", _back(floating)),
            "  chain prerouting {",
            "    type nat hook prerouting priority dstnat; policy accept;",
            *(f"    {rule}" for rule in inbound),
            "    dnat to ip daddr map @floating",
            "  }",
            "  chain output {",
            "    type nat hook output priority -100; policy accept;",
            "    dnat to ip daddr map @floating",
            "  }",
            "  chain postrouting {",
            "    type nat hook postrouting priority srcnat; policy accept;",
            *(f"    {rule}" for rule in outbound),
            "  }",
            "}",
            *_closed([plan for plan in plans if not plan.routed], local),
            "",
        ]
    )


def _closed(plans: Iterable[NetworkPlan], local: set[str]) -> list[str]:
    """Return the table for networks without a way out: what goes from guest to guest passes a bridge twice."""
    rules = [rule for plan in plans for rule in _kept_within(plan, local)]
    if not rules:
        return []
    family, name = CLOSED
    hook = "    type filter hook forward priority filter; policy accept;"
    return [f"table {family} {name} {{", "  chain forward {", hook, *(f"    {rule}" for rule in rules), "  }", "}"]


def _kept_within(plan: NetworkPlan, local: set[str]) -> list[str]:
    came, goes = f'iifname "{plan.bridge}"', f'oifname "{plan.bridge}"'
    rules = []
    if not _is_local(plan.metadata_host, local):
        host, port = plan.metadata_host, plan.metadata_port
        rules = [
            f"{came} ct status dnat ip daddr {host} tcp dport {port} accept",
            f"{goes} ct status dnat ip saddr {host} tcp sport {port} accept",
        ]
    return [*rules, f'{came} oifname != "{plan.bridge}" drop', f'{goes} iifname != "{plan.bridge}" drop']


def _leads(floating: Iterable[FloatingAddress]) -> dict[str, str]:
    """Return where each address leads."""
    return {one.address: one.fixed_address for one in floating}


def _back(floating: Iterable[FloatingAddress]) -> dict[str, str]:
    """Return the address by which the world hears each guest: the lowest of those that lead to it."""
    ordered = sorted(floating, key=lambda one: ipaddress.ip_address(one.address), reverse=True)
    return {one.fixed_address: one.address for one in ordered}


def _metadata(plan: NetworkPlan, local: set[str]) -> str:
    match = f'iifname "{plan.bridge}" ip daddr {METADATA_ADDRESS} tcp dport 80'
    if _is_local(plan.metadata_host, local):
        return f"{match} redirect to :{plan.metadata_port}"
    return f"{match} dnat to {plan.metadata_host}:{plan.metadata_port}"


def _leaving(plan: NetworkPlan, local: set[str]) -> list[str]:
    within = f"ip saddr {plan.cidr} ip daddr {plan.cidr}"
    rules = [
        f"ct status dnat {within} snat to ip saddr map @fixed",
        f"ct status dnat {within} masquerade",
        f"{within} return",
    ]
    if not _is_local(plan.metadata_host, local):
        rules.append(f"ip saddr {plan.cidr} ip daddr {plan.metadata_host} return")
    rules += [f"ip saddr {plan.cidr} ip daddr {cidr} return" for cidr in plan.untranslated]
    rules.append(f'ip saddr {plan.cidr} oifname != "{plan.bridge}" snat to ip saddr map @fixed')
    to = f"snat to {plan.snat_source}" if plan.snat_source in local - _loopback(local) else "masquerade"
    rules.append(f'ip saddr {plan.cidr} oifname != "{plan.bridge}" {to}')
    return rules


def _map(name: str, entries: Mapping[str, str]) -> list[str]:
    elements = _elements(f"{key} : {value}" for key, value in entries.items())
    return [f"  map {name} {{", "    type ipv4_addr : ipv4_addr", *elements, "  }"]


def _elements(elements: Iterable[str]) -> list[str]:
    """Return the line of a set's elements; nft knows no empty one."""
    text = ", ".join(elements)
    return [f"    elements = {{ {text} }}"] if text else []


def _is_local(address: str, local: set[str]) -> bool:
    return not address or address in local or address in _loopback({address})


def _loopback(addresses: set[str]) -> set[str]:
    return {address for address in addresses if ipaddress.ip_address(address).is_loopback}
