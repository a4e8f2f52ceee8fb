"""A row of a route table, and finding the row of a request."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite.api.call import Handler, Microversion

PUBLIC = "public"
"""The policy of routes that need no token: version documents and logging in."""

_FIRST = Microversion(0, 0)
_LAST = Microversion(99, 999)


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """One thing that a client can ask for.

    ``path`` has variables in braces, one path segment each; ``{name:path}`` takes the rest. ``policy`` names
    the rule that lets a caller in. ``schema`` checks the body (a JSON Schema), ``query`` the query string.
    ``action`` is the key of the body for ``POST …/action``. ``status`` is the answer's unless the handler
    says otherwise. ``streams`` leaves the body unread.
    """

    method: str
    path: str
    handler: Handler
    policy: str
    schema: Mapping[str, Any] | None = None
    query: Mapping[str, Any] | None = None
    action: str = ""
    status: int = 200
    since: Microversion = _FIRST
    until: Microversion = _LAST
    streams: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """The rows that share a request's path and method, and the path's variables."""

    routes: tuple[Route, ...]
    params: Mapping[str, str]


class RouteTable:
    """Finds rows by path: exact segments first, then variables."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        by_path: dict[str, list[Route]] = {}
        for route in self.routes:
            by_path.setdefault(route.path, []).append(route)
        ordered = sorted(by_path.items(), key=lambda item: (item[0].count("{"), -len(item[0])))
        self._static = {path: rows for path, rows in ordered if "{" not in path}
        self._patterns = [(_compile(path), rows) for path, rows in ordered if "{" in path]

    def find(self, method: str, path: str) -> Match | None:
        """Return the rows of a request: None for an unknown path, no rows for a method not allowed."""
        path = path.rstrip("/") or "/"
        rows = self._static.get(path)
        if rows is not None:
            return Match(_of_method(rows, method), {})
        for pattern, candidates in self._patterns:
            found = pattern.fullmatch(path)
            if found is not None:
                return Match(_of_method(candidates, method), found.groupdict())
        return None


def _of_method(rows: Iterable[Route], method: str) -> tuple[Route, ...]:
    wanted = "GET" if method == "HEAD" and not any(row.method == "HEAD" for row in rows) else method
    return tuple(row for row in rows if row.method == wanted)


def _compile(path: str) -> re.Pattern[str]:
    pattern = ""
    for part in re.split(r"(\{[^}]+\})", path):
        if not part.startswith("{"):
            pattern += re.escape(part)
        elif part.endswith(":path}"):
            pattern += f"(?P<{part[1:-6]}>.+)"
        else:
            pattern += f"(?P<{part[1:-1]}>[^/]+)"
    return re.compile(pattern)
