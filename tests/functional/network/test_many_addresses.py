"""A thousand who ask for addresses at the same time get a thousand different ones, and soon."""

import concurrent.futures
import time
from collections.abc import Callable, Sequence

from nova_lite.core.context import RequestContext
from tests.functional.network.world import ADMIN, World

COUNT = 1000
CALLERS = 32
PATIENCE = 60.0
"""Seconds that are far more than it takes, for a machine that does other things too."""


def at_once(ask: Callable[[int], str]) -> Sequence[str]:
    """Return the answers of as many as ask at the same time."""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(ask, range(COUNT)))
    assert time.monotonic() - began < PATIENCE
    return answers


def test_fixed_addresses(world: World) -> None:
    world.network("10.0.0.0/21")
    uuids = world.boot(COUNT)

    def ask(number: int) -> str:
        [interface] = world.manager.allocate(ADMIN, [uuids[number]])[uuids[number]]
        return interface.address

    answers = at_once(ask)
    assert len(set(answers)) == COUNT
    assert set(world.driver.served().values()) == set(answers)


def test_floating_addresses(world: World) -> None:
    world.floating_ips.create_range(ADMIN, "192.0.0.0/22")

    def ask(number: int) -> str:
        return world.floating_ips.allocate(RequestContext(project_id=f"project-{number}")).address

    assert len(set(at_once(ask))) == COUNT
    [pool] = world.floating_ips.pools(ADMIN)
    assert (pool.total, pool.used) == (1022, COUNT)
