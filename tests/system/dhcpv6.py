"""A guest that asks for its IPv6 address (RFC 8415), of few words."""

import socket
import struct

from tools.services.namespaces import Namespace

_SOLICIT, _ADVERTISE, _REQUEST, _REPLY = 1, 2, 3, 7
_CLIENT_ID, _SERVER_ID, _IA_NA, _IA_ADDRESS = 1, 2, 3, 5
_SERVERS = "ff02::1:2"


def ask(guest: Namespace, mac: str, *, device: str = "eth0") -> tuple[str, bytes]:
    """Return the address that a guest gets, empty for none, and the name (DUID) of who gave it."""
    duid = struct.pack("!HH", 3, 1) + bytes.fromhex(mac.replace(":", ""))
    wanted = _option(_CLIENT_ID, duid) + _option(_IA_NA, struct.pack("!III", 1, 0, 0))
    with guest.entered(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        index = socket.if_nametoindex(device)
        asking.bind(("::", 546, 0, index))
        asking.settimeout(5)
        offered = _talk(asking, index, _SOLICIT, wanted)
        if not _address(offered):
            return "", offered[_SERVER_ID]
        server = _option(_SERVER_ID, offered[_SERVER_ID])
        given = _talk(asking, index, _REQUEST, wanted + server)
        return _address(given), given[_SERVER_ID]


def _talk(asking: socket.socket, index: int, kind: int, options: bytes) -> dict[int, bytes]:
    """Send a message to the servers of the link, and return the options of the answer to it."""
    begin = bytes([kind]) + b"abc"
    asking.sendto(begin + options, (_SERVERS, 547, 0, index))
    answer = asking.recv(4096)
    assert answer[0] == (_ADVERTISE if kind == _SOLICIT else _REPLY) and answer[1:4] == b"abc"
    return _options(answer[4:])


def _option(code: int, content: bytes) -> bytes:
    return struct.pack("!HH", code, len(content)) + content


def _options(text: bytes) -> dict[int, bytes]:
    found = {}
    while text:
        code, length = struct.unpack("!HH", text[:4])
        found[code], text = text[4 : 4 + length], text[4 + length :]
    return found


def _address(options: dict[int, bytes]) -> str:
    given = _options(options.get(_IA_NA, b"")[12:]).get(_IA_ADDRESS)
    return socket.inet_ntop(socket.AF_INET6, given[:16]) if given else ""
