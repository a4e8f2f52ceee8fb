"""Choosing hosts: pure, so tested with plain values."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite.scheduler.choose import plan
from nova_lite.scheduler.filters.availability_zone import AvailabilityZoneFilter
from nova_lite.scheduler.filters.compute import ComputeFilter
from nova_lite.scheduler.filters.room import CoreFilter, DiskFilter, RamFilter
from nova_lite.scheduler.hosts import Demand, HostState
from nova_lite.scheduler.weights import FillFirstWeigher, FreeMemoryWeigher

FILTERS = [ComputeFilter(), RamFilter(), CoreFilter(), DiskFilter(), AvailabilityZoneFilter()]


def host(name: str, **changes: object) -> HostState:
    state = HostState(
        host=name, node=name, availability_zone="nova", up=True, disabled=False,
        vcpus=8, memory_mb=8192, local_gb=100, vcpus_used=0, memory_mb_used=0, local_gb_used=0,
    )  # fmt: skip
    return dataclasses.replace(state, **changes)  # type: ignore[arg-type]


def demand(uuid: str = "i", **changes: object) -> Demand:
    return dataclasses.replace(Demand(uuid, vcpus=1, memory_mb=1024, local_gb=10), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"up": False}, "ComputeFilter"),
        ({"disabled": True}, "ComputeFilter"),
        ({"memory_mb_used": 7169}, "RamFilter"),
        ({"vcpus_used": 8}, "CoreFilter"),
        ({"local_gb_used": 91}, "DiskFilter"),
        ({"availability_zone": "other"}, "AvailabilityZoneFilter"),
    ],
)
def test_a_host_that_cannot_take_it_is_refused_by_the_filter_that_says_why(
    bad: dict[str, object], name: str
) -> None:
    made = plan([demand(availability_zone="nova")], [host("a", **bad)], FILTERS, [])
    assert made.placed == {}
    assert f"0 after {name}" in made.refused["i"]


def test_exactly_the_room_that_is_left_suffices() -> None:
    made = plan([demand()], [host("a", vcpus_used=7, memory_mb_used=7168, local_gb_used=90)], FILTERS, [])
    assert list(made.placed) == ["a"]


def test_instances_of_one_request_are_spread_by_free_memory() -> None:
    demands = [demand(str(number)) for number in range(4)]
    made = plan(demands, [host("a"), host("b")], FILTERS, [FreeMemoryWeigher()])
    assert {name: len(taken) for name, taken in made.placed.items()} == {"a": 2, "b": 2}


def test_the_fill_first_weigher_fills_one_host() -> None:
    demands = [demand(str(number)) for number in range(4)]
    made = plan(demands, [host("a"), host("b", memory_mb_used=1024)], FILTERS, [FillFirstWeigher()])
    assert list(made.placed) == ["b"]


def test_a_forced_host_is_the_only_candidate() -> None:
    made = plan([demand(host="b")], [host("a"), host("b")], FILTERS, [])
    assert list(made.placed) == ["b"]


def test_an_ignored_host_is_passed_over() -> None:
    made = plan([demand(ignored_hosts=frozenset({"a"}))], [host("a"), host("b")], FILTERS, [])
    assert list(made.placed) == ["b"]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4096), st.integers(0, 40)), max_size=30))
def test_no_plan_gives_away_more_than_a_host_has(sizes: list[tuple[int, int, int]]) -> None:
    hosts = [host("a"), host("b", memory_mb=2048), host("c", vcpus=2)]
    demands = [Demand(str(n), vcpus=v, memory_mb=m, local_gb=d) for n, (v, m, d) in enumerate(sizes)]
    made = plan(demands, hosts, FILTERS, [FreeMemoryWeigher()])
    for state in hosts:
        taken = made.placed.get(state.host, ())
        assert sum(one.vcpus for one in taken) <= state.vcpus
        assert sum(one.memory_mb for one in taken) <= state.memory_mb
        assert sum(one.local_gb for one in taken) <= state.local_gb
    assert len(made.refused) + sum(map(len, made.placed.values())) == len(demands)
