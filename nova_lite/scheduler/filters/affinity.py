"""Filters for instances that are to be together or apart."""

import ipaddress

from nova_lite.core.server_group import GroupPolicy, fits
from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState


class SameHostFilter(HostFilter):
    """Passes the hosts of the instances of the hint ``same_host``, any host where there is no hint."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether one of the instances is on the host."""
        wanted = demand.around.same_hosts
        return wanted is None or host.host in wanted


class DifferentHostFilter(HostFilter):
    """Passes hosts on which none of the instances of the hint ``different_host`` is."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether none of the instances is on the host."""
        return host.host not in demand.around.different_hosts


class SimpleCIDRAffinityFilter(HostFilter):
    """Passes hosts whose address is in the network of the hints ``build_near_host_ip`` and ``cidr``."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host's address is near the wanted one."""
        near = demand.hints.build_near_host_ip
        if not near:
            return True
        network = ipaddress.ip_network(near + demand.hints.cidr, strict=False)
        return ipaddress.ip_address(host.address) in network


class ServerGroupAffinityFilter(HostFilter):
    """Passes the host that the members of an affinity group are on."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether no member is on another host."""
        return _fits(host, demand, GroupPolicy.AFFINITY)


class ServerGroupAntiAffinityFilter(HostFilter):
    """Passes hosts with fewer members of an anti-affinity group than it allows."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether one member more may be on the host."""
        return _fits(host, demand, GroupPolicy.ANTI_AFFINITY)


def _fits(host: HostState, demand: Demand, policy: GroupPolicy) -> bool:
    group = demand.around.group
    if group is None or group.policy is not policy:
        return True
    return fits(policy, group.max_per_host, host.companions + 1, host.companions_elsewhere)
