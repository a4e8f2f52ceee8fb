"""Many who ask for addresses get different ones, a thousand at the same time too, and soon; so with MACs."""

import concurrent.futures
import secrets
import time
from collections.abc import Callable, Sequence

import pytest

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict
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


def test_a_mac_that_somebody_has_is_nobody_elses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    network = world.network()
    first, second, third = world.boot(3)
    [held] = world.allocate([first])[first]
    taken = bytes.fromhex(held.mac[9:].replace(":", ""))
    drawn = iter([taken] * 4 + [bytes(3)] + [taken] * 5)
    monkeypatch.setattr(secrets, "token_bytes", lambda size: next(drawn))

    [made] = world.allocate([second])[second]
    assert (made.mac, made.address != held.address) == ("fa:16:3e:00:00:00", True)
    with pytest.raises(Conflict, match="MAC address"):
        world.manager.allocate(ADMIN, [third])
    assert (next(drawn, None), world.interfaces([third])) == (None, {})
    assert world.networks.address_counts(ADMIN)[network.id].used == 2
