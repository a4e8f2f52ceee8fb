"""What strict clients accept of the compute API's responses, by call and microversion.

``compute_responses.jsonl`` has a line for each version at which a call's response changes: its status, and by
path the keys that an object must have, those that it may have, and whether it may have others. In a path ``[]``
stands for every item of a list, ``<pattern>`` for every key that matches, and ``|`` for an object that may also
be an empty text; None takes a path away.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("compute_responses.jsonl")
_PART = re.compile(r"/(<[^>]+>|[^/<\[|]+)|(\[\])|(\|)")


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """What a call answers at a version."""

    statuses: tuple[int, ...]
    objects: dict[str, dict[str, Any]]

    def problems(self, document: Any) -> list[str]:
        """Return how a response's document differs from the shape."""
        found = []
        for path, rule in self.objects.items():
            for value in _at(document, _PART.findall(path)):
                if not isinstance(value, dict):
                    continue
                known = {*rule["required"], *rule.get("optional", ())}
                found += [f"{path} lacks {key}" for key in rule["required"] if key not in value]
                if rule.get("closed"):
                    found += [f"{path} has {key}" for key in value.keys() - known]
        return found


def minors(call: str) -> list[int]:
    """Return the minor versions at which a call's response changes, those before them, and two late ones."""
    changes = [row["since"] for row in _ROWS if row["call"] == call]
    return sorted({*changes, *(minor - 1 for minor in changes[1:]), 87, 96})


def calls() -> set[str]:
    """Return the calls of which something is known."""
    return {row["call"] for row in _ROWS}


def shape(call: str, minor: int) -> Shape:
    """Return the shape of a call's response at version 2.``minor``."""
    statuses: tuple[int, ...] = ()
    objects: dict[str, dict[str, Any]] = {}
    for row in _ROWS:
        if row["call"] == call and row["since"] <= minor:
            statuses = tuple(row.get("status", statuses))
            objects |= row.get("shapes", {})
    return Shape(statuses, {path: rule for path, rule in objects.items() if rule is not None})


def _at(document: Any, parts: list[tuple[str, str, str]]) -> Iterator[Any]:
    """Return every value that a path leads to; a way that is not there leads nowhere."""
    if not parts:
        yield document
        return
    (key, items, _), rest = parts[0], parts[1:]
    if items:
        for item in document if isinstance(document, list) else ():
            yield from _at(item, rest)
    elif key.startswith("<"):
        for name, value in document.items() if isinstance(document, dict) else ():
            if re.search(key[1:-1], name):
                yield from _at(value, rest)
    elif not key:
        yield from _at(document, rest)
    elif isinstance(document, dict) and key in document:
        yield from _at(document[key], rest)


def _read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in _FILE.read_text().splitlines()]


_ROWS = _read()
