"""Filters of lists: each name says what of a thing is compared, values may have wildcards (* and ?)."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nova_lite.api.ec2.errors import Ec2Error

T = TypeVar("T")

Get = Callable[[Any], Any]
"""Returns what a filter looks at: a text, a number, a boolean, None, or several of them."""

Table = Mapping[str, Get]

_MOST = 200
_MOST_FILTERS = 50
_SPECIAL = re.compile(r"\\(.)|([*?])|([^\\*?]+)|(\\)", re.DOTALL)


def chosen(
    things: Iterable[T], wanted: Sequence[Mapping[str, Any]], table: Table, tags: Get | None = None
) -> list[T]:
    """Return the things that pass all filters; ``tags`` returns a thing's, by key.

    Raises Ec2Error for a filter that there is not.
    """
    tests = tests_of(wanted, table, tags)
    return [thing for thing in things if all(test(thing) for test in tests)]


def tests_of(
    wanted: Sequence[Mapping[str, Any]], table: Table, tags: Get | None = None
) -> list[Callable[[Any], bool]]:
    """Return a test for each filter; raises Ec2Error for one that there is not."""
    if len(wanted) > _MOST_FILTERS:
        raise Ec2Error("FilterLimitExceeded", f"A request has at most {_MOST_FILTERS} filters.")
    tests = []
    for each in wanted:
        name, values = each["Name"], each.get("Value", [])
        if len(values) > _MOST:
            raise Ec2Error("FilterLimitExceeded", f"A filter has at most {_MOST} values.")
        get = _getter(name, table, tags)
        if get is None:
            raise Ec2Error("InvalidParameterValue", f"The filter '{name[:100]}' is invalid")
        tests.append(_test(get, [_pattern(value) for value in values]))
    return tests


def _getter(name: str, table: Table, tags: Get | None) -> Get | None:
    if tags is not None:
        if name.startswith("tag:"):
            key = name.removeprefix("tag:")
            return lambda thing: tags(thing).get(key)
        if name == "tag-key":
            return lambda thing: list(tags(thing))
        if name == "tag-value":
            return lambda thing: list(tags(thing).values())
    return table.get(name)


def _test(get: Get, patterns: Sequence[re.Pattern[str]]) -> Callable[[Any], bool]:
    def passes(thing: Any) -> bool:
        value = get(thing)
        several = value if isinstance(value, list | tuple | set | frozenset) else (value,)
        shown = [_shown(each) for each in several if each is not None]
        return any(pattern.fullmatch(each) for each in shown for pattern in patterns)

    return passes


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _pattern(value: str) -> re.Pattern[str]:
    """Return a value as a regular expression; that of fnmatch takes no exponential time for any value."""
    parts = []
    for escaped, wildcard, plain, lone in _SPECIAL.findall(value):
        parts.append(
            wildcard or "".join(f"[{each}]" if each in "*?[" else each for each in escaped or plain or lone)
        )
    return re.compile(fnmatch.translate("".join(parts)))
