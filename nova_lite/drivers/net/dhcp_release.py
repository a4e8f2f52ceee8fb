"""Giving a lease back in the name of a guest that is gone (RFC 2131, section 4.4.6): it can do so no more itself.

Without that a DHCP server would not give the address to its next holder until the lease ends.
"""

import logging
import secrets
import socket
import struct

LOG = logging.getLogger(__name__)

_BOOT_REQUEST, _ETHERNET, _RELEASE = 1, 1, 7
_MAGIC = bytes((99, 130, 83, 99))
_SERVER_PORT = 67


def send(interface: str, server: str, address: str, mac: str) -> None:
    """Tell the server on an interface of this host; where that cannot be done, the lease ends by the clock."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            sender.sendto(packet(server, address, mac), (server, _SERVER_PORT))
    except OSError as error:
        LOG.warning("cannot give back the lease of %s on %s: %s", address, interface, error.strerror)


def packet(server: str, address: str, mac: str) -> bytes:
    """Return the message: the fields of BOOTP, then the options that a release needs."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    fields = struct.pack("!BBBBIHH", _BOOT_REQUEST, _ETHERNET, len(hardware), 0, secrets.randbits(32), 0, 0)
    addresses = socket.inet_aton(address) + bytes(12)
    options = bytes((53, 1, _RELEASE, 54, 4)) + socket.inet_aton(server) + b"\xff"
    return fields + addresses + hardware.ljust(16, b"\0") + bytes(64 + 128) + _MAGIC + options
