"""The filter for the hint ``query``: an expression in JSON, such as ``[">=", "$free_ram_mb", 1024]``."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from nova_lite.core.hints import parsed_query
from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Demand, HostState

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class JsonFilter(HostFilter):
    """Passes hosts for which the query is true, any host where there is none."""

    def passes(self, host: HostState, demand: Demand) -> bool:
        """Evaluate the query about the host."""
        query = parsed_query(demand.hints.query)
        return True if not query else bool(_truth(_evaluate(query, _facts(host))))


def _evaluate(query: Any, facts: Mapping[str, Any]) -> Any:
    if isinstance(query, list):
        if not query:
            return True
        arguments = [value for value in (_evaluate(item, facts) for item in query[1:]) if value is not None]
        return _apply(query[0], arguments)
    if isinstance(query, str) and query.startswith("$"):
        return facts.get(query[1:])
    return query


def _apply(name: str, arguments: list[Any]) -> Any:
    if name == "not":
        return [not argument for argument in arguments]
    if name == "and":
        return all(_truth(argument) for argument in arguments)
    if name == "or":
        return any(_truth(argument) for argument in arguments)
    if len(arguments) < 2:
        return False
    first, *others = arguments
    if name == "in":
        return first in others
    try:
        return all(_COMPARISONS[name](first, other) for other in others)
    except TypeError:
        # Text and number have no order.
        return False


def _truth(value: Any) -> bool:
    return any(value) if isinstance(value, list) else bool(value)


def _facts(host: HostState) -> dict[str, Any]:
    """Return what a query may ask about a host, by name; memory and disk in MiB."""
    return {
        "host": host.host,
        "hypervisor_hostname": host.node,
        "availability_zone": host.availability_zone,
        "host_ip": host.address,
        "service.host": host.host,
        "capabilities.enabled": host.up and not host.disabled,
        "free_ram_mb": host.free_memory_mb,
        "free_disk_mb": (host.local_gb - host.local_gb_used) * 1024,
        "total_usable_ram_mb": host.memory_mb,
        "vcpus_total": host.vcpus,
        "vcpus_used": host.vcpus_used,
        "num_instances": host.instances,
    }
