"""Choosing hosts: pure, so tested with plain values."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite.core import clock
from nova_lite.core.hints import Hints
from nova_lite.core.hosts import ComputeNode, Service
from nova_lite.scheduler.choose import plan
from nova_lite.scheduler.filters.affinity import (
    DifferentHostFilter,
    SameHostFilter,
    SimpleCIDRAffinityFilter,
)
from nova_lite.scheduler.filters.all_hosts import AllHostsFilter
from nova_lite.scheduler.filters.availability_zone import AvailabilityZoneFilter
from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.filters.compute import ComputeFilter
from nova_lite.scheduler.filters.isolated_hosts import IsolatedHostsFilter
from nova_lite.scheduler.filters.json_query import JsonFilter
from nova_lite.scheduler.filters.room import CoreFilter, DiskFilter, RamFilter
from nova_lite.scheduler.hosts import Demand, HostState, Ratios, Surroundings
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


SERVICE = Service(1, "s", "nova-compute", "a", "nova", False, None, False, clock.now(), 1, True)
NODE = ComputeNode(
    id=1, uuid="u", host="a", hypervisor_hostname="a", hypervisor_type="QEMU", hypervisor_version=1, host_ip="",
    vcpus=4, memory_mb=4096, local_gb=100, vcpus_used=0, memory_mb_used=0, local_gb_used=0, running_vms=0,
    disk_available_least=0, cpu_info="", service=SERVICE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("node", "ratios", "room"),
    [
        ({}, Ratios(1, 1, 1, 0, 0, 0), (4, 4096, 100)),
        ({}, Ratios(2, 1.5, 3, 1024, 10 * 1024, 1), (6, 4608, 270)),
        ({}, Ratios(16, 1, 1, 8192, 200 * 1024, 4), (0, 0, 0)),
        ({"vcpus": 0}, Ratios(1, 1, 1, 0, 0, 1), (2**31, 4096, 100)),
    ],
)
def test_what_is_kept_for_the_host_is_no_part_of_what_is_given_away(
    node: dict[str, int], ratios: Ratios, room: tuple[float, float, float]
) -> None:
    state = HostState.of(dataclasses.replace(NODE, **node), ratios)
    assert (state.vcpus, state.memory_mb, state.local_gb) == room


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


def test_what_is_forced_passes_every_filter_but_needs_a_daemon() -> None:
    full = host("b", disabled=True, memory_mb_used=8192, availability_zone="other")
    forced = demand(host="b", is_forced=True, availability_zone="nova")

    assert list(plan([forced], [host("a"), full], FILTERS, []).placed) == ["b"]
    down = plan([forced], [host("a"), host("b", up=False)], FILTERS, [])
    assert down.refused == {"i": "2 hosts, 1 after choosing b, 0 up"}


CASES: list[tuple[HostFilter, dict[str, object], dict[str, object], bool]] = [
    (AllHostsFilter(), {"up": False}, {}, True),
    (AvailabilityZoneFilter(), {}, {}, True),
    (AvailabilityZoneFilter(), {}, {"availability_zone": "nova"}, True),
    (AvailabilityZoneFilter(), {}, {"availability_zone": "Nova"}, False),
    (ComputeFilter(), {"hypervisor_type": "QEMU"}, {"extra_specs": {"hypervisor_type": "QEMU"}}, True),
    (ComputeFilter(), {"hypervisor_type": "QEMU"}, {"extra_specs": {"hypervisor_type": "qemu"}}, False),
    (ComputeFilter(), {"hypervisor_version": 7}, {"extra_specs": {"capabilities:hypervisor_version": "7"}}, True),
    (ComputeFilter(), {}, {"extra_specs": {"unheard-of": "1"}}, False),
    (ComputeFilter(), {}, {"extra_specs": {"hw:cpu_policy": "shared"}}, True),
    (CoreFilter(), {"vcpus": 0}, {}, False),
    (CoreFilter(), {"vcpus_used": 7}, {"vcpus": 1}, True),
    (CoreFilter(), {"vcpus_used": 7}, {"vcpus": 2}, False),
    (RamFilter(), {"memory_mb_used": 7168}, {"memory_mb": 1024}, True),
    (RamFilter(), {"memory_mb_used": 7168}, {"memory_mb": 1025}, False),
    (IsolatedHostsFilter(["a"], ["image"]), {}, {"image_id": "image"}, True),
    (IsolatedHostsFilter(["a"], ["image"]), {}, {"image_id": "other"}, False),
    (IsolatedHostsFilter(["b"], ["image"]), {}, {"image_id": "image"}, False),
    (IsolatedHostsFilter(["b"], ["image"]), {}, {"image_id": "other"}, True),
    (SameHostFilter(), {}, {"around": Surroundings(same_hosts=frozenset({"a", "b"}))}, True),
    (SameHostFilter(), {}, {"around": Surroundings(same_hosts=frozenset({"b"}))}, False),
    (SameHostFilter(), {}, {"around": Surroundings(same_hosts=frozenset())}, False),
    (DifferentHostFilter(), {}, {"around": Surroundings(different_hosts=frozenset({"b"}))}, True),
    (DifferentHostFilter(), {}, {"around": Surroundings(different_hosts=frozenset({"a", "b"}))}, False),
    (SimpleCIDRAffinityFilter(), {"address": "192.0.2.9"}, {"hints": Hints(build_near_host_ip="192.0.2.1")}, True),
    (SimpleCIDRAffinityFilter(), {"address": "192.0.3.9"}, {"hints": Hints(build_near_host_ip="192.0.2.1")}, False),
    (
        SimpleCIDRAffinityFilter(),
        {"address": "192.0.3.9"},
        {"hints": Hints(build_near_host_ip="192.0.2.1", cidr="/23")},
        True,
    ),
]


@pytest.mark.parametrize(("host_filter", "there", "wanted", "passes"), CASES)
def test_each_filter_passes_exactly_the_hosts_that_it_means(
    host_filter: HostFilter, there: dict[str, object], wanted: dict[str, object], passes: bool
) -> None:
    assert host_filter.passes(host("a", **there), demand(**wanted)) is passes


QUERIES: list[tuple[object, bool]] = [
    (None, True),
    ([], True),
    (["=", "$host", "a"], True),
    ([">=", "$free_ram_mb", 8192, 1], True),
    ([">", "$free_ram_mb", 8192], False),
    (["<", "$vcpus_used"], False),
    (["<=", "$total_usable_ram_mb", "text"], False),
    (["in", "$host", "b", "a"], True),
    (["not", ["=", "$host", "b"]], True),
    (["not", ["=", "$host", "a"], ["=", "$host", "b"]], True),
    (["and", ["=", "$host", "a"], ["=", "$service.host", "b"]], False),
    (["or", ["=", "$host", "a"], ["=", "$service.host", "b"]], True),
    (["=", "$capabilities.enabled", True], True),
    (["=", "$unheard.of", 1], False),
    ('["=", "$host", "a"]', True),
]


@pytest.mark.parametrize(("query", "passes"), QUERIES)
def test_a_query_says_which_hosts(query: object, passes: bool) -> None:
    assert JsonFilter().passes(host("a"), demand(hints=Hints(query=query))) is passes
