"""Pages of keys in the order of their UTF-8 bytes, rolled up behind a delimiter, without reading what is skipped."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from nova_lite.core.objects import Listing, Page

_BATCH = 1000
_LAST = 0x10FFFF


class Entry(Protocol):
    """Something that is listed by its key."""

    @property
    def key(self) -> str:
        """The key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a batch begins: at ``key`` or, when ``past``, after it; ``past_id`` narrows that to one of the key's.

    ``end`` is the first key that is not wanted, if any.
    """

    key: str
    past: bool = False
    past_id: str = ""
    end: str = ""


Fetch = Callable[[Place, int], Sequence[Any]]
"""Returns up to so many entries from a place on."""
Identify = Callable[[Any], str]
"""Returns what tells apart entries of the same key."""


def paged(wanted: Listing, fetch: Fetch, identify: Identify = lambda _: "") -> Page:
    """Return one page."""
    entries: list[Any] = []
    prefixes: list[str] = []
    place = _beginning(wanted)
    next_after = next_id = ""
    if wanted.limit <= 0:
        return Page((), ())
    while True:
        # One more than fits tells whether there is a next page.
        size = _BATCH if wanted.delimiter else min(_BATCH, wanted.limit - len(entries) + 1)
        batch = fetch(place, size)
        for entry in batch:
            group = _group(entry.key, wanted)
            if group and prefixes and group == prefixes[-1]:
                continue
            if len(entries) + len(prefixes) == wanted.limit:
                return Page(tuple(entries), tuple(prefixes), next_after, next_id)
            if group:
                prefixes.append(group)
                next_after, next_id = group, ""
            else:
                entries.append(entry)
                next_after, next_id = entry.key, identify(entry)
        if len(batch) < size:
            return Page(tuple(entries), tuple(prefixes))
        place = _following(batch[-1], wanted, place.end, identify)


def successor(prefix: str) -> str:
    """Return the first text that is greater than all that begin with ``prefix``; empty where there is none."""
    while prefix and ord(prefix[-1]) == _LAST:
        prefix = prefix[:-1]
    if not prefix:
        return ""
    following = ord(prefix[-1]) + 1
    # Surrogates are no characters of UTF-8.
    return prefix[:-1] + chr(0xE000 if 0xD800 <= following < 0xE000 else following)


def _beginning(wanted: Listing) -> Place:
    end = successor(wanted.prefix)
    if wanted.after < wanted.prefix:
        return Place(wanted.prefix, end=end)
    if wanted.after and _group(wanted.after, wanted) == wanted.after:
        return _after_group(wanted.after, end)
    return Place(wanted.after, past=bool(wanted.after), past_id=wanted.after_id, end=end)


def _following(entry: Entry, wanted: Listing, end: str, identify: Identify) -> Place:
    group = _group(entry.key, wanted)
    if group:
        return _after_group(group, end)
    return Place(entry.key, past=True, past_id=identify(entry), end=end)


def _after_group(group: str, end: str) -> Place:
    following = successor(group)
    # Behind the greatest prefix there is nothing: an end before the beginning says so.
    return Place(following, end=end) if following else Place(group, past=True, end=group)


def _group(key: str, wanted: Listing) -> str:
    """Return the prefix that ``key`` is rolled up into, or nothing."""
    if not wanted.delimiter:
        return ""
    at = key.find(wanted.delimiter, len(wanted.prefix))
    return "" if at < 0 else key[: at + len(wanted.delimiter)]
