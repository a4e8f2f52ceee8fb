"""The choice of hosts, pure: demands and a view of the hosts in, a plan out."""

import dataclasses
from collections.abc import Mapping, Sequence

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState
from nova_lite.scheduler.weights import Weigher


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """Demands by the host chosen for them; for each that no host can take, how many passed each filter."""

    placed: Mapping[str, tuple[Demand, ...]]
    refused: Mapping[str, str]


def plan(
    demands: Sequence[Demand],
    hosts: Sequence[HostState],
    filters: Sequence[HostFilter],
    weighers: Sequence[Weigher],
) -> Plan:
    """Choose a host for each demand; each choice counts against the hosts for those after it."""
    view = {host.host: host for host in hosts}
    placed: dict[str, list[Demand]] = {}
    refused: dict[str, str] = {}
    companions: dict[str, dict[str, int]] = {}
    for demand in demands:
        group = demand.around.group
        beside = companions.setdefault(group.uuid, dict(group.placed)) if group is not None else {}
        hosts_now = [host.beside(beside) for host in view.values()] if group else list(view.values())
        candidates, reason = _passing(demand, hosts_now, filters)
        if not candidates:
            refused[demand.instance_uuid] = reason
            continue
        best = _best(candidates, demand, weighers)
        view[best.host] = best.taking(demand)
        beside[best.host] = beside.get(best.host, 0) + 1
        placed.setdefault(best.host, []).append(demand)
    return Plan({host: tuple(taken) for host, taken in placed.items()}, refused)


def _passing(
    demand: Demand, hosts: list[HostState], filters: Sequence[HostFilter]
) -> tuple[list[HostState], str]:
    """Return the hosts that pass every filter; and how many were left after each."""
    left = [host for host in hosts if host.host not in demand.ignored_hosts]
    counts = [f"{len(left)} hosts"]
    if demand.host:
        left = [host for host in left if host.host == demand.host]
        counts.append(f"{len(left)} after choosing {demand.host}")
    if demand.is_forced:
        # What an admin forces no filter refuses; but nobody would do the work of a daemon that is down.
        left = [host for host in left if host.up]
        return left, ", ".join([*counts, f"{len(left)} up"])
    for host_filter in filters:
        left = [host for host in left if host_filter.passes(host, demand)]
        counts.append(f"{len(left)} after {type(host_filter).__name__}")
        if not left:
            break
    return left, ", ".join(counts)


def _best(hosts: list[HostState], demand: Demand, weighers: Sequence[Weigher]) -> HostState:
    def rank(host: HostState) -> tuple[float, int, str]:
        weight = sum(weigher.weigh(host, demand) for weigher in weighers)
        return (-weight, host.instances, host.host)

    return min(hosts, key=rank)
