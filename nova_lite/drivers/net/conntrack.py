"""The connections that this host keeps in mind (conntrack(8)): listed, judged by the caller, and cut.

Those of a few addresses are chosen by the kernel, which spares the writing and the reading of all others. Each is
cut by its own name: programs that cut by a selection walk through the kernel's whole table for each.

A connection that is cut is forgotten by the host, which takes nothing up in the middle (``nf_conntrack_tcp_loose``
is off): what still is allowed begins anew, what is not ends here.
"""

import contextlib
import dataclasses
import enum
import errno
import socket
from collections.abc import Callable, Collection, Sequence

from pyroute2 import NFCTSocket
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple

from nova_lite import concurrency
from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """One connection: as its beginner addressed it, and between whom the answers go.

    Where addresses are translated the two differ: ``reply_source`` is who it really leads to, and
    ``reply_destination`` who the other side takes its beginner for. Ports are -1 for protocols without;
    ICMP has ``kind`` and ``code``. ``number`` is that of the protocol.
    """

    protocol: str
    source: str
    destination: str
    reply_source: str
    reply_destination: str
    from_port: int = -1
    to_port: int = -1
    reply_port: int = -1
    kind: int = -1
    code: int = -1
    icmp_id: int = -1
    number: int = 0


class End(enum.StrEnum):
    """Where an address stands in a connection; the words are those of conntrack(8)."""

    SOURCE = "--orig-src"
    DESTINATION = "--orig-dst"
    REPLY_SOURCE = "--reply-src"
    REPLY_DESTINATION = "--reply-dst"


_FEW = 8
"""So many times the kernel may be asked to choose; for more, all are listed."""


class Connections:
    """The connections of this host."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def every(self, *chosen: str) -> list[Flow]:
        """Return all connections, of both versions of IP, or those that are chosen; raises DriverError."""
        try:
            listed = self._runner.privileged(["conntrack", "-L", *chosen])
        except DriverError as error:
            raise DriverError(f"cannot list connections: {error}") from error
        return [flow for flow in map(_parse, listed.splitlines()) if flow is not None]

    def of(self, addresses: Collection[str], ends: Collection[End]) -> list[Flow]:
        """Return the connections in which one of these addresses stands at one of these ends, each once.

        Others may be among them. Raises DriverError.
        """
        if len(addresses) * len(ends) > _FEW:
            return self.every()
        found = (flow for address in addresses for end in ends for flow in self.every(end, address))
        return list(dict.fromkeys(found))

    def cut(
        self, condemned: Callable[[Flow], bool], addresses: Collection[str], ends: Collection[End]
    ) -> int:
        """Cut the connections of addresses, as ``of`` returns them, that a function condemns; returns how many.

        Raises DriverError.
        """
        return self._cut([flow for flow in self.of(addresses, ends) if condemned(flow)])

    def cut_any(self, condemned: Callable[[Flow], bool]) -> int:
        """Cut all connections that a function condemns; returns how many. Raises DriverError."""
        return self._cut([flow for flow in self.every() if condemned(flow)])

    def _cut(self, found: Sequence[Flow]) -> int:
        if found:
            try:
                concurrency.blocking(_forget, found)
            except NetlinkError as error:
                reason = "root is needed" if error.code == errno.EPERM else error.args[1]
                raise DriverError(f"cannot cut connections: {reason}.") from error
        return len(found)


def _parse(line: str) -> Flow | None:
    """Return what a line of ``conntrack -L`` says; None for one of another kind."""
    words = line.split()
    if not words:
        return None
    # Each name stands twice: first in the direction of the beginner, then in that of the answers.
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            (back if name in there else there).setdefault(name, value)
    if not {"src", "dst"} <= there.keys() & back.keys():
        return None
    return Flow(
        protocol=words[0],
        source=there["src"],
        destination=there["dst"],
        reply_source=back["src"],
        reply_destination=back["dst"],
        from_port=int(there.get("sport", -1)),
        to_port=int(there.get("dport", -1)),
        reply_port=int(back.get("sport", -1)),
        kind=int(there.get("type", -1)),
        code=int(there.get("code", -1)),
        icmp_id=int(there.get("id", -1)),
        number=int(words[1]),
    )


def _forget(flows: Sequence[Flow]) -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        mine = [flow for flow in flows if (":" in flow.source) == (family == socket.AF_INET6)]
        if not mine:
            continue
        with contextlib.closing(NFCTSocket(nfgen_family=family)) as table:
            # Else it makes a socket for each entry, which with green threads is closed before it is used.
            table.asyncore.local.keep_event_loop = True
            for flow in mine:
                try:
                    table.entry("del", tuple_orig=_name(flow, family))
                except NetlinkError as error:
                    # One that has ended by itself.
                    if error.code != errno.ENOENT:
                        raise


def _name(flow: Flow, family: socket.AddressFamily) -> NFCTAttrTuple:
    def given(value: int) -> int | None:
        return None if value == -1 else value

    return NFCTAttrTuple(
        family=family,
        saddr=flow.source,
        daddr=flow.destination,
        proto=flow.number,
        sport=given(flow.from_port),
        dport=given(flow.to_port),
        icmp_id=given(flow.icmp_id),
        icmp_type=given(flow.kind),
        icmp_code=given(flow.code),
    )
