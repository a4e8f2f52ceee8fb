"""The connections that this host keeps in mind (conntrack(8)): listed, judged by the caller, and cut.

A connection that is cut is forgotten by the host, which takes nothing up in the middle (``nf_conntrack_tcp_loose``
is off): what still is allowed begins anew, what is not ends here.
"""

import dataclasses
from collections.abc import Callable, Iterable

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """One connection: as its beginner addressed it, and between whom the answers go.

    Where addresses are translated the two differ: ``reply_source`` is who it really leads to, and
    ``reply_destination`` who the other side takes its beginner for. ``from_port`` and ``to_port`` are -1 for
    protocols without ports; ICMP has ``kind`` and ``code``.
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
    number: str = ""


class Connections:
    """The connections of this host."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def every(self) -> list[Flow]:
        """Return all connections, of both versions of IP; raises DriverError."""
        try:
            listed = self._runner.privileged(["conntrack", "-L"])
        except DriverError as error:
            raise DriverError(f"cannot list connections: {error}") from error
        return [flow for flow in map(_parse, listed.splitlines()) if flow is not None]

    def cut(self, condemned: Callable[[Flow], bool]) -> int:
        """Cut the connections that a function condemns; returns how many. Raises DriverError."""
        found = [flow for flow in self.every() if condemned(flow)]
        self._forget(found)
        return len(found)

    def _forget(self, flows: Iterable[Flow]) -> None:
        script = "".join(f"-D {' '.join(_selection(flow))}\n" for flow in flows)
        if not script:
            return
        try:
            self._runner.privileged(["conntrack", "-R", "-"], stdin=script, allowed=(0, 1))
        except DriverError as error:
            raise DriverError(f"cannot cut connections: {error}") from error


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
        protocol=words[0] if words[0] != "unknown" else words[1],
        source=there["src"],
        destination=there["dst"],
        reply_source=back["src"],
        reply_destination=back["dst"],
        from_port=int(there.get("sport", -1)),
        to_port=int(there.get("dport", -1)),
        reply_port=int(back.get("sport", -1)),
        kind=int(there.get("type", -1)),
        code=int(there.get("code", -1)),
        number=there.get("id", ""),
    )


def _selection(flow: Flow) -> list[str]:
    """Return how conntrack names exactly this connection."""
    words = ["-f", "ipv6"] if ":" in flow.source else []
    words += ["-p", flow.protocol, "-s", flow.source, "-d", flow.destination]
    if flow.from_port != -1:
        words += ["--sport", str(flow.from_port), "--dport", str(flow.to_port)]
    if flow.kind != -1:
        words += ["--icmp-type" if "v6" not in flow.protocol else "--icmpv6-type", str(flow.kind)]
        words += ["--icmp-id" if "v6" not in flow.protocol else "--icmpv6-id", flow.number]
    return words
