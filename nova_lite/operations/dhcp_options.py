"""Options that the guest of an interface is told by DHCP beyond the usual ones."""

import re
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.network import DhcpOption
from nova_lite.db import ports
from nova_lite.db.engine import Database
from nova_lite.rpc.network import NetworkProxy

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

_VALUE = re.compile(r"[ -~]{1,255}")
_MOST = 20


class DhcpOptions:
    """The operations on them; their hosts are told at once."""

    def __init__(self, database: Database, network: NetworkProxy) -> None:
        self._database = database
        self._network = network

    def change(
        self, context: RequestContext, port_id: str, wanted: Sequence[DhcpOption], unwanted: Sequence[str]
    ) -> None:
        """Have an interface have these options, too, and those no more.

        Raises NotFound, InvalidInput for a name or value that no guest can be told.
        """
        for option in wanted:
            _check(option)

        def work(session: Session) -> int:
            for port in ports.listing(session, context.scope(), {"id": [port_id]}):
                left = {one.name: one for one in port.dhcp_options if one.name not in unwanted}
                left |= {one.name: one for one in wanted}
                if len(left) > _MOST:
                    raise InvalidInput(f"A port has at most {_MOST} DHCP options.")
                ports.set_dhcp_options(session, port_id, list(left.values()))
                return port.interface.network_id
            raise NotFound(f"Port {port_id} could not be found.")

        network_id = self._database.run("network.dhcp_options", work)
        self._network.refresh(context, [network_id])


def _check(option: DhcpOption) -> None:
    if option.name not in _NAMES and not (option.name.isdigit() and 0 < int(option.name) < 255):
        raise InvalidInput(f"{option.name[:60]!r} is no DHCP option.")
    if _VALUE.fullmatch(option.value) is None:
        raise InvalidInput(f"The value of the DHCP option {option.name} needs 1 to 255 characters of ASCII.")
