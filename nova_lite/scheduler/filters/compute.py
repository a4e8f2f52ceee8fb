"""The filter for hosts that work, and are what a flavor asks for."""

from collections.abc import Iterator, Mapping

from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState

_SCOPE = "capabilities"


class ComputeFilter(HostFilter):
    """Passes hosts whose nova-compute is up and not disabled, with the capabilities of the flavor's extra specs.

    An extra spec is for this filter when its name has no scope, or the scope "capabilities"; what has another
    (``hw:…``, ``quota:…``) is for others to read.
    """

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Tell whether the host's daemon is up and enabled, and each wanted capability exactly as wanted."""
        if not host.up or host.disabled:
            return False
        wanted = dict(_wanted(demand.extra_specs))
        if not wanted:
            return True
        known = capabilities(host)
        return all(known.get(name) == value for name, value in wanted.items())


def capabilities(host: HostState) -> dict[str, str]:
    """Return what a host is, by name, as text."""
    return {
        "enabled": str(not host.disabled),
        "host": host.host,
        "hypervisor_hostname": host.node,
        "hypervisor_type": host.hypervisor_type,
        "hypervisor_version": str(host.hypervisor_version),
        "cpu_info": host.cpu_info,
        "host_ip": host.address,
        "availability_zone": host.availability_zone,
    }


def _wanted(extra_specs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in extra_specs.items():
        scope, colon, rest = name.partition(":")
        if not colon:
            yield name, value
        elif scope == _SCOPE:
            yield rest, value
