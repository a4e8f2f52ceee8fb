"""Options that the guest of an interface is told by DHCP beyond the usual ones."""

import re
from collections.abc import Collection, Sequence

from nova_lite.core.errors import InvalidInput
from nova_lite.core.network import DhcpOption, Port

_NAMES = frozenset((
    "netmask", "time-offset", "router", "dns-server", "log-server", "lpr-server", "boot-file-size",
    "domain-name", "swap-server", "root-path", "extension-path", "ip-forward-enable",
    "non-local-source-routing", "policy-filter", "max-datagram-reassembly", "default-ttl", "mtu",
    "all-subnets-local", "router-discovery", "router-solicitation", "static-route", "trailer-encapsulation",
    "arp-timeout", "ethernet-encap", "tcp-ttl", "tcp-keepalive", "nis-domain", "nis-server", "ntp-server",
    "netbios-ns", "netbios-dd", "netbios-nodetype", "netbios-scope", "x-windows-fs", "x-windows-dm", "T1",
    "T2", "vendor-class", "nis+-domain", "nis+-server", "tftp-server", "bootfile-name", "mobile-ip-home",
    "smtp-server", "pop3-server", "nntp-server", "irc-server", "user-class", "rapid-commit", "client-arch",
    "client-interface-id", "client-machine-id", "posix-timezone", "tzdb-timezone", "ipv6-only",
    "domain-search", "sip-server", "classless-static-route", "vendor-id-encap", "server-ip-address",
))  # fmt: skip
"""What dnsmasq has names for (``dnsmasq --help dhcp``)."""

_NUMBER = re.compile(r"0*([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-4])")
_VALUE = re.compile(r"[ -~]{1,255}")
_MOST = 20


def changed(port: Port, wanted: Sequence[DhcpOption], unwanted: Collection[str]) -> list[DhcpOption]:
    """Return the options of a port with ``wanted``, too, and without those of the names ``unwanted``.

    Raises InvalidInput for a name or value that no guest can be told, and for too many.
    """
    for option in wanted:
        _check(option)
    left = {one.name: one for one in port.dhcp_options if one.name not in unwanted}
    left |= {one.name: one for one in wanted}
    if len(left) > _MOST:
        raise InvalidInput(f"A port has at most {_MOST} DHCP options.")
    return list(left.values())


def _check(option: DhcpOption) -> None:
    if option.name not in _NAMES and _NUMBER.fullmatch(option.name) is None:
        raise InvalidInput(f"{option.name[:60]!r} is no DHCP option.")
    if _VALUE.fullmatch(option.value) is None:
        raise InvalidInput(f"The value of the DHCP option {option.name} needs 1 to 255 characters of ASCII.")
