"""Figures: how long something took, and what was asked of the kernel and of other programs for it."""

import collections
import contextlib
import dataclasses
import statistics
import time
from collections.abc import Iterator
from typing import Any

from pyroute2.netlink.nlsocket import NetlinkRequest

from nova_lite.drivers import runner


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure: median milliseconds, what was done for it, and the milliseconds until packets tell."""

    milliseconds: float
    operations: str
    in_force: float | None = None


class Counter:
    """Counts what is asked of the kernel and of other programs."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()
        run, request = runner._run, NetlinkRequest.__init__

        def counted_run(argv: Any, *rest: Any) -> Any:
            name = "dnsmasq" if argv[0] == "kill" else str(argv[0])
            self._counts[name] += 1
            return run(argv, *rest)

        def counted_request(*arguments: Any, **options: Any) -> None:
            self._counts["netlink"] += 1
            request(*arguments, **options)

        runner._run = counted_run
        NetlinkRequest.__init__ = counted_request

    @contextlib.contextmanager
    def of(self, into: list[dict[str, int]]) -> Iterator[None]:
        """Add what is counted meanwhile to a list."""
        before = dict(self._counts)
        yield
        names = ("netlink", "nft", "dnsmasq", "conntrack")
        into.append({name: self._counts[name] - before.get(name, 0) for name in names})


@contextlib.contextmanager
def timed(owner: Any, name: str, into: list[float]) -> Iterator[None]:
    """Add the milliseconds of each call of a method to a list meanwhile."""
    method = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*arguments, **options)
        finally:
            into.append((time.perf_counter() - began) * 1000)

    setattr(owner, name, watched)
    try:
        yield
    finally:
        setattr(owner, name, method)


def figure(times: list[float], counts: list[dict[str, int]], heard: list[float] | None = None) -> Figure:
    """Return the medians of what was measured."""
    middle = {name: statistics.median(count[name] for count in counts) for name in counts[0]}
    told = ", ".join(f"{number:g} {name}" for name, number in middle.items() if number)
    return Figure(statistics.median(times), told, statistics.median(heard) if heard else None)
