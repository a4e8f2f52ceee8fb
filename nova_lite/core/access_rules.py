"""Access rules: what the token of an application credential may ask for, and nothing else."""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping

_PART = re.compile(r"\{[^}]*\}|\*\*|\*|[^{*]+|\{")


@dataclasses.dataclass(frozen=True, slots=True)
class AccessRule:
    """One request that may be made: a method and a path of a service, by the type that the catalog calls it.

    In ``path`` a name in braces and ``*`` stand for one segment, ``**`` for any number of them.
    """

    id: str
    service: str
    method: str
    path: str

    def document(self) -> dict[str, str]:
        """Return the rule as it is kept and shown."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, str]) -> "AccessRule":
        """Read a rule that was kept."""
        return cls(**document)


def allowed(rules: Iterable[AccessRule], service: str, method: str, path: str) -> bool:
    """Tell whether one of the rules is for a request."""
    return any(
        rule.service == service and rule.method == method and _pattern(rule.path).matches(path)
        for rule in rules
    )


class _Pattern:
    """A path with wildcards.

    Users write it, so it is not made a regular expression, whose search goes back over every wildcard: here each
    character is looked at once. Bit n of a number is the place before the unit n, all places at a time.
    """

    def __init__(self, path: str) -> None:
        self._characters: dict[str, int] = {}
        self._segments = self._anything = 0
        place = 1
        for part in _PART.findall(path):
            if part == "**":
                self._anything |= place
                place <<= 1
            elif part == "*" or (part.startswith("{") and part.endswith("}")):
                self._segments |= place
                place <<= 1
            else:
                for character in part:
                    self._characters[character] = self._characters.get(character, 0) | place
                    place <<= 1
        self._end = place

    def matches(self, path: str) -> bool:
        """Tell whether the whole path fits."""
        places = self._without_anything(1)
        for character in path:
            following = (places & self._characters.get(character, 0)) << 1 | (places & (self._anything << 1))
            if character != "/":
                following |= (places & self._segments) << 1 | (places & (self._segments << 1))
            places = self._without_anything(following)
        return bool(places & self._end)

    def _without_anything(self, places: int) -> int:
        """Add the places that are reached by letting ``**`` stand for nothing."""
        while more := (places & self._anything) << 1 & ~places:
            places |= more
        return places


@functools.lru_cache(maxsize=1024)
def _pattern(path: str) -> _Pattern:
    return _Pattern(path)
