"""nova-dhcpbridge: the script that dnsmasq calls when a lease begins or ends, and for the leases at its start.

dnsmasq waits for it, and calls it for every lease of every guest, so the usual way loads nothing: one line to
nova-network's socket on this host. Only where nobody listens there is the rest loaded, to tell the daemon
over the bus or to write the row. A lease that cannot be told is no reason to fail: nova-network also knows
the end of a lease from the clock.
"""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

SOCKET = "NOVA_LEASE_SOCKET"
"""Environment variable with the path of nova-network's socket."""

_TOLD = ("add", "old", "del")
_DEADLINE = 10
_DATABASE_SECONDS = 3.0


def main() -> None:
    """Answer one call of dnsmasq's: ``add|old|del MAC ADDRESS [NAME]``, or ``init``."""
    arguments = sys.argv[1:]
    if len(arguments) >= 3 and arguments[0] in _TOLD and tell(os.environ.get(SOCKET, ""), arguments[:3]):
        return
    # dnsmasq must not wait for a database or a broker that is away.
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(_DEADLINE)
    try:
        _go_the_long_way(arguments)
    except Exception as error:
        print(f"nova-dhcpbridge: {error}", file=sys.stderr)
    finally:
        # From here on Python ends, and an alarm would be the end of a program that knows nothing of it any more.
        signal.alarm(0)


def tell(path: str, report: Sequence[str]) -> bool:
    """Send a report to nova-network's socket; False where nobody listens."""
    if not path:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.settimeout(1)
            bell.sendto(" ".join(report).encode(), path)
    except OSError:
        return False
    return True


def _give_up(*_: Any) -> None:
    print("nova-dhcpbridge: nobody answered in time", file=sys.stderr)
    os._exit(0)


def _go_the_long_way(arguments: Sequence[str]) -> None:
    from nova_lite.conf import flags

    flag_files = [f"--flagfile={path}" for path in os.environ.get("FLAGFILE", "").split(",") if path]
    conf, rest = flags.load_with_arguments([*flag_files, *arguments], "nova-dhcpbridge", __doc__ or "")
    if not rest:
        print("nova-dhcpbridge takes add, old or del with a MAC and an address, or init", file=sys.stderr)
    elif rest[0] == "init":
        _print_leases(conf)
    elif rest[0] in _TOLD and len(rest) >= 3 and not tell(_socket(conf), rest[:3]):
        _ring(conf, *rest[:3])


def _socket(conf: Any) -> str:
    from nova_lite.network.settings import NetworkSettings

    return NetworkSettings.from_flags(conf).lease_socket


def _ring(conf: Any, action: str, mac: str, address: str) -> None:
    """Tell the daemon over the bus, or write the row where the bus does not leave the daemon's process."""
    if conf.transport_url.startswith("local:"):
        from nova_lite.db import leases

        _database(conf).run(
            "network.lease", lambda session: leases.set_leased(session, address, mac, action != "del")
        )
        return
    from nova_lite.core.context import system_context
    from nova_lite.rpc.network import NetworkProxy
    from nova_lite.rpc.transport import connect

    transport = connect(conf)
    NetworkProxy(transport).on(conf.host).lease_changed(system_context(), action, mac, address)
    transport.close()


def _print_leases(conf: Any) -> None:
    """Print the leases in force on the network as dnsmasq keeps them: expiry, MAC, address, name, client id."""
    import time

    from nova_lite.db import leases

    network_id = int(os.environ["NETWORK_ID"])
    expiry = int(time.time()) + conf.dhcp_lease_time
    for held in _database(conf).read(
        "network.held", lambda session: leases.held(session, [network_id], conf.host)
    ):
        if held.leased and held.address:
            print(expiry, held.mac, held.address, held.hostname or "*", "*")


def _database(conf: Any) -> Any:
    from nova_lite.db.engine import Database

    return Database(conf.sql_connection, retry_seconds=_DATABASE_SECONDS)


if __name__ == "__main__":
    main()
