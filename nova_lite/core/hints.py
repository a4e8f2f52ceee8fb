"""Scheduler hints: what a user may say of the host that an instance is to come to."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from nova_lite.core.errors import InvalidInput

OPERATORS = ("=", "<", ">", "<=", ">=", "in", "not", "and", "or")
"""What a query's lists may begin with."""

_DEEPEST = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Hints:
    """Hints of a boot request.

    ``same_host`` and ``different_host`` are ids of instances, ``query`` an expression of the JSON filter,
    ``group`` the id of a server group, ``build_near_host_ip`` with ``cidr`` (such as "/24") a network.
    """

    group: str = ""
    same_host: tuple[str, ...] = ()
    different_host: tuple[str, ...] = ()
    query: Any = None
    build_near_host_ip: str = ""
    cidr: str = "/24"

    def parameters(self) -> dict[str, Any]:
        """Return the hints as an action's parameters carry them: only those that were given."""
        plain = dataclasses.asdict(self)
        return {name: value for name, value in plain.items() if value != getattr(Hints(), name)}

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Hints":
        """Read the hints of an action's parameters."""
        found = dict(parameters.get("hints", {}))
        for name in ("same_host", "different_host"):
            found[name] = tuple(found.get(name, ()))
        return cls(**found)


def parsed_query(query: Any) -> Any:
    """Return the hint ``query``, given as JSON or as text of it; raises InvalidInput for what is none."""
    try:
        found = json.loads(query) if isinstance(query, str) and query else query
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The hint query is not JSON.") from error
    _check(found, 0)
    return found


def _check(query: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidInput("The hint query is nested too deeply.")
    if not isinstance(query, list) or not query:
        return
    if query[0] not in OPERATORS:
        raise InvalidInput(f"The hint query has an unknown operator: {str(query[0])[:40]}.")
    for argument in query[1:]:
        _check(argument, depth + 1)
