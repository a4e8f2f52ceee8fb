"""Announcing an address on a link, so that neighbours send its packets here (RFC 5227, section 3)."""

import logging
import socket
import struct

LOG = logging.getLogger(__name__)

_BROADCAST = b"\xff" * 6
_ETHERTYPE = 0x0806


def announce(interface: str, address: str) -> None:
    """Send one ARP announcement; where that cannot be done, neighbours learn of the address when they ask."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETHERTYPE)) as sender:
            sender.bind((interface, _ETHERTYPE))
            mac = sender.getsockname()[4]
            if len(mac) == len(_BROADCAST):
                sender.send(frame(mac, address))
    except OSError as error:
        LOG.warning("cannot announce %s on %s: %s", address, interface, error.strerror)


def frame(mac: bytes, address: str) -> bytes:
    """Return the Ethernet frame of an announcement: a request for the address that its holder itself makes."""
    holder = socket.inet_aton(address)
    ethernet = _BROADCAST + mac + struct.pack("!H", _ETHERTYPE)
    request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return ethernet + request + mac + holder + b"\0" * 6 + holder
