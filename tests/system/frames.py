"""Frames as an attacker in a guest makes them, and what of them arrives elsewhere."""

import ipaddress
import socket
import struct
import time

from tools.services.namespaces import Namespace

ARP, IPV4, IPV6, VLAN = 0x0806, 0x0800, 0x86DD, 0x8100


def ethernet(source: str, target: str, kind: int, payload: bytes) -> bytes:
    """Return a frame."""
    return _mac(target) + _mac(source) + struct.pack("!H", kind) + payload


def arp(source: str, address: str, target: str, frame_source: str = "") -> bytes:
    """Return an ARP answer that says where an address is."""
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + _mac(source) + socket.inet_aton(address)
    body += _mac(target) + socket.inet_aton("10.0.0.11")
    return ethernet(frame_source or source, target, ARP, body)


def udp4(source: str, target: str, address: str, port: int, payload: bytes = b"lie") -> bytes:
    """Return a datagram over IPv4 from an address and port."""
    body = struct.pack("!HHHH", port, 68, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0)
    head += socket.inet_aton(address) + socket.inet_aton("10.0.0.11")
    head = head[:10] + struct.pack("!H", _sum(head)) + head[12:]
    return ethernet(source, target, IPV4, head + body)


def udp6(source: str, target: str, address: str, to: str, port: int) -> bytes:
    """Return a datagram over IPv6 from an address and port."""
    body = struct.pack("!HHHH", port, 546, 11, 0) + b"lie"
    return ethernet(source, target, IPV6, _ipv6(address, to, 17, body, 6))


def icmp6(source: str, target: str, address: str, to: str, kind: int, body: bytes) -> bytes:
    """Return an ICMPv6 message: its type and what follows its checksum."""
    return ethernet(source, target, IPV6, _ipv6(address, to, 58, struct.pack("!BBH", kind, 0, 0) + body, 2))


def advertisement(source: str, target: str, address: str, to: str, about: str) -> bytes:
    """Return a neighbour advertisement about an address."""
    body = struct.pack("!I", 0x60000000) + ipaddress.IPv6Address(about).packed + b"\x02\x01" + _mac(source)
    return icmp6(source, target, address, to, 136, body)


def behind_options(frame: bytes) -> bytes:
    """Return a frame of IPv6 with an empty header of options before what it carries."""
    return _with_headers(frame, 60, _options(frame))


def fragments(frame: bytes) -> list[bytes]:
    """Return a frame of IPv6 in two fragments: what it carries is in the second, only options in the first."""
    parts = []
    for body, place in ((_options(frame), 1), (frame[54:], 8)):
        parts.append(_with_headers(frame[:54], 44, struct.pack("!BBHI", 60, 0, place, 4711) + body))
    return parts


def _options(frame: bytes) -> bytes:
    return bytes([frame[20], 0, 1, 4, 0, 0, 0, 0])


def _with_headers(frame: bytes, kind: int, headers: bytes) -> bytes:
    ethernet, head, body = frame[:14], frame[14:54], headers + frame[54:]
    return ethernet + head[:4] + struct.pack("!HB", len(body), kind) + head[7:] + body


def arrived(sender: Namespace, receiver: Namespace, frames: dict[str, bytes], last: bytes) -> list[str]:
    """Send frames and then the last one, which must arrive; returns the names of those that did before."""
    with receiver.entered():
        ears = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        ears.bind(("eth0", 0))
    with sender.entered():
        mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        mouth.bind(("eth0", 0))
    heard: list[bytes] = []
    with ears, mouth:
        ears.settimeout(20)
        for frame in (*frames.values(), last):
            mouth.send(frame)
        deadline = time.monotonic() + 20
        while last not in heard:
            assert time.monotonic() < deadline, "the last frame did not arrive"
            heard.append(ears.recv(2000))
    return [name for name, frame in frames.items() if frame in heard]


def _ipv6(source: str, target: str, kind: int, body: bytes, checksum_at: int) -> bytes:
    ends = ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(target).packed
    checksum = _sum(ends + struct.pack("!II", len(body), kind) + body)
    body = body[:checksum_at] + struct.pack("!H", checksum) + body[checksum_at + 2 :]
    return struct.pack("!IHBB", 0x60000000, len(body), kind, 255) + ends + body


def _sum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
