"""Address translation for the networks of a host: the table of nova-network as an nft script."""

import ipaddress
from collections.abc import Iterable

from nova_lite.drivers.net.base import NetworkPlan
from nova_lite.drivers.net.links import METADATA_ADDRESS

TABLE = ("ip", "nova_network")


def script(plans: Iterable[NetworkPlan], local: set[str]) -> str:
    """Return the whole table for ``plans``; ``local`` are this host's own addresses.

    Guests reach the metadata service at 169.254.169.254 with their own address, each other untranslated, and
    the world as the host. Rules of the host's own firewall hold beside these: an accept here cannot undo a
    drop there.
    """
    family, name = TABLE
    inbound: list[str] = []
    outbound: list[str] = []
    for plan in sorted(plans, key=lambda plan: plan.bridge):
        inbound.append(_metadata(plan, local))
        outbound += _leaving(plan, local)
    return "\n".join(
        [
            f"table {family} {name} {{",
            "  chain prerouting {",
            "    type nat hook prerouting priority dstnat; policy accept;",
            *(f"    {rule}" for rule in inbound),
            "  }",
            "  chain postrouting {",
            "    type nat hook postrouting priority srcnat; policy accept;",
            *(f"    {rule}" for rule in outbound),
            "  }",
            "}",
            "",
        ]
    )


def _metadata(plan: NetworkPlan, local: set[str]) -> str:
    match = f'iifname "{plan.bridge}" ip daddr {METADATA_ADDRESS} tcp dport 80'
    if _is_local(plan.metadata_host, local):
        return f"{match} redirect to :{plan.metadata_port}"
    return f"{match} dnat to {plan.metadata_host}:{plan.metadata_port}"


def _leaving(plan: NetworkPlan, local: set[str]) -> list[str]:
    rules = [f"ip saddr {plan.cidr} ip daddr {plan.cidr} return"]
    if not _is_local(plan.metadata_host, local):
        rules.append(f"ip saddr {plan.cidr} ip daddr {plan.metadata_host} return")
    to = f"snat to {plan.snat_source}" if plan.snat_source in local - _loopback(local) else "masquerade"
    rules.append(f'ip saddr {plan.cidr} oifname != "{plan.bridge}" {to}')
    return rules


def _is_local(address: str, local: set[str]) -> bool:
    return not address or address in local or address in _loopback({address})


def _loopback(addresses: set[str]) -> set[str]:
    return {address for address in addresses if ipaddress.ip_address(address).is_loopback}
